"""Loading what a decision is taken from."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from activities.assets.ledger import load_records
from activities.frame import customers, staff_rows
from activities.holds import hold_rows
from activities.kernel.pool import Connection
from domain.frame.situation import NOTHING, Needs, Situation
from domain.kernel.refusals import UNKNOWN_ACCOUNT, Refusal


async def load_situation(connection: Connection, account_id: str, as_of: datetime, needs: Needs = NOTHING) -> Situation:
    """The customer with their playbook at `as_of`, what service knows, and what else is needed.

    Raises `Refusal` (UnknownAccount) for an account that no order has opened.
    """
    service = "null" if needs.service else hold_rows.FACTS_IF_ANY
    customer, served = await customers.load_customer_and(connection, account_id, as_of, service)
    if customer is None:
        raise Refusal(UNKNOWN_ACCOUNT, f"account {account_id!r} has no accepted order yet; place its first order")
    playbook = await customers.load_playbook(connection, customer.account.segment, customer.account.playbook_version)
    records = await load_records(connection, account_id) if needs.ledger else {}
    if needs.service:
        known = await hold_rows.load_service(connection, account_id, as_of, review=True, bearing=needs.ledger)
    else:
        known = await hold_rows.read_service(connection, account_id, as_of, served, bearing=needs.ledger)
    looked = await customers.load_looks(connection, account_id, as_of) if needs.looks else None
    return Situation(customer, playbook, as_of, records, looks=looked, service=known)


async def naming(connection: Connection, situation: Situation, actor: str | None) -> Situation:
    """The situation in which whoever asked is known by name."""
    if actor is None or situation.named(actor) != actor:
        return situation
    found = await staff_rows.find_staff(connection, [actor])
    return replace(situation, people={id: one.name for id, one in found.items()})
