"""An agenda: what a journey must have, and what one that runs says it has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from pydantic import AwareDatetime

from domain.frame.case_words import CaseState
from domain.frame.flight import Channel, Delivery
from domain.frame.state import AccountView, HealthView, JourneyState, Pause, Stage, Step
from domain.frame.unreadable import Unreadable
from domain.kernel.base import Carried
from domain.kernel.legible import Legible


@dataclass
class Agenda:
    """Stages by their ids, steps by their keys, deliveries by their ids within the account.

    `tolerated`: keys (or their beginnings and a *) of what may be there and is not asked for.
    """

    stages: dict[str, Stage] = field(default_factory=dict)
    steps: dict[str, Step] = field(default_factory=dict)
    deliveries: dict[str, Channel] = field(default_factory=dict)
    paused: Pause | None = None
    tolerated: set[str] = field(default_factory=set)
    unreadable: list[Unreadable] = field(default_factory=list)
    """facts that it would follow from and that cannot be read: what is missing for them is not there, and not unwanted"""

    def add(self, *steps: Step) -> None:
        """Puts steps on it."""
        self.steps |= {step.key: step for step in steps}

    def plan(self) -> list[Step]:
        """The steps in the order in which they come."""
        return sorted(self.steps.values(), key=lambda step: (step.at, step.key))

    def tolerates(self, key: str) -> bool:
        """True for what may be there without being asked for."""
        return any(key == one or (one.endswith("*") and key.startswith(one[:-1])) for one in self.tolerated)


class Running(Carried, Legible):
    """What a journey answers when it is asked for its agenda."""

    account_id: str
    now: AwareDatetime
    opened_at: AwareDatetime | None = None
    closed: bool = False
    paused: Pause | None = None
    last: str = ""
    """the key of what was done last"""
    account: AccountView | None = None
    health: HealthView | None = None
    attention: dict[str, str] | None = None
    """what needs a person, and why; null as releases before answered"""
    stages: dict[str, Stage] = {}
    steps: list[Step] = []
    parked: list[Step] = []
    deliveries: list[Delivery] = []

    @classmethod
    def of(cls, state: JourneyState, now: AwareDatetime) -> Running:
        """A journey's state, as others may see it."""
        return cls(
            account_id=state.account_id,
            now=now,
            opened_at=state.opened_at,
            closed=state.closed,
            paused=state.paused,
            last=state.last,
            account=state.account,
            health=state.health,
            attention=state.attention,
            stages=state.stages,
            steps=state.agenda,
            parked=state.parked,
            deliveries=state.in_flight,
        )


class RunningCase(Carried, Legible):
    """What a case answers when it is asked for its agenda: `next_at` is the instant that it waits for."""

    case_id: str
    now: AwareDatetime
    begun: bool
    status: CaseState | None = None
    next_at: AwareDatetime | None = None
    parked_at: AwareDatetime | None = None
    """an instant that came and could not be done"""
    deliveries: list[Delivery] = []


def by_key(steps: Iterable[Step]) -> dict[str, Step]:
    """Steps by their keys."""
    return {step.key: step for step in steps}
