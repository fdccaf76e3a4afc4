"""What a case means for sales, for whoever opens it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from domain.service.case import CaseAccount, CaseFile, MilestoneFacts, SurveyFacts
from domain.service.definitions import MilestoneKind
from domain.service.guard import hold_of
from domain.service.holds import CaseForHold
from domain.service.opening import CaseCategory


def sales_of(
    case: CaseFile,
    account: CaseAccount | None,
    milestones: Iterable[MilestoneFacts],
    surveys: Iterable[SurveyFacts],
    as_of: datetime,
) -> str:
    """Whether the case holds sales back at `as_of`, in words; empty if it does not, or is of nobody known."""
    if account is None:
        return ""
    answered = {one.survey_id: one.score for one in surveys if _of_resolution(one, case)}
    raised = CaseForHold(
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
    return hold_of(raised, account.country, account.time_zone, as_of)


def _of_resolution(survey: SurveyFacts, case: CaseFile) -> bool:
    """True for an answer to the survey about the present resolution."""
    return survey.score is not None and case.resolved_at is not None and survey.sent_at >= case.resolved_at
