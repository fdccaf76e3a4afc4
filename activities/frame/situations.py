"""Loading what a decision is taken from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from activities.assets.ledger import RECORDS, RECORDS_OF_CONTRACT, read_records
from activities.frame import customers, staff_rows
from activities.frame.customers import Seen
from activities.holds import hold_rows
from activities.kernel.computing import computed
from activities.kernel.pool import Connection
from domain.assets.model import AssetRecord
from domain.frame.situation import NOTHING, Needs, Situation
from domain.frame.unread import part_of
from domain.kernel.refusals import UNKNOWN_ACCOUNT, Refusal


def reads(needs: Needs, within: str | None = None) -> dict[str, str]:
    """The statements that are read beside the customer, by name; of the ledger what is `within` a contract, if one is named."""
    service = hold_rows.service_reads(review=needs.service, bearing=needs.ledger)
    return {**service, "records": RECORDS_OF_CONTRACT if within else RECORDS} if needs.ledger else service


async def load_situation(
    connection: Connection, account_id: str, as_of: datetime, needs: Needs = NOTHING, seen: Seen | None = None
) -> Situation:
    """The customer with their playbook at `as_of`, what service knows, and what else is needed. `seen`: what `reads` has read of it
    just now.

    Raises `Refusal` (UnknownAccount) for an account that no order has opened.
    """
    customer, row = await customers.load_customer_and(connection, account_id, as_of, reads(needs), seen)
    if customer is None:
        raise Refusal(UNKNOWN_ACCOUNT, f"account {account_id!r} has no accepted order yet; place its first order")
    playbook = await customers.load_playbook(connection, customer.account.segment, customer.account.playbook_version)
    records: Mapping[str, AssetRecord] = {}
    if needs.ledger:
        records = await computed(len(row["records"]), read_records, row["records"])
        records = part_of(records) if row["within"] else records
    known = hold_rows.service_of(account_id, row)
    looked = await customers.load_looks(connection, account_id, as_of) if needs.looks else None
    return Situation(customer, playbook, as_of, records, looks=looked, service=known)


async def naming(connection: Connection, situation: Situation, actor: str | None) -> Situation:
    """The situation in which whoever asked is known by name."""
    if actor is None or situation.named(actor) != actor:
        return situation
    found = await staff_rows.find_staff(connection, [actor])
    return replace(situation, people={id: one.name for id, one in found.items()})
