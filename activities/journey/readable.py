"""Going through the facts of every customer and every case that runs: what cannot be read, by name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

from activities.assets.ledger import load_records
from activities.frame import customers
from activities.holds.hold_rows import load_service
from activities.kernel.pool import Connection
from activities.service import case_rows
from domain.frame.unreadable import Missing, Unreadable, UnreadableError, unreadable_of

PAGE = 500


async def unreadable_facts(connection: Connection, as_of: datetime) -> AsyncIterator[tuple[str, Unreadable]]:
    """Each fact that cannot be read at `as_of`, with the account or case whose it is; customers first, page by page."""
    last = ""
    while rows := await connection.fetch(
        "select account_id from account where account_id > $1 order by account_id limit $2", last, PAGE
    ):
        for row in rows:
            for fact in await _of_account(connection, row["account_id"], as_of):
                yield f"account {row['account_id']}", fact
        last = rows[-1]["account_id"]
    last = ""
    while rows := await connection.fetch(
        "select case_id from service_case where case_id > $1 and (status not in ('closed', 'merged', 'cancelled')"
        " or next_action_at is not null) order by case_id limit $2",
        last,
        PAGE,
    ):
        for row in rows:
            for fact in await _of_case(connection, row["case_id"]):
                yield f"case {row['case_id']}", fact
        last = rows[-1]["case_id"]


async def _of_account(connection: Connection, account_id: str, as_of: datetime) -> list[Unreadable]:
    try:
        customer = await customers.load_customer(connection, account_id, as_of)
    except UnreadableError as error:
        return [error.fact]
    if customer is None:
        return []
    about = customer.account
    playbook = await customers.load_playbook(connection, about.segment, about.playbook_version)
    service = await load_service(connection, account_id, as_of)
    missing = [one.fact for one in (playbook, service) if isinstance(one, Missing)]
    records = await load_records(connection, account_id)
    return [*customer.unreadable, *missing, *unreadable_of(records)]


async def _of_case(connection: Connection, case_id: str) -> list[Unreadable]:
    try:
        await case_rows.find_case(connection, case_id)
        return (await case_rows.load_case(connection, case_id)).unreadable
    except UnreadableError as error:
        return [error.fact]
