"""Who works on a case: its priority, its assignment, and its escalation by age."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import AwareDatetime, model_validator

from domain.frame.case_words import Level, Priority
from domain.frame.keys import case_key
from domain.kernel.base import Carried
from domain.kernel.business_clock import BusinessClock
from domain.kernel.business_errors import ServiceRuleError


def priority_of(impact: Level, urgency: Level, *, favoured: bool = False) -> Priority:
    """The priority of a case by impact and urgency; a favoured customer is raised by one, nobody is lowered."""
    levels = list(Level)
    # Two highs are urgent; each step down on either side is one priority lower, down to the lowest.
    place = min(levels.index(impact) + levels.index(urgency), len(Priority) - 1)
    return list(Priority)[max(0, place - 1) if favoured else place]


class CaseTraits(Carried):
    """What assignment and escalation rules look at."""

    priority: Priority
    product: str | None = None
    segment: str | None = None
    language: str | None = None
    channel: str | None = None
    tier: str | None = None


class Match(Carried):
    """Traits that a rule asks for; an empty set asks for nothing."""

    priorities: frozenset[Priority] = frozenset()
    products: frozenset[str] = frozenset()
    segments: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()
    tiers: frozenset[str] = frozenset()

    @property
    def is_blank(self) -> bool:
        """Whether it asks for nothing at all."""
        return not any(wanted for wanted, _ in self._pairs(CaseTraits(priority=Priority.LOW)))

    def fits(self, case: CaseTraits) -> bool:
        """Whether a case has all the traits asked for."""
        return all(not wanted or value in wanted for wanted, value in self._pairs(case))

    def _pairs(self, case: CaseTraits) -> list[tuple[frozenset[str], str | None]]:
        return [
            (frozenset(self.priorities), case.priority),
            (self.products, case.product),
            (self.segments, case.segment),
            (self.languages, case.language),
            (self.channels, case.channel),
            (self.tiers, case.tier),
        ]


class AssignmentRule(Carried):
    """Cases that match go to a team and need these skills; the last rule may match everything."""

    name: str
    match: Match = Match()
    team: str
    skills: frozenset[str] = frozenset()


class Agent(Carried):
    """Somebody who takes cases. `assigned_at` is when they got the last one; `shift_ends_at` is none when off shift."""

    id: str
    team: str
    skills: frozenset[str] = frozenset()
    open_cases: int = 0
    limit: int | None = None
    assigned_at: AwareDatetime | None = None
    shift_ends_at: AwareDatetime | None = None


class Assignment(Carried):
    """The team and, when one is free, the agent that a case goes to, with the rule that said so."""

    rule: str
    team: str
    agent: str | None


def assign(
    case: CaseTraits,
    rules: Sequence[AssignmentRule],
    agents: Sequence[Agent],
    *,
    at: datetime,
    answer_owed: bool,
) -> Assignment | None:
    """The first rule that matches gives team and skills; among its agents the least busy, then the one waiting longest.

    Somebody off shift is chosen only when nobody on shift is free and no first response is owed; else the case stays
    with the team. None when no rule matches.
    """
    rule = next((rule for rule in rules if rule.match.fits(case)), None)
    if rule is None:
        return None
    able = [
        agent
        for agent in agents
        if agent.team == rule.team
        and rule.skills <= agent.skills
        and (agent.limit is None or agent.open_cases < agent.limit)
    ]
    on_shift = [agent for agent in able if agent.shift_ends_at is not None and agent.shift_ends_at > at]
    candidates = on_shift or ([] if answer_owed else able)
    best = min(candidates, key=lambda agent: (agent.open_cases, _waiting_since(agent), agent.id), default=None)
    return Assignment(rule=rule.name, team=rule.team, agent=best.id if best else None)


def _waiting_since(agent: Agent) -> tuple[bool, datetime | None]:
    # Whoever never had a case comes first; two such agents are told apart by their ids.
    return (agent.assigned_at is not None, agent.assigned_at)


class AgeFrom(StrEnum):
    """From when the age of a case counts for escalation."""

    CREATION = "creation"
    CREATION_UNTIL_FIRST_EDIT = "creation_until_first_edit"
    """no age any more once somebody touched it"""
    LAST_EDIT = "last_edit"


class EscalationAction(Carried):
    """What happens when a case reaches an age, in business time."""

    after: timedelta
    notify: tuple[str, ...] = ()
    assign_to: str | None = None


class EscalationRule(Carried):
    """Cases that match escalate at these ages. `on_calendar` false counts wall-clock time."""

    name: str
    match: Match = Match()
    age_from: AgeFrom = AgeFrom.CREATION
    on_calendar: bool = True
    actions: tuple[EscalationAction, ...]

    @model_validator(mode="after")
    def _ages_differ(self) -> EscalationRule:
        ages = [action.after for action in self.actions]
        if len(set(ages)) < len(ages):
            raise ServiceRuleError(f"two actions of escalation {self.name!r} have the same age; give each its own")
        return self


class EscalationBook(Carried):
    """The ordered escalation rules; the first match counts. One that matches everything must be the last."""

    rules: tuple[EscalationRule, ...] = ()

    @model_validator(mode="after")
    def _catch_all_last(self) -> EscalationBook:
        for rule in self.rules[:-1]:
            if rule.match.is_blank:
                raise ServiceRuleError(f"escalation {rule.name!r} matches every case; move it to the end")
        return self


class PlannedEscalation(Carried):
    """One escalation step with its instant; the key names its one effect for a case."""

    key: str
    rule: str
    at: AwareDatetime
    action: EscalationAction


def escalation_rule(case: CaseTraits, book: EscalationBook) -> EscalationRule | None:
    """The rule that a case escalates by: the first that fits."""
    return next((rule for rule in book.rules if rule.match.fits(case)), None)


def escalations(
    case_id: str,
    case: CaseTraits,
    book: EscalationBook,
    clock: BusinessClock,
    *,
    created_at: datetime,
    first_edit_at: datetime | None = None,
    last_edit_at: datetime | None = None,
) -> tuple[PlannedEscalation, ...]:
    """The escalation steps of a case in order of time: instants to set timers for, so that nothing scans old cases.

    Args:
        created_at: when the case was opened, or when its rule began to fit it.
    """
    rule = escalation_rule(case, book)
    if rule is None or (rule.age_from is AgeFrom.CREATION_UNTIL_FIRST_EDIT and first_edit_at is not None):
        return ()
    start = (last_edit_at or created_at) if rule.age_from is AgeFrom.LAST_EDIT else created_at
    steps = sorted(rule.actions, key=lambda action: action.after)
    return tuple(
        PlannedEscalation(
            key=case_key(case_id, f"escalation/{rule.name}/{int(step.after.total_seconds())}"),
            rule=rule.name,
            at=clock.due(start, step.after) if rule.on_calendar else start + step.after,
            action=step,
        )
        for step in steps
    )
