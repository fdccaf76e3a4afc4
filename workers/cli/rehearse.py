"""A feed of real orders, rehearsed: its customers live a year of their own time, through the clients that services use."""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from activities.journey.tallies import Tally, tally, written
from activities.kernel.clock import present
from activities.kernel.pool import Pool
from domain.kernel.calendar import add_months, local_day, start_of_day
from workers.cli.common import UserError, progress_console
from workers.cli.stack import Up
from workers.feeds.documents import order_document
from workers.feeds.importing import side_by_side
from workers.feeds.mapping import Mapping, mapping_for
from workers.feeds.scanning import FeedOrder, Scan, Scanner

CONCURRENCY = 12
"""Customers at once: enough to keep two cores busy, few enough that each customer's turn comes soon."""

_LOOK_EVERY = 0.5


@dataclass
class Driver:
    """Drives customers through their orders; counts what it has done."""

    up: Up
    mapping: Mapping
    names: dict[str, str]
    weeks: int
    months: int
    customers_done: int = 0
    orders_placed: int = 0

    async def live(self, orders: list[FeedOrder]) -> None:
        """One customer, from the first order for `months`: each order is placed when the customer's own clock reaches it."""
        documents = [order_document(order, self.mapping, self.names, weeks=self.weeks) for order in orders]
        account_id = str(documents[0]["account"]["account_id"])
        end = self._end_of(documents[0])
        for n, document in enumerate(documents):
            at = datetime.fromisoformat(document["activated_at"])
            if at >= end:
                break
            if n > 0:  # the first begins the journey, so there is no clock to move before it
                await self._reach(account_id, at)
            await self.up.client.place_order(document)
            self.orders_placed += 1
        await self._reach(account_id, end)
        self.customers_done += 1

    def _end_of(self, first: dict[str, Any]) -> datetime:
        """The end of the day on which `months` are over."""
        zone = first["account"]["time_zone"]
        day = add_months(local_day(datetime.fromisoformat(first["activated_at"]), zone), self.months)
        return start_of_day(day + timedelta(days=1), zone)

    async def _reach(self, account_id: str, at: datetime) -> None:
        reached = await self.up.client.fast_forward_to(account_id, at)
        await self.up.attending.attend_to(reached, account_id)
        if reached < at:
            raise UserError(f"the journey of {account_id} ended at {reached:%Y-%m-%d}, before {at:%Y-%m-%d}")


async def rehearse_feed(
    up: Up,
    file: Path,
    customers: int,
    seed: int,
    months: int = 12,
) -> dict[str, Any]:
    """The lives of `customers` of a feed's customers, drawn by `seed`, each for `months` from their first order.

    The feed is moved by whole weeks, so that its first day is today or soon after. Returns a summary of what happened.
    """
    began = time.monotonic()
    rules, scan = _read(file)
    drawn = _draw(scan, customers, seed)
    weeks = weeks_to_today(min(order.local.date() for order in scan.orders.values()), _today(rules))
    progress_console.print(
        f"{len(drawn)} of {len(scan.by_customer())} customers, drawn by seed {seed}; the feed is moved by {weeks} weeks"
    )
    driver = Driver(up, rules, scan.names, weeks, months)
    async with _watched(up.pool, driver, len(drawn)):
        # The busiest first: a long life begun last would be waited for alone.
        await side_by_side(sorted(drawn.values(), key=len, reverse=True), driver.live, CONCURRENCY)
    found = await _tally(up.pool, [rules.account.id.format(customer_id=customer) for customer in drawn])
    if found.twice:
        raise AssertionError(f"done twice: {', '.join(found.twice[:10])}")
    return {
        "file": str(file),
        "seed": seed,
        "shift_weeks": weeks,
        "months": months,
        "customers": driver.customers_done,
        "orders": driver.orders_placed,
        "steps": sum(found.steps.values()),
        "steps_by_kind": found.steps,
        "mails": found.mails,
        "notices": found.notices,
        "messages_waiting": found.waiting,
        "lapsed": found.lapsed,
        "done_twice": len(found.twice),
        "concurrency": CONCURRENCY,
        "seconds": round(time.monotonic() - began, 1),
    }


def show_feed(summary: dict[str, Any], console: Console) -> None:
    """The summary of a rehearsed feed for people: the counts, then the steps by kind."""
    table = Table("count", "of what", title=summary["file"], title_justify="left")
    table.columns[0].justify = "right"
    mails = ", ".join(f"{count:,} {language or 'without language'}" for language, count in summary["mails"].items())
    rows = [
        (summary["customers"], f"customers, drawn by seed {summary['seed']}, {summary['months']} months each"),
        (summary["orders"], f"orders, moved by {summary['shift_weeks']} weeks"),
        (sum(summary["mails"].values()), f"mails: {mails}" if mails else "mails"),
        (summary["notices"], "notices to staff"),
        (summary["messages_waiting"], "messages that wait to be sent"),
        (summary["lapsed"], "customers who stopped ordering"),
        (summary["done_twice"], "done twice"),
        (summary["steps"], "steps"),
    ]
    for count, what in rows:
        table.add_row(f"{count:,}", what)
    table.add_section()
    for kind, count in summary["steps_by_kind"].items():
        table.add_row(f"{count:,}", kind)
    console.print(table)
    console.print(f"{summary['steps']:,} steps in {summary['seconds']} s of real time.")


def weeks_to_today(first: date, today: date) -> int:
    """By how many weeks a feed that begins on `first` is moved to begin on `today` or less than a week later."""
    return math.ceil((today - first).days / 7)


def _today(rules: Mapping) -> date:
    return local_day(present(), rules.time_zone)


def _read(file: Path) -> tuple[Mapping, Scan]:
    rules, header = mapping_for(file)
    scan = Scanner(rules, header).scan(file)
    if not scan.orders:
        raise UserError(f"{file} has no order that could be placed; `perennial import orders` says why, line by line")
    return rules, scan


def _draw(scan: Scan, customers: int, seed: int) -> dict[str, list[FeedOrder]]:
    by_customer = scan.by_customer()
    drawn = random.Random(seed).sample(sorted(by_customer), min(customers, len(by_customer)))
    return {customer: by_customer[customer] for customer in drawn}


async def _tally(pool: Pool, account_ids: list[str]) -> Tally:
    async with pool.acquire() as connection:
        return await tally(connection, account_ids)


@asynccontextmanager
async def _watched(pool: Pool, driver: Driver, customers: int) -> AsyncIterator[None]:
    """A bar on standard error: customers done, orders, steps, mails, time."""
    columns = (
        TextColumn("customers"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[orders]} orders  {task.fields[steps]} steps  {task.fields[sent]} messages"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=progress_console) as bars:
        bar = bars.add_task("customers", total=customers, orders=0, steps=0, sent=0)
        before = await _written(pool)

        async def show() -> None:
            steps, sent = await _written(pool)
            bars.update(
                bar,
                completed=driver.customers_done,
                orders=driver.orders_placed,
                steps=steps - before[0],
                sent=sent - before[1],
            )

        async def keep_showing() -> None:
            while True:
                await show()
                await asyncio.sleep(_LOOK_EVERY)

        watcher = asyncio.create_task(keep_showing())
        try:
            yield
            await show()
        finally:
            watcher.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watcher


async def _written(pool: Pool) -> tuple[int, int]:
    async with pool.acquire() as connection:
        return await written(connection)
