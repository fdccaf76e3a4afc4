"""Usage of many accounts at once, as it stands in a file: each chunk of it is written by COPY, or beside what is on record by one statement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from io import BytesIO

import asyncpg

from activities.kernel.pool import Connection
from activities.kernel.queries import Query, Value
from activities.success.usage import of_features, of_products
from domain.frame.success_facts import UsageFacts

COLUMNS = {
    "account_id": "account_id",
    "product": "product_code",
    "day": "day",
    "active_users": "active_users",
    "feature": "feature",
    "invited_users": "invited_users",
    "activated_users": "activated_users",
    "key_actions": "key_actions",
    "units": "units",
}
"""What the tables call the fields of a figure."""

STAGE = """
create temporary table usage_reported (account_id text not null, product_code text not null, day date not null,
  active_users integer not null, feature text, invited_users integer, activated_users integer, key_actions integer,
  units bigint) on commit drop
"""
# Rows of one COPY lie in the order of their lines.
_STAGED = (
    "(select account_id, product_code, feature, day, active_users, key_actions, invited_users, activated_users, units, ctid"
    " from usage_reported) x(a, p, f, d, u, k, i, t, m, n)"
)
_SAID = "with said as ({} returning o.account_id) select distinct account_id from said"
_SAID_OF_PRODUCTS, _SAID_OF_FEATURES = _SAID.format(of_products(_STAGED)), _SAID.format(of_features(_STAGED))


class Writer:
    """Writes chunks of one transaction. `known`: some of it may be on record already; `refused`: accounts and products to leave out."""

    def __init__(self, connection: Connection, fields: Sequence[str], refused: Iterable[tuple[str, str]], known: bool):
        self._connection = connection
        self._columns = [COLUMNS[field] for field in fields]
        self._refused = list(refused)
        self._aside = known or "feature" in fields or bool(self._refused)
        self._staged = False

    async def write(self, chunk: bytes, accounts: set[str]) -> set[str]:
        """Writes lines of COPY, which are of `accounts`. Returns those of which they said something new."""
        if not self._aside:
            try:
                async with self._connection.transaction():
                    await self._copy("usage_day", chunk)
                return accounts
            except asyncpg.UniqueViolationError:
                pass  # a day is there twice
        return await self._beside(chunk)

    async def _copy(self, table: str, chunk: bytes) -> None:
        await self._connection.copy_to_table(table, source=BytesIO(chunk), columns=self._columns)

    async def _beside(self, chunk: bytes) -> set[str]:
        """Writes what differs from what is on record."""
        await self._connection.execute("truncate usage_reported" if self._staged else STAGE)
        self._staged = True
        await self._copy("usage_reported", chunk)
        if self._refused:
            accounts, products = zip(*self._refused, strict=True)
            await self._connection.execute(
                "delete from usage_reported r using unnest($1::text[], $2::text[]) x(account_id, product_code)"
                " where r.account_id = x.account_id and r.product_code = x.product_code",
                *(accounts, products),
            )
        said = await self._connection.fetch(_SAID_OF_PRODUCTS)
        if "feature" in self._columns:
            said += await self._connection.fetch(_SAID_OF_FEATURES)
        return {row["account_id"] for row in said}


any_on_record = Value[bool](
    "select exists (select from unnest($1::text[], $2::text[], $3::date[], $4::date[]) x(account_id, product_code, first, last)"
    " where exists (select from usage_day u where u.account_id = x.account_id and u.product_code = x.product_code"
    "  and u.day between x.first and x.last))"
)
"""Whether any day of these accounts and products, each from a first to a last day, is on record."""

reporters = Query(
    "select x.account_id, a.time_zone, a.segment, a.playbook_version, a.merged_into,"
    " (select max(u.day) from usage_day u where u.account_id = x.account_id) as told,"
    " array(select l.product_code from order_line l join sales_order o using (order_id) where o.account_id = x.account_id"
    "  union select s.product_code from asset s where s.account_id = x.account_id order by 1) as products"
    " from unnest($1::text[]) x(account_id) left join account a on a.account_id = x.account_id order by x.account_id"
)
"""Those who report: what they bought, the last day that they reported, and whom they are part of by now."""

_SEATS = """
select x.account_id, h.product, h.seats, u.latest_day, u.recent, u.earlier, u.last
from unnest($1::text[], $2::timestamptz[], $3::date[]) x(account_id, at, today)
cross join lateral (
  select s.product_code as product, sum(r.quantity)::int as seats
  from asset s join product p on p.code = s.product_code join asset_state_period r on r.asset_id = s.asset_id
    and r.starts_at <= x.at and (r.ends_at is null or r.ends_at > x.at)
  where s.account_id = x.account_id and p.kind = 'subscription'
  group by 1 having sum(r.quantity) > 0) h
cross join lateral (
  select max(day) as latest_day, avg(active_users) filter (where day > x.today - 28) as recent,
    avg(active_users) filter (where day <= x.today - 28) as earlier, (array_agg(active_users order by day desc))[1] as last
  from usage_day d where d.account_id = x.account_id and d.product_code = h.product
    and d.day <= x.today and d.day > x.today - 56) u
where u.latest_day is not null
order by x.account_id, h.product
"""


async def seats_in_use(
    connection: Connection, accounts: Sequence[str], instants: Sequence[datetime], days: Sequence[date]
) -> dict[str, list[tuple[UsageFacts, int]]]:
    """Of each account at its instant, which is on that local day: the use of what has paid seats, and how many those are."""
    found: dict[str, list[tuple[UsageFacts, int]]] = {}
    for row in await connection.fetch(_SEATS, accounts, instants, days):
        facts = UsageFacts(**{name: row[name] for name in ("product", "latest_day", "recent", "earlier", "last")})
        found.setdefault(row["account_id"], []).append((facts, row["seats"]))
    return found
