"""Tax of many lines at once is that of each line by itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

from activities.orders.tax_rows import rates_of_lines
from tests.conftest import Servers

PRODUCTS = ("P1", "P2", "P3")
CONTRACTS = (None, "K1", "K2")
_ONE = "select tax_rates_for($1, $2, $3, $4)"


async def test_rates_of_many_lines_are_those_of_each(servers: Servers) -> None:
    drawn = Random(11)
    began = datetime(2026, 5, 1, tzinfo=UTC)
    async with servers.pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        account = "A-taxed"
        await connection.execute("set local session_replication_role = replica")  # no other row is needed for these
        for number in range(40):
            order_id = f"TO-{number:02}"
            at = began + timedelta(days=drawn.randrange(4))
            await connection.execute(
                "insert into sales_order select (jsonb_populate_record(null::sales_order, $1)).*",
                {
                    "order_id": order_id,
                    "account_id": account,
                    "activated_at": at.isoformat(),
                    "activated_on": at.date().isoformat(),
                    "recorded_at": (at + timedelta(hours=drawn.randrange(3))).isoformat(),
                    "sells_goods": False,
                    "digest": "d",
                    "currency": "EUR",
                    "imported": False,
                },
            )
            for line in range(drawn.randrange(1, 3)):
                rates = drawn.choice([None, [f"{number}.{line}"]])
                await connection.execute(
                    "insert into order_line select (jsonb_populate_record(null::order_line, $1)).*",
                    {
                        "order_id": order_id,
                        "line_id": str(line),
                        "quantity": 1,
                        "unit_price": 1,
                        "price_per": "month",
                        "product_code": drawn.choice(PRODUCTS[:2] if number < 30 else PRODUCTS),
                        "contract_id": drawn.choice(CONTRACTS),
                        "tax_rates": rates,
                    },
                )
        wanted = [(product, contract) for product in (*PRODUCTS, "none") for contract in (*CONTRACTS, "K9")]
        for but in (None, "TO-39", "TO-00"):
            each = [await connection.fetchval(_ONE, account, product, contract, but) for product, contract in wanted]
            sold = [[one[0] for one in wanted], [one[1] for one in wanted]]
            together = await rates_of_lines(connection, account, *sold, but)
            assert together == each
            assert any(isinstance(one, list) and isinstance(one[0], Decimal) for one in each)
        assert await rates_of_lines(connection, "nobody", ["P1"], [None], None) == [None]
        await transaction.rollback()
