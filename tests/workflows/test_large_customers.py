"""What is read of a customer with many contracts: what a request or a step is about, and no more."""

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

LIFE = timedelta(days=340)
"""Up to the quotes of the next terms."""
FLAT = (
    "change_contacts",
    "pause_journey",
    "resume_journey",
    "onboarding_escalation",
    "renewal_notice",
    "billing_invoice",
)
CONTRACTS = 10


def _of_contracts(number: int) -> dict[str, Any]:
    """An order of so many contracts for a year, each of two things and invoiced monthly."""
    document = order()
    (one,) = document["contracts"]
    contracts = [{**one, "contract_id": f"{one['contract_id']}-{n}", "billing": "monthly"} for n in range(number)]
    for n, contract in enumerate(contracts):
        contract["lines"] = [{**line, "line_id": f"{line['line_id']}-{n}"} for line in one["lines"]]
    return {**document, "contracts": contracts}


@pytest.fixture
async def answered(stack: EmbeddedStack) -> dict[int, dict[str, int]]:
    """The fewest bytes that PostgreSQL answered to each activity, by the number of contracts."""
    wire, server = Wire(), InMemory()
    found: dict[int, dict[str, int]] = {}
    async with own_database(stack, "large_customers") as own, wire.before(own.dsn) as dsn:
        pool = await open_pool(dsn)
        settings = Settings.of_stack(database_url=dsn, smtp_host=stack.smtp_host, smtp_port=stack.smtp_port)
        client = PerennialClient(server.open(pool, settings), pool)
        perform = server.acting.perform
        least: dict[str, int] = {}

        async def counting(pending: Pending, at: datetime) -> Any:
            before, kind = wire.answered, pending.call.activity_type
            done = await perform(pending, at)
            least[kind] = min(least.get(kind, 1 << 30), wire.answered - before)
            return done

        server.acting.perform = counting  # type: ignore[method-assign]
        with server.is_the_present():
            for contracts in (1, CONTRACTS):
                document = _of_contracts(contracts)
                await client.place_order(document)
                for n in range(2):
                    contact = {"contact_id": "P-1", "phone": f"+81 3 1234 567{n}"}
                    await client.ask(account_of(document), "change_contacts", {"change": [contact]})
                    await client.ask(account_of(document), "pause", {"reason": "stocktaking"})
                    await client.ask(account_of(document), "resume", {})
                await client.fast_forward(account_of(document), LIFE)
                found[contracts] = dict(least)
                least.clear()
        await server.forget_all()
        await pool.close()
    return found


async def test_what_is_read_for_one_thing_does_not_grow_with_the_contracts(
    answered: dict[int, dict[str, int]],
) -> None:
    few, many = answered[1], answered[CONTRACTS]
    grown = {kind: round(many[kind] / few[kind], 2) for kind in FLAT}
    assert max(grown.values()) < 1.3, grown
