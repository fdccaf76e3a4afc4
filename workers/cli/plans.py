"""`perennial journey plan`: what comes for a customer, from the facts, if nothing is asked."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rich.markup import escape

from activities.journey.agenda_facts import load_facts
from activities.kernel.clock import present
from domain.frame.step_words import in_words
from domain.journey.agenda import Agenda
from domain.journey.horizon import NEXT, Horizon
from domain.journey.planning import agenda
from domain.kernel.refusals import UNKNOWN_ACCOUNT, Refusal
from domain.kernel.zones import local_time
from workers.cli.common import console
from workers.cli.output import print_json, table
from workers.cli.servers import Connections, connections


async def show_plan(account: str, horizon: Horizon, *, as_json: bool) -> None:
    """Prints the steps with their local days. Raises `Refusal` for an account that is not known."""
    async with connections() as servers:
        now, lost = await customer_now(servers, account)
        async with servers.pool.acquire() as connection, connection.transaction(readonly=True):
            facts = await load_facts(connection, account, now, lost=lost, going_on=True)
    if facts is None:
        raise Refusal(UNKNOWN_ACCOUNT, f"account {account!r} is not on record; place its first order")
    found, zone = agenda(facts, horizon), facts.situation.customer.account.time_zone
    if as_json:
        print_json(_document(account, facts.situation.as_of, found, ahead=horizon != NEXT))
        return
    rows = []
    for step in found.plan():
        late = " (overdue)" if step.at <= facts.situation.as_of else ""
        rows.append((f"{local_time(step.at, zone):%a %Y-%m-%d %H:%M}{late}", in_words(step), step.stage))
    console.print(table(("when", "what", "stage"), rows))
    for fact in found.unreadable:
        console.print(f"[yellow]{escape(fact.name)} cannot be read, and nothing is planned for it[/]")


async def customer_now(servers: Connections, account: str) -> tuple[datetime, bool]:
    """The customer's own time; true if no journey says what it is."""
    try:
        return await servers.client.now(account), False
    except Refusal:
        return present(), True


def _document(account: str, now: datetime, found: Agenda, *, ahead: bool) -> dict[str, Any]:
    return {
        "account": account,
        "now": now.isoformat(),
        "ahead": ahead,
        "steps": [
            {
                "at": step.at.isoformat(),
                "on": step.on.isoformat(),
                "step": step.key,
                "kind": step.kind,
                "says": in_words(step),
                "overdue": step.at <= now,
            }
            for step in found.plan()
        ],
        "unreadable": [fact.name for fact in found.unreadable],
    }
