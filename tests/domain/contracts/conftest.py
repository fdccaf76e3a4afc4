"""The day on which the rules of contracts are tried: one, whatever day it is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from unittest.mock import patch

import pytest

from activities.kernel import clock

_DAY = datetime(2026, 11, 28, 3, tzinfo=UTC)


@pytest.fixture(scope="module", autouse=True)
def on_one_day() -> Iterator[None]:
    """Dates that are written out in tests lie ahead of it, and so does the next month, by days."""
    with patch.object(clock, "_ahead", _DAY - datetime.now(UTC)):  # noqa: TID251 - it is moved from there
        yield
