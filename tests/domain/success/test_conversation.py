"""What a check-in says: of every product, what has changed; and nothing cheerful to whoever leaves."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from domain.frame.customer import ContractFacts, ContractStatus, Customer
from domain.frame.situation import HelpOwed, Looks, Situation
from domain.frame.success_facts import UsageFacts
from domain.success import adoption, conversation, thanks
from domain.success.health import assess
from tests.domain.journey.test_mail_anew import contract
from tests.domain.success.test_health import JAPANESE, PROFILES, evidence
from tests.domain.success.test_seat_use import NOW, customer, playbook

DAY = timedelta(days=1)
SAID = {"active_users": 28, "seats": 40, "product": "Workspace"}


def situation(of: Customer, looks: Looks | None = None) -> Situation:
    return Situation(of, playbook(), NOW, looks=looks)


def ending(status: ContractStatus, ends_in: int) -> ContractFacts:
    found = contract(status.value, NOW.date() + ends_in * DAY)
    return found.having(term=found.term.having(ends_at=NOW + ends_in * DAY))


def test_every_product_is_told_of_with_its_own_seats() -> None:
    first = customer(active="28")
    second = first.assets[0].having(asset_id="B", product="SIGN", product_name="Sign")
    usage = UsageFacts(product="SIGN", latest_day=date(2027, 5, 31), recent=Decimal(10), earlier=None, last=Decimal(10))
    said = conversation.reported(situation(first.having(assets=[*first.assets, second], usage=[*first.usage, usage])))
    assert (said["product"], said["active_users"], said["seats"]) == ("Sign", 10, 40)
    assert [(one["product"], one["active_users"]) for one in said["others"]] == [("Workspace", 28)]


@pytest.mark.parametrize(("before", "shown"), [(28, 0), (21, 2)])
def test_what_has_not_changed_is_no_change(before: int, shown: int) -> None:
    seen = ((NOW - 60 * DAY, {**SAID, "active_users": before}), (NOW - 30 * DAY, SAID))
    looks = Looks(said_at=NOW - 60 * DAY, said={"products": ["Workspace"]}, seen=seen)
    assert len(conversation.says(situation(customer(active="28"), looks), None)["seen"]) == shown


@pytest.mark.parametrize(
    ("status", "ends_in", "leaves"),
    [
        (ContractStatus.DECLINED, 30, True),
        (ContractStatus.DECLINED, 90, False),
        (ContractStatus.ACTIVE, 30, False),
    ],
)
def test_whoever_leaves_soon_gets_no_check_in_and_no_thanks(status: ContractStatus, ends_in: int, leaves: bool) -> None:
    asks = situation(customer(active="28").having(contracts=[ending(status, ends_in)]))
    assert (conversation.why_not_written(asks) is not None) is leaves
    assert (thanks.no_thanks(asks) == "they have said that they leave") is leaves


@pytest.mark.parametrize(("promised", "told"), [(NOW.date(), 1), (NOW.date() + DAY, 0), (None, 0)])
def test_the_day_that_was_promised_is_kept_while_help_is_under_way(promised: date | None, told: int) -> None:
    said = {"products": ["Workspace"], "next_on": promised.isoformat() if promised else None}
    owed = (
        HelpOwed("adoption/help", "S", "S", NOW - 15 * DAY),
        HelpOwed("adoption/help/training", "T", "Tom", NOW + 2 * DAY),
    )
    looks = Looks(help_since=NOW - 20 * DAY, said_at=NOW - 90 * DAY, said=said, told_at=NOW - 20 * DAY, help_owed=owed)
    helped = customer(active="8").having(
        staff_tasks=[adoption.HELP_TASK], contracts=[ending(ContractStatus.ACTIVE, 200)]
    )
    asks = situation(helped, looks)
    found = adoption.check_in(
        asks, asks.step("adoption_check_in", "adoption", "check-in", NOW.date()), assess(evidence(), PROFILES)
    )
    assert [mail.template for mail in found.mails] == ["check_in"] * told
    (lines,) = [notice.lines for notice in found.notices if "still low" in notice.title]
    assert lines == [
        f"Your first call was due on {NOW.date() - 15 * DAY} and is not done.",
        f"The training of Tom is due on {NOW.date() + 2 * DAY}.",
    ]
    assert None not in [JAPANESE.said(line) for line in lines]


@pytest.mark.parametrize(("promised_in", "said"), [(17, True), (120, False), (None, False)])
def test_a_word_about_their_use_says_which_promised_check_in_it_replaces(promised_in: int | None, said: bool) -> None:
    day = NOW.date() + promised_in * DAY if promised_in else None
    before = {"products": ["Workspace"], "next_on": day.isoformat() if day else None}
    asks = situation(customer(active="8"), Looks(said_at=NOW - 75 * DAY, said=before, told_at=NOW - 75 * DAY))
    found = adoption.mail_of(
        situation(customer(active="8").having(staff_tasks=[adoption.HELP_TASK]), asks.looks), "outreach"
    )
    assert found is not None
    assert ("instead_of" in found.context) is said
    assert not said or (day and found.context["instead_of"] == day.isoformat())


def test_what_was_replaced_does_not_come_any_more() -> None:
    said = {"products": ["Workspace"], "next_on": NOW.date().isoformat()}
    looks = Looks(said_at=NOW - 90 * DAY, said=said, told_at=NOW - 20 * DAY)
    replaced = Looks(said_at=NOW - 90 * DAY, said=said, told_at=NOW - 20 * DAY, replaced=True)
    assert conversation.why_not_written(situation(customer(active="28"), looks)) is None
    assert conversation.why_not_written(situation(customer(active="28"), replaced)) is not None
