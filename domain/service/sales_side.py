"""What a case means for sales, for whoever opens it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from domain.frame.sales_holds import CaseForHold, HoldLevel, HoldReason
from domain.holds.guard import hold_of
from domain.holds.holds import derive_holds
from domain.kernel.national import weekday_clock
from domain.service.case import CaseAccount, CaseFile, CsatFacts, MilestoneFacts
from domain.service.definitions import MilestoneKind
from domain.service.opening import CaseCategory


def sales_of(
    case: CaseFile,
    account: CaseAccount | None,
    milestones: Iterable[MilestoneFacts],
    surveys: Iterable[CsatFacts],
    as_of: datetime,
) -> str:
    """Whether the case holds sales back at `as_of`, in words; empty if it does not, or is of nobody known."""
    if account is None:
        return ""
    return hold_of(_raised(case, milestones, surveys), account.country, account.time_zone, as_of)


def standing_of(
    case: CaseFile,
    account: CaseAccount | None,
    milestones: Iterable[MilestoneFacts],
    surveys: Iterable[CsatFacts],
    as_of: datetime,
) -> frozenset[tuple[HoldLevel, HoldReason]]:
    """How far the case holds sales back at `as_of`, and for which reasons; empty if it does not, or is of nobody known."""
    if account is None:
        return frozenset()
    clock = weekday_clock(account.country, account.time_zone, as_of.year)
    holds = derive_holds([_raised(case, milestones, surveys)], (), (), clock, as_of=as_of)
    return frozenset((hold.level, hold.reason) for hold in holds)


def _raised(case: CaseFile, milestones: Iterable[MilestoneFacts], surveys: Iterable[CsatFacts]) -> CaseForHold:
    answered = {one.survey_id: one.score for one in surveys if _of_resolution(one, case)}
    return CaseForHold(
        case_id=case.case_id,
        state=case.status,
        priority=case.priority,
        opened_at=case.opened_at,
        last_activity_at=case.last_activity_at,
        escalated=case.escalated,
        resolution_late=any(
            row.kind == MilestoneKind.RESOLUTION.value and row.violated_at is not None and row.reversed_at is None
            for row in milestones
        ),
        refund_dispute=case.category == CaseCategory.REFUND_DISPUTE.value,
        security_or_legal=case.category in (CaseCategory.SECURITY.value, CaseCategory.LEGAL.value),
        resolved_at=case.resolved_at,
        rating=next(reversed(answered.values()), None),
    )


def _of_resolution(survey: CsatFacts, case: CaseFile) -> bool:
    """True for an answer to the survey about the present resolution."""
    return survey.score is not None and case.resolved_at is not None and survey.sent_at >= case.resolved_at
