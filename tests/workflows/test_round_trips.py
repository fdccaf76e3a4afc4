"""How often the server is asked and waited for: by an order, a step and a delivery, each done by the real activity.

A round trip is counted on the wire: whatever the client sends after the server has said something.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from activities.kernel.pool import open_pool
from gateway.client import PerennialClient
from tests.builders import order
from tests.driver.in_memory.run import Pending
from tests.e2e.lives import account_of
from tests.living_in_memory import InMemory
from tests.own_database import own_database
from tests.wire import Wire
from workers.embedded.stack import EmbeddedStack
from workers.settings import Settings

MOST = {
    "activate_order": 7,
    "onboarding_touch": 4,
    "onboarding_escalation": 4,
    "onboarding_overdue": 4,
    "fulfilment_follow_up": 4,
    "deliver_mail": 4,
    "deliver_notice": 3,
}
"""By activity: begin, account and customer, what is written, commit. Of an order also its periods and its invoice."""
CUSTOMERS = 5
"""The first ones have everything prepared that a connection prepares once."""


@pytest.fixture
async def counted(stack: EmbeddedStack) -> dict[str, int]:
    """The fewest round trips of each activity in the first weeks of some customers."""
    wire, server, found = Wire(), InMemory(), dict[str, int]()
    async with own_database(stack, "round_trips") as own, wire.before(own.dsn) as dsn:
        pool = await open_pool(dsn)
        settings = Settings.of_stack(database_url=dsn, smtp_host=stack.smtp_host, smtp_port=stack.smtp_port)
        client = PerennialClient(server.open(pool, settings), pool)
        perform = server.acting.perform

        async def counting(pending: Pending, at: datetime) -> Any:
            before, kind = wire.turns, pending.call.activity_type
            done = await perform(pending, at)
            found[kind] = min(found.get(kind, 1000), wire.turns - before)
            return done

        server.acting.perform = counting  # type: ignore[method-assign]
        with server.is_the_present():
            for document in [order() for _ in range(CUSTOMERS)]:
                await client.place_order(document)
                await client.fast_forward(account_of(document), timedelta(days=45))
        await server.forget_all()
        await pool.close()
    return found


async def test_round_trips_of_an_order_a_step_and_a_delivery(counted: dict[str, int]) -> None:
    assert {kind: counted.get(kind) for kind in MOST} == MOST
