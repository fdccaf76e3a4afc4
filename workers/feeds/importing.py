"""Orders from a file, through the client that every service uses: a customer's orders in turn, customers side by side."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from activities.kernel.pool import Pool
from activities.orders.order_rows import find_order, known_products
from domain.kernel.refusals import Refusal
from domain.orders.order import Order, read_order
from gateway.client import PerennialClient
from workers.feeds.documents import order_document
from workers.feeds.files import Layout, is_json_lines, json_rows
from workers.feeds.mapping import mapping_for
from workers.feeds.rejects import FileReport, Reason, Reject, Work, unwrapped
from workers.feeds.scanning import FeedOrder, Scanner

Progress = Callable[[str, int, int | None], None]
"""Told what is going on, how much of it is done, and of how much (null: not known)."""

READING = "reading lines"
IMPORTING = "importing orders"
CONCURRENCY = 16


def unseen(what: str, done: int, total: int | None) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True, kw_only=True)
class ImportReport(FileReport):
    """What became of a file; `beyond_limit` lines were not looked at.

    orders: accepted, of which `orders_before` were on record before; orders_refused: by the journey, with all their lines.
    """

    beyond_limit: int
    customers: int
    orders: int
    orders_before: int
    orders_refused: int


@dataclass(frozen=True)
class Pending:
    """An order that waits for its turn: its lines in the file, and how to make its document."""

    at: datetime
    order_id: str
    lines: tuple[int, ...]
    document: Callable[[], dict[str, Any]]


@dataclass
class OrderFeed:
    """A file that was read: the orders in it, each customer's by date, and the lines that are no orders. `layout`: of CSV."""

    lines: int
    beyond: int
    customers: list[list[Pending]]
    rejects: dict[int, Reject]
    layout: Layout | None = None


@dataclass
class _Tally:
    accepted: int = 0
    before: int = 0
    refused: int = 0
    imported_lines: int = 0
    rejects: dict[int, Reject] = field(default_factory=dict)


async def import_orders(
    client: PerennialClient,
    pool: Pool,
    file: Path,
    *,
    rejects: Path,
    mapping: Path | None = None,
    limit: int | None = None,
    concurrency: int = CONCURRENCY,
    progress: Progress = unseen,
) -> ImportReport:
    """Every line of `file`, CSV or JSON Lines, becomes part of an order with its true date, or a line of `rejects`.

    Running it again, also after a crash in the middle, ends with the same facts. Raises FeedError before anything is
    imported if the file or the mapping cannot be used.
    """
    work = Work(file, rejects)
    feed = await read_feed(pool, file, mapping=mapping, limit=limit, progress=progress)
    tally = await _import_all(client, pool, feed.customers, concurrency, progress)
    rejected = {**feed.rejects, **tally.rejects}
    return ImportReport(
        **work.ended(feed.lines, tally.imported_lines, rejected, feed.layout),
        beyond_limit=feed.beyond,
        customers=len(feed.customers),
        orders=tally.accepted,
        orders_before=tally.before,
        orders_refused=tally.refused,
    )


async def read_feed(
    pool: Pool, file: Path, *, mapping: Path | None = None, limit: int | None = None, progress: Progress = unseen
) -> OrderFeed:
    """The orders in a file, whichever format it has."""
    if is_json_lines(file):
        return _documents(file, limit, progress)
    rules, header = mapping_for(file, mapping)
    scan = Scanner(rules, header).scan(file, limit, lambda lines: progress(READING, lines, None))
    # A product that is in the catalogue keeps its name: else a feed that has grown would change the orders sent before.
    async with pool.acquire() as connection:
        known = await known_products(connection, scan.names)
    names = {**scan.names, **{code: product.name for code, product in known.items()}}

    def pending(order: FeedOrder) -> Pending:
        return Pending(
            rules.instant(order.local),
            order.order_id,
            tuple(line.line for line in order.lines),
            lambda: order_document(order, rules, names),
        )

    customers = [[pending(order) for order in orders] for orders in scan.by_customer().values()]
    return OrderFeed(scan.lines, scan.beyond, customers, scan.rejects, rules.layout)


def _documents(file: Path, limit: int | None, progress: Progress) -> OrderFeed:
    """The orders of a JSON Lines file: a document on each line."""
    rejects: dict[int, Reject] = {}
    customers: dict[str, list[Pending]] = defaultdict(list)
    seen: dict[str, int] = {}
    lines = beyond = 0
    for line, text in json_rows(file):
        if limit is not None and lines >= limit:
            beyond += 1
            continue
        lines += 1
        progress(READING, lines, None)
        try:
            document = unwrapped(json.loads(text))
            order = read_order(document)
        except (ValueError, Refusal) as error:
            rejects[line] = Reject(Reason.MALFORMED, str(error) if text else "the line is empty")
            continue
        first = seen.setdefault(order.digest(), line)
        if first != line:
            rejects[line] = Reject(Reason.DUPLICATE, f"the same order as on line {first}")
        else:
            customers[order.account.account_id].append(_parsed(order, line, document))
    for orders in customers.values():
        orders.sort(key=lambda pending: (pending.at, pending.order_id))
    return OrderFeed(lines, beyond, list(customers.values()), rejects)


def _parsed(order: Order, line: int, document: dict[str, Any]) -> Pending:
    return Pending(order.activated_at, order.order_id, (line,), lambda: document)


async def _import_all(
    client: PerennialClient, pool: Pool, customers: list[list[Pending]], concurrency: int, progress: Progress
) -> _Tally:
    tally = _Tally()
    total = sum(len(orders) for orders in customers)

    async def import_one(orders: list[Pending]) -> None:
        for pending in orders:
            await _import_order(client, pool, pending, tally)
            progress(IMPORTING, tally.accepted + tally.refused, total)

    await side_by_side(customers, import_one, concurrency)
    return tally


async def _import_order(client: PerennialClient, pool: Pool, pending: Pending, tally: _Tally) -> None:
    try:
        document = pending.document()
        order = read_order(document)
        async with pool.acquire() as connection:
            found = await find_order(connection, order.order_id)
        # An import that goes on after a crash passes over what is on record; a differing order is told so by the handler.
        if found == (order.account.account_id, order.digest()):
            tally.before += 1
        else:
            await client.import_order(document)
    except Refusal as refusal:
        tally.refused += 1
        reject = Reject(Reason.REFUSED, f"order {pending.order_id}: {refusal}")
        tally.rejects.update(dict.fromkeys(pending.lines, reject))
        return
    tally.accepted += 1
    tally.imported_lines += len(pending.lines)


async def side_by_side(items: Iterable[Any], work: Callable[[Any], Awaitable[None]], concurrency: int) -> None:
    """Does `work` for every item, at most `concurrency` at once. The first error ends all of it."""
    waiting = iter(items)

    async def take_turns() -> None:
        for item in waiting:
            await work(item)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(concurrency):
                group.create_task(take_turns())
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from None
