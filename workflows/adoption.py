"""Adoption: check-ins by cadence, help when few seats are used, the survey. Usage itself never enters a workflow."""

from __future__ import annotations

from datetime import date, datetime

from domain.frame.state import JourneyState, Step
from domain.kernel.calendar import local_day
from domain.success.requests import UsageChanged

STAGE = "adoption"
STEPS = frozenset(
    {
        "adoption_check_in",  # the regular look, which plans the next one
        "adoption_follow_up",  # two weeks after help was offered
        "adoption_mail",  # what was decided at a time at which nobody is to be written to
        "adoption_usage_review",  # usage crossed a threshold
        "adoption_survey",  # would you recommend us?
    }
)


def days_of_check_ins(state: JourneyState, step: Step) -> list[date]:
    """The days of the check-ins that are to come, beside `step`."""
    return [one.on for one in state.agenda if one.kind == "adoption_check_in" and one.key != step.key]


def review_for(state: JourneyState, signal: UsageChanged, now: datetime) -> Step | None:
    """The look that a change of usage calls for, or null while no adoption is open."""
    if STAGE not in state.stages or state.account is None:
        return None
    if any(step.kind == "adoption_usage_review" for step in state.agenda):
        return None  # one look answers them all
    on = local_day(now, state.account.time_zone)
    return Step(kind="adoption_usage_review", stage=STAGE, name=f"usage-{signal.id}", at=now, on=on)
