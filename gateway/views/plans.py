"""What comes for a customer, from the facts, if nothing is asked: each step with its day, who reads it, and by which rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from activities.kernel.clock import present
from activities.playbooks.conditions import met
from domain.frame.state import Step
from domain.frame.step_words import in_words
from domain.journey.agenda import Agenda
from domain.journey.agenda_facts import Facts
from domain.journey.reasons import reader_of, reason_of
from domain.kernel.refusals import Refusal
from domain.success import plays
from gateway.client import PerennialClient


async def time_of(client: PerennialClient, account: str) -> tuple[datetime, bool]:
    """The customer's own time; true if no journey says what it is."""
    try:
        return await client.now(account), False
    except Refusal:
        return present(), True


def reader(facts: Facts, step: Step) -> str:
    """Who reads what a step says; empty if nobody does."""
    return reader_of(facts.situation.playbook, step)


def why(facts: Facts, step: Step) -> str:
    """The rule behind a step, and why it would be left out today."""
    said = reason_of(facts.situation.playbook, facts.situation.customer, step)
    doubt = _doubt(facts, step)
    return f"{said}; today {doubt}" if doubt else said


def _doubt(facts: Facts, step: Step) -> str:
    """Why a play would be left out if its day were today; empty if it would not."""
    play = plays.of_step(facts.situation, step) if step.kind == plays.KIND else None
    if play is None:
        return ""
    return met(facts.situation, play, step).why


def plan_document(account: str, facts: Facts, found: Agenda, *, ahead: bool) -> dict[str, Any]:
    """A plan as JSON."""
    now = facts.situation.as_of
    return {
        "account": account,
        "now": now.isoformat(),
        "playbook": facts.situation.playbook.named,
        "ahead": ahead,
        "steps": list(_as_json(facts, found.plan())),
        "unreadable": [fact.name for fact in found.unreadable],
    }


def _as_json(facts: Facts, steps: Sequence[Step]) -> Iterator[dict[str, Any]]:
    for step in steps:
        yield {
            "at": step.at.isoformat(),
            "on": step.on.isoformat(),
            "step": step.key,
            "kind": step.kind,
            "says": in_words(step),
            "to": reader(facts, step),
            "why": reason_of(facts.situation.playbook, facts.situation.customer, step),
            "today": _doubt(facts, step),
            "overdue": step.at <= facts.situation.as_of,
        }
