"""Orders from a file, through the client that every service uses: a customer's orders together, customers side by side."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from activities.kernel.pool import Pool
from activities.orders.order_rows import find_orders, introduce_products, known_products
from domain.journey.taking_over import MOST_LINES_TOGETHER, MOST_ORDERS
from domain.kernel.refusals import Refusal
from domain.orders.order import Order, OrderedProduct, ProductKind, read_order
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
    """An order that waits for its turn: its lines in the file, how many it has itself, and how to make its document."""

    at: datetime
    order_id: str
    lines: tuple[int, ...]
    size: int
    document: Callable[[], dict[str, Any]]


@dataclass
class OrderFeed:
    """A file that was read: the orders in it, each customer's by date, with the products that they bring along, and the lines that are no
    orders. `layout`: of CSV."""

    lines: int
    beyond: int
    customers: list[list[Pending]]
    rejects: dict[int, Reject]
    products: Mapping[str, OrderedProduct]
    layout: Layout | None = None


@dataclass
class _Tally:
    accepted: int = 0
    before: int = 0
    refused: int = 0
    imported_lines: int = 0
    rejects: dict[int, Reject] = field(default_factory=dict)

    def accept(self, pending: Pending, *, before: bool = False) -> None:
        """An order is on record, perhaps `before` it was sent."""
        self.accepted += 1
        self.before += before
        self.imported_lines += len(pending.lines)

    def refuse(self, pending: Pending, why: Refusal) -> None:
        """An order was refused, with all its lines."""
        self.refused += 1
        reject = Reject(Reason.REFUSED, f"order {pending.order_id}: {why}")
        self.rejects.update(dict.fromkeys(pending.lines, reject))


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
    async with pool.acquire() as connection:
        await introduce_products(connection, feed.products.values())
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
            len(order.lines),
            lambda: order_document(order, rules, names),
        )

    customers = [[pending(order) for order in orders] for orders in scan.by_customer().values()]
    codes = {line.product for order in scan.orders.values() for line in order.lines}
    products = {code: _product(code, names.get(code, code), rules.product_kind) for code in codes - known.keys()}
    brought = {code: product for code, product in products.items() if product is not None}
    return OrderFeed(scan.lines, scan.beyond, customers, scan.rejects, brought, rules.layout)


def _product(code: str, name: str, kind: ProductKind) -> OrderedProduct | None:
    """An entry for the catalogue; null for one that no order can bring along."""
    try:
        return OrderedProduct(code=code, name=name, kind=kind)
    except ValidationError:
        return None  # its orders are refused, and say why


def _documents(file: Path, limit: int | None, progress: Progress) -> OrderFeed:
    """The orders of a JSON Lines file: a document on each line."""
    rejects: dict[int, Reject] = {}
    customers: dict[str, list[Pending]] = defaultdict(list)
    products: dict[str, OrderedProduct] = {}
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
            for one in order.products:
                products.setdefault(one.code, one)
    for orders in customers.values():
        orders.sort(key=lambda pending: (pending.at, pending.order_id))
    return OrderFeed(lines, beyond, list(customers.values()), rejects, products)


def _parsed(order: Order, line: int, document: dict[str, Any]) -> Pending:
    size = sum(1 for _ in order.all_lines())
    return Pending(order.activated_at, order.order_id, (line,), size, lambda: document)


async def _import_all(
    client: PerennialClient, pool: Pool, customers: list[list[Pending]], concurrency: int, progress: Progress
) -> _Tally:
    tally = _Tally()
    total = sum(len(orders) for orders in customers)

    async def import_one(orders: list[Pending]) -> None:
        for some in _together(orders):
            await _import_some(client, pool, some, tally)
            progress(IMPORTING, tally.accepted + tally.refused, total)

    await side_by_side(customers, import_one, concurrency)
    return tally


def _together(orders: list[Pending]) -> Iterator[list[Pending]]:
    """A customer's orders in parts that are taken over at once each."""
    some: list[Pending] = []
    for pending in orders:
        lines = sum(one.size for one in some) + pending.size
        if some and (len(some) == MOST_ORDERS or lines > MOST_LINES_TOGETHER):
            yield some
            some = []
        some.append(pending)
    if some:
        yield some


async def _import_some(client: PerennialClient, pool: Pool, pending: list[Pending], tally: _Tally) -> None:
    read: list[tuple[Pending, Order]] = []
    for one in pending:
        try:
            read.append((one, read_order(one.document())))
        except Refusal as refusal:
            tally.refuse(one, refusal)
    async with pool.acquire() as connection:
        found = await find_orders(connection, [order.order_id for _, order in read])
    new: list[tuple[Pending, Order]] = []
    for one, order in read:
        # An import that goes on after a crash passes over what is on record; a differing order is told so by the handler.
        known = found.get(order.order_id)
        if known is not None and known == (order.account.account_id, order.digest()):
            tally.accept(one, before=True)
        else:
            new.append((one, order))
    try:
        taken = await client.import_orders([order for _, order in new]) if len(new) > 1 else None
    except Refusal:
        taken = None  # none of them was accepted: each by itself says why
    if taken is None:
        for one, order in new:
            await _import_order(client, one, order, tally)
        return
    for (one, _), its in zip(new, taken, strict=True):
        if its.refused is None:
            tally.accept(one, before=its.before)
        else:
            tally.refuse(one, its.refused.refusal())


async def _import_order(client: PerennialClient, pending: Pending, order: Order, tally: _Tally) -> None:
    try:
        await client.import_order(order.model_dump(mode="json", exclude_unset=True))
    except Refusal as refusal:
        tally.refuse(pending, refusal)
    else:
        tally.accept(pending)


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
