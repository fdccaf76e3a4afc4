"""Credit memos in tables: what is given back of charges, with the tax of the invoices that they stood on."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import asyncpg

from activities.billing.invoices import LINE, Document, DocumentLine, line_row
from activities.frame.telling import AS_TOLD, INTO
from activities.kernel.pool import Connection
from domain.billing.billing import Credit, Credited, CreditLine
from domain.billing.line_parts import Why, read_parts
from domain.journey import telling
from domain.kernel import tax
from domain.kernel.money import half_up, rounding_of
from domain.kernel.tax import Rates, Taxed

ZERO = Decimal(0)
PART = "~"
"""Between a credit line's key and the number of a further row of it, where it takes from several charges."""


class OverCreditedError(RuntimeError):
    """The table refused a credit of more than is left of its charge: somebody else was faster, or a rule is wrong."""


# What is left of charges


@dataclass
class Source:
    """What is left, before tax, of a charge: of a lot in a period of an asset's schedule, or of a purchase.

    `invoice_id` is that of a taxed invoice; what has no tax need not be told apart.
    """

    left: Decimal
    lot: int | None = None
    period: date | None = None
    rates: Rates = ()
    invoice_id: str | None = None


@dataclass
class _Taxes:
    """The tax that is left of invoices while a memo takes from them, and what it has taken."""

    currency: str
    left: dict[str, list[Taxed]] = field(default_factory=dict)
    taken: dict[tuple[str | None, Decimal], tuple[Decimal, Decimal]] = field(default_factory=dict)

    async def load(self, connection: Connection, sources: Iterable[Source]) -> None:
        """The taxes of the invoices behind these sources, as far as they are not known yet."""
        wanted = {source.invoice_id for source in sources if source.invoice_id} - self.left.keys()
        if wanted:
            for row in await connection.fetch(_TAX_LEFT, sorted(wanted)):
                one = Taxed(rate=row["rate"], net=row["net"], tax=row["tax"])
                self.left.setdefault(row["invoice_id"], []).append(one)

    def take(self, source: Source, amount: Decimal, *, with_tax: bool) -> Decimal:
        """Takes as much of a wanted amount from a source as it has. Returns the net; the amount itself if it has no tax."""
        rounding = rounding_of(self.currency)
        left = self._left(source)
        gross = min(amount, source.left) if not left else amount
        if with_tax and left:
            split = tax.within(gross, left, source.rates, source.left, rounding)
        else:
            split = tax.all_of(left, source.rates, min(gross, source.left), rounding)
        split = tax.TaxSplit(rounding.apply(split.net), split.taxes)
        source.left -= split.net
        for rate, taxed in split.taxes.items():
            net = split.net * source.rates.count(rate)
            known = self.taken.get((source.invoice_id, rate), (ZERO, ZERO))
            self.taken[source.invoice_id, rate] = (known[0] + net, known[1] + taxed)
            if source.invoice_id is not None:
                kept = self.left[source.invoice_id]
                self.left[source.invoice_id] = [
                    one.having(net=one.net - net, tax=one.tax - taxed) if one.rate == rate else one for one in kept
                ]
        self._gross = split.gross
        return split.net

    @property
    def gross(self) -> Decimal:
        """What the last taking came to, tax included."""
        return self._gross

    _gross: Decimal = ZERO

    def _left(self, source: Source) -> list[Taxed]:
        if source.invoice_id is not None:
            return self.left.get(source.invoice_id, [])
        return tax.taxed([(source.left, source.rates)], rounding_of(self.currency))

    def by_rate(self) -> tuple[Taxed, ...]:
        """What was taken of all invoices together."""
        sums: dict[Decimal, tuple[Decimal, Decimal]] = defaultdict(lambda: (ZERO, ZERO))
        for (_, rate), (net, taxed) in self.taken.items():
            sums[rate] = (sums[rate][0] + net, sums[rate][1] + taxed)
        return tuple(Taxed(rate=rate, net=net, tax=taxed) for rate, (net, taxed) in sorted(sums.items()))


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


async def sources_of(connection: Connection, asset_ids: Iterable[str]) -> dict[str, list[Source]]:
    """What all credits so far have left of the charges of assets, the latest first; an asset without charges is not in it."""
    found: dict[str, list[Source]] = {}
    for row in await connection.fetch(_CHARGES, sorted(set(asset_ids))):
        source = Source(row["left"], row["lot"], row["period"], tuple(row["rates"] or ()), row["invoice_id"])
        found.setdefault(row["asset_id"], []).append(source)
    for sources in found.values():
        _set_off(sources)
    return found


def _set_off(sources: list[Source]) -> None:
    """Credits that name no charge, as those of before tax was kept here, are taken from what there is of the same period."""
    for owing in sources:
        for source in sources:
            if owing.left < 0 < source.left and (source.lot, source.period) == (owing.lot, owing.period):
                part = min(source.left, -owing.left)
                source.left -= part
                owing.left += part


async def _source_of_purchase(connection: Connection, target: Any) -> list[Source]:
    """What is left of an order line that is no asset; without an invoice of ours the order says what it cost."""
    rows = await connection.fetch(_PURCHASE, target["order_id"], target["line_id"])
    sources = [Source(row["left"], rates=tuple(row["rates"] or ()), invoice_id=row["invoice_id"]) for row in rows]
    if not any(row["charged"] for row in rows):
        cost = rounding_of(target["currency"]).apply(target["quantity"] * target["unit_price"])
        sources.append(Source(cost, rates=tuple(target["tax_rates"] or ())))
    _set_off(sources)
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
    taxes = _Taxes(currency)
    concerned = {
        id(line): [s for s in charges.get(line.asset_id or "", []) if (s.lot, s.period) == (line.lot, line.period)]
        for line in lines
    }
    await taxes.load(connection, [source for found in concerned.values() for source in found])
    written: list[_Line] = []
    for line in lines:
        rest, scheduled = line.amount, line.scheduled
        for source in concerned[id(line)]:
            if rest <= 0 or source.left <= 0:
                continue
            net = taxes.take(source, rest, with_tax=False)
            rest -= net
            part = line if net == line.amount else replace(line, unit_price=None, why=Why.SHARED)
            written.append(_Line(replace(part, amount=net, scheduled=scheduled), source))
            scheduled = ZERO
        if rest > 0:  # the table says how much there is
            written.append(_Line(replace(line, amount=rest, scheduled=scheduled), Source(rest)))
    return await _write(connection, account_id, key, currency, written, taxes, reason=reason, as_of=as_of, on=on)


@dataclass(frozen=True)
class _Line:
    line: DocumentLine
    source: Source


async def _write(
    connection: Connection,
    account_id: str,
    key: str,
    currency: str,
    lines: Sequence[_Line],
    taxes: _Taxes,
    *,
    reason: str,
    as_of: datetime,
    on: date,
) -> Document:
    """A credit memo under its business key; a line without a key of its own gets the memo's with its number."""
    net = sum((one.line.amount for one in lines), ZERO)
    by_rate = taxes.by_rate()
    total = net + sum((one.tax for one in by_rate), ZERO)
    memo_id: str = await connection.fetchval(
        _MEMO,
        account_id,
        key,
        currency,
        net,
        total - net,
        total,
        reason,
        as_of,
        on,
        telling.CREDIT,
        reason.replace("_", " "),
    )
    records = [
        (memo_id, n, one.line.key or f"{key}#{n}", one.source.invoice_id, one.source.rates or None, *_row(one.line))
        for n, one in enumerate(lines, 1)
    ]
    try:
        await connection.copy_records_to_table(
            "credit_memo_line",
            records=records,
            columns=("credit_memo_id", "number", "key", "invoice_id", "tax_rates", *LINE),
        )
    except asyncpg.CheckViolationError as refused:
        if refused.constraint_name != "credit_within_charge":
            raise
        raise OverCreditedError(str(refused)) from refused
    if taxes.taken:
        await connection.copy_records_to_table(
            "credit_memo_tax",
            records=[(memo_id, invoice, rate, base, taxed) for (invoice, rate), (base, taxed) in taxes.taken.items()],
            columns=("credit_memo_id", "invoice_id", "rate", "net", "tax"),
        )
    return Document(
        memo_id, currency, net, by_rate, total, tuple(replace(one.line, rates=one.source.rates) for one in lines)
    )


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
    *plain, parts, stands = line_row(line)
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
        account_id: the customer whose charge it was.
        credit: key, currency, reason and lines, see `domain.billing.billing.Credit`.
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
    left: dict[tuple[str | None, ...], list[Source]] = {}
    taxes = _Taxes(credit.currency)
    lines: list[_Line] = []
    for line in credit.lines:
        if line.key in known:
            continue
        target = await _target(connection, account_id, line)
        if target["currency"] != credit.currency:
            raise ValueError(f"{line.key}: the charge is in {target['currency']}, the credit in {credit.currency}")
        place = (target["order_id"], target["line_id"], target["asset_id"])
        if place not in left:
            left[place] = await _left_of(connection, target)
            await taxes.load(connection, left[place])
        wanted = rounding_of(credit.currency).apply(line.amount)
        parts = 0
        for source in left[place]:
            if wanted <= 0 or source.left <= 0:
                continue
            net = taxes.take(source, wanted, with_tax=line.with_tax)
            wanted -= taxes.gross if line.with_tax else net
            if net > 0:
                lines.append(_Line(_credit_line(line, target, source, net, on, parts), source))
                parts += 1
    if not lines:
        return None
    memo = await _write(
        connection, account_id, credit.key, credit.currency, lines, taxes, reason=credit.reason, as_of=as_of, on=on
    )
    return _credited(memo)


def _credited(memo: Document, *, again: bool = False) -> Credited:
    return Credited(
        memo_id=memo.id,
        total=memo.total,
        net=memo.net,
        taxes=memo.taxes,
        currency=memo.currency,
        lines=_by_key((line.key or "", line.amount) for line in memo.lines),
        told=memo.told(),
        again=again,
    )


def _credit_line(line: CreditLine, target: Any, source: Source, amount: Decimal, on: date, number: int) -> DocumentLine:
    return DocumentLine(
        kind=line.kind,
        description=line.description,
        due=on,
        amount=amount,
        asset_id=target["asset_id"],
        order_id=target["order_id"],
        line_id=target["line_id"],
        lot=source.lot,
        period=source.period,
        quantity=line.quantity,
        **_by_unit(line, amount),
        start=on,
        until=on,
        key=f"{line.key}{PART}{number}" if number else line.key,
    )


def _by_unit(line: CreditLine, amount: Decimal) -> dict[str, Any]:
    """What is given back of each unit, if that multiplies out."""
    if line.quantity:
        price = half_up(6).apply(amount / line.quantity)
        if price * line.quantity == amount:
            return {"unit_price": price}
    return {"why": Why.AGREED}


def _by_key(amounts: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    """Sums by the keys that the lines were given; a line that took from several charges has a row for each."""
    sums: dict[str, Decimal] = {}
    for key, amount in amounts:
        given = key.split(PART)[0]
        sums[given] = sums.get(given, ZERO) + amount
    return sums


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
    lines = tuple(_read(row) for row in rows)
    taxes = await _taxes_of(connection, memo_id) if memo["total"] != memo["net"] else ()
    return Document(memo_id, memo["currency"], memo["net"], taxes, memo["total"], lines)


def _read(row: Any) -> DocumentLine:
    parts, why, rates = row["parts"], row["why"], tuple(row["rates"] or ())
    read = {"parts": read_parts(parts) if parts else (), "why": Why(why) if why else None, "rates": rates}
    return DocumentLine(**{**dict(row), **read})


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
    "select a.order_id, a.line_id, a.asset_id, a.currency, l.quantity, l.unit_price, a.price_per, l.tax_rates"
    " from asset a left join order_line l on l.order_id = a.order_id and l.line_id = a.line_id"
    " where a.account_id = $1 and a.asset_id = $2"
)
_ORDER_LINE = (
    "select l.order_id, l.line_id, a.asset_id, o.currency, l.quantity, l.unit_price, l.price_per, l.tax_rates"
    " from order_line l join sales_order o using (order_id)"
    " left join asset a on a.order_id = l.order_id and a.line_id = l.line_id"
    " where coalesce(a.account_id, o.account_id) = $1 and l.order_id = $2 and l.line_id = $3"
)


async def _left_of(connection: Connection, target: Any) -> list[Source]:
    """What all credits so far have left of the charges of an asset, the latest first, or of a purchase."""
    if target["asset_id"] is not None:
        charges = (await sources_of(connection, [target["asset_id"]])).get(target["asset_id"], [])
        if charges or target["price_per"] != "once" or target["quantity"] is None:
            return charges
    # A purchase is no asset, or was made before invoices were kept here: the order says what it cost.
    return await _source_of_purchase(connection, target)
