"""What each mail is stands in one table: it is whole, contractual mails are never late, and each is told to whom it concerns, once."""

from __future__ import annotations

from pathlib import Path

import pytest

import activities.channels
from activities.frame.decided import with_copies
from activities.journey.steps import JourneySteps
from domain.frame import pace
from domain.frame.customer import ContactFacts
from domain.frame.decision import Decision, JournalLine, Mail
from domain.frame.mail_kinds import TEMPLATES, TOPICS, MailKind, of_kind, rank, template_of
from domain.orders.order import ContactRole
from tests.domain.frame.test_pace import now

WRITTEN = Path(activities.channels.__file__).parent / "templates"
LAYOUTS = {"frame", "in_use", "notice", "document", "joined", "proposal", "sheet"}
CONTRACTUAL = sorted(name for name, template in TEMPLATES.items() if template.kind is MailKind.CONTRACTUAL)
OPTIONAL = sorted(name for name, template in TEMPLATES.items() if template.kind is MailKind.OPTIONAL)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_every_template_says_what_it_is(language: str) -> None:
    assert {path.stem for path in (WRITTEN / language).glob("*.j2")} - LAYOUTS == set(TEMPLATES)


@pytest.mark.parametrize("template", CONTRACTUAL)
def test_a_contractual_mail_is_never_late(template: str) -> None:
    situation = now("2026-12-07T09:00")
    beside = [Mail("check_in"), Mail(template)]
    for mails in ([Mail(template)], beside):
        decision = Decision(JournalLine("said"), mails=mails)
        assert pace.paced(situation, decision) is None
        assert pace.ahead(situation, decision, []) == []
    assert Mail(template).contractual


@pytest.mark.parametrize("template", OPTIONAL)
def test_an_optional_mail_waits_and_one_of_a_day_keeps_it(template: str) -> None:
    situation = now("2026-12-08T10:00")
    assert pace.paced(situation, Decision(JournalLine("said"), mails=[Mail(template)])) is not None
    day = pace.day_for(situation, template, situation.as_of)
    assert (day is None) == template_of(template).keeps_its_day


def test_no_step_that_waits_sends_what_is_owed() -> None:
    waiting = {name for name, kind in JourneySteps.steps.items() if kind.paced}
    assert not {name for name in waiting if name.startswith(("renewal_", "billing_"))}


def test_the_order_of_usefulness_is_whole() -> None:
    assert sorted(map(rank, TEMPLATES)) == list(range(len(TEMPLATES)))
    assert rank("of_before") == len(TEMPLATES)
    assert rank("welcome") < rank("documents") < rank("onboarding_reminder") < rank("check_in") < rank("touch_month_1")


def _contact(contact_id: str, role: ContactRole, email: str) -> ContactFacts:
    main = now("2026-12-07T09:00").customer.contacts[0]
    return main.having(contact_id=contact_id, role=role, email=email)


def test_who_is_concerned_hears_of_it_and_nobody_twice() -> None:
    people = [
        _contact("m", ContactRole.MAIN, "jo@acme.example"),
        _contact("b", ContactRole.BILLING, "pay@acme.example"),
        _contact("s", ContactRole.SPONSOR, "cfo@acme.example"),
        _contact("a", ContactRole.ADMIN, "Jo@acme.example"),
    ]
    situation = now("2026-12-07T09:00")
    customer = situation.customer.having(contacts=people)

    day = "2027-03-31"
    said = {"contract_id": "K-1", "over": False, "term_end": day, "end": day, "ended_on": day}

    def told(template: str, contacts: list[ContactFacts] = people) -> list[str]:
        whole = customer.having(contacts=contacts)
        decision = with_copies(whole, Decision(JournalLine("said"), mails=[Mail(template, said)]))
        found = [whole.contact(mail.role, mail.contact_id) for mail in decision.mails]
        return [one.email for one in found if one is not None]

    assert told("renewal_notice") == ["pay@acme.example", "cfo@acme.example"]
    assert told("provisioning_done") == ["Jo@acme.example"], "administrator and main contact are one person"
    assert told("touch_anniversary") == ["cfo@acme.example"]
    assert told("check_in") == ["jo@acme.example"]
    alone = people[:1]
    assert {email for template in TEMPLATES for email in told(template, alone)} == {"jo@acme.example"}
    assert all(len(told(template, alone)) == 1 for template in TEMPLATES)


def test_every_optional_mail_is_about_something_that_somebody_can_choose() -> None:
    optional = of_kind(MailKind.OPTIONAL)
    topics = [name for names in TOPICS.values() for name in names]
    assert sorted(topics) == sorted(optional)
