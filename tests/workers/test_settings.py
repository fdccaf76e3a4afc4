"""Settings that say more than what was given."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from domain.mail.marks import Domains
from workers.settings import Settings


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, Domains("perennial.example")),
        ({"inbox_at": "inbox:2525"}, Domains("perennial.example", "perennial.example")),
        ({"reply_domain": "reply.perennial.example"}, Domains("perennial.example", "reply.perennial.example")),
        (
            {"mail_domain": "b\u00fccher.example", "inbox_at": "inbox:2525"},
            Domains("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ),
    ],
)
def test_mail_is_for_us_under_the_domains_that_stand_in_our_mails(given: dict[str, str], expected: Domains) -> None:
    settings = Settings.model_validate(given)
    assert settings.domains() == expected
    assert settings.smtp().reply_domain == expected.reply
    assert expected.takes(f"Service@{expected.mail.upper()}")
    assert not expected.takes("service@elsewhere.example")
    assert not expected.takes("perennial.example")


def test_an_address_for_one_click_that_cannot_be_used_is_refused() -> None:
    with pytest.raises(ValidationError, match="use https"):
        Settings.model_validate({"public_url": "http://mail.perennial.example"}).domains()
