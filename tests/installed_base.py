"""An installed base of any size, made by the database itself; and what a query plan reads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from activities.kernel.pool import Connection

PER_ACCOUNT = 10
PERIODS = 5
AT = datetime(2025, 6, 1, tzinfo=UTC)
"""An instant at which a quarter of the assets has ended, and the others have past and future periods."""

# Every asset is sold for five years, beginning in one of four, and grows by a unit each year; a year is a period.
_ASSETS = """
insert into asset (asset_id, account_id, order_id, line_id, product_code, name, currency, price_per, unit_price,
                   selling_model, lifecycle_start, lifecycle_end, version)
select format('%s-%s.%s', $1::text, n / 10, n % 10), format('%s-%s', $1::text, n / 10), format('%s-%s', $1::text, n / 10),
       (n % 10)::text, format('%s-%s', $1::text, n % 20), 'Product ' || n % 20,
       (array['EUR', 'JPY', 'USD'])[1 + n / 10 % 3], 'month', 10 + n % 7, 'termed',
       make_timestamptz(2020 + n % 4, 1, 1, 0, 0, 0), make_timestamptz(2025 + n % 4, 1, 1, 0, 0, 0), 5
from generate_series(0, $2 - 1) n
"""
_ACTIONS = """
insert into asset_action (asset_id, sequence, request_id, category, type, effective, recorded_at, cuts, lifecycle_start,
                          lifecycle_end, attributes, quantity_change, mrr_change, product_amount_change,
                          adjustment_amount_change, amount_change, can_roll_back)
select asset_id, y + 1, 'r' || y, case y when 0 then 'Initial Sale' else 'Upsells' end,
       case y when 0 then 'Generate' else 'Change' end, lifecycle_start + make_interval(years => y), lifecycle_start, '{}',
       lifecycle_start, lifecycle_end, '[]', units, units * unit_price, units * unit_price * 12 * (5 - y), 0,
       units * unit_price * 12 * (5 - y), false
from asset, generate_series(0, 4) y, lateral (select case y when 0 then 20 else 1 end as units) u
where account_id like $1 || '-%'
"""
_SOURCES = """
insert into asset_action_source (asset_id, sequence, number, lot, starts_at, ends_at, quantity, unit_price, product_amount)
select asset_id, y + 1, 0, y + 1, lifecycle_start + make_interval(years => y), lifecycle_end, units, unit_price,
       units * unit_price * 12 * (5 - y)
from asset, generate_series(0, 4) y, lateral (select case y when 0 then 20 else 1 end as units) u
where account_id like $1 || '-%'
"""
_SLICES = """
insert into portfolio_slice (product_code, segment, currency)
select distinct a.product_code, c.segment, a.currency from asset a join account c using (account_id) order by 1, 2, 3
on conflict do nothing
"""
_PERIODS = """
insert into asset_state_period (asset_id, starts_at, ends_at, quantity, mrr, amount, total, slice_id)
select a.asset_id, a.lifecycle_start + make_interval(years => y), a.lifecycle_start + make_interval(years => y + 1), 20 + y,
       (20 + y) * a.unit_price, (20 + y) * a.unit_price * 12,
       (20 * (y + 1) + y * (y + 1) / 2) * a.unit_price * 12, s.slice_id
from asset a join account c using (account_id) join portfolio_slice s using (product_code, segment, currency),
     generate_series(0, 4) y
where a.account_id like $1 || '-%'
"""


async def fill(connection: Connection, assets: int, name: str = "IB", *, history: bool = True) -> None:
    """Makes `assets` assets of accounts `name-0`, `name-1`, …, ten each, with five periods and, if asked for, their actions."""
    await connection.execute("insert into staff values ('IB', 'Ina', 'ina@seller.example') on conflict do nothing")
    for segment in ("enterprise", "standard", "tech_touch", "wholesale"):
        await connection.execute("insert into playbook values ($1, 0, '{}') on conflict do nothing", segment)
    await connection.execute(
        "insert into product select format('%s-%s', $1::text, n), 'Product ' || n, 'subscription' from generate_series(0, 19) n",
        name,
    )
    await connection.execute(
        "insert into account (account_id, name, country, time_zone, language, segment, playbook_version, owner_id,"
        " success_manager_id, since, recorded_at)"
        " select format('%s-%s', $1::text, n), 'Company ' || n, 'DE', 'Europe/Berlin', 'de',"
        " (array['enterprise', 'standard', 'tech_touch', 'wholesale'])[1 + n % 4], 0, 'IB', 'IB', $3, $3"
        " from generate_series(0, $2 - 1) n",
        name,
        assets // PER_ACCOUNT,
        AT,
    )
    await connection.execute(
        "insert into sales_order (order_id, account_id, digest, activated_at, activated_on, currency, sells_goods, imported,"
        " recorded_at) select account_id, account_id, '', $2, $2::timestamptz::date, 'EUR', false, true, $2 from account"
        " where account_id like $1 || '-%'",
        name,
        AT,
    )
    await connection.execute(_ASSETS, name, assets)
    if history:
        await connection.execute(_ACTIONS, name)
        await connection.execute(_SOURCES, name)
    await connection.execute(_SLICES)
    await connection.execute(_PERIODS, name)


@dataclass(frozen=True)
class Plan:
    """What one execution of a query did: rows given back, rows that its scans looked at, tables read from end to end, time."""

    returned: int
    read: int
    sequential: list[str]
    milliseconds: float


async def explained(connection: Connection, query: str, *args: Any) -> Plan:
    """The plan of `query`, executed."""
    said = await connection.fetchval(f"explain (analyze, timing off, format json) {query}", *args)
    top = (json.loads(said) if isinstance(said, str) else said)[0]
    nodes = list(_nodes(top["Plan"]))
    scans = [node for node in nodes if node["Node Type"].endswith("Scan") and "Relation Name" in node]
    return Plan(
        returned=round(top["Plan"]["Actual Rows"]),
        read=sum(_looked_at(node) for node in scans),
        sequential=[node["Relation Name"] for node in scans if node["Node Type"] == "Seq Scan"],
        milliseconds=top["Execution Time"],
    )


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)


def _looked_at(node: dict[str, Any]) -> int:
    each: float = (
        node["Actual Rows"] + node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    )
    loops: float = node["Actual Loops"]
    return round(each * loops)
