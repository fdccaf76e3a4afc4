"""What cannot be read is said in words for whoever mends it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pydantic import ValidationError

from domain.frame.unreadable import why_not
from domain.kernel.money import Money


def test_what_is_wrong_is_said_without_a_programmers_words() -> None:
    with pytest.raises(ValidationError) as wrong:
        Money(amount=Decimal(1), currency="ZZZ")
    assert why_not(wrong.value).startswith("currency: unknown currency 'ZZZ'; use an ISO 4217 code")
