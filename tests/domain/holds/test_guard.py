"""Whether a customer may be reached: business days where they are, products, quotes asked for by a person, discounts earned."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.contracts.renewal_talk import earned_discount
from domain.frame.playbook import EarnedDiscount
from domain.frame.sales_holds import HoldLevel, Purpose
from domain.frame.service_facts import NO_SERVICE, Bearing, KnownCase, ServiceFacts
from domain.holds.guard import SALES_HELD, SalesGuard, hold_of
from domain.holds.holds import Verdict
from domain.kernel.national import weekday_clock
from domain.kernel.refusals import Refusal

NOW = datetime(2026, 12, 24, 3, 0, tzinfo=UTC)


def known(**more: Any) -> KnownCase:
    return KnownCase.model_validate(
        {
            "case_id": "C-1",
            "state": "open",
            "priority": "urgent",
            "opened_at": NOW - timedelta(days=1),
            "last_activity_at": NOW - timedelta(hours=1),
            **more,
        }
    )


def guard(*cases: KnownCase, country: str = "DE", **more: Any) -> SalesGuard:
    return SalesGuard(ServiceFacts(cases=list(cases), **more), country, "Europe/Berlin", NOW)


@pytest.mark.parametrize("purpose", Purpose)
def test_whom_service_knows_nothing_of_is_sent_everything(purpose: Purpose) -> None:
    """A delivery asks no more than that: see `clear_undisturbed`."""
    decision = SalesGuard(NO_SERVICE, "DE", "Europe/Berlin", NOW).at_sending(purpose)
    assert (decision.verdict, decision.override) == (Verdict.ALLOWED, None)


@pytest.mark.parametrize(
    ("country", "days", "ends"),
    [
        # Thursday 24 December: two days of Christmas, one of them a Saturday, and the Sunday lie between.
        ("DE", 3, "2026-12-30"),
        # Friday and Saturday are the weekend there, and Christmas is none of theirs.
        ("AE", 3, "2026-12-29"),
        # Nothing is known of this country: Saturday and Sunday are off.
        ("XX", 3, "2026-12-29"),
    ],
)
def test_business_days_are_those_of_the_customers_country(country: str, days: int, ends: str) -> None:
    clock = weekday_clock(country, "Europe/Berlin", NOW.year)
    assert clock.add_days(NOW, days).date().isoformat() == ends


def test_without_anything_known_everything_may_be_said() -> None:
    free = guard()
    assert free.holds == ()
    assert free.next_look() is None
    assert all(free.holds_back(purpose) is None for purpose in Purpose)
    free.require(Purpose.NEW_QUOTE)


@pytest.mark.parametrize("purpose", list(Purpose))
def test_a_block_lets_pass_what_is_owed(purpose: Purpose) -> None:
    owed = {Purpose.CONTRACTUAL_NOTICE, Purpose.TRANSACTIONAL, Purpose.CASE_MAIL, Purpose.SERVICE_RECOVERY}
    assert (guard(known()).holds_back(purpose) is None) is (purpose in owed)


def test_a_case_about_one_product_leaves_the_others_alone() -> None:
    one = guard(known(product="CRM"))
    assert one.holds_back(Purpose.UPSELL, "CRM") is not None
    assert one.holds_back(Purpose.UPSELL, "ROUTER") is None
    assert one.holds_back(Purpose.CAMPAIGN) is not None
    assert guard(known(product="CRM", escalated=True)).holds_back(Purpose.UPSELL, "ROUTER") is not None


def test_a_warning_holds_what_leaves_by_itself_and_asks_people_to_read() -> None:
    warned = guard(known(priority="low"))
    assert warned.holds_back(Purpose.CAMPAIGN) is not None
    assert warned.holds_back(Purpose.NEW_QUOTE) is None  # a person asked for it, who had to read first
    assert warned.renewal_held() is None
    with pytest.raises(Refusal, match="acknowledge_hold") as refused:
        warned.require(Purpose.NEW_QUOTE, by="s-1")
    assert refused.value.type == SALES_HELD
    read = guard(known(priority="low"), acknowledged=[{"source": "C-1", "by": "s-1"}])
    read.require(Purpose.NEW_QUOTE, by="s-1")
    with pytest.raises(Refusal):
        read.require(Purpose.NEW_QUOTE, by="s-2")


def test_a_renewal_waits_for_a_release_and_near_its_end_for_a_manager() -> None:
    held = guard(known()).renewal_held(NOW + timedelta(days=60))
    assert held is not None
    assert held.verdict is Verdict.HELD
    near = guard(known()).renewal_held(NOW + timedelta(days=29))
    assert near is not None
    assert near.verdict is Verdict.MANAGER_DECIDES
    assert guard(known(), released=["C-1"]).renewal_held(NOW + timedelta(days=29)) is None


def test_the_next_look_is_at_the_first_end_of_anything() -> None:
    resolved = known(state="resolved", resolved_at=NOW - timedelta(hours=1))
    assert guard(resolved).next_look() == weekday_clock("DE", "Europe/Berlin", 2026).add_days(
        NOW - timedelta(hours=1), 3
    )
    override = {
        "id": "o",
        "by": "s",
        "role": "service_lead",
        "reason": "r",
        "since": NOW,
        "until": NOW + timedelta(hours=2),
    }
    overridden = guard(known(), overrides=[override])
    assert overridden.next_look() == NOW + timedelta(hours=2)
    assert overridden.holds_back(Purpose.UPSELL) is None
    assert overridden.holds[0].level is HoldLevel.BLOCK


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({}, "sales is held back: pressing case"),
        ({"escalated": True, "priority": "low"}, "sales is held back: escalated"),
        ({"priority": "low"}, "sales has to read it first: open case"),
        (
            {"state": "waiting_customer", "last_activity_at": NOW - timedelta(days=31)},
            "sales has to read it first: quiet case",
        ),
        ({"last_activity_at": NOW - timedelta(days=31)}, "sales is held back: pressing case"),
        (
            {"state": "resolved", "resolved_at": NOW - timedelta(hours=1)},
            "sales may go on from 2026-12-30: cooling down",
        ),
        ({"state": "resolved", "resolved_at": NOW - timedelta(hours=1), "rating": 4}, ""),
        ({"state": "closed", "resolved_at": NOW - timedelta(days=9)}, ""),
    ],
)
def test_a_case_says_what_it_means_for_sales(more: dict[str, Any], says: str) -> None:
    assert hold_of(known(**more), "DE", "Europe/Berlin", NOW) == says


@pytest.mark.parametrize(
    ("bearing", "percent", "reasons"),
    [
        (Bearing(), Decimal(0), 0),
        (Bearing(late=["C-1"]), Decimal(2), 1),
        (Bearing(late=["C-1"], reopened=["C-1"]), Decimal(3), 2),
        (Bearing(late=["C-1", "C-2"], reopened=["C-1"], low_rated=["C-2"]), Decimal(5), 3),
    ],
)
def test_a_discount_is_earned_by_what_went_badly_up_to_a_cap(bearing: Bearing, percent: Decimal, reasons: int) -> None:
    found, why = earned_discount(EarnedDiscount(), bearing)
    assert (found, len(why)) == (percent, reasons)
    assert earned_discount(EarnedDiscount(cap=Decimal(0)), bearing)[0] == 0
