"""Cases for tests: a desk that serves, a customer, and a document to open a case with."""

from __future__ import annotations

import itertools
from typing import Any

from activities.kernel.clock import present
from gateway.cases import CaseClient
from tests.builders import order
from tests.conftest import Servers

_numbers = itertools.count(1)


def case_client(servers: Servers) -> CaseClient:
    """A client for the cases of the stack."""
    return CaseClient(servers.temporal, servers.pool)


def person(staff_id: str) -> dict[str, str]:
    """One of the seller's people."""
    return {"staff_id": staff_id, "name": f"Agent {staff_id}", "email": f"{staff_id.lower()}@seller.example"}


async def staffed(servers: Servers, *agents: str, team: str | None = None, **changes: Any) -> str:
    """A team of its own with a lead, a manager, a director and these agents. Returns its name."""
    n = f"{next(_numbers)}-{present():%H%M%S%f}"
    name = team or f"team-{n}"
    client = case_client(servers)
    await client.put_team(
        {
            "team": name,
            "name": "Service",
            "lead": person(f"L-{n}"),
            "manager": person(f"M-{n}"),
            "director": person(f"D-{n}"),
        }
    )
    for agent in agents:
        await client.put_agent({"staff": person(agent), "team": name, **changes})
    return name


async def customer(servers: Servers, **account: Any) -> dict[str, Any]:
    """The order of a new customer, placed."""
    document = order()
    document["account"].update(account)
    await servers.client.place_order(document)
    return document


def case(document: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A case of the customer of `document`, an order. `changes` replace its fields."""
    n = next(_numbers)
    return {
        "case_id": f"C-{n}-{present():%H%M%S%f}",
        "account_id": document["account"]["account_id"],
        "subject": "The till is down",
        "body": "Since nine o'clock nothing prints.",
        "channel": "mail",
        "message_id": f"<m{n}-{present():%H%M%S%f}@customer.example>",
        **changes,
    }
