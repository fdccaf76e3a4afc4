"""A case and a mail at the same moment, many times over; and a worker that dies between them."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from activities.frame import outbox
from activities.holds import hold_rows
from activities.kernel.clock import present
from activities.kernel.pool import open_pool
from domain.frame.flight import Channel
from gateway.client import PerennialClient
from gateway.connection import connect
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.killing import Fragile
from tests.e2e.lives import account_of, onboard, settled, until
from tests.faults.persisting import persist
from tests.workflows.service_side import insert_case

pytestmark = pytest.mark.engine  # calls at the very same time

ROUNDS = 200
KILLS = 2
FEWEST_TURNS = 2
BLOCKED_BY = ("opened", "raised", "violated")


def mail_of(account: str, n: int, purpose: str | None = "upsell") -> outbox.OutboxRow:
    """A mail that a hold keeps back, or one that passes."""
    return outbox.OutboxRow(
        f"journey:{account}/race-{n}#0", Channel.MAIL, "expansion", {"template": "upsell_offer"}, purpose=purpose
    )


@pytest.mark.damaged
async def test_no_mail_is_decided_after_a_block_is_on_record(servers: Servers) -> None:
    """Both note a number of one sequence while they hold the account: the numbers are the order in which they were decided."""
    document = order()
    account = account_of(document)
    await servers.client.place_order(document)
    await servers.client.ask(account, "pause", {"reason": "only the tables race here"})
    await servers.pool.execute("create sequence if not exists race")
    draw = random.Random(7)
    seen = {hold_rows.Clearance.CLEARED: 0, hold_rows.Clearance.HELD: 0}
    for n in range(ROUNDS):
        at = present()
        how = BLOCKED_BY[n % 3]
        async with servers.pool.acquire() as connection:
            await outbox.put_outbox(connection, account, at, [mail_of(account, n)])
            case = None
            if how != "opened":
                # A closed case holds nothing back, an open one of low priority would warn already: so it starts closed.
                case = await insert_case(connection, account, at, status="closed", priority="low")

        async def raise_block(how: str = how, case: str | None = case, at: datetime = at) -> tuple[str, int]:
            await asyncio.sleep(draw.random() * 0.004)
            async with servers.pool.acquire() as connection, connection.transaction():
                if case is None:
                    case = await insert_case(connection, account, at)
                elif how == "raised":
                    await connection.execute(
                        "update service_case set status = 'open', priority = 'urgent' where case_id = $1", case
                    )
                else:
                    await connection.execute("update service_case set status = 'open' where case_id = $1", case)
                    await connection.execute(
                        "insert into case_milestone (case_id, milestone, number, kind, started_at, violated_at, state)"
                        " values ($1, 'resolution', 1, 'resolution', $2, $2, 'missed')",
                        case,
                        at,
                    )
                number = await connection.fetchval("select nextval('race')")
                await asyncio.sleep(draw.random() * 0.002)
                return case, number

        async def send(n: int = n, at: datetime = at) -> tuple[hold_rows.Clearance, int]:
            await asyncio.sleep(draw.random() * 0.004)
            async with servers.pool.acquire() as connection, connection.transaction():
                row = await outbox.find_outbox(connection, mail_of(account, n).delivery_id)
                assert row is not None
                clearance = await hold_rows.clear_to_send(connection, row, at)
                number = await connection.fetchval("select nextval('race')")
                await asyncio.sleep(draw.random() * 0.002)
                return clearance, number

        (case, blocked), (clearance, sent) = await asyncio.gather(raise_block(), send())
        assert clearance is (hold_rows.Clearance.HELD if sent > blocked else hold_rows.Clearance.CLEARED), (n, how)
        status = await servers.pool.fetchval(
            "select status from outbox where delivery_id = $1", mail_of(account, n).delivery_id
        )
        assert status == ("held" if clearance is hold_rows.Clearance.HELD else "waiting")
        seen[clearance] += 1
        await servers.pool.execute(
            "update service_case set status = 'cancelled', status_at = $2 where case_id = $1", case, at
        )
    # Both orders happened often enough for the test to mean something.
    assert min(seen.values()) >= ROUNDS // 10, seen


@pytest.mark.damaged
async def test_contractual_mails_and_notices_ask_nobody(servers: Servers) -> None:
    document = order()
    account = account_of(document)
    await servers.client.place_order(document)
    at = await servers.client.now(account)
    async with servers.pool.acquire() as connection:
        await insert_case(connection, account, at)
        await outbox.put_outbox(
            connection, account, at, [mail_of(account, 1, "contractual_notice"), mail_of(account, 2, None)]
        )
        for n in (1, 2):
            row = await outbox.find_outbox(connection, mail_of(account, n).delivery_id)
            assert row is not None
            assert await hold_rows.clear_to_send(connection, row, at) is hold_rows.Clearance.CLEARED


@pytest.mark.slow("kill")
@pytest.mark.damaged
async def test_a_worker_killed_around_a_hold_leaves_one_effect_of_each(tmp_path: Path) -> None:
    """Workers die while cases come and go and mails leave: each mail arrives once or waits, and no hold is lost or doubled."""
    async with Fragile(tmp_path, workers=2) as fragile:
        temporal = await connect(fragile.temporal.address)
        pool = await open_pool(fragile.postgres.dsn)
        client = PerennialClient(temporal, pool)
        documents = [order() for _ in range(2)]
        for document in documents:
            await client.place_order(document)
            await client.fast_forward(account_of(document), timedelta(days=45))
            await onboard(client, account_of(document))
        stop, turns = asyncio.Event(), Counter[str]()

        async def kill() -> None:
            n = 0
            while not stop.is_set() and n < KILLS:
                await asyncio.sleep(2.5)  # what a worker needs to come up, or nobody would ever work
                await fragile.kill(f"worker-{n % 2}", 0)
                n += 1

        async def live(document: dict[str, Any]) -> None:
            account = account_of(document)
            while turns[account] < FEWEST_TURNS or fragile.killed["worker"] < KILLS:
                turn = turns[account]
                turns[account] += 1
                at = await persist(lambda: client.now(account))
                async with pool.acquire() as connection, connection.transaction():
                    case = await insert_case(connection, account, at)
                await signal(client, account, case, f"{turn}:opened", at)
                placed = {"reason": "test", "request_id": f"h-{turn}"}
                hold = await persist(partial(client.ask, account, "place_hold", placed))
                await persist(partial(client.fast_forward_to, account, at + timedelta(days=11)))
                at = await persist(lambda: client.now(account))
                await pool.execute(
                    "update service_case set status = 'resolved', resolved_at = $2, status_at = $2 where case_id = $1",
                    case,
                    at,
                )
                await signal(client, account, case, f"{turn}:resolved", at)
                lifted = {"hold_id": hold["hold_id"], "request_id": f"l-{turn}"}
                await persist(partial(client.ask, account, "lift_hold", lifted))
                await persist(partial(client.fast_forward_to, account, at + timedelta(days=9)))

        killing = asyncio.create_task(kill())
        try:
            await asyncio.gather(*(live(document) for document in documents))
        finally:
            stop.set()
            await killing
        assert fragile.returned_by_itself == 0
        for document in documents:
            await check(pool, account_of(document), turns[account_of(document)])
        await pool.close()


async def signal(client: PerennialClient, account: str, case: str, what: str, at: datetime) -> None:
    """What a case tells the journey."""
    body = {"id": f"{case}:{what}", "at": at.isoformat(), "case_id": case, "what": what}
    handle = client.temporal.get_workflow_handle(f"journey-{account}")
    await persist(partial(handle.signal, "case_changed", body))


async def check(pool: Any, account: str, turns: int) -> None:
    """Once everything is over nothing is held, each hold was lifted once, and each mail has one fate."""

    async def is_clear() -> bool:
        return not await pool.fetchval(
            "select count(*) from sales_hold where account_id = $1 and lifted_at is null", account
        )

    await until(is_clear, f"all holds of {account} are lifted")
    await settled(pool, account)
    assert not await pool.fetchval("select count(*) from outbox where account_id = $1 and status = 'held'", account)
    assert (
        await pool.fetchval("select count(*) from sales_hold where account_id = $1 and reason = 'manual'", account)
        == turns
    )
    cooled = "select count(*) from sales_hold where account_id = $1 and reason = 'cooling_down'"
    assert await pool.fetchval(cooled, account) == turns
    rows = await pool.fetch(
        "select status, message_id from outbox where account_id = $1 and channel = 'deliver_mail' and left_with is null",
        account,
    )
    assert {row["status"] for row in rows} <= {"sent", "withdrawn"}
    ids = [row["message_id"] for row in rows if row["status"] == "sent"]
    assert len(ids) == len(set(ids))
    doubled = await pool.fetch(
        "select key from journal where account_id = $1 group by key having count(*) > 1", account
    )
    assert not doubled
