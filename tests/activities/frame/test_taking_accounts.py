"""Taking an account and reading it is one statement; what it read counts only if nothing was committed before it had the account."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from operator import attrgetter
from uuid import uuid4

from activities.frame.outbox import OutboxRow, Waiting, find_messages, put_outbox
from activities.frame.situations import reads
from activities.frame.unit_of_work import Performer, Unit
from activities.holds.hold_rows import clear_undisturbed
from activities.kernel.pool import Pool
from domain.frame.flight import Channel
from domain.frame.situation import NOTHING
from domain.frame.state import Outcome
from tests.activities.frame.test_customers import _placed
from tests.conftest import Servers
from tests.e2e.lives import until
from tests.workflows.service_side import insert_case

AT = datetime(2027, 3, 1, 12, tzinfo=UTC)


def _unit(account: str, key: str) -> Unit:
    return Unit(account, f"journey:{account}/{key}", AT, "relationship", "noted")


async def _name_seen(pool: Pool, account: str) -> tuple[str, bool]:
    """The name that a unit of work goes by, and whether what it took the account with counted."""
    async with Performer(pool, "Seller").begin(_unit(account, uuid4().hex), reads(NOTHING)) as work:
        return (await work.load_first()).customer.account.name, work.seen is not None


async def _somebody_waits(pool: Pool) -> None:
    async def waits() -> bool:
        return bool(
            await pool.fetchval(
                "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like '%hold_accounts%'"
                " and datname = current_database() and pid <> pg_backend_pid()"
            )
        )

    await until(waits, "somebody waits for the account")


async def test_what_others_committed_while_it_waited_is_seen(servers: Servers) -> None:
    account = await _placed(servers)
    async with servers.pool.acquire() as other:
        transaction = other.transaction()
        await transaction.start()
        await other.execute("select 1 from account where account_id = $1 for no key update", account)
        seen = asyncio.create_task(_name_seen(servers.pool, account))

        await _somebody_waits(servers.pool)
        await other.execute("update account set name = 'Renamed' where account_id = $1", account)
        await transaction.commit()
    assert await seen == ("Renamed", False)


async def test_what_was_read_with_the_account_counts_while_nothing_else_happens(servers: Servers) -> None:
    account = await _placed(servers)
    found = [await _name_seen(servers.pool, account) for _ in range(20)]
    assert {name for name, _ in found} == {
        await servers.pool.fetchval("select name from account where account_id = $1", account)
    }
    assert any(counted for _, counted in found)


async def test_what_was_done_before_is_found_with_the_account(servers: Servers) -> None:
    account = await _placed(servers)
    performer, unit = Performer(servers.pool, "Seller"), _unit(account, uuid4().hex)
    async with performer.begin(unit, reads(NOTHING)) as work:
        assert work.before is None
        await work.record(Outcome(answer={"done": "once"}))
    async with performer.begin(unit, reads(NOTHING)) as work:
        assert work.before is not None
        assert work.before.answer == {"done": "once"}


async def test_a_message_is_not_cleared_by_what_was_so_before_a_case_came(servers: Servers) -> None:
    account = await _placed(servers)
    mails = [OutboxRow(f"journey:{account}/m-{n}#0", Channel.MAIL, "expansion", {}, purpose="upsell") for n in (1, 2)]
    async with servers.pool.acquire() as connection:
        await put_outbox(connection, account, AT, mails)
        found = await find_messages(connection, [mail.delivery_id for mail in mails])
        first, second = sorted(found, key=attrgetter("delivery_id"))

    async def cleared(row: Waiting) -> bool:
        async with servers.pool.acquire() as connection:
            return await clear_undisturbed(connection, row, AT)

    assert await cleared(first)
    async with servers.pool.acquire() as other:
        transaction = other.transaction()
        await transaction.start()
        await insert_case(other, account, AT)
        clearing = asyncio.create_task(cleared(second))
        await _somebody_waits(servers.pool)
        await transaction.commit()
    assert not await clearing
    at = await servers.pool.fetch(
        "select cleared_at from outbox where delivery_id = any($1) order by delivery_id",
        [mail.delivery_id for mail in mails],
    )
    assert [row["cleared_at"] for row in at] == [AT, None]
