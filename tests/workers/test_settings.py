"""Settings that say more than what was given."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest
from pydantic import ValidationError

from domain.frame.work_kinds import WorkKind
from domain.mail.marks import Domains
from workers.cli.common import explain
from workers.embedded.stack import EmbeddedStack
from workers.foresight.living import stays_inside
from workers.settings import Settings, Versioning


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


def test_a_stack_of_ones_own_and_a_copy_have_one_worker_that_does_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"VERSIONING": "pinned", "QUEUES_APART": "deliveries", "WORKS_ON": "deliveries", "MAILS_PER_SECOND": "0.01"}
    for name, value in given.items():
        monkeypatch.setenv(f"PERENNIAL_{name}", value)
    stack = cast(EmbeddedStack, SimpleNamespace(postgres_dsn="postgresql://here", smtp_host="127.0.0.1", smtp_port=25))
    here = Settings.of_stack(database_url="postgresql://here", smtp_host="127.0.0.1", smtp_port=25)
    for settings in (here, stays_inside(Settings(), stack)):
        assert (settings.versioning, settings.mails_per_second) == (Versioning.OFF, None)
        assert settings.queues == {WorkKind.JOURNEYS: "perennial"}


def test_an_address_for_one_click_that_cannot_be_used_is_refused() -> None:
    with pytest.raises(ValidationError, match="use https"):
        Settings.model_validate({"public_url": "http://mail.perennial.example"}).domains()


def test_a_provider_is_known_by_all_of_its_settings_or_by_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().provider() is None
    given = {
        "ISSUER": "https://login.example",
        "CLIENT_ID": "perennial",
        "CLIENT_SECRET": "s3cret",
        "ROLES_CLAIM": "groups",
        "ROLES": '{"crm": ["sales", "finance"]}',
    }
    for name, value in given.items():
        monkeypatch.setenv(f"PERENNIAL_OIDC_{name}", value)
    settings = Settings()
    found = settings.provider()
    assert found is not None
    assert (found.client_secret, found.claim, found.roles) == ("s3cret", "email", {"crm": ("sales", "finance")})
    assert "s3cret" not in repr(settings) + repr(found)
    wrong: tuple[tuple[str, str | None, str], ...] = (
        ("CLIENT_ID", None, "CLIENT_ID together"),
        ("ISSUER", "http://login.example", "by https"),
        ("ROLES", '{"erp": ["program"]}', "give people another"),
        ("ROLES_CLAIM", None, "ROLES together"),
    )
    for name, spoilt, said in wrong:
        with monkeypatch.context() as other:
            key = f"PERENNIAL_OIDC_{name}"
            other.setenv(key, spoilt) if spoilt else other.delenv(key)
            with pytest.raises(ValidationError, match=said):
                Settings()
    monkeypatch.setenv("PERENNIAL_OIDC_ROLES", "crm=sales")
    with pytest.raises(ValueError, match="oidc_roles") as raised:
        Settings()
    assert "written as JSON" in (explain(raised.value) or "")
