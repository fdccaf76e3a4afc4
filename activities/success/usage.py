"""Usage rows: many at a time, the last report of a day counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date

from activities.kernel.pool import Connection
from activities.kernel.queries import Column, Value
from domain.success.usage import UsageRow

AT_ONCE = 5000
"""Rows of one statement: what is reported at once may be years of many products, and a statement has its time."""


async def lock_usage(connection: Connection, account_ids: Sequence[str]) -> None:
    """Until the transaction ends, nobody else reports usage of these accounts: of two reports, one sees the other's figures."""
    await connection.fetch(
        "select pg_advisory_xact_lock(hashtextextended('usage:' || id, 0))"
        " from (select id from unnest($1::text[]) id order by id) x",  # in one order, so that no two wait for each other
        account_ids,
    )


async def save_usage(connection: Connection, rows: Sequence[UsageRow]) -> int:
    """The rows, each in place of an earlier report for the same day. Returns how many of them said something new."""
    products = [row for row in rows if row.feature is None]
    features = [row for row in rows if row.feature is not None]
    said = [await _save(connection, _OF_PRODUCTS, part) for part in _parts(products)]
    return sum(said + [await _save(connection, _OF_FEATURES, part) for part in _parts(features)])


def _parts(rows: Sequence[UsageRow]) -> Iterator[Sequence[UsageRow]]:
    return (rows[n : n + AT_ONCE] for n in range(0, len(rows), AT_ONCE))


async def _save(connection: Connection, statement: str, rows: Sequence[UsageRow]) -> int:
    columns = (
        [row.account_id for row in rows],
        [row.product for row in rows],
        [row.feature for row in rows],
        [row.day for row in rows],
        [row.active_users for row in rows],
        [row.key_actions for row in rows],
        [row.invited_users for row in rows],
        [row.activated_users for row in rows],
        [row.units for row in rows],
    )
    said = await connection.execute(statement, *columns)
    return int(said.rsplit(" ", 1)[1])


_REPORTED = (
    "unnest($1::text[], $2::text[], $3::text[], $4::date[], $5::int[], $6::int[], $7::int[], $8::int[],"
    " $9::bigint[]) with ordinality x(a, p, f, d, u, k, i, t, m, n)"
)


def of_products(reported: str) -> str:
    """The statement that keeps what was reported of whole products; of one day, what was said last."""
    return (
        "insert into usage_day as o (account_id, product_code, day, active_users, key_actions, invited_users, activated_users,"
        " units)"
        f" select distinct on (a, p, d) a, p, d, u, k, i, t, m from {reported} where f is null order by a, p, d, n desc"
        " on conflict (account_id, product_code, day) do update set active_users = excluded.active_users,"
        "  key_actions = coalesce(excluded.key_actions, o.key_actions),"
        "  invited_users = coalesce(excluded.invited_users, o.invited_users),"
        "  activated_users = coalesce(excluded.activated_users, o.activated_users), units = coalesce(excluded.units, o.units)"
        " where (o.active_users, o.key_actions, o.invited_users, o.activated_users, o.units) is distinct from"
        "  (excluded.active_users, coalesce(excluded.key_actions, o.key_actions),"
        "   coalesce(excluded.invited_users, o.invited_users), coalesce(excluded.activated_users, o.activated_users),"
        "   coalesce(excluded.units, o.units))"
    )


def of_features(reported: str) -> str:
    """The same of single features."""
    return (
        "insert into usage_feature_day as o (account_id, product_code, feature, day, active_users, key_actions)"
        f" select distinct on (a, p, f, d) a, p, f, d, u, k from {reported} where f is not null order by a, p, f, d, n desc"
        " on conflict (account_id, product_code, feature, day) do update set active_users = excluded.active_users,"
        "  key_actions = coalesce(excluded.key_actions, o.key_actions)"
        " where (o.active_users, o.key_actions) is distinct from"
        "  (excluded.active_users, coalesce(excluded.key_actions, o.key_actions))"
    )


_OF_PRODUCTS, _OF_FEATURES = of_products(_REPORTED), of_features(_REPORTED)

latest_usage_day = Value[date | None]("select max(day) from usage_day where account_id = $1")
"""The last day that the account's products have reported; null if none has."""


sold_products = Column[str](
    "select l.product_code from order_line l join sales_order o using (order_id) where o.account_id = $1"
    " union select product_code from asset where account_id = $1 order by 1"
)
"""The products that an account's orders have named or its assets are of; empty for an unknown account."""
