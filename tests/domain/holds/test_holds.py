from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.frame.case_words import CaseState, Priority
from domain.frame.sales_holds import CaseForHold, Feedback, HoldLevel, HoldReason, ManualHold, Override, Purpose
from domain.holds.holds import (
    ContactRequest,
    Hold,
    OverrideRefusedError,
    Verdict,
    check_override,
    contact_allowed,
    customer_level,
    derive_holds,
)
from tests.domain.service.samples import at, hours, office_clock

NOW = at("2026-01-05 09:00")


def case(**more: Any) -> CaseForHold:
    return CaseForHold.model_validate(
        {
            "case_id": "C1",
            "state": CaseState.OPEN,
            "priority": Priority.MEDIUM,
            "opened_at": NOW - hours(5),
            "last_activity_at": NOW - hours(1),
            **more,
        }
    )


URGENT = case(priority=Priority.URGENT)


def holds_of(*cases: CaseForHold, on: datetime = NOW, **more: Any) -> tuple[Hold, ...]:
    feedback, manual = more.pop("feedback", ()), more.pop("manual", ())
    return derive_holds(cases, feedback, manual, office_clock(), as_of=on)


def verdict(holds: tuple[Hold, ...], purpose: Purpose, on: datetime = NOW, **more: Any) -> Verdict:
    return contact_allowed(ContactRequest(purpose=purpose, **more), holds, as_of=on).verdict


@pytest.mark.parametrize(
    ("more", "level", "reason"),
    [
        ({"priority": "urgent"}, HoldLevel.BLOCK, HoldReason.PRESSING_CASE),
        ({"priority": "high", "state": "waiting_customer"}, HoldLevel.BLOCK, HoldReason.PRESSING_CASE),
        ({"escalated": True}, HoldLevel.BLOCK, HoldReason.ESCALATED),
        ({"resolution_late": True}, HoldLevel.BLOCK, HoldReason.RESOLUTION_LATE),
        ({"refund_dispute": True}, HoldLevel.BLOCK, HoldReason.REFUND_DISPUTE),
        ({"security_or_legal": True}, HoldLevel.BLOCK, HoldReason.SECURITY_OR_LEGAL),
        ({}, HoldLevel.WARN, HoldReason.OPEN_CASE),
        (
            {"priority": "urgent", "state": "waiting_customer", "last_activity_at": NOW - timedelta(days=30)},
            HoldLevel.WARN,
            HoldReason.QUIET_CASE,
        ),
        *(
            (
                {"refund_dispute": True, "state": state, "last_activity_at": NOW - timedelta(days=300)},
                HoldLevel.BLOCK,
                HoldReason.REFUND_DISPUTE,
            )
            for state in ("new", "open", "waiting_internal", "waiting_third_party")
        ),
    ],
)
def test_what_a_running_case_raises(more: dict[str, Any], level: HoldLevel, reason: HoldReason) -> None:
    [hold] = holds_of(case(**more))
    assert (hold.level, hold.reason, hold.source) == (level, reason, "C1")


@pytest.mark.parametrize("state", ["merged", "cancelled", "closed", "resolved"])
def test_what_is_over_and_was_no_block_raises_nothing(state: str) -> None:
    assert holds_of(case(state=state, resolved_at=NOW - hours(1))) == ()


def test_a_block_cools_down_for_three_business_days_or_until_a_good_rating() -> None:
    resolved = URGENT.having(state=CaseState.RESOLVED, resolved_at=NOW)
    [hold] = holds_of(resolved)
    assert (hold.reason, hold.review_at) == (HoldReason.COOLING_DOWN, at("2026-01-08 09:00"))
    assert holds_of(resolved, on=at("2026-01-08 08:59")) != ()
    assert holds_of(resolved, on=at("2026-01-08 09:00")) == ()
    assert holds_of(resolved.having(rating=4)) == ()
    assert holds_of(resolved.having(rating=3)) != ()


def test_feedback_warns_for_its_time_or_until_followed_up() -> None:
    low = Feedback(id="F1", at=NOW, rating=2)
    [hold] = holds_of(feedback=[low])
    assert (hold.level, hold.review_at) == (HoldLevel.WARN, NOW + timedelta(days=14))
    assert holds_of(feedback=[low], on=NOW + timedelta(days=14)) == ()
    assert holds_of(feedback=[low.having(rating=3)]) == ()
    detractor = Feedback(id="F2", at=NOW, recommendation=6)
    [unhappy] = holds_of(feedback=[detractor], on=NOW + timedelta(days=29))
    assert (unhappy.level, unhappy.review_at) == (HoldLevel.WARN, NOW + timedelta(days=30))
    assert holds_of(feedback=[detractor], on=NOW + timedelta(days=30)) == ()
    assert holds_of(feedback=[detractor.having(followed_up=True)]) == ()
    assert holds_of(feedback=[detractor], on=NOW - hours(1)) == ()


def test_a_manual_hold_lasts_until_lifted_or_run_out() -> None:
    placed = ManualHold(id="M1", level=HoldLevel.BLOCK, says="law suit", placed_by="S1", since=NOW)
    assert customer_level(holds_of(manual=[placed])) is HoldLevel.BLOCK
    assert holds_of(manual=[placed], on=NOW - hours(1)) == ()
    assert holds_of(manual=[placed.having(until=NOW + hours(1))], on=NOW + hours(1)) == ()
    assert holds_of(manual=[placed.having(lifted_at=NOW + hours(1))], on=NOW + hours(2)) == ()


def test_blocks_come_first_then_the_oldest() -> None:
    found = holds_of(case(case_id="old", opened_at=NOW - hours(99)), case(case_id="new", priority="urgent"))
    assert [hold.source for hold in found] == ["new", "old"]
    assert customer_level(found) is HoldLevel.BLOCK
    assert customer_level(()) is HoldLevel.NONE


@pytest.mark.parametrize("purpose", list(Purpose))
def test_what_passes_a_block(purpose: Purpose) -> None:
    passes = {Purpose.TRANSACTIONAL, Purpose.CONTRACTUAL_NOTICE, Purpose.CASE_MAIL, Purpose.SERVICE_RECOVERY}
    expected = Verdict.ALLOWED if purpose in passes else Verdict.HELD
    assert verdict(holds_of(URGENT), purpose) is expected
    assert verdict(holds_of(URGENT), purpose, automatic=False, acknowledged=True) is expected
    assert verdict((), purpose) is Verdict.ALLOWED


def test_a_warning_holds_robots_and_asks_people_to_read() -> None:
    warned = holds_of(case())
    assert verdict(warned, Purpose.UPSELL) is Verdict.HELD
    assert verdict(warned, Purpose.UPSELL, automatic=False) is Verdict.ACKNOWLEDGE
    assert verdict(warned, Purpose.UPSELL, automatic=False, acknowledged=True) is Verdict.ALLOWED


def test_another_product_passes_unless_something_else_holds_the_customer() -> None:
    grinder = case(priority="urgent", product="grinder")
    assert verdict(holds_of(grinder), Purpose.UPSELL, product="grinder") is Verdict.HELD
    assert verdict(holds_of(grinder), Purpose.UPSELL) is Verdict.HELD
    assert verdict(holds_of(grinder), Purpose.UPSELL, product="kettle") is Verdict.ALLOWED
    escalated = grinder.having(escalated=True)
    assert verdict(holds_of(escalated), Purpose.UPSELL, product="kettle") is Verdict.HELD


def test_renewal_talk_needs_the_case_owner_or_near_the_end_a_manager() -> None:
    blocked = holds_of(URGENT, case(case_id="C2", escalated=True))
    assert verdict(blocked, Purpose.RENEWAL_TALK, released={"C1"}) is Verdict.HELD
    assert verdict(blocked, Purpose.RENEWAL_TALK, released={"C1", "C2"}) is Verdict.ALLOWED
    near, far = NOW + timedelta(days=30), NOW + timedelta(days=31)
    assert verdict(blocked, Purpose.RENEWAL_TALK, renewal_at=near) is Verdict.MANAGER_DECIDES
    assert verdict(blocked, Purpose.RENEWAL_TALK, renewal_at=far) is Verdict.HELD


def test_an_override_passes_once_named_and_only_while_it_lasts() -> None:
    override = Override(id="O1", by="S1", role="service_lead", reason="asked us to", since=NOW, until=NOW + hours(24))
    check_override(override)
    request = ContactRequest(purpose=Purpose.UPSELL)
    during = contact_allowed(request, holds_of(URGENT), [override], as_of=NOW)
    assert (during.verdict, during.override, during.level) == (Verdict.ALLOWED, "O1", HoldLevel.BLOCK)
    after = contact_allowed(request, holds_of(URGENT), [override], as_of=NOW + hours(24))
    assert (after.verdict, after.override) == (Verdict.HELD, None)
    unneeded = contact_allowed(request, (), [override], as_of=NOW)
    assert (unneeded.verdict, unneeded.override) == (Verdict.ALLOWED, None)


@pytest.mark.parametrize(
    ("more", "advice"),
    [
        ({"role": "sales_rep"}, "ask one of: service_lead, service_manager"),
        ({"reason": "  "}, "give one"),
        ({"until": NOW + timedelta(hours=24, seconds=1)}, "end it sooner"),
        ({"until": NOW}, "end it sooner"),
    ],
)
def test_overrides_are_named_and_short(more: dict[str, Any], advice: str) -> None:
    fields: dict[str, Any] = {"role": "service_lead", "reason": "x", "until": NOW + hours(1), **more}
    with pytest.raises(OverrideRefusedError, match=advice):
        check_override(Override(id="O1", by="S1", since=NOW, **fields))


def test_a_decision_tells_why_and_when_to_look_again() -> None:
    found = contact_allowed(ContactRequest(purpose=Purpose.CAMPAIGN), holds_of(URGENT), as_of=NOW)
    assert found.says == "held back: case C1, urgent, open: pressing case"
    assert found.look_again_at is None
    silent = URGENT.having(state=CaseState.WAITING_CUSTOMER)
    found = contact_allowed(ContactRequest(purpose=Purpose.CAMPAIGN), holds_of(silent), as_of=NOW)
    assert found.look_again_at == silent.last_activity_at + timedelta(days=30)
