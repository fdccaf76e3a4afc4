"""Who bought what, and when last: what cross-sell looks at."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

from activities.kernel.pool import Connection
from activities.kernel.queries import Query

_BOUGHT = Query(
    "select o.account_id, l.product_code, max(o.activated_on) as day from sales_order o join order_line l using (order_id)"
    " where o.activated_on >= $1 and o.activated_on < $2 group by 1, 2"
)
_names = Query("select code, name from product where code = any($1)")


async def bought(connection: Connection, since: date, before: date) -> dict[str, dict[str, date]]:
    """Each account's products, with the latest day, of the orders activated from one local day on and before another."""
    found: dict[str, dict[str, date]] = defaultdict(dict)
    for row in await _BOUGHT(connection, since, before):
        found[row["account_id"]][row["product_code"]] = row["day"]
    return dict(found)


async def product_names(connection: Connection, codes: Any) -> dict[str, str]:
    """The names of products, by their codes."""
    return {row["code"]: row["name"] for row in await _names(connection, sorted(codes))}
