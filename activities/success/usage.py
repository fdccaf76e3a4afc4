"""Usage rows: many at a time, the last report of a day counts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from activities.kernel.pool import Connection
from activities.kernel.queries import Column, Value
from domain.success.usage import UsageRow

AT_ONCE = 5000
"""Rows of one statement: what is reported at once may be years of many products, and a statement has its time."""


async def lock_usage(connection: Connection, account_id: str) -> None:
    """Until the transaction ends, nobody else reports usage of the account: of two reports, one sees the other's figures."""
    await connection.execute("select pg_advisory_xact_lock(hashtextextended('usage:' || $1, 0))", account_id)


async def save_usage(connection: Connection, rows: Sequence[UsageRow]) -> int:
    """The rows, each in place of an earlier report for the same day. Returns how many of them said something new."""
    return sum([await _save(connection, rows[n : n + AT_ONCE]) for n in range(0, len(rows), AT_ONCE)])


async def _save(connection: Connection, listed: Sequence[UsageRow]) -> int:
    said = await connection.execute(
        "insert into usage_day (account_id, product_code, day, active_users)"
        " select distinct on (a, p, d) a, p, d, u"
        " from unnest($1::text[], $2::text[], $3::date[], $4::int[]) with ordinality x(a, p, d, u, n)"
        " order by a, p, d, n desc"
        " on conflict (account_id, product_code, day) do update set active_users = excluded.active_users"
        " where usage_day.active_users <> excluded.active_users",
        [row.account_id for row in listed],
        [row.product for row in listed],
        [row.day for row in listed],
        [row.active_users for row in listed],
    )
    return int(said.rsplit(" ", 1)[1])


latest_usage_day = Value[date | None]("select max(day) from usage_day where account_id = $1")
"""The last day that the account's products have reported; null if none has."""


sold_products = Column[str](
    "select l.product_code from order_line l join sales_order o using (order_id) where o.account_id = $1"
    " union select product_code from asset where account_id = $1 order by 1"
)
"""The products that an account's orders have named or its assets are of; empty for an unknown account."""
