"""Claims in the database: an order line with all that became of it, its price now, and what was claimed before."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Any

from activities.catalogue.catalogue import load_price_book
from activities.kernel.inserts import Insert, or_update
from activities.kernel.pool import Connection
from activities.kernel.queries import Value
from domain.assets.model import SellingModel
from domain.catalogue.errors import QuoteError
from domain.claims.claims import BookPrice, BoughtLine, Claim, ClaimKind
from domain.claims.policy import ClaimPolicy

CLAIM_JSON = """
to_jsonb(r) || jsonb_build_object('amount', r.amount::text, 'gross', r.gross::text, 'tax', r.tax::text,
  'unit_paid', r.unit_paid::text, 'unit_now', r.unit_now::text)
"""
"""A row `r` of refund_claim with its amounts to the last digit."""

# What is left is counted as the ledger of invoices counts it: by the asset's charges if it has any, else by the price.
_LINES = f"""
select jsonb_build_object(
  'account_id', coalesce(a.account_id, o.account_id), 'order_id', l.order_id, 'line_id', l.line_id,
  'product', l.product_code, 'product_name', p.name, 'kind', p.kind, 'currency', o.currency, 'quantity', l.quantity,
  'unit_price', l.unit_price::text, 'per', l.price_per, 'bought_on', o.activated_on,
  'tax_rates', array(select rate::text from unnest(l.tax_rates) rate),
  'tracked', f.tracked, 'delivered_on', (f.delivered_at at time zone c.time_zone)::date, 'returned', f.returned,
  'price_book', coalesce(a.price_book, 'standard'),
  'left', (case when charged.amount is null
                then coalesce(bought.amount, l.quantity * l.unit_price) - coalesce(given.on_line, 0)
                else charged.amount - coalesce(given.on_asset, 0) end)::text,
  'invoiced', bought.amount is not null or exists (select from invoice_line i where i.asset_id = a.asset_id),
  'taxes', coalesce((
    select jsonb_agg(jsonb_build_object('rate', x.rate::text, 'net', x.net::text, 'tax', x.tax::text) order by x.rate)
    from (select t.rate, sum(t.net) - coalesce(sum(c.net), 0) as net, sum(t.tax) - coalesce(sum(c.tax), 0) as tax
          from invoice_tax t
          left join lateral (select sum(c.net) as net, sum(c.tax) as tax from credit_memo_tax c
                             where c.invoice_id = t.invoice_id and c.rate = t.rate) c on true
          where t.rate = any(l.tax_rates) and t.invoice_id in (
            select i.invoice_id from invoice_line i where i.tax_rates is not null
              and (i.asset_id = a.asset_id or (i.order_id = l.order_id and i.line_id = l.line_id)))
          group by t.rate) x), '[]'),
  'claims', coalesce((
    select jsonb_agg({CLAIM_JSON} order by r.claimed_at, r.claim_id) from refund_claim r
    where r.order_id = l.order_id and r.line_id = l.line_id and r.status in ('waiting', 'refunded')), '[]')
)::text as line
from order_line l
join sales_order o using (order_id)
join product p on p.code = l.product_code
left join asset a on a.order_id = l.order_id and a.line_id = l.line_id
join account c on c.account_id = coalesce(a.account_id, o.account_id)
cross join lateral (
  select count(*) > 0 as tracked, max(e.at) filter (where e.step in ('delivered', 'installed', 'returned')) as delivered_at,
         coalesce(sum(e.quantity) filter (where e.step = 'returned'), 0) as returned
  from fulfilment_event e where e.order_id = l.order_id and e.line_id = l.line_id) f
cross join lateral (
  select sum(x.amount) as amount from (
    select i.amount from invoice_line i where i.asset_id = a.asset_id and i.lot is not null
    union all
    select b.amount from billed_elsewhere b where b.asset_id = a.asset_id) x) charged
cross join lateral (
  select sum(i.amount) as amount from invoice_line i
  where i.order_id = l.order_id and i.line_id = l.line_id and i.lot is null) bought
cross join lateral (
  select sum(m.amount) filter (where m.lot is null) as on_line,
         sum(m.amount) filter (where m.lot is not null) as on_asset
  from credit_memo_line m
  where (m.order_id = l.order_id and m.line_id = l.line_id) or m.asset_id = a.asset_id) given
"""


async def find_line(
    connection: Connection, account_id: str, order_id: str, line_id: str, *, lock: bool = False
) -> BoughtLine | None:
    """An order line of an account, or of one that goes on as part of it, under its name.

    With `lock` nothing can be claimed, credited or returned of it until the transaction ends.

    Whatever refers to the line's row, such as a return, needs a share of it: it either is on record before, or waits.
    """
    if lock:
        await connection.execute(
            "select 1 from order_line where order_id = $1 and line_id = $2 for update", order_id, line_id
        )
    text = await connection.fetchval(
        f"{_LINES} where l.order_id = $1 and l.line_id = $2 and $3 in (c.account_id, c.merged_into)",
        order_id,
        line_id,
        account_id,
    )
    return BoughtLine.model_validate_json(text).having(account_id=account_id) if text else None


gone_over = Value[str | None](
    "select n.asset_id from asset a join asset_action x on x.related_asset = a.asset_id and x.subtype = 'TransferTo'"
    " join asset n on n.asset_id = x.asset_id where a.order_id = $1 and a.line_id = $2 and a.account_id <> $3 and n.account_id = $3"
    " order by x.recorded_at desc, n.asset_id limit 1"
)
"""The asset of an account that another one's order line goes on as, with what was charged for it; null if there is none."""


async def lines_of(connection: Connection, account_id: str) -> list[BoughtLine]:
    """What an account bought, or one that goes on as part of it, the latest first."""
    rows = await connection.fetch(
        f"{_LINES} where $1 in (c.account_id, c.merged_into)"
        " order by o.activated_at desc, l.order_id, l.line_id limit 200",
        account_id,
    )
    return [BoughtLine.model_validate_json(row["line"]).having(account_id=account_id) for row in rows]


async def price_now(connection: Connection, line: BoughtLine, on: date) -> tuple[BookPrice | None, str | None]:
    """What the buyer of a line pays for one unit on a day, by the price book and the quantity that they bought.

    Returns:
        The price in the line's currency, if the book's valid edition names one; without it another currency that has one.
    """
    attributes = await _attributes(connection, line)
    currencies = await connection.fetch("select distinct currency from price_book where name = $1", line.price_book)
    found: dict[str, BookPrice] = {}
    for currency in sorted({line.currency} | {row["currency"] for row in currencies}):
        try:
            book = await load_price_book(connection, line.price_book, currency, on, [line.product])
            listed = book.list_price(line.product, SellingModel.ONE_TIME, attributes=attributes, quantity=line.quantity)
        except QuoteError:
            continue
        found[currency] = BookPrice(
            book=book.name, currency=currency, price=listed.price, per=listed.per, since=book.valid_from
        )
    return found.get(line.currency), next((currency for currency in found if currency != line.currency), None)


async def _attributes(connection: Connection, line: BoughtLine) -> dict[str, Any]:
    """The attributes of what was bought, by which prices may differ."""
    found = await connection.fetchval(
        "select s.attributes from asset a join asset_state_period s using (asset_id)"
        " where a.order_id = $1 and a.line_id = $2 order by s.starts_at desc limit 1",
        line.order_id,
        line.line_id,
    )
    return found or {}


async def used_in_year(
    connection: Connection, account_id: str, currency: str, kind: ClaimKind, year: int, but: str | None = None
) -> Decimal:
    """What claims of a kind gave a customer in a calendar year, those that wait included; without the claim `but`."""
    used: Decimal = await connection.fetchval(
        "select coalesce(sum(amount), 0) from refund_claim join account a using (account_id)"
        " where $1 in (a.account_id, a.merged_into) and currency = $2 and kind = $3"
        " and claimed_on >= $4 and claimed_on <= $5 and status in ('waiting', 'refunded')"
        " and claim_id is distinct from $6",
        account_id,
        currency,
        kind.value,
        date(year, 1, 1),
        date(year, 12, 31),
        but,
    )
    return used


count_of_case = Value[int]("select count(*) from refund_claim where case_id = $1")
"""How many claims were made on a case."""


async def claims_of_account(connection: Connection, account_id: str) -> list[Claim]:
    """All claims of an account, the latest first."""
    rows = await connection.fetch(
        f"select ({CLAIM_JSON})::text as claim from refund_claim r where r.account_id = $1"
        " order by r.claimed_at desc, r.claim_id desc",
        account_id,
    )
    return [Claim.model_validate_json(row["claim"]) for row in rows]


async def save_claims(connection: Connection, claims: Iterable[Claim]) -> None:
    """New claims, and what became of known ones."""
    await _CLAIM.add(connection, [tuple(claim.model_dump().values()) for claim in claims])


_CLAIM = Insert(
    "refund_claim",
    " ".join(Claim.model_fields),
    or_update(
        "claim_id",
        "amount quantity gross tax status reminded_at decided_at decided_by decided_role decision credit_memo_id",
    ),
)


async def keep_policy(connection: Connection, policy: ClaimPolicy) -> None:
    """The terms by which claims are judged, on record."""
    await connection.execute(
        "insert into protection_policy (version, body) values ($1, $2) on conflict do nothing",
        policy.version,
        json.loads(policy.model_dump_json()),
    )


async def latest_policy(connection: Connection) -> ClaimPolicy | None:
    """The latest terms on record."""
    body = await connection.fetchval("select body from protection_policy order by version desc limit 1")
    return ClaimPolicy.stored(body) if body else None
