"""`perennial journey plan`: what comes for a customer, from the facts, if nothing is asked: a calendar of months and days."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from rich.markup import escape

from activities.journey.agenda_facts import load_facts
from activities.kernel.clock import present
from activities.playbooks import read_playbook
from activities.playbooks.conditions import met
from domain.frame.state import Step
from domain.frame.step_words import in_words
from domain.journey import trial
from domain.journey.agenda import Agenda
from domain.journey.agenda_facts import Facts
from domain.journey.horizon import NEXT, Horizon
from domain.journey.planning import agenda
from domain.journey.reasons import reader_of, reason_of
from domain.kernel.refusals import UNKNOWN_ACCOUNT, Refusal
from domain.kernel.zones import local_time
from domain.success import plays
from workers.cli.common import console
from workers.cli.output import print_json, table
from workers.cli.servers import Connections, connections


async def show_plan(account: str, horizon: Horizon, *, playbook: Path | None = None, as_json: bool) -> None:
    """Prints the steps by their local days, as the customer's playbook has them or another one would. Raises `Refusal` for an
    account that is not known, or of another segment than the playbook."""
    tried = read_playbook(playbook) if playbook else None
    async with connections() as servers:
        now, lost = await customer_now(servers, account)
        async with servers.pool.acquire() as connection, connection.transaction(readonly=True):
            facts = await load_facts(connection, account, now, lost=lost, going_on=True, plays=tried is not None)
    if facts is None:
        raise Refusal(UNKNOWN_ACCOUNT, f"account {account!r} is not on record; place its first order")
    if tried is not None:
        waits = trial.has_to_wait(facts, tried)
        facts = trial.tried(facts, tried)
        if waits and not as_json:
            console.print("Their onboarding is under way by another playbook; this one waits until it is over.")
    found = agenda(facts, horizon)
    if as_json:
        print_json(_document(account, facts, found, ahead=horizon != NEXT))
        return
    _calendar(account, facts, found.plan())
    for fact in found.unreadable:
        console.print(f"[yellow]{escape(fact.name)} cannot be read, and nothing is planned for it[/]")


async def customer_now(servers: Connections, account: str) -> tuple[datetime, bool]:
    """The customer's own time; true if no journey says what it is."""
    try:
        return await servers.client.now(account), False
    except Refusal:
        return present(), True


def _calendar(account: str, facts: Facts, steps: Sequence[Step]) -> None:
    """A block for each month, a line for each step: its day, what it is, who reads it, and by which rule."""
    situation = facts.situation
    zone, playbook = situation.customer.account.time_zone, situation.playbook
    console.print(f"[bold]{escape(account)}[/]: {len(steps)} steps by the playbook {playbook.named}", highlight=False)
    for month, ours in groupby(steps, key=lambda step: local_time(step.at, zone).strftime("%B %Y")):
        rows = []
        for step in ours:
            late = " (overdue)" if step.at <= situation.as_of else ""
            said = in_words(step)
            rows.append(
                (f"{local_time(step.at, zone):%a %d %H:%M}{late}", said, _reader(facts, step), _why(facts, step))
            )
        console.print(table((month, "what", "to", "why"), rows))


def _reader(facts: Facts, step: Step) -> str:
    return reader_of(facts.situation.playbook, step)


def _why(facts: Facts, step: Step) -> str:
    said = reason_of(facts.situation.playbook, facts.situation.customer, step)
    doubt = _doubt(facts, step)
    return f"{said}; today {doubt}" if doubt else said


def _doubt(facts: Facts, step: Step) -> str:
    """Why a play would be left out if its day were today; empty if it would not."""
    play = plays.of_step(facts.situation, step) if step.kind == plays.KIND else None
    if play is None:
        return ""
    return met(facts.situation, play, step).why


def _document(account: str, facts: Facts, found: Agenda, *, ahead: bool) -> dict[str, Any]:
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
            "to": _reader(facts, step),
            "why": reason_of(facts.situation.playbook, facts.situation.customer, step),
            "today": _doubt(facts, step),
            "overdue": step.at <= facts.situation.as_of,
        }
