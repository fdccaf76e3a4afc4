"""What whole-life tests share: journeys in their own way, and counts that ask tables and mailbox, never the workflow."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from temporalio.client import Client, WithStartWorkflowOperation, WorkflowExecutionStatus
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from activities.kernel.pool import Pool
from domain.journey.agenda import Running
from domain.kernel.ids import journey_id
from domain.success.usage import UsageRow
from gateway.client import WORKFLOW, PerennialClient
from gateway.here import TASK_QUEUE
from workers.embedded.mailbox import Mailbox, MailSummary

OF_AN_ACCOUNT = (
    "account",
    "contact",
    "sales_order",
    "contract",
    "asset",
    "onboarding_task",
    "staff_task",
    "usage_day",
    "health_score",
    "offer",
    "survey",
    "effect",
    "journal",
    "outbox",
)
ONBOARDING = ("kickoff", "training", "first_value", "go_live")
PATIENCE = 100.0
"""Seconds until something that comes by itself is late even on a machine that is busy with something else."""


def account_of(document: dict[str, Any]) -> str:
    """The account of an order."""
    return str(document["account"]["account_id"])


async def rows_of(pool: Pool, account_id: str) -> dict[str, int]:
    """How many rows each table has of an account; tables without any are left out."""
    counted = {
        table: await pool.fetchval(f"select count(*) from {table} where account_id = $1", account_id)
        for table in OF_AN_ACCOUNT
    }
    return {table: count for table, count in counted.items() if count}


async def steps_of(pool: Pool, account_id: str) -> list[str]:
    """The keys of what was done for an account, in the order in which it was written, without the account's own part."""
    rows = await pool.fetch("select key from journal where account_id = $1 order by journal_id", account_id)
    return [row["key"].split("/", 1)[1] for row in rows]


async def attention_of(client: Client, account_id: str) -> list[str]:
    """What operators find the journey by when it needs them."""
    description = await client.get_workflow_handle(journey_id(account_id)).describe()
    pairs = {pair.key.name: pair.value for pair in description.typed_search_attributes}
    found = pairs.get("AttentionReasons")
    return [str(reason) for reason in found] if isinstance(found, list) else []


async def place(
    temporal: Client,
    document: dict[str, Any],
    *,
    workflow_id: str | None = None,
    update_id: str | None = None,
    start: dict[str, Any] | None = None,
    task_queue: str = TASK_QUEUE,
    update: str = "place_order",
) -> Any:
    """An order as a service without our client places it: no check before it is sent. `start` is the journey's input."""
    operation: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
        WORKFLOW,
        *([start] if start is not None else []),
        id=workflow_id or journey_id(account_of(document)),
        task_queue=task_queue,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
    )
    return await temporal.execute_update_with_start_workflow(
        update, document, id=update_id, start_workflow_operation=operation
    )


async def until(condition: Callable[[], Awaitable[bool]], what: str, seconds: float = PATIENCE) -> None:
    """Waits for something that comes by itself; fails if it does not."""
    deadline = time.monotonic() + seconds
    while not await condition():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        await asyncio.sleep(0.03)


async def ended(temporal: Client, workflow_id: str) -> WorkflowExecutionStatus | None:
    """How a journey ended, once it has."""
    handle = temporal.get_workflow_handle(workflow_id)

    async def is_over() -> bool:
        return (await handle.describe()).status is not WorkflowExecutionStatus.RUNNING

    await until(is_over, f"{workflow_id} ends")
    return (await handle.describe()).status


async def run_id(temporal: Client, account_id: str) -> str:
    """The present run of a journey."""
    return str((await temporal.get_workflow_handle(journey_id(account_id)).describe()).run_id)


async def settled(pool: Pool, account_id: str) -> None:
    """Waits until nothing of an account is on its way out."""

    async def nothing_waits() -> bool:
        return not await pool.fetchval(
            "select count(*) from outbox where account_id = $1 and status = 'waiting'", account_id
        )

    await until(nothing_waits, f"every message of {account_id} is delivered")


async def at_rest(temporal: Client, pool: Pool, account_id: str) -> None:
    """Waits until a journey has done all that is due by its own clock, and what it sent has reached its end and is on record."""
    handle = temporal.get_workflow_handle(journey_id(account_id))

    async def nothing_to_do() -> bool:
        running = await handle.query("agenda", result_type=Running)
        due = [] if running.paused or running.closed else [step for step in running.steps if step.at <= running.now]
        return not due and all(delivery.stuck for delivery in running.deliveries)

    await settled(pool, account_id)
    await until(nothing_to_do, f"the journey of {account_id} is at rest")


async def rows_at_rest(temporal: Client, pool: Pool, account_id: str) -> dict[str, int]:
    """As `rows_of`, once nothing comes by itself any more: what is asked then is the only thing that can add a row."""
    await at_rest(temporal, pool, account_id)
    return await rows_of(pool, account_id)


async def report_usage(client: PerennialClient, account_id: str, users: int, days: int = 28) -> None:
    """The product's meter: so many active users on each of the last days."""
    today = (await client.now(account_id)).date()
    rows = [
        UsageRow(account_id=account_id, product="SEATS", day=today - timedelta(days=n), active_users=users)
        for n in range(days)
    ]
    await client.record_usage(rows)


async def onboard(client: PerennialClient, account_id: str) -> None:
    """Everything that people do in an onboarding, at once."""
    for task in ONBOARDING:
        await client.ask(account_id, "complete_task", {"task": task, "evidence": "it works"})


def by_message_id(mailbox: Mailbox) -> dict[str, list[MailSummary]]:
    """The mails that arrived, those with one Message-ID together."""
    found: dict[str, list[MailSummary]] = {}
    for mail in mailbox.list():
        found.setdefault(mail.message_id or "", []).append(mail)
    return found


async def check_messages(pool: Pool, account_id: str, mailbox: Mailbox) -> Counter[str]:
    """Every mail of the outbox that went arrived, under the Message-ID on record, to the address on record.

    Mails of one instant to one person leave in one message, which has the Message-ID of the one that leads it. Returns how often each mail
    arrived, by delivery id: more than once only for what was sent again after a crash.
    """
    arrived = by_message_id(mailbox)
    rows = await pool.fetch(
        "select delivery_id, message_id, left_with, body->>'to_email' as address from outbox"
        " where account_id = $1 and channel <> 'provision' and status = 'sent'",
        account_id,
    )
    leads = {row["delivery_id"]: row for row in rows if row["left_with"] is None}
    ids = [row["message_id"] for row in leads.values()]
    assert len(ids) == len(set(ids)), "two messages share a Message-ID"
    times: Counter[str] = Counter()
    for row in rows:
        message = leads[row["left_with"] or row["delivery_id"]]
        mails = arrived.get(message["message_id"], [])
        assert mails, f"{row['delivery_id']} is on record as sent and never arrived"
        assert {mail.to for mail in mails} == {row["address"]}
        times[row["delivery_id"]] = len(mails)
    return times
