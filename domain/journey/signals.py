"""What a journey is told by signal, and the look that each calls for: the figures and the cases are in the facts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from domain.frame.state import JourneyState, Step
from domain.holds.requests import CaseChangedSignal
from domain.kernel.calendar import local_day
from domain.success.requests import HealthChanged, UsageChanged

Signal = UsageChanged | CaseChangedSignal | HealthChanged
_MODELS: dict[str, type[Signal]] = {
    "usage_changed": UsageChanged,
    "case_changed": CaseChangedSignal,
    "health_changed": HealthChanged,
}


def read_signal(name: str, document: Any) -> Signal:
    """The signal in a JSON document. Raises ValidationError."""
    return _MODELS[name].model_validate(document)


def review_for(state: JourneyState, signal: Signal, now: datetime) -> Step | None:
    """The look that a signal calls for; null while nothing of it is open, or if one look that is planned answers it as well."""
    if state.account is None:
        return None
    if isinstance(signal, UsageChanged):
        kind, stage, name = "adoption_usage_review", "adoption", f"usage-{signal.id}"
        wanted, planned = stage in state.stages, any(step.kind == kind for step in state.agenda)
    elif isinstance(signal, HealthChanged):
        kind, stage, name = "relationship_health", "relationship", f"health-{signal.id}"
        wanted, planned = not state.closed, any(step.kind == kind for step in state.agenda)
    else:
        kind, stage, name = "service_review", "service", f"review-{signal.id}"
        wanted, planned = not state.closed, any(step.kind == kind and step.at <= now for step in state.agenda)
    if not wanted or planned:
        return None
    return Step(kind=kind, stage=stage, name=name, at=now, on=local_day(now, state.account.time_zone))
