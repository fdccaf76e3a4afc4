"""Invoices and credit memos in tables: numbered by account, each under its business key, never changed once written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import asyncpg

from activities.store.pool import Connection
from domain.billing import Credit, Credited, CreditLine
from domain.money import rounding_of
from domain.quoting.billing import BillKind, BillLine

ZERO = Decimal(0)
PART = "~"
"""Between a credit line's key and the number of a further row of it, where it takes from several charges."""


class OverCreditedError(RuntimeError):
    """The table refused a credit of more than is left of its charge: somebody else was faster, or a rule is wrong."""


@dataclass(frozen=True)
class DocumentLine:
    """A line of an invoice or a credit memo: of an asset's schedule (`lot`, `period`) or of an order line; `amount` is never negative."""

    kind: str
    description: str
    due: date
    amount: Decimal
    scheduled: Decimal = ZERO
    asset_id: str | None = None
    order_id: str | None = None
    line_id: str | None = None
    lot: int | None = None
    period: date | None = None
    quantity: int | None = None
    key: str | None = None


@dataclass(frozen=True)
class Document:
    """An invoice or a credit memo as it was written."""

    id: str
    currency: str
    total: Decimal
    lines: tuple[DocumentLine, ...]

    def told(self) -> dict[str, Any]:
        """Its total and lines as JSON values, amounts as strings."""
        return {
            "total": {"amount": str(self.total), "currency": self.currency},
            "lines": [
                {
                    "kind": line.kind,
                    "description": line.description,
                    "due": line.due.isoformat(),
                    "amount": str(line.amount),
                    "asset_id": line.asset_id,
                    "order_id": line.order_id,
                    "line_id": line.line_id,
                    "quantity": line.quantity,
                }
                for line in self.lines
            ],
        }


async def billed_lines(connection: Connection, asset_ids: Sequence[str]) -> dict[str, list[BillLine]]:
    """All that was charged and credited of each asset so far, also elsewhere; an asset that was never billed is not in it."""
    rows = await connection.fetch(_BILLED, list(asset_ids))
    found: dict[str, list[BillLine]] = {}
    for row in rows:
        found.setdefault(row["asset_id"], []).append(
            BillLine(
                asset_id=row["asset_id"],
                lot=row["lot"],
                period=row["period"],
                kind=BillKind(row["kind"]),
                due=row["due"],
                currency=row["currency"],
                amount=row["amount"],
                scheduled=row["scheduled"],
            )
        )
    return found


_BILLED = """
select l.asset_id, l.lot, l.period, 'charge' as kind, l.due, i.currency, l.amount, l.scheduled
from invoice_line l join invoice i using (invoice_id) where l.asset_id = any($1) and l.lot is not null
union all
select l.asset_id, l.lot, l.period, case when l.kind = 'credit' then 'credit' else 'goodwill' end, l.due, m.currency,
       -l.amount, l.scheduled
from credit_memo_line l join credit_memo m using (credit_memo_id) where l.asset_id = any($1) and l.lot is not null
union all
select b.asset_id, b.lot, b.period, 'charge', b.period, a.currency, b.amount, b.amount
from billed_elsewhere b join asset a using (asset_id) where b.asset_id = any($1)
"""


async def note_billed_elsewhere(connection: Connection, lines: Iterable[BillLine], as_of: datetime) -> None:
    """What was charged before an asset came to us: no invoice of ours, but the base of later credits."""
    await connection.executemany(
        "insert into billed_elsewhere (asset_id, lot, period, amount, recorded_at) values ($1, $2, $3, $4, $5)"
        " on conflict do nothing",
        [(line.asset_id, line.lot, line.period, line.amount, as_of) for line in lines],
    )


async def write_invoice(
    connection: Connection,
    account_id: str,
    key: str,
    currency: str,
    lines: Sequence[DocumentLine],
    *,
    as_of: datetime,
    on: date,
) -> Document:
    """An invoice under its business key, with the account's next number; `on` is the customer's local day."""
    total = sum((line.amount for line in lines), ZERO)
    invoice_id: str = await connection.fetchval(
        _INVOICE, account_id, key, currency, total, as_of, on, *zip(*map(_line_row, lines), strict=True)
    )
    return Document(invoice_id, currency, total, tuple(lines))


async def write_credit_memo(
    connection: Connection,
    account_id: str,
    key: str,
    currency: str,
    lines: Sequence[DocumentLine],
    *,
    reason: str,
    as_of: datetime,
    on: date,
) -> Document:
    """A credit memo under its business key; a line without a key of its own gets the memo's with its number.

    Raises:
        OverCreditedError: a line is more than all credits have left of its charge.
    """
    total = sum((line.amount for line in lines), ZERO)
    memo_id: str = await connection.fetchval(
        "insert into credit_memo (credit_memo_id, account_id, number, key, currency, total, reason, issued_at, issued_on)"
        " select 'CM-' || $1 || '-' || n, $1, n, $2, $3, $4, $5, $6, $7"
        " from (select coalesce(max(number), 0) + 1 as n from credit_memo where account_id = $1) x"
        " returning credit_memo_id",
        account_id,
        key,
        currency,
        total,
        reason,
        as_of,
        on,
    )
    records = [
        (memo_id, number, line.key or f"{key}#{number}", *_line_row(line)) for number, line in enumerate(lines, 1)
    ]
    try:
        await connection.copy_records_to_table(
            "credit_memo_line", records=records, columns=("credit_memo_id", "number", "key", *_LINE)
        )
    except asyncpg.CheckViolationError as refused:
        if refused.constraint_name != "credit_within_charge":
            raise
        raise OverCreditedError(str(refused)) from refused
    return Document(memo_id, currency, total, tuple(lines))


# Number, invoice and lines in one round trip.
_INVOICE = """
with numbered as (select coalesce(max(number), 0) + 1 as n from invoice where account_id = $1),
     written as (
       insert into invoice (invoice_id, account_id, number, key, currency, total, issued_at, issued_on)
       select 'INV-' || $1 || '-' || n, $1, n, $2, $3, $4, $5, $6 from numbered returning invoice_id),
     lines as (
       insert into invoice_line (invoice_id, number, kind, asset_id, order_id, line_id, lot, period, due, quantity,
         description, amount, scheduled)
       select w.invoice_id, l.number, l.kind, l.asset_id, l.order_id, l.line_id, l.lot, l.period, l.due, l.quantity,
              l.description, l.amount, l.scheduled
       from written w, unnest($7::text[], $8::text[], $9::text[], $10::text[], $11::integer[], $12::date[], $13::date[],
         $14::integer[], $15::text[], $16::numeric[], $17::numeric[]) with ordinality
         l(kind, asset_id, order_id, line_id, lot, period, due, quantity, description, amount, scheduled, number))
select invoice_id from written
"""

_LINE = (
    "kind",
    "asset_id",
    "order_id",
    "line_id",
    "lot",
    "period",
    "due",
    "quantity",
    "description",
    "amount",
    "scheduled",
)


def _line_row(line: DocumentLine) -> Sequence[Any]:
    return (
        line.kind,
        line.asset_id,
        line.order_id,
        line.line_id,
        line.lot,
        line.period,
        line.due,
        line.quantity,
        line.description,
        line.amount,
        line.scheduled,
    )


async def book_credit(
    connection: Connection, account_id: str, credit: Credit, *, as_of: datetime, on: date
) -> Credited | None:
    """Writes a credit memo within the caller's transaction: a price protection, a return, goodwill.

    Every line names what it is for, an asset or an order line (`order_id` with `line_id`), and is capped by what is left of
    that charge after all earlier credits; `Credited.lines` has the amounts as they were booked. A line whose key was booked
    before is left out, and the same credit again gives the first memo back. None if nothing is left to credit.

    Decisions that are carried out by the journey better say it with the write `domain.decision.BookCredit`, which ends here
    and tells the webhook, too.

    Args:
        connection: within a transaction.
        account_id: the customer whose charge it was.
        credit: key, currency, reason and lines, see `domain.billing.Credit`.
        as_of: the customer's instant.
        on: the customer's local day at that instant.

    Raises:
        LookupError: A line names no asset and no order line of the account.
        ValueError: A line's charge is in another currency.
    """
    if first := await _booked(connection, credit.key):
        return first
    known = {
        row["key"]
        for row in await connection.fetch(
            "select key from credit_memo_line where key = any($1)", [line.key for line in credit.lines]
        )
    }
    left: dict[tuple[str | None, ...], list[_Left]] = {}
    lines: list[DocumentLine] = []
    for line in credit.lines:
        if line.key in known:
            continue
        target = await _target(connection, account_id, line)
        if target["currency"] != credit.currency:
            raise ValueError(f"{line.key}: the charge is in {target['currency']}, the credit in {credit.currency}")
        place = (target["order_id"], target["line_id"], target["asset_id"])
        if place not in left:
            left[place] = await _left_of(connection, target)
        wanted = rounding_of(credit.currency).apply(line.amount)
        parts = 0
        for part in left[place]:
            amount = min(wanted, part.amount)
            if amount <= 0:
                continue
            wanted -= amount
            part.amount -= amount
            lines.append(_credit_line(line, target, part, amount, on, parts))
            parts += 1
    if not lines:
        return None
    memo = await write_credit_memo(
        connection, account_id, credit.key, credit.currency, lines, reason=credit.reason, as_of=as_of, on=on
    )
    return Credited(
        memo_id=memo.id,
        total=memo.total,
        currency=memo.currency,
        lines=_by_key((line.key or "", line.amount) for line in memo.lines),
    )


@dataclass
class _Left:
    """What is left of a charge: of a lot in a period of an asset's schedule, or of a purchase."""

    amount: Decimal
    lot: int | None = None
    period: date | None = None


def _credit_line(line: CreditLine, target: Any, part: _Left, amount: Decimal, on: date, number: int) -> DocumentLine:
    return DocumentLine(
        kind=line.kind,
        description=line.description,
        due=on,
        amount=amount,
        asset_id=target["asset_id"],
        order_id=target["order_id"],
        line_id=target["line_id"],
        lot=part.lot,
        period=part.period,
        quantity=line.quantity,
        key=f"{line.key}{PART}{number}" if number else line.key,
    )


def _by_key(amounts: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    """Sums by the keys that the lines were given; a line that took from several charges has a row for each."""
    sums: dict[str, Decimal] = {}
    for key, amount in amounts:
        given = key.split(PART)[0]
        sums[given] = sums.get(given, ZERO) + amount
    return sums


async def load_credit_memo(connection: Connection, memo_id: str) -> Document:
    """A credit memo as it was written."""
    memo = await connection.fetchrow("select currency, total from credit_memo where credit_memo_id = $1", memo_id)
    if memo is None:
        raise LookupError(f"no credit memo {memo_id}")
    rows = await connection.fetch(
        "select key, kind, asset_id, order_id, line_id, lot, period, due, quantity, description, amount, scheduled"
        " from credit_memo_line where credit_memo_id = $1 order by number",
        memo_id,
    )
    return Document(memo_id, memo["currency"], memo["total"], tuple(DocumentLine(**dict(row)) for row in rows))


async def _booked(connection: Connection, key: str) -> Credited | None:
    row = await connection.fetchrow("select * from credit_memo where key = $1", key)
    if row is None:
        return None
    lines = await connection.fetch(
        "select key, amount from credit_memo_line where credit_memo_id = $1 order by number", row["credit_memo_id"]
    )
    return Credited(
        memo_id=row["credit_memo_id"],
        total=row["total"],
        currency=row["currency"],
        lines=_by_key((line["key"], line["amount"]) for line in lines),
        again=True,
    )


async def _target(connection: Connection, account_id: str, line: CreditLine) -> Any:
    """The order line behind a line of a credit, with its asset if it made one."""
    row = await connection.fetchrow(_ASSET if line.asset_id else _ORDER_LINE, account_id, *_names(line))
    if row is None:
        what = line.asset_id or f"{line.order_id}.{line.line_id}"
        raise LookupError(f"{line.key}: {what} was not sold to {account_id}")
    return row


def _names(line: CreditLine) -> Sequence[str | None]:
    return (line.asset_id,) if line.asset_id else (line.order_id, line.line_id)


_ASSET = (
    "select a.order_id, a.line_id, a.asset_id, a.currency, l.quantity, l.unit_price, a.price_per"
    " from asset a left join order_line l on l.order_id = a.order_id and l.line_id = a.line_id"
    " where a.account_id = $1 and a.asset_id = $2"
)
_ORDER_LINE = (
    "select l.order_id, l.line_id, a.asset_id, o.currency, l.quantity, l.unit_price, l.price_per"
    " from order_line l join sales_order o using (order_id)"
    " left join asset a on a.order_id = l.order_id and a.line_id = l.line_id"
    " where coalesce(a.account_id, o.account_id) = $1 and l.order_id = $2 and l.line_id = $3"
)


async def _left_of(connection: Connection, target: Any) -> list[_Left]:
    """What all credits so far have left of the charges of an asset, the latest first, or of a purchase."""
    if target["asset_id"] is not None:
        sums: dict[tuple[date, int], Decimal] = {}
        for line in (await billed_lines(connection, [target["asset_id"]])).get(target["asset_id"], []):
            sums[line.period, line.lot] = sums.get((line.period, line.lot), ZERO) + line.amount
        if sums or target["price_per"] != "once" or target["quantity"] is None:
            return [_Left(sums[key], key[1], key[0]) for key in sorted(sums, reverse=True)]
    # A purchase is no asset, or was made before invoices were kept here: the order says what it cost.
    credited: Decimal = await connection.fetchval(
        "select coalesce(sum(amount), 0) from credit_memo_line where order_id = $1 and line_id = $2 and lot is null",
        target["order_id"],
        target["line_id"],
    )
    cost: Decimal = target["quantity"] * target["unit_price"]
    return [_Left(cost - credited)]
