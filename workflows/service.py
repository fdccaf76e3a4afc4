"""Service beside sales: what cases mean for what may be said, and leads that wait for an answer."""

from __future__ import annotations

from datetime import datetime

from domain.frame.state import JourneyState, Step
from domain.holds.sales_requests import CaseChangedSignal
from domain.kernel.calendar import local_day

STAGE = "service"
STEPS = frozenset(
    {
        "service_review",  # a case changed, or somebody asked: what holds sales back, and what may go now
        "service_hold_lift",  # a cool-down, a manual hold or an override ends
        "service_lead_reminder",  # a business day before sales has to answer a lead
        "service_lead_overdue",  # nobody answered: somebody else gets it
    }
)


def review_for(state: JourneyState, signal: CaseChangedSignal, now: datetime) -> Step | None:
    """The look that a change of a case calls for, or null for a journey that has ended."""
    if state.closed or state.account is None:
        return None
    if any(step.kind == "service_review" and step.at <= now for step in state.agenda):
        return None  # one look answers them all
    on = local_day(now, state.account.time_zone)
    return Step(kind="service_review", stage=STAGE, name=f"review-{signal.id}", at=now, on=on)
