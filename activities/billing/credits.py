"""Credit memos in tables: what is left of charges and of the tax of their invoices, and memos as they are written and read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import asyncpg

from activities.billing.invoices import LINE, line_row, read_line
from activities.frame.telling import AS_TOLD, INTO
from activities.kernel.inserts import Insert
from activities.kernel.pool import Connection
from domain.billing import crediting
from domain.billing.billing import Credit, Credited, CreditLine
from domain.billing.crediting import CreditedFor, Memo, Source
from domain.billing.documents import Document, DocumentLine
from domain.journey import telling
from domain.kernel.tax import Taxed


class OverCreditedError(RuntimeError):
    """The table refused a credit of more than is left of its charge: somebody else was faster, or a rule is wrong."""


# What is left of charges

_TAX_LEFT = """
select t.invoice_id, t.rate, t.net - coalesce(sum(c.net), 0) as net, t.tax - coalesce(sum(c.tax), 0) as tax
from invoice_tax t left join credit_memo_tax c on c.invoice_id = t.invoice_id and c.rate = t.rate
where t.invoice_id = any($1) group by t.invoice_id, t.rate order by t.rate
"""

_CHARGES = """
select asset_id, lot, period, invoice_id, rates, sum(amount) as left, max(number) as number from (
  select l.asset_id, l.lot, l.period, case when l.tax_rates is not null then l.invoice_id end as invoice_id,
         l.tax_rates as rates, l.amount, i.number
  from invoice_line l join invoice i using (invoice_id) where l.asset_id = any($1) and l.lot is not null
  union all
  select b.asset_id, b.lot, b.period, null, tax_rates_of(b.asset_id), b.amount, 0
  from billed_elsewhere b where b.asset_id = any($1)
  union all
  select m.asset_id, m.lot, m.period, m.invoice_id, m.tax_rates, -m.amount, 0
  from credit_memo_line m where m.asset_id = any($1) and m.lot is not null) x
group by asset_id, lot, period, invoice_id, rates
order by asset_id, period desc, lot desc, number desc, invoice_id
"""


async def _taxes_left(connection: Connection, sources: Iterable[Source]) -> dict[str, list[Taxed]]:
    """The tax that is left of the invoices behind these sources."""
    left: dict[str, list[Taxed]] = {}
    if wanted := {source.invoice_id for source in sources if source.invoice_id}:
        for row in await connection.fetch(_TAX_LEFT, sorted(wanted)):
            left.setdefault(row["invoice_id"], []).append(Taxed(rate=row["rate"], net=row["net"], tax=row["tax"]))
    return left


async def sources_of(connection: Connection, asset_ids: Iterable[str]) -> dict[str, list[Source]]:
    """What all credits so far have left of the charges of assets, the latest first; an asset without charges is not in it."""
    found: dict[str, list[Source]] = {}
    for row in await connection.fetch(_CHARGES, sorted(set(asset_ids))):
        source = Source(row["left"], row["lot"], row["period"], tuple(row["rates"] or ()), row["invoice_id"])
        found.setdefault(row["asset_id"], []).append(source)
    for sources in found.values():
        crediting.set_off(sources)
    return found


async def _left_of(connection: Connection, targets: Iterable[CreditedFor]) -> dict[CreditedFor, list[Source]]:
    """What all credits so far have left of the charges of assets, the latest first, or of purchases."""
    targets = list(targets)
    charges = await sources_of(connection, [one.asset_id for one in targets if one.asset_id is not None])
    found: dict[CreditedFor, list[Source]] = {}
    for target in targets:
        sources = charges.get(target.asset_id or "", [])
        if target.asset_id is None or (not sources and target.is_purchase):
            sources = await _sources_of_purchase(connection, target)
        found[target] = sources
    return found


async def _sources_of_purchase(connection: Connection, target: CreditedFor) -> list[Source]:
    """What is left of an order line that is no asset; without an invoice of ours the order says what it cost."""
    rows = await connection.fetch(_PURCHASE, target.order_id, target.line_id)
    sources = [Source(row["left"], rates=tuple(row["rates"] or ()), invoice_id=row["invoice_id"]) for row in rows]
    if not any(row["charged"] for row in rows):
        sources.append(target.as_ordered())
    crediting.set_off(sources)
    return sources


_PURCHASE = """
select invoice_id, rates, sum(amount) as left, bool_or(charged) as charged from (
  select case when tax_rates is not null then invoice_id end as invoice_id, tax_rates as rates, amount, true as charged
  from invoice_line where order_id = $1 and line_id = $2 and lot is null
  union all
  select invoice_id, tax_rates, -amount, false from credit_memo_line where order_id = $1 and line_id = $2 and lot is null) x
group by invoice_id, rates
"""


# Writing


async def write_schedule_credits(
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
    """A memo of what the schedules of assets give back (lines with `lot` and `period`), each from the invoices that charged it.

    Raises:
        OverCreditedError: a line is more than all credits have left of its charge.
    """
    charges = await sources_of(connection, [line.asset_id for line in lines if line.asset_id])
    places = {(line.asset_id, line.lot, line.period) for line in lines}
    concerned = (s for asset_id, found in charges.items() for s in found if (asset_id, s.lot, s.period) in places)
    taxes = await _taxes_left(connection, concerned)
    memo = crediting.of_schedules(currency, reason, lines, charges, taxes)
    return await _write(connection, account_id, key, memo, as_of=as_of, on=on)


async def _write(
    connection: Connection, account_id: str, key: str, memo: Memo, *, as_of: datetime, on: date
) -> Document:
    """A credit memo under its business key; a line without a key of its own gets the memo's with its number."""
    net, taxes = memo.net, memo.taxes
    total = net + sum(one.tax for one in taxes)
    told = (telling.CREDIT, memo.reason.replace("_", " "))
    sums = (memo.currency, net, total - net, total, memo.reason)
    memo_id: str = await connection.fetchval(_MEMO, account_id, key, *sums, as_of, on, *told)
    lines = [
        (memo_id, n, line.key or f"{key}#{n}", source.invoice_id, source.rates or None, *_row(line))
        for n, (line, source) in enumerate(memo.lines, 1)
    ]
    try:
        await _LINE.copy(connection, lines)
    except asyncpg.CheckViolationError as refused:
        if refused.constraint_name != "credit_within_charge":
            raise
        raise OverCreditedError(str(refused)) from refused
    taken = memo.taken.items()
    if taken:
        await _TAX.copy(connection, [(memo_id, invoice, rate, base, taxed) for (invoice, rate), (base, taxed) in taken])
    written = tuple(replace(line, rates=source.rates) for line, source in memo.lines)
    return Document(memo_id, memo.currency, net, taxes, total, written)


_CREDITED = [name for name in LINE.columns if name != "usage"]  # a credit is of money, not of use
_LINE = Insert("credit_memo_line", " ".join(("credit_memo_id number key invoice_id tax_rates", *_CREDITED)))
_TAX = Insert("credit_memo_tax", "credit_memo_id invoice_id rate net tax")
_MEMO = f"""
with memo as (
       insert into credit_memo (credit_memo_id, account_id, number, key, currency, net, tax, total, reason, issued_at, issued_on)
       select 'CM-' || $1 || '-' || n, $1, n, $2, $3, $4, $5, $6, $7, $8, $9
       from (select coalesce(max(number), 0) + 1 as n from credit_memo where account_id = $1) x
       returning credit_memo_id, total),
     told as (
       {INTO} select 'credit:' || credit_memo_id, $1, $8, 'credit', format($10, credit_memo_id, total, $3, $11::text), 'system',
              'credit/' || credit_memo_id, 'customer' from memo {AS_TOLD})
select credit_memo_id from memo
"""


def _row(line: DocumentLine) -> Sequence[Any]:
    """A line as COPY takes it, which puts JSON into its own form itself."""
    *plain, parts, stands, _ = line_row(line)
    return (*plain, *(None if one is None else json.loads(one) for one in (parts, stands)))


async def book_credit(
    connection: Connection, account_id: str, credit: Credit, *, as_of: datetime, on: date
) -> Credited | None:
    """Writes a credit memo within the caller's transaction: a price protection, a return, goodwill.

    Every line names what it is for, an asset or an order line (`order_id` with `line_id`), and is capped by what is left of
    that charge after all earlier credits; `Credited.lines` has the amounts as they were booked. A line whose key was booked
    before is left out, and the same credit again gives the first memo back. None if nothing is left to credit.

    Decisions that are carried out by the journey better say it with the write `domain.frame.decision.BookCredit`, which ends here
    and tells the webhook, too.

    Args:
        connection: within a transaction.
        account_id: the customer whose charge it was, or as part of whom they go on.
        credit: key, currency, reason and lines, see `domain.billing.billing.Credit`.
        as_of: the customer's instant.
        on: the customer's local day at that instant.

    Raises:
        LookupError: A line names no asset and no order line of the account.
        ValueError: A line's charge is in another currency.
    """
    if first := await _booked(connection, credit.key):
        return first
    rows = await connection.fetch(
        "select key from credit_memo_line where key = any($1)", [one.key for one in credit.lines]
    )
    known = {row["key"] for row in rows}
    lines = [(line, await _target(connection, account_id, line)) for line in credit.lines if line.key not in known]
    for line, target in lines:
        if target.currency != credit.currency:
            raise ValueError(f"{line.key}: the charge is in {target.currency}, the credit in {credit.currency}")
    left = await _left_of(connection, dict.fromkeys(target for _, target in lines))
    taxes = await _taxes_left(connection, (source for sources in left.values() for source in sources))
    memo = crediting.of_charges(credit, lines, left, taxes, on)
    if memo is None:
        return None
    return _credited(await _write(connection, account_id, credit.key, memo, as_of=as_of, on=on))


def _credited(memo: Document, *, again: bool = False) -> Credited:
    return Credited(
        memo_id=memo.id,
        total=memo.total,
        net=memo.net,
        taxes=memo.taxes,
        currency=memo.currency,
        lines=crediting.by_key((line.key or "", line.amount) for line in memo.lines),
        told=memo.told(),
        again=again,
    )


# Reading


async def load_credit_memo(connection: Connection, memo_id: str) -> Document:
    """A credit memo as it was written."""
    memo = await connection.fetchrow("select currency, net, total from credit_memo where credit_memo_id = $1", memo_id)
    if memo is None:
        raise LookupError(f"no credit memo {memo_id}")
    rows = await connection.fetch(
        "select key, kind, asset_id, order_id, line_id, lot, period, due, quantity, description, amount, scheduled,"
        " unit_price, covers_from as start, covers_until as until, parts::text as parts, why, tax_rates as rates"
        " from credit_memo_line where credit_memo_id = $1 order by number",
        memo_id,
    )
    lines = tuple(read_line(row) for row in rows)
    taxes = await _taxes_of(connection, memo_id) if memo["total"] != memo["net"] else ()
    return Document(memo_id, memo["currency"], memo["net"], taxes, memo["total"], lines)


async def _taxes_of(connection: Connection, memo_id: str) -> tuple[Taxed, ...]:
    rows = await connection.fetch(
        "select rate, sum(net) as net, sum(tax) as tax from credit_memo_tax where credit_memo_id = $1"
        " group by rate order by rate",
        memo_id,
    )
    return tuple(Taxed(**dict(row)) for row in rows)


async def _booked(connection: Connection, key: str) -> Credited | None:
    memo_id = await connection.fetchval("select credit_memo_id from credit_memo where key = $1", key)
    return _credited(await load_credit_memo(connection, memo_id), again=True) if memo_id else None


async def _target(connection: Connection, account_id: str, line: CreditLine) -> CreditedFor:
    """The order line behind a line of a credit, with its asset if it made one."""
    named = (line.asset_id,) if line.asset_id else (line.order_id, line.line_id)
    row = await connection.fetchrow(_ASSET if line.asset_id else _ORDER_LINE, account_id, *named)
    if row is None:
        what = line.asset_id or f"{line.order_id}.{line.line_id}"
        raise LookupError(f"{line.key}: {what} was not sold to {account_id}")
    return CreditedFor(**{**dict(row), "tax_rates": tuple(row["tax_rates"] or ())})


_ASSET = (
    "select a.order_id, a.line_id, a.asset_id, a.currency, l.quantity, l.unit_price, a.price_per, l.tax_rates"
    " from asset a left join order_line l on l.order_id = a.order_id and l.line_id = a.line_id"
    " join account c on c.account_id = a.account_id where $1 in (c.account_id, c.merged_into) and a.asset_id = $2"
)
_ORDER_LINE = (
    "select l.order_id, l.line_id, a.asset_id, o.currency, l.quantity, l.unit_price, l.price_per, l.tax_rates"
    " from order_line l join sales_order o using (order_id)"
    " left join asset a on a.order_id = l.order_id and a.line_id = l.line_id"
    " join account c on c.account_id = coalesce(a.account_id, o.account_id)"
    " where $1 in (c.account_id, c.merged_into) and l.order_id = $2 and l.line_id = $3"
)
