"""`perennial journey plan`: what comes for a customer, from the facts, if nothing is asked: a calendar of months and days."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from rich.markup import escape

from activities.journey.agenda_facts import load_facts
from activities.playbooks import read_playbook
from domain.frame.state import Step
from domain.frame.step_words import in_words
from domain.journey import trial
from domain.journey.agenda_facts import Facts
from domain.journey.horizon import NEXT, Horizon
from domain.journey.planning import agenda
from domain.kernel.refusals import UNKNOWN_ACCOUNT, Refusal
from domain.kernel.zones import local_time
from gateway.views.plans import plan_document, reader, time_of, why
from workers.cli.common import console
from workers.cli.output import print_json, table
from workers.cli.servers import connections


async def show_plan(account: str, horizon: Horizon, *, playbook: Path | None = None, as_json: bool) -> None:
    """Prints the steps by their local days, as the customer's playbook has them or another one would. Raises `Refusal` for an
    account that is not known, or of another segment than the playbook."""
    tried = read_playbook(playbook) if playbook else None
    async with connections() as servers:
        now, lost = await time_of(servers.client, account)
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
        print_json(plan_document(account, facts, found, ahead=horizon != NEXT))
        return
    _calendar(account, facts, found.plan())
    for fact in found.unreadable:
        console.print(f"[yellow]{escape(fact.name)} cannot be read, and nothing is planned for it[/]")


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
            rows.append((f"{local_time(step.at, zone):%a %d %H:%M}{late}", said, reader(facts, step), why(facts, step)))
        console.print(table((month, "what", "to", "why"), rows))
