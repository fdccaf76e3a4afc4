"""A customer is read as of their own day, in few round trips."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from activities.frame.customers import load_customer
from activities.frame.situations import load_situation
from domain.frame.customer import Customer
from tests.builders import order
from tests.conftest import Servers

AT = datetime(2026, 12, 8, 20, tzinfo=UTC)
"""The ninth of December in Tokyo, the eighth in London."""


async def _placed(servers: Servers) -> str:
    document = order()
    await servers.client.place_order(document)
    return str(document["account"]["account_id"])


async def test_a_customer_who_moved_is_read_by_the_day_of_where_they_are_now(servers: Servers) -> None:
    account = await _placed(servers)
    await servers.pool.executemany(
        "insert into usage_day (account_id, product_code, day, active_users) values ($1, 'SEATS', $2, $3)",
        [(account, datetime(2026, 12, day), users) for day, users in ((8, 10), (9, 30))],  # noqa: DTZ001 - days
    )

    async def used(zone: str) -> tuple[str, Any]:
        await servers.pool.execute("update account set time_zone = $2 where account_id = $1", account, zone)
        async with servers.pool.acquire() as connection:
            customer = await load_customer(connection, account, AT)
        assert isinstance(customer, Customer)
        return customer.account.time_zone, customer.usage[0].latest_day.day

    assert [await used(zone) for zone in ("Asia/Tokyo", "Europe/London", "Asia/Tokyo")] == [
        ("Asia/Tokyo", 9),
        ("Europe/London", 8),
        ("Asia/Tokyo", 9),
    ]


async def test_what_a_decision_is_taken_from_is_read_at_once(servers: Servers) -> None:
    account = await _placed(servers)
    asked: list[str] = []
    async with servers.pool.acquire() as connection:
        await load_situation(connection, account, AT)
        with connection.query_logger(lambda record: asked.append(record.query)):
            situation = await load_situation(connection, account, AT)
    assert situation.customer.account.account_id == account
    assert len(asked) == 1, asked
