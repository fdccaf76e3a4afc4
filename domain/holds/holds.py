"""Holds: when sales may reach a customer while service still owes something, and who may say otherwise."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import AwareDatetime

from domain.frame.case_words import RUNNING, CaseState, Priority, state_in_words
from domain.frame.sales_holds import (
    DETRACTOR_UP_TO,
    CaseForHold,
    Feedback,
    HoldLevel,
    HoldReason,
    ManualHold,
    Override,
    Purpose,
)
from domain.kernel.base import Carried
from domain.kernel.business_clock import BusinessClock
from domain.kernel.business_errors import ServiceRuleError

PRODUCT_ONLY = frozenset(
    {
        HoldReason.PRESSING_CASE,
        HoldReason.RESOLUTION_LATE,
        HoldReason.OPEN_CASE,
        HoldReason.COOLING_DOWN,
        HoldReason.QUIET_CASE,
    }
)
"""Reasons that concern only the product of their case, when it names one."""


class HoldRules(Carried):
    """The spans and limits of holds."""

    pressing: frozenset[Priority] = frozenset({Priority.URGENT, Priority.HIGH})
    cool_down_business_days: int = 3
    released_by_rating: int = 4
    low_rating: int = 2
    low_rating_for: timedelta = timedelta(days=14)
    unhappy_for: timedelta = timedelta(days=30)
    """how long an unhappy recommendation that nobody follows up holds automatic mails back"""
    quiet_after: timedelta = timedelta(days=30)
    manager_decides_before_renewal: timedelta = timedelta(days=30)
    override_limit: timedelta = timedelta(hours=24)
    override_roles: frozenset[str] = frozenset({"service_lead", "service_manager"})


USUAL = HoldRules()


class Hold(Carried):
    """One reason to hold sales back, narrowed to a product if it names one; `review_at`: when it may change by itself."""

    level: HoldLevel
    reason: HoldReason
    source: str
    """the case, the survey answer or the manual hold that it comes from"""
    since: AwareDatetime
    product: str | None = None
    review_at: AwareDatetime | None = None
    says: str


def derive_holds(
    cases: Sequence[CaseForHold],
    feedback: Sequence[Feedback],
    manual: Sequence[ManualHold],
    clock: BusinessClock,
    *,
    as_of: datetime,
    rules: HoldRules = USUAL,
) -> tuple[Hold, ...]:
    """The holds on a customer at `as_of`, blocks first, then oldest first.

    Args:
        cases: all of the customer's cases that are not over, and those resolved lately.
        clock: the calendar in which cooling down is counted.
    """
    holds = [hold for case in cases for hold in _of_case(case, clock, as_of, rules)]
    holds += [hold for answer in feedback for hold in _of_feedback(answer, as_of, rules)]
    for placed in manual:
        over = placed.lifted_at if placed.lifted_at is not None else placed.until
        if placed.since <= as_of and (over is None or over > as_of):
            holds.append(
                Hold(
                    level=placed.level,
                    reason=placed.reason,
                    source=placed.id,
                    since=placed.since,
                    product=placed.product,
                    review_at=placed.until,
                    says=f"“{placed.says}”",
                )
            )
    return tuple(sorted(holds, key=lambda hold: (hold.level is not HoldLevel.BLOCK, hold.since, hold.source)))


def _of_case(case: CaseForHold, clock: BusinessClock, as_of: datetime, rules: HoldRules) -> list[Hold]:
    causes = _causes(case, rules)
    if case.state in RUNNING:
        if not causes:
            return [_hold(case, HoldLevel.WARN, HoldReason.OPEN_CASE, case.opened_at, None)]
        # Only a customer who does not answer makes a case quiet; what we leave lying goes on holding sales back.
        silent = case.state is CaseState.WAITING_CUSTOMER
        quiet_at = case.last_activity_at + rules.quiet_after if silent else None
        if quiet_at is not None and quiet_at <= as_of:
            return [_hold(case, HoldLevel.WARN, HoldReason.QUIET_CASE, quiet_at, None)]
        return [_hold(case, HoldLevel.BLOCK, cause, case.opened_at, quiet_at) for cause in causes]
    over = case.state in {CaseState.RESOLVED, CaseState.CLOSED} and case.resolved_at is not None and causes
    if not over or case.resolved_at is None or (case.rating or 0) >= rules.released_by_rating:
        return []
    cool_at = clock.add_days(case.resolved_at, rules.cool_down_business_days)
    if as_of >= cool_at:
        return []
    return [_hold(case, HoldLevel.BLOCK, HoldReason.COOLING_DOWN, case.resolved_at, cool_at)]


def _causes(case: CaseForHold, rules: HoldRules) -> list[HoldReason]:
    raised = {
        HoldReason.PRESSING_CASE: case.priority in rules.pressing,
        HoldReason.ESCALATED: case.escalated,
        HoldReason.RESOLUTION_LATE: case.resolution_late,
        HoldReason.REFUND_DISPUTE: case.refund_dispute,
        HoldReason.SECURITY_OR_LEGAL: case.security_or_legal,
    }
    return [reason for reason, is_raised in raised.items() if is_raised]


def _hold(case: CaseForHold, level: HoldLevel, reason: HoldReason, since: datetime, review_at: datetime | None) -> Hold:
    return Hold(
        level=level,
        reason=reason,
        source=case.case_id,
        since=since,
        product=case.product if reason in PRODUCT_ONLY else None,
        review_at=review_at,
        says=f"case {case.case_id}, {case.priority}, {state_in_words(case.state)}: {reason.replace('_', ' ')}",
    )


def _of_feedback(answer: Feedback, as_of: datetime, rules: HoldRules) -> list[Hold]:
    ends_at = answer.at + rules.low_rating_for
    found: list[tuple[HoldReason, str, datetime | None]] = []
    if answer.at > as_of:
        return []
    if answer.rating is not None and answer.rating <= rules.low_rating and as_of < ends_at:
        found.append((HoldReason.LOW_RATING, f"rated {answer.rating} of 5", ends_at))
    unhappy_until = answer.at + rules.unhappy_for
    unhappy = answer.recommendation is not None and answer.recommendation <= DETRACTOR_UP_TO
    if unhappy and not answer.followed_up and as_of < unhappy_until:
        says = f"would recommend at {answer.recommendation} of 10, not followed up"
        found.append((HoldReason.DETRACTOR, says, unhappy_until))
    return [
        Hold(level=HoldLevel.WARN, reason=reason, source=answer.id, since=answer.at, review_at=until, says=says)
        for reason, says, until in found
    ]


PASSES_ALWAYS = frozenset(
    {Purpose.CONTRACTUAL_NOTICE, Purpose.TRANSACTIONAL, Purpose.CASE_MAIL, Purpose.SERVICE_RECOVERY}
)


def check_override(override: Override, rules: HoldRules = USUAL) -> None:
    """Whether an override may be placed.

    Raises:
        OverrideRefusedError: a role that may not, no reason, or longer than allowed.
    """
    if override.role not in rules.override_roles:
        raise OverrideRefusedError(
            f"a {override.role} may not override a hold; ask one of: {', '.join(sorted(rules.override_roles))}"
        )
    if not override.reason.strip():
        raise OverrideRefusedError("an override needs a reason that the case owner will read; give one")
    length = override.until - override.since
    if not timedelta(0) < length <= rules.override_limit:
        raise OverrideRefusedError(f"an override lasts at most {rules.override_limit}, not {length}; end it sooner")


class Verdict(StrEnum):
    """Whether the customer may be reached now."""

    ALLOWED = "allowed"
    ACKNOWLEDGE = "acknowledge"
    """a person has to read what service knows first"""
    HELD = "held"
    """wait; ask again when the holds change"""
    MANAGER_DECIDES = "manager_decides"
    """a renewal is near and a block lives: a manager decides, on record"""


class ContactRequest(Carried):
    """One wish to reach the customer. `released` are cases whose owners let a renewal talk pass."""

    purpose: Purpose
    product: str | None = None
    automatic: bool = True
    acknowledged: bool = False
    released: frozenset[str] = frozenset()
    renewal_at: AwareDatetime | None = None


class ContactDecision(Carried):
    """The verdict with the holds that made it, the override that was used, and when to look again."""

    verdict: Verdict
    level: HoldLevel
    holds: tuple[Hold, ...] = ()
    override: str | None = None
    look_again_at: AwareDatetime | None = None
    says: str


def contact_allowed(
    request: ContactRequest,
    holds: Sequence[Hold],
    overrides: Collection[Override] = (),
    *,
    as_of: datetime,
    rules: HoldRules = USUAL,
) -> ContactDecision:
    """Whether a customer may be reached for a purpose at `as_of`. Ask at the moment of sending, not when planning.

    A hold that names a product lets outreach about another product pass, unless something else holds the customer.
    """
    counting = [
        hold for hold in holds if hold.product is None or request.product is None or hold.product == request.product
    ]
    blocks = [hold for hold in counting if hold.level is HoldLevel.BLOCK]
    level = HoldLevel.BLOCK if blocks else HoldLevel.WARN if counting else HoldLevel.NONE
    override = next((one for one in overrides if one.since <= as_of < one.until), None)
    verdict, says = _verdict(request, counting, level, as_of, rules)
    used = override if verdict is not Verdict.ALLOWED else None
    if used is not None:
        verdict, says = Verdict.ALLOWED, f"overridden by {used.by} ({used.role.replace('_', ' ')}): {used.reason}"
    reviews = [hold.review_at for hold in counting if hold.review_at is not None]
    return ContactDecision(
        verdict=verdict,
        level=level,
        holds=tuple(counting),
        override=used.id if used else None,
        look_again_at=min(reviews, default=None),
        says=says,
    )


def _verdict(
    request: ContactRequest, holds: Sequence[Hold], level: HoldLevel, as_of: datetime, rules: HoldRules
) -> tuple[Verdict, str]:
    if level is HoldLevel.NONE or request.purpose in PASSES_ALWAYS:
        return Verdict.ALLOWED, "nothing holds this back"
    why = "; ".join(hold.says for hold in holds)
    if level is HoldLevel.WARN:
        if request.purpose is Purpose.INTRODUCTION:
            return Verdict.ALLOWED, "who is new is introduced under a warning"
        if request.automatic:
            return Verdict.HELD, f"automatic mails wait: {why}"
        return (Verdict.ALLOWED if request.acknowledged else Verdict.ACKNOWLEDGE), why
    if request.purpose is Purpose.RENEWAL_TALK:
        blocking = {hold.source for hold in holds if hold.level is HoldLevel.BLOCK}
        if blocking <= request.released:
            return Verdict.ALLOWED, f"released by the case owner: {why}"
        near = request.renewal_at is not None and as_of >= request.renewal_at - rules.manager_decides_before_renewal
        if near:
            return Verdict.MANAGER_DECIDES, f"the renewal is near: {why}"
    return Verdict.HELD, f"held back: {why}"


def customer_level(holds: Sequence[Hold]) -> HoldLevel:
    """The strongest level among the holds on a customer."""
    levels = {hold.level for hold in holds}
    return next((level for level in (HoldLevel.BLOCK, HoldLevel.WARN) if level in levels), HoldLevel.NONE)


class OverrideRefusedError(ServiceRuleError):
    """An override of a hold that the rules do not allow."""

    code = "override_refused"
