"""Orders, requests and steps beside the same on bare Temporal."""

from __future__ import annotations

import statistics
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

from temporalio import activity
from temporalio.client import WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.worker import Worker

from activities.kernel.clock import present
from activities.kernel.pool import Pool
from tests.bench.bare_journey import BareJourney
from tests.bench.rows import Row, Size
from tests.bench.stand import stand
from tests.builders import order


async def rows(size: Size) -> AsyncIterator[Row]:
    """Orders to their answers, in turn with a bare workflow whose update awaits one activity that inserts the same rows."""
    rounds = size.count("rounds", 60, 10)
    ours, bare = [], []
    async with stand() as place, place.in_process():
        floor = Floor(place.pool)
        async with Worker(place.temporal, task_queue="bare", workflows=[BareJourney], activities=[floor.insert_rows]):
            for _ in range(rounds):
                document = order()
                began = time.perf_counter()
                await place.client.place_order(document)
                ours.append(time.perf_counter() - began)
                await place.quiet(str(document["account"]["account_id"]))
                other = order()
                start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
                    "BareJourney",
                    id=f"bare-{other['order_id']}",
                    task_queue="bare",
                    id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                )
                began = time.perf_counter()
                await place.temporal.execute_update_with_start_workflow("insert", other, start_workflow_operation=start)
                bare.append(time.perf_counter() - began)
    ratio = statistics.median(ours) / statistics.median(bare)
    said, least = (f"{statistics.median(times) * 1000:.1f} ms" for times in (ours, bare))
    yield Row("placing an order against the bare floor", ratio, reach=1.25, floor=least, detail=f"({said})")


class Floor:
    """The least that an order needs: its rows, inserted in one transaction by one activity."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @activity.defn
    async def insert_rows(self, document: dict[str, Any]) -> dict[str, Any]:
        """Inserts the rows of an order as `place_order` does, with statements of their own and no rules."""
        async with self._pool.acquire() as connection, connection.transaction():
            await insert_same_rows(connection, document)
        return {"order_id": document["order_id"]}


async def insert_same_rows(connection: Any, document: dict[str, Any]) -> None:
    """The rows that an accepted order leaves, table by table."""
    account, contract = document["account"], document["contracts"][0]
    now = present()
    ends = now + timedelta(days=365)
    account_id, order_id, contract_id = account["account_id"], document["order_id"], contract["contract_id"]
    await connection.executemany(
        "insert into product values ($1, $2, $3) on conflict do nothing",
        [(p["code"], p["name"], p["kind"]) for p in document["products"]],
    )
    await connection.execute("insert into playbook values ('standard', 1, '{}') on conflict do nothing")
    people = [account["owner"], account["success_manager"]]
    await connection.executemany(
        "insert into staff values ($1, $2, $3) on conflict do nothing",
        [(p["staff_id"], p["name"], p["email"]) for p in people],
    )
    await connection.execute(
        "insert into account values ($1, $2, 'JP', 'Asia/Tokyo', 'ja', 'standard', 1, 'S-1', 'S-2', $3, $3)",
        account_id,
        account["name"],
        now,
    )
    await connection.execute(
        "insert into contact values ($1, 'P-1', 0, 'name', 'mail', 'main', 'ja', 'Asia/Tokyo')", account_id
    )
    await connection.execute(
        "insert into sales_order values ($1, $2, 'digest', $3, $4, 'JPY', false, false, $3)",
        order_id,
        account_id,
        now,
        now.date(),
    )
    lines = [*contract["lines"], *document["lines"]]
    await connection.executemany(
        "insert into order_line values ($1, $2, $3, null, null, $4, 1, 'month')",
        [(order_id, line["line_id"], line["product"], line["quantity"]) for line in lines],
    )
    await connection.execute(
        "insert into contract values ($1, $2, $3, 'JPY', false, 12, 30, 0, 'active', '', $4)",
        contract_id,
        account_id,
        order_id,
        now,
    )
    await connection.execute(
        "insert into contract_term values ($1, 1, $2, $3, $4, $5, 'sold', $4)",
        contract_id,
        now.date(),
        ends.date(),
        now,
        ends,
    )
    ids = [f"{order_id}.{line['line_id']}" for line in lines]
    await connection.executemany(
        "insert into asset (asset_id, account_id, order_id, line_id, product_code, currency, price_per, unit_price,"
        " selling_model, lifecycle_start) values ($1, $2, $3, $4, $5, 'JPY', 'month', 1, 'termed', $6)",
        [(n, account_id, order_id, line["line_id"], line["product"], now) for n, line in zip(ids, lines, strict=True)],
    )
    await connection.executemany(
        "insert into asset_action (asset_id, sequence, request_id, category, type, effective, recorded_at, cuts,"
        " lifecycle_start, attributes, quantity_change, can_roll_back)"
        " values ($1, 1, $2, 'Initial Sale', 'Generate', $3, $3, '{}', $3, '[]', 1, false)",
        [(n, order_id, now) for n in ids],
    )
    await connection.executemany(
        "insert into asset_action_source (asset_id, sequence, number, lot, starts_at, quantity, unit_price)"
        " values ($1, 1, 0, 1, $2, 1, 1)",
        [(n, now) for n in ids],
    )
    await connection.executemany(
        "insert into asset_state_period (asset_id, starts_at, quantity, mrr, slice_id) values ($1, $2, 1, 1, 0)",
        [(n, now) for n in ids],
    )
    await connection.executemany(
        "insert into onboarding_task values ($1, $2, $3, '{}', 'owner', $4, $5, 'open')",
        [(account_id, order_id, name, now.date(), now) for name in "abcdef"],
    )
    await connection.execute(
        "insert into journal (account_id, key, at, stage, kind, title, detail) values ($1, $2, $3, '', '', '', '{}')",
        account_id,
        order_id,
        now,
    )
    await connection.execute("insert into effect values ($1, $2, '', $3, $4)", order_id, account_id, now, document)
