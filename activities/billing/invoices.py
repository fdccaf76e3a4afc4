"""Invoices in tables: numbered by account, each under its business key, never changed once written. Credit memos: `credits`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from activities.frame.telling import AS_TOLD, INTO
from activities.kernel.inserts import Insert
from activities.kernel.pool import Connection
from domain.billing.bill import BillKind, BillLine
from domain.billing.documents import Document, DocumentLine
from domain.billing.line_parts import Why, kept, read_parts
from domain.journey import telling
from domain.kernel.money import rounding_of
from domain.kernel.tax import Taxed


async def billed_lines(connection: Connection, asset_ids: Sequence[str]) -> dict[str, list[BillLine]]:
    """All that was charged and credited of each asset so far, also elsewhere; an asset that was never billed is not in it."""
    rows = await connection.fetch(_BILLED, list(asset_ids))
    found: dict[str, list[BillLine]] = {}
    for row in rows:
        found.setdefault(row["asset_id"], []).append(BillLine(**{**dict(row), "kind": BillKind(row["kind"])}))
    return found


# In the order in which they were booked: what a period stands as is said by the last of its lines that says it.
_BILLED = """
select * from (
  select l.asset_id, l.lot, l.period, 'charge' as kind, l.due, i.currency, l.amount, l.scheduled,
         coalesce(l.stands, l.parts)::text as stands, i.issued_at as at
  from invoice_line l join invoice i using (invoice_id) where l.asset_id = any($1) and l.lot is not null
  union all
  select l.asset_id, l.lot, l.period, case when l.kind = 'credit' then 'credit' else 'goodwill' end, l.due, m.currency,
         -l.amount, l.scheduled, l.stands::text, m.issued_at
  from credit_memo_line l join credit_memo m using (credit_memo_id) where l.asset_id = any($1) and l.lot is not null
  union all
  select b.asset_id, b.lot, b.period, 'charge', b.period, a.currency, b.amount, b.amount, b.stands::text, b.recorded_at
  from billed_elsewhere b join asset a using (asset_id) where b.asset_id = any($1)
  union all
  select f.asset_id, f.lot, f.period, 'credit', f.period, a.currency, 0, -f.amount, f.stands::text, f.recorded_at
  from credit_forgone f join asset a using (asset_id) where f.asset_id = any($1)) x
order by at, asset_id, lot, period, kind, amount desc
"""


async def note_forgone(connection: Connection, lines: Sequence[BillLine], as_of: datetime) -> None:
    """Credits of charges of which other credits have left nothing: they are in no document, and not due again."""
    if not lines:
        return
    await connection.executemany(
        "insert into credit_forgone (asset_id, lot, period, amount, recorded_at, stands)"
        " values ($1, $2, $3, $4, $5, $6::text::jsonb)",
        [(line.asset_id, line.lot, line.period, -line.scheduled, as_of, line.stands) for line in lines],
    )


async def note_billed_elsewhere(connection: Connection, lines: Sequence[BillLine], as_of: datetime) -> None:
    """What was charged before an asset came to us: no invoice of ours, but the base of later credits."""
    if not lines:
        return
    await connection.executemany(
        "insert into billed_elsewhere (asset_id, lot, period, amount, recorded_at, stands)"
        " values ($1, $2, $3, $4, $5, $6::text::jsonb) on conflict do nothing",
        [(line.asset_id, line.lot, line.period, line.amount, as_of, line.stands) for line in lines],
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
    """An invoice under its business key, with the account's next number; `on` is the customer's local day.

    Each line has the tax rates of its order line, or of its asset if no order sold it.
    """
    rows = zip(*map(line_row, lines), strict=True)
    digits = rounding_of(currency).decimals
    row = await connection.fetchrow(_INVOICE, account_id, key, currency, as_of, on, digits, *rows, telling.INVOICE)
    if row is None:
        raise LookupError(f"invoice {key} was not written")
    taxes = tuple(Taxed.model_validate(tax) for tax in row["taxes"] or ())
    exact = rounding_of(currency).apply
    rated = tuple(
        replace(line, rates=tuple(map(Decimal, rates or ()))) for line, rates in zip(lines, row["rates"], strict=True)
    )
    return Document(row["invoice_id"], currency, exact(row["net"]), taxes, exact(row["total"]), rated)


# Number, rates, taxes, invoice, lines and what is told of it in one round trip.
_INVOICE = f"""
with numbered as (select coalesce(max(number), 0) + 1 as n from invoice where account_id = $1),
     lines as (
       select l.*, case when s.line_id is null then a.tax_rates else s.tax_rates end as rates
       from unnest($7::text[], $8::text[], $9::text[], $10::text[], $11::integer[], $12::date[], $13::date[],
         $14::integer[], $15::text[], $16::numeric[], $17::numeric[], $18::numeric[], $19::date[], $20::date[], $21::text[],
         $22::text[], $23::text[], $24::text[]) with ordinality
         l(kind, asset_id, order_id, line_id, lot, period, due, quantity, description, amount, scheduled, unit_price,
           covers_from, covers_until, why, parts, stands, usage, number)
       left join asset a on a.asset_id = l.asset_id
       left join order_line s on s.order_id = coalesce(a.order_id, l.order_id)
         and s.line_id = coalesce(a.line_id, l.line_id)),
     taxes as (
       select rate, sum(amount) as net, round(sum(amount) * rate / 100, $6) as tax
       from lines, unnest(rates) rate group by rate),
     sums as (select (select sum(amount) from lines) as net, (select coalesce(sum(tax), 0) from taxes) as tax),
     written as (
       insert into invoice (invoice_id, account_id, number, key, currency, net, tax, total, issued_at, issued_on)
       select 'INV-' || $1 || '-' || n, $1, n, $2, $3, net, tax, net + tax, $4, $5 from numbered, sums
       returning invoice_id, net, total),
     kept as (
       insert into invoice_line (invoice_id, number, kind, asset_id, order_id, line_id, lot, period, due, quantity,
         description, amount, scheduled, unit_price, covers_from, covers_until, why, parts, stands, usage, tax_rates)
       select w.invoice_id, l.number, l.kind, l.asset_id, l.order_id, l.line_id, l.lot, l.period, l.due, l.quantity,
              l.description, l.amount, l.scheduled, l.unit_price, l.covers_from, l.covers_until, l.why, l.parts::jsonb,
              l.stands::jsonb, l.usage::jsonb, l.rates
       from written w, lines l),
     told as (
       {INTO} select 'invoice:' || invoice_id, $1, $4, 'invoice', format($25, invoice_id, total, $3), 'system',
              'invoice/' || invoice_id, 'customer' from written {AS_TOLD}),
     taxed as (insert into invoice_tax (invoice_id, rate, net, tax) select w.invoice_id, t.* from written w, taxes t)
select invoice_id, net, total, (
  select jsonb_agg(jsonb_build_object('rate', rate::text, 'net', net::text, 'tax', tax::text) order by rate) from taxes
) as taxes, (select jsonb_agg(to_jsonb(rates::text[]) order by number) from lines) as rates from written
"""


async def load_invoice(connection: Connection, invoice_id: str) -> Document:
    """An invoice as it was written."""
    invoice = await connection.fetchrow("select currency, net, total from invoice where invoice_id = $1", invoice_id)
    if invoice is None:
        raise LookupError(f"no invoice {invoice_id}")
    rows = await connection.fetch(
        "select kind, asset_id, order_id, line_id, lot, period, due, quantity, description, amount, scheduled, unit_price,"
        " covers_from as start, covers_until as until, parts::text as parts, why, usage, tax_rates as rates"
        " from invoice_line where invoice_id = $1 order by number",
        invoice_id,
    )
    taxes = await connection.fetch(
        "select rate, net, tax from invoice_tax where invoice_id = $1 order by rate", invoice_id
    )
    lines = tuple(map(read_line, rows))
    found = tuple(Taxed(**dict(row)) for row in taxes)
    return Document(invoice_id, invoice["currency"], invoice["net"], found, invoice["total"], lines)


def read_line(row: Any) -> DocumentLine:
    """A line as it was written."""
    parts, why, rates = row["parts"], row["why"], tuple(row["rates"] or ())
    read = {"parts": read_parts(parts) if parts else (), "why": Why(why) if why else None, "rates": rates}
    return DocumentLine(**{**dict(row), **read})


LINE = Insert(
    "invoice_line",
    "kind asset_id order_id line_id lot period due quantity description amount scheduled unit_price covers_from=start"
    " covers_until=until why parts stands usage",
)
_OF_LINE = LINE.of(DocumentLine, "parts usage")


def line_row(line: DocumentLine) -> tuple[Any, ...]:
    """A line by the columns of `LINE`; parts as JSON text."""
    usage = None if line.usage is None else json.dumps(line.usage, ensure_ascii=False)
    return _OF_LINE.row(line, parts=kept(line.parts) if line.parts else None, usage=usage)
