"""The figures that the design promises, measured on a stack of its own: `python -m tests.bench`. Prints; asserts nothing."""

from __future__ import annotations

import asyncio
import json
import os
import re
import statistics
import sys
import tempfile
import time
import urllib.request
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table
from temporalio import activity
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WithStartWorkflowOperation
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.worker import Worker

from activities.kernel.clock import present
from activities.kernel.pool import Pool, open_pool
from domain.success.usage import UsageRow
from gateway.client import PerennialClient
from gateway.connection import connect
from tests.bare_journey import BareJourney
from tests.builders import order
from workers.embedded.stack import EmbeddedStack
from workers.migrating import migrate
from workers.settings import Settings
from workers.wiring import build_worker
from workflows.visibility import SEARCH_ATTRIBUTES

# Temporal's published rules: what one event of a history costs in billable actions.
BILLABLE = {
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED: 1,
    EventType.EVENT_TYPE_TIMER_STARTED: 1,
    EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED: 1,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED: 1,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED: 1,
    EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES: 1,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW: 0,
}
SKIPS = (
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED,
    EventType.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED,
)


VERSIONS = "TemporalChangeVersion"
"""What a run notes of its own version is not billed."""


def billable(event: Any) -> int:
    """What an event costs by the published rules."""
    if event.HasField("upsert_workflow_search_attributes_event_attributes"):
        changed = event.upsert_workflow_search_attributes_event_attributes.search_attributes.indexed_fields
        return int(set(changed) != {VERSIONS})
    return BILLABLE.get(event.event_type, 0)


UNCOUNTED = ("grpc_UpdateWorkflowExecutionOptions",)
"""Fast-forward calls, which only rehearsals make."""

console = Console()


def actions_metric(url: str) -> float:
    """The server's own count of billable actions in our namespace, without fast-forward calls."""
    text = urllib.request.urlopen(url, timeout=5).read().decode()
    lines = re.findall(r"^action\{(.*)\} ([0-9.e+]+)$", text, re.MULTILINE)
    return sum(
        float(value)
        for labels, value in lines
        if 'namespace="default"' in labels and not any(f'"{name}"' in labels for name in UNCOUNTED)
    )


async def histories_of(client: Client, workflow_id: str) -> list[Any]:
    """Every run's history of a journey, in order, without the events of time skipping."""
    found = []
    async for run in client.list_workflows(f"WorkflowId = '{workflow_id}'"):
        history = await client.get_workflow_handle(run.id, run_id=run.run_id).fetch_history()
        found.append([event for event in history.events if event.event_type not in SKIPS])
    return sorted(found, key=lambda events: events[0].event_time.ToDatetime())


class Bench:
    """One stack, its worker in this process, and what was measured on it."""

    def __init__(self, stack: EmbeddedStack, temporal: Client, pool: Pool, settings: Settings) -> None:
        self.stack = stack
        self.temporal = temporal
        self.pool = pool
        self.settings = settings
        self.client = PerennialClient(temporal, pool)
        self.table = Table("figure", "measured", "to reach")

    # One customer-year

    async def customer_year(self) -> None:
        """The second year of a customer: 12 check-ins, 3 notices, a renewal, an upsell, 10 usage imports, 5 updates."""
        document = order()
        account = str(document["account"]["account_id"])
        contract = str(document["contracts"][0]["contract_id"])
        await self._first_year(document, account, contract)
        before = await self._settled_actions()
        marks = await self._marks(account)
        await self._reference_year(account, contract)
        actions = await self._settled_actions() - before
        events = [event for run in await histories_of(self.temporal, f"journey-{account}") for event in run][marks[0] :]
        counted = sum(map(billable, events))
        runs = await histories_of(self.temporal, f"journey-{account}")
        self.table.add_row("actions of a customer-year (server's metric)", f"{actions:.0f}", "105")
        self.table.add_row("  the same, from the history by the published rules", f"{counted}", "")
        self.table.add_row("events of a customer-year", f"{len(events)}", "520")
        self.table.add_row("bytes of history", f"{sum(event.ByteSize() for event in events) / 1000:.1f} kB", "64 kB")
        self.table.add_row("longest run", f"{max(len(run) for run in runs)} events", "500")
        sent = await self.pool.fetchval("select count(*) from outbox where account_id = $1", account)
        console.print(f"messages of two years: {sent}")

    async def _settled_actions(self) -> float:
        """The metric once it has stopped moving: the server publishes it with a delay."""
        seen = -1.0
        while (now := actions_metric(self.stack.metrics_url)) != seen:
            seen = now
            await asyncio.sleep(3)
        return now

    async def _marks(self, account: str) -> tuple[int]:
        return (sum(len(run) for run in await histories_of(self.temporal, f"journey-{account}")),)

    async def _first_year(self, document: dict[str, Any], account: str, contract: str) -> None:
        await self.client.place_order(document)
        await self.client.fast_forward(account, timedelta(days=5))
        for task in ("kickoff", "training", "first_value", "go_live"):
            await self.client.ask(account, "complete_task", {"task": task, "evidence": "it works"})
        await self.client.fast_forward(account, timedelta(days=300))
        await self.client.ask(account, "answer_renewal", {"contract_id": contract, "decision": "accept"})
        await self._until_term(account, contract, 1)

    async def _until_term(self, account: str, contract: str, number: int) -> None:
        ends = await self.pool.fetchval(
            "select ends_at from contract_term where contract_id = $1 and number = $2", contract, number
        )
        await self.client.fast_forward_to(account, ends + timedelta(hours=12))

    async def _reference_year(self, account: str, contract: str) -> None:
        start = await self.client.now(account)
        for month in range(10):
            await self.client.fast_forward_to(account, start + timedelta(days=30 * month + 25))
            await self._usage(account, 30 if month < 6 else 38 if month == 6 else 34)
            if month in (1, 3):
                await self.client.ask(account, "pause", {"reason": "stocktaking"})
                await self.client.ask(account, "resume", {})
            if month == 7:
                offer = await self.pool.fetchval("select offer_id from offer where account_id = $1", account)
                await self.client.ask(account, "answer_offer", {"offer_id": offer, "decision": "accept"})
        await self.client.fast_forward_to(account, start + timedelta(days=340))
        await self.client.ask(account, "answer_renewal", {"contract_id": contract, "decision": "accept"})
        await self._until_term(account, contract, 2)

    async def _usage(self, account: str, users: int) -> None:
        today = (await self.client.now(account)).date()
        rows = [
            UsageRow(account_id=account, product="SEATS", day=today - timedelta(days=n), active_users=users)
            for n in range(28)
        ]
        await self.client.record_usage(rows)

    # Placing an order

    async def placing(self, rounds: int = 60) -> None:
        """Orders to their answers, in turn with a bare workflow whose update awaits one activity that inserts the same rows."""
        ours, bare = [], []
        floor = Floor(self.pool)
        async with Worker(
            self.temporal,
            task_queue="bare",
            workflows=[BareJourney],
            activities=[floor.insert_rows],
        ):
            for _ in range(rounds):
                document = order()
                began = time.perf_counter()
                await self.client.place_order(document)
                ours.append(time.perf_counter() - began)
                await self._quiet(str(document["account"]["account_id"]))
                other = order()
                start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
                    "BareJourney",
                    id=f"bare-{other['order_id']}",
                    task_queue="bare",
                    id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                )
                began = time.perf_counter()
                await self.temporal.execute_update_with_start_workflow("insert", other, start_workflow_operation=start)
                bare.append(time.perf_counter() - began)
                await asyncio.sleep(0.02)
        ratio = statistics.median(ours) / statistics.median(bare)
        said = f"{ratio:.2f} times ({statistics.median(ours) * 1000:.1f} ms to {statistics.median(bare) * 1000:.1f} ms)"
        self.table.add_row("placing an order against the bare floor", said, "1.25 times")

    async def _quiet(self, account: str) -> None:
        """Waits until the welcome is delivered, so that nothing runs beside the next measurement."""
        for _ in range(200):
            waiting = await self.pool.fetchval(
                "select count(*) filter (where status = 'waiting') + (count(*) = 0)::int from outbox where account_id = $1",
                account,
            )
            if not waiting:
                break
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.05)

    # Memory

    async def memory(self, journeys: int = 400) -> None:
        """What one cached journey costs a worker process: `perennial worker`, while no other worker runs."""
        environment = {
            **os.environ,
            "TEMPORAL_ADDRESS": self.stack.temporal_address,
            "PERENNIAL_DATABASE_URL": self.stack.postgres_dsn,
            "PERENNIAL_SMTP_HOST": self.stack.smtp_host,
            "PERENNIAL_SMTP_PORT": str(self.stack.smtp_port),
        }
        program = str(Path(sys.executable).with_name("perennial"))
        worker = await asyncio.create_subprocess_exec(
            program, "worker", env=environment, stderr=asyncio.subprocess.DEVNULL
        )
        try:
            process = psutil.Process(worker.pid)
            await self._place(100)
            before = process.memory_info().rss
            await self._place(journeys)
            each = (process.memory_info().rss - before) / journeys / 1000
        finally:
            worker.terminate()
            await worker.wait()
        self.table.add_row(f"worker memory per cached journey ({journeys} journeys)", f"{each:.0f} kB", "150 kB")

    async def _place(self, journeys: int) -> None:
        for _ in range(journeys // 10):
            documents = [order() for _ in range(10)]
            await asyncio.gather(*(self.client.place_order(document) for document in documents))
        await self._quiet(str(documents[-1]["account"]["account_id"]))
        await asyncio.sleep(2)


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


async def main() -> None:
    """Every figure, one after the other."""
    with tempfile.TemporaryDirectory() as folder:
        async with EmbeddedStack(Path(folder), SEARCH_ATTRIBUTES, keep=False) as stack:
            await migrate(stack.postgres_dsn)
            settings = Settings.model_validate(
                {"database_url": stack.postgres_dsn, "smtp_host": stack.smtp_host, "smtp_port": stack.smtp_port}
            )
            temporal = await connect(stack.temporal_address)
            pool = await open_pool(stack.postgres_dsn)
            bench = Bench(stack, temporal, pool, settings)
            async with build_worker(temporal, pool, settings):
                await bench.customer_year()
                await bench.placing()
            await bench.memory()
            await pool.close()
    if "--json" in sys.argv:
        print(json.dumps([list(column.cells) for column in bench.table.columns], ensure_ascii=False))
    else:
        console.print(bench.table)


if __name__ == "__main__":
    asyncio.run(main())
