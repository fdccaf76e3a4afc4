"""All milestones of a case at one glance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from domain.frame.case_words import Priority
from domain.kernel.business_clock import BusinessClock
from domain.kernel.business_errors import ServiceRuleError
from domain.service.definitions import Milestone
from domain.service.history import CaseHistory
from domain.service.milestones import Occurrence, Target, occurrences


@dataclass(frozen=True, slots=True)
class Followed:
    """One milestone of a case with its occurrences and what they were judged by."""

    milestone: Milestone
    clock: BusinessClock
    occurrences: tuple[Occurrence, ...]
    promised: Mapping[int, Target] = field(default_factory=dict)


def follow(
    milestones: Sequence[Milestone],
    priority: Priority,
    history: CaseHistory,
    clocks: Mapping[str, BusinessClock],
    *,
    calendar_id: str,
    as_of: datetime | None = None,
    promised: Mapping[str, Mapping[int, Target]] | None = None,
) -> tuple[Followed, ...]:
    """Every milestone of a case, in their order, judged from its events.

    The priority's targets are applied to the whole history, but for occurrences that were `promised` something.

    Args:
        promised: by milestone and number, what occurrences are judged by instead.
        clocks: by calendar id; a milestone's own calendar comes before `calendar_id`, the policy's or the case's.
        as_of: judge open occurrences at this instant.

    Raises:
        ServiceRuleError: a calendar that is not among `clocks`.
    """
    followed = []
    for milestone in sorted(milestones, key=lambda one: one.order):
        wanted = milestone.calendar_id or calendar_id
        clock = clocks.get(wanted)
        if clock is None:
            raise ServiceRuleError(f"the milestone {milestone.name!r} counts in calendar {wanted!r}; load it")
        target = milestone.targets.get(priority)
        own = (promised or {}).get(milestone.name, {})
        found = occurrences(milestone, target, history, clock, as_of=as_of, promised=own)
        followed.append(Followed(milestone, clock, found, own))
    return tuple(followed)
