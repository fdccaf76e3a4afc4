"""Another playbook tried on a customer: what their next months would have otherwise. Pure, and nothing is touched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from domain.frame.playbook import Playbook
from domain.frame.state import Step
from domain.frame.unreadable import UnreadableError
from domain.journey import ahead, contract_steps, play_steps, success_steps
from domain.journey.agenda import Agenda
from domain.journey.agenda_facts import Facts
from domain.journey.horizon import Horizon
from domain.journey.planning import Part, planned
from domain.kernel.refusals import INVALID_REQUEST, Refusal


@dataclass(frozen=True)
class ChangedPlan:
    """What another playbook adds, drops and moves: steps, and pairs of a step as it is and as it would be."""

    adds: list[Step] = field(default_factory=list)
    drops: list[Step] = field(default_factory=list)
    moves: list[tuple[Step, Step]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.adds) + len(self.drops) + len(self.moves)


_RHYTHMS: Final[Sequence[Part]] = (success_steps.onboardings, success_steps.anniversaries, success_steps.check_ins)
_PARTS: Final[Mapping[str, Sequence[Part]]] = {
    "onboarding": _RHYTHMS,
    "adoption": _RHYTHMS,
    "renewal": (contract_steps.renewals,),
    "expansion": (success_steps.offers,),
    "reorder": (success_steps.reorders,),
    "delivery": (success_steps.deliveries,),
    "plays": (contract_steps.renewals, play_steps.plays),
    "people": (play_steps.plays,),
}
"""The parts of an agenda that follow from a section of a playbook. Those of no other section change what is planned by now."""


def sections_between(before: Playbook, after: Playbook) -> list[str]:
    """The sections that two playbooks of a segment have otherwise, the version and the title aside."""
    return [
        name for name in type(after).model_fields if getattr(before, name) != getattr(after, name) and name in _PARTS
    ]


def changes(facts: Facts, playbook: Playbook, horizon: Horizon) -> ChangedPlan:
    """What a customer's plan would have otherwise by another playbook, as far as the horizon reaches. Facts without the ledger do.

    Raises `Refusal` for a playbook of another segment.
    """
    sections = sections_between(facts.situation.playbook, playbook)
    parts = list(dict.fromkeys(part for section in sections for part in _PARTS[section]))
    if not parts:
        return ChangedPlan()
    before, after = (planned(one, horizon, parts, _further).steps for one in (facts, tried(facts, playbook)))
    return _between(before, after)


def _between(was: Mapping[str, Step], now: Mapping[str, Step]) -> ChangedPlan:
    return ChangedPlan(
        _in_order(step for key, step in now.items() if key not in was),
        _in_order(step for key, step in was.items() if key not in now),
        [(was[step.key], step) for step in _in_order(now.values()) if step.key in was and was[step.key].on != step.on],
    )


def _in_order(steps: Iterable[Step]) -> list[Step]:
    return sorted(steps, key=lambda step: (step.at, step.key))


def _further(facts: Facts, found: Agenda, until: datetime) -> None:
    try:
        ahead.extend(facts, found, until, ledger=False)
    except UnreadableError as error:
        found.unreadable.append(error.fact)


def tried(facts: Facts, playbook: Playbook) -> Facts:
    """The facts of a customer who has another playbook from now on. Raises `Refusal` if it is for another segment."""
    account, present = facts.situation.customer.account, facts.situation.playbook
    if playbook.segment != account.segment:
        said = f"the playbook is for segment {playbook.segment!r}, and {account.account_id} is in {account.segment!r}"
        raise Refusal(INVALID_REQUEST, said)
    since = facts.record.playbook_since if playbook == present else facts.now
    record = facts.record.having(playbook_since=since)
    return replace(facts, situation=replace(facts.situation, playbook=playbook), record=record)


def has_to_wait(facts: Facts, playbook: Playbook) -> bool:
    """True for a customer whose onboarding is under way and promised otherwise: it keeps its promises first."""
    same = playbook.onboarding == facts.situation.playbook.onboarding
    return not same and any(task.is_open for task in facts.situation.customer.tasks)
