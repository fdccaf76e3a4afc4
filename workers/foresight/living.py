"""A customer's future, lived: the journey and the open cases begin anew on a copy, from today's facts, and time is skipped."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from pydantic import SecretStr

from activities.journey.copying import carry
from activities.journey.foreseen import usage_since
from activities.kernel.pool import Pool, open_pool
from activities.service.case_rows import open_cases
from activities.success.usage import latest_usage_day
from domain.kernel.calendar import local_day
from domain.success.usage import UsageRow
from gateway.cases import CaseClient
from gateway.client import PerennialClient
from gateway.connection import connect_to_own
from workers.embedded.stack import EmbeddedStack
from workers.foresight.seen import mark, what_happened
from workers.foresight.servers import own_servers
from workers.migrating import migrate
from workers.settings import BY_ITSELF, Settings
from workers.wiring import build_worker

TICK = timedelta(days=7)
USUAL = timedelta(days=28)
"""Usage goes on as it was in this time, day for day."""
_WITHIN = timedelta(minutes=5)
_BY = "foresight"


@dataclass(frozen=True)
class Subject:
    """Whose future is asked for, from when on by their own time, and until when."""

    account_id: str
    zone: str
    now: datetime
    until: datetime


async def foresee(real: Pool, settings: Settings, subject: Subject, report: Callable[[str], None]) -> dict[str, Any]:
    """What happens to a customer: see `what_happened`; `until` says how far it came. `real` is read, in one snapshot, and not written."""
    began = time.monotonic()
    async with own_servers(report) as stack:
        await migrate(stack.postgres_dsn)
        pool = await open_pool(stack.postgres_dsn)
        try:
            async with real.acquire() as source, pool.acquire() as target:
                await target.execute("alter system set fsync = off")  # nothing of it is kept
                await target.execute("select pg_reload_conf()")
                await carry(source, target, subject.account_id)
            copied = time.monotonic()
            report(f"The customer is copied ({copied - began:.1f} s)")
            happened = await _lived(stack, pool, settings, subject)
        finally:
            await pool.close()
    lived = time.monotonic()
    return {**happened, "seconds": {"copy": round(copied - began, 1), "life": round(lived - copied, 1)}}


async def _lived(stack: EmbeddedStack, pool: Pool, settings: Settings, subject: Subject) -> dict[str, Any]:
    inside = stays_inside(settings, stack)
    temporal = await connect_to_own(stack.temporal_address)
    async with pool.acquire() as connection:
        known = await mark(connection, subject.account_id, subject.now)
    async with build_worker(temporal, pool, inside):
        client = PerennialClient(temporal, pool, task_queue=inside.task_queue, within=_WITHIN)
        cases = CaseClient(temporal, pool, task_queue=inside.task_queue, within=_WITHIN)
        reached = await _live(client, cases, pool, subject)
        running = await client.agenda_of(subject.account_id)
    async with pool.acquire() as connection:
        happened = await what_happened(
            connection, subject.account_id, subject.zone, known, stack.mailbox.list(), running
        )
    return {"until": reached.isoformat(), **happened}


def stays_inside(settings: Settings, stack: EmbeddedStack) -> Settings:
    """The settings of a deployment for a copy of it: the same rules and words, and nothing that leads outside.

    What is to be provided counts as provided at once; other systems hear of nothing.
    """
    inside: dict[str, Any] = {
        **BY_ITSELF,
        "database_url": SecretStr(stack.postgres_dsn),
        "smtp_host": stack.smtp_host,
        "smtp_port": stack.smtp_port,
        "smtp_username": None,
        "smtp_password": None,
        "smtp_start_tls": False,
        "smtp_tls": False,
        "provisioning_url": None,
        "webhook_url": None,
        "webhook_secret": None,
    }
    return settings.model_copy(update=inside)


async def _live(client: PerennialClient, cases: CaseClient, pool: Pool, subject: Subject) -> datetime:
    """Week by week to the end; returns how far it came: a journey that ends, ends it.

    What is looked at every night for all customers at once is looked at after each week.
    """
    account_id = subject.account_id
    await client.reconcile(account_id, by=_BY)
    async with pool.acquire() as connection:
        waiting = await open_cases(connection, account_id)
        latest = await latest_usage_day(connection, account_id)
        rows = await usage_since(connection, account_id, latest - USUAL) if latest else []
    for case in waiting:
        await cases.ask(case.case_id, "retry", {"by": _BY})
    now = await client.fast_forward_to(account_id, subject.now)
    usage = UsualUsage(account_id, rows, latest or local_day(now, subject.zone))
    while now < subject.until and await client.is_running(account_id):
        now = await client.fast_forward_to(account_id, min(now + TICK, subject.until))
        if reported := usage.reported(local_day(now, subject.zone)):
            await client.record_usage(reported)
        if await client.is_running(account_id):
            await client.score_health(account_id)
            await client.look_at_renewals(account_id)
    return now


class UsualUsage:
    """The usage of four weeks, again and again."""

    def __init__(self, account_id: str, rows: Sequence[dict[str, Any]], latest: date) -> None:
        self._account_id = account_id
        self._latest = latest
        self._by_day: dict[int, list[dict[str, Any]]] = {}
        for row in rows:
            self._by_day.setdefault(_place(row["day"]), []).append(row)

    def reported(self, today: date) -> list[UsageRow]:
        """The days since the last report up to yesterday."""
        found: list[UsageRow] = []
        while self._latest < today - timedelta(days=1):
            self._latest += timedelta(days=1)
            usual = self._by_day.get(_place(self._latest), ())
            found += [UsageRow(account_id=self._account_id, **{**row, "day": self._latest}) for row in usual]
        return found


def _place(day: date) -> int:
    return day.toordinal() % USUAL.days
