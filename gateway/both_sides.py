"""One customer from both sides: what sales sees of service, what service sees of sales."""

from __future__ import annotations

from datetime import datetime

from activities.journey.sales_views import SalesView, ServiceView, record_seen, sales_view, service_view
from activities.kernel.pool import Pool


async def see_service(pool: Pool, account_id: str, by: str, as_of: datetime) -> SalesView:
    """A customer's open cases and holds for `by`, a staff id of sales, who is told once a case they saw is over."""
    async with pool.acquire() as connection, connection.transaction():
        await record_seen(connection, account_id, by, as_of)
        return await sales_view(connection, account_id, as_of)


async def see_sales(pool: Pool, account_id: str, as_of: datetime) -> ServiceView:
    """A customer's open offers, leads, renewals, purchases and discounts, for whoever serves them."""
    async with pool.acquire() as connection:
        return await service_view(connection, account_id, as_of)
