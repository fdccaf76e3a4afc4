"""The first pass over a feed of order lines: each line goes to its order or gets the reason why not."""

from __future__ import annotations

import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from domain.orders.order import Purchase
from workers.feeds.files import ADDED
from workers.feeds.mapping import Mapping
from workers.feeds.mapping_file import data_rows, fields_of, malformed
from workers.feeds.rejects import Reason, Reject, RejectedError, value

REPORT_EVERY = 5000


class FeedLine(NamedTuple):
    """A line that can be imported; the price as a decimal with a point."""

    line: int
    product: str
    quantity: int
    unit_price: str


@dataclass
class FeedOrder:
    """The lines of one order. `local` is its earliest date, by the feed's clock."""

    order_id: str
    customer_id: str
    country: str
    local: datetime
    lines: list[FeedLine]


@dataclass
class Scan:
    """What a feed holds. `lines` were looked at, `beyond` lie behind the limit; `names` has the commonest name of each product."""

    orders: dict[str, FeedOrder] = field(default_factory=dict)
    rejects: dict[int, Reject] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    lines: int = 0
    beyond: int = 0

    def by_customer(self) -> dict[str, list[FeedOrder]]:
        """The customers' orders, each customer's in the order of their dates."""
        found: dict[str, list[FeedOrder]] = defaultdict(list)
        for order in sorted(self.orders.values(), key=lambda order: (order.local, order.order_id)):
            found[order.customer_id].append(order)
        return dict(found)


class _Record(NamedTuple):
    """A line's fields, read and found good."""

    order_id: str
    customer_id: str
    country: str
    local: datetime
    line: FeedLine


class Scanner:
    """Reads one file by one mapping. Memory: about 100 MB for half a million lines."""

    def __init__(self, mapping: Mapping, header: list[str]) -> None:
        self._mapping = mapping
        self._width = len(header)
        self._at = {name: header.index(column) for name, column in mapping.columns.named().items()}
        self._own = [n for n, name in enumerate(header) if name not in ADDED]
        self._not_products = {code.casefold() for code in mapping.exclude.not_products}
        cancelled = mapping.exclude.cancelled_orders
        self._cancelled = re.compile(cancelled) if cancelled else None
        self._seen: dict[bytes, int] = {}
        self._names: dict[str, Counter[str]] = defaultdict(Counter)
        self._scan = Scan()

    def scan(self, file: Path, limit: int | None = None, report: Callable[[int], None] | None = None) -> Scan:
        """Every line of `file`; with `limit`, its first lines and the rest of the orders that begin among them."""
        for line, row in data_rows(file, self._mapping.layout):
            record = self._record_or_reject(line, row)
            order_id = record.order_id if isinstance(record, _Record) else ""
            if limit is not None and self._scan.lines >= limit and order_id not in self._scan.orders:
                self._scan.beyond += 1
                continue
            self._scan.lines += 1
            self._take(line, row, record)
            if report and self._scan.lines % REPORT_EVERY == 0:
                report(self._scan.lines)
        self._scan.names = {code: _commonest(names) for code, names in self._names.items()}
        return self._scan

    def _take(self, line: int, row: list[str], record: _Record | Reject) -> None:
        reject = record if isinstance(record, Reject) else self._repeated(line, row) or self._placed(record)
        if reject:
            self._scan.rejects[line] = reject

    def _record_or_reject(self, line: int, row: list[str]) -> _Record | Reject:
        try:
            return self._record(line, row)
        except RejectedError as rejected:
            return rejected.reject

    def _record(self, line: int, row: list[str]) -> _Record:
        fields, mapping = fields_of(row, self._width, self._at), self._mapping
        local = value(self._column("date"), mapping.local_time, fields["date"])
        quantity = value("quantity", mapping.whole, fields["quantity"])
        price = value("unit price", mapping.number, fields["unit_price"])
        order_id, code = fields["order_id"], fields["product_code"]
        if not order_id:
            raise RejectedError(Reason.MALFORMED, f"{self._column('order_id')} is empty")
        if not fields["customer_id"]:
            raise RejectedError(Reason.NO_CUSTOMER, f"{self._column('customer_id')} is empty: nobody to care for")
        if self._cancelled and self._cancelled.search(order_id):
            raise RejectedError(Reason.CANCELLED, f"{order_id!r} marks a cancellation; nothing was sold")
        if code.casefold() in self._not_products:
            raise RejectedError(Reason.NOT_A_PRODUCT, f"{code!r} is no product")
        if quantity <= 0:
            raise RejectedError(Reason.RETURN, f"a quantity of {quantity} is a return; sold are 1 or more")
        if price <= 0:
            raise RejectedError(Reason.NO_PRICE, f"a price of {price} sells nothing; it must be above 0")
        feed_line = _checked(line, code, quantity, format(price, "f"))
        self._note_name(feed_line.product, fields["product_name"])
        return _Record(order_id, fields["customer_id"], self._country(fields.get("country")), local, feed_line)

    def _country(self, name: str | None) -> str:
        if code := self._mapping.account.country_of(name):
            return code
        raise RejectedError(
            Reason.UNKNOWN_COUNTRY, f"no country is called {name!r}; add it to account.countries of the mapping"
        )

    def _column(self, name: str) -> str:
        return self._mapping.columns.named()[name]

    def _note_name(self, code: str, name: str) -> None:
        clean = " ".join("".join(char if char.isprintable() else " " for char in name).split())[:200]
        if clean:
            self._names[code][sys.intern(clean)] += 1

    def _repeated(self, line: int, row: list[str]) -> Reject | None:
        content = blake2b("\x1f".join([row[n] for n in self._own]).encode(errors="replace"), digest_size=16).digest()
        first = self._seen.setdefault(content, line)
        return None if first == line else Reject(Reason.DUPLICATE, f"the same in every column as line {first}")

    def _placed(self, record: _Record) -> Reject | None:
        """Puts a good line into its order, unless the order is another customer's."""
        order = self._scan.orders.get(record.order_id)
        if order is None:
            self._scan.orders[record.order_id] = FeedOrder(
                record.order_id, sys.intern(record.customer_id), record.country, record.local, [record.line]
            )
            return None
        if order.customer_id != record.customer_id:
            said = f"order {order.order_id!r} belongs to customer {order.customer_id!r} on line {order.lines[0].line}"
            return Reject(Reason.MIXED_ORDER, said)
        order.lines.append(record.line)
        order.local = min(order.local, record.local)
        return None


def _checked(line: int, code: str, quantity: int, price: str) -> FeedLine:
    """The line as an order would hold it; what no order can hold is malformed."""
    try:
        Purchase.model_validate({"line_id": str(line), "product": code, "quantity": quantity, "unit_price": price})
    except ValidationError as error:
        raise RejectedError(*malformed(error)) from error
    return FeedLine(line, sys.intern(code), quantity, price)


def _commonest(names: Counter[str]) -> str:
    return min(names, key=lambda name: (-names[name], name))
