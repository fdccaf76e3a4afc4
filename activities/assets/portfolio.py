"""The portfolio at an instant: one account's assets, and recurring revenue by product, segment and currency."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from activities.kernel.pool import Connection
from domain.kernel.calendar import MONTHS_IN_YEAR

# An asset that lives has a period at every instant between its two ends, so one index entry leads to each of both rows.
ACCOUNT_ASSETS = """
select a.asset_id, a.product_code, a.name, a.contract_id, a.currency, a.lifecycle_start as starts_at,
       a.lifecycle_end as ends_at, coalesce(p.quantity, 0) as quantity, case when p.quantity is null then 0 else p.mrr end as mrr, p.amount,
       case when p.quantity is null then f.total else p.total end as total
from asset a
left join lateral (
    select quantity, mrr, amount, total from asset_state_period p
    where p.asset_id = a.asset_id and p.starts_at <= $2
    order by p.starts_at desc limit 1) p on true
left join lateral (
    select total from asset_state_period f
    where f.asset_id = a.asset_id and p.quantity is null
    order by f.starts_at limit 1) f on true
where a.account_id = $1 and coalesce(a.lifecycle_end, 'infinity') > $2
order by a.asset_id
"""

# Summed by a number; the few sums get their names afterwards.
PORTFOLIO = """
select s.product_code, p.name as product, s.segment, s.currency, t.assets, t.quantity, t.mrr, t.unpriced
from (
    select slice_id, count(*) as assets, sum(quantity) as quantity, coalesce(sum(mrr), 0) as mrr,
           count(*) - count(mrr) as unpriced
    from asset_state_period
    where starts_at <= $1 and (ends_at is null or ends_at > $1) and quantity > 0
    group by slice_id) t
join portfolio_slice s using (slice_id)
join product p on p.code = s.product_code
order by s.currency, s.segment, s.product_code
"""

REVENUE = """
select t.at, a.account_id, a.currency, sum(p.mrr) as mrr
from unnest($1::timestamptz[]) t(at)
join asset_state_period p on p.starts_at <= t.at and (p.ends_at is null or p.ends_at > t.at) and p.quantity > 0
join asset a using (asset_id)
group by 1, 2, 3
having sum(p.mrr) > 0
"""


@dataclass(frozen=True, slots=True)
class HeldAsset:
    """An asset at an instant. `quantity` is zero before it begins; `mrr` None: no price.

    amount: what the period in force comes to; total: the asset from its first day to the end of that period, of one that has
    not begun to the end of its first. Both are None while open.
    """

    asset_id: str
    product_code: str
    name: str
    contract_id: str | None
    currency: str
    starts_at: datetime
    ends_at: datetime | None
    quantity: int
    mrr: Decimal | None
    amount: Decimal | None
    total: Decimal | None


@dataclass(frozen=True, slots=True)
class PortfolioLine:
    """The assets of one product, segment and currency in force at an instant; `unpriced` ones count, but bring no MRR."""

    product_code: str
    product: str
    segment: str
    currency: str
    assets: int
    quantity: int
    mrr: Decimal
    unpriced: int

    @property
    def arr(self) -> Decimal:
        """Twelve months of recurring revenue."""
        return self.mrr * MONTHS_IN_YEAR


async def account_assets(connection: Connection, account_id: str, at: datetime) -> list[HeldAsset]:
    """What an account holds at an instant or will hold later, by asset id. What has ended is left out."""
    return [HeldAsset(**dict(row)) for row in await connection.fetch(ACCOUNT_ASSETS, account_id, at)]


async def portfolio_at(connection: Connection, at: datetime) -> list[PortfolioLine]:
    """All assets in force at an instant, counted by currency, segment and product in one pass."""
    return [PortfolioLine(**dict(row)) for row in await connection.fetch(PORTFOLIO, at)]


async def revenue_at(connection: Connection, instants: Sequence[datetime]) -> dict[str, list[dict[str, Decimal]]]:
    """Recurring revenue of a month by currency: for each instant, in order, of each account that brings any."""
    places = {at: place for place, at in enumerate(instants)}
    found: dict[str, list[dict[str, Decimal]]] = defaultdict(lambda: [{} for _ in places])
    for row in await connection.fetch(REVENUE, list(places)):
        found[row["currency"]][places[row["at"]]][row["account_id"]] = row["mrr"]
    return dict(sorted(found.items()))
