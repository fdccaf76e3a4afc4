"""Cases as tables know them, for tests that look at the journey's side: written straight into the facts, told by signal."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import Any

from activities.kernel.pool import Connection
from domain.success.usage import UsageRow
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of, attention_of, onboard, settled, until

_numbers = itertools.count(1)

_INSERT = """
insert into service_case (case_id, account_id, subject, channel, category, product_code, impact, urgency, priority, status,
    status_at, escalated, owner_id, team, opened_at, last_activity_at, planned_at, recorded_at)
values ($1, $2, 'The terminal does not start', 'mail', $3, $4, 'high', 'high', $5, $6, $7, $8, $9, $10, $7, $7, $7, $7)
"""


async def insert_case(connection: Connection, account_id: str, at: datetime, **more: Any) -> str:
    """An open case of an account, urgent unless said otherwise; its id."""
    case_id = f"CASE-{account_id}-{next(_numbers)}"
    values = {
        "category": "incident",
        "product": None,
        "priority": "urgent",
        "status": "open",
        "escalated": False,
        "owner": None,
        "team": None,
        **more,
    }
    await connection.execute(
        _INSERT,
        case_id,
        account_id,
        values["category"],
        values["product"],
        values["priority"],
        values["status"],
        at,
        values["escalated"],
        values["owner"],
        values["team"],
    )
    return case_id


async def tell(servers: Servers, account_id: str, case_id: str, what: str) -> None:
    """The case's signal, and the wait until the journey has looked at it."""
    at = await servers.client.now(account_id)
    signal_id = f"{case_id}:{next(_numbers)}:{what}"
    signal = {"id": signal_id, "at": at.isoformat(), "case_id": case_id, "what": what}
    await servers.handle(account_id).signal("case_changed", signal)
    await looked(servers, account_id, signal_id)


async def looked(servers: Servers, account_id: str, signal_id: str) -> None:
    """Waits until the look that a signal called for is done."""
    key = f"journey:{account_id}/service/review-{signal_id}"

    async def done() -> bool:
        return bool(await servers.pool.fetchval("select count(*) from effect where key = $1", key))

    await until(done, f"{key} is done")


async def open_case(servers: Servers, account_id: str, **more: Any) -> str:
    """A case that the journey knows of."""
    at = await servers.client.now(account_id)
    async with servers.pool.acquire() as connection:
        case_id = await insert_case(connection, account_id, at, **more)
    await tell(servers, account_id, case_id, "opened")
    return case_id


async def resolve_case(servers: Servers, account_id: str, case_id: str, **more: Any) -> datetime:
    """The case is resolved now, and the journey hears of it. `rating`: what the customer says of it."""
    at = await servers.client.now(account_id)
    await servers.pool.execute(
        "update service_case set status = 'resolved', status_at = $2, resolved_at = $2, last_activity_at = $2 where case_id = $1",
        case_id,
        at,
    )
    if "rating" in more:
        await servers.pool.execute(
            "insert into case_survey (survey_id, case_id, sent_at, score, answered_at) values ($1, $2, $3, $4, $3)",
            f"csat-{case_id}",
            case_id,
            at,
            more["rating"],
        )
    await tell(servers, account_id, case_id, "resolved")
    return at


async def report_full_use(servers: Servers, account_id: str, users: int = 39) -> None:
    """The meter says that nearly every seat is in use."""
    today = (await servers.client.now(account_id)).date()
    rows = [
        UsageRow(account_id=account_id, product="SEATS", day=today - timedelta(days=n), active_users=users)
        for n in range(28)
    ]
    await servers.client.record_usage(rows)


async def shows(servers: Servers, account_id: str, reason: str, *, shown: bool = True) -> None:
    """Waits until operators find the journey, or find it no more, by a reason to look at it."""

    async def as_wanted() -> bool:
        return (reason in await attention_of(servers.temporal, account_id)) is shown

    await until(as_wanted, f"{reason} is {'shown' if shown else 'gone'}")


COOL_DOWN = timedelta(days=12)
"""three business days with a weekend and some holidays, and the morning on which what waited may leave"""


FIRST_ASKED = timedelta(days=38)
"""After so long a customer who was onboarded has been asked whether they would recommend us, beside their first check-in."""


async def onboarded(servers: Servers, **changes: Any) -> tuple[dict[str, Any], str]:
    """A customer in the middle of their first year, with nothing to do."""
    document = order(**changes)
    account = account_of(document)
    await servers.client.place_order(document)
    await servers.client.fast_forward(account, timedelta(days=45))
    await onboard(servers.client, account)
    await servers.client.fast_forward(account, timedelta(days=1))
    await settled(servers.pool, account)
    return document, account


async def sent_to_customer(servers: Servers, account: str) -> list[str]:
    """The templates of the mails that went to the customer, in order."""
    rows = await servers.pool.fetch(
        "select body->>'template' as template from outbox where account_id = $1 and channel = 'deliver_mail' and status = 'sent'"
        " order by settled_at, delivery_id",
        account,
    )
    return [row["template"] for row in rows]


async def live_holds(servers: Servers, account: str) -> list[tuple[str, str]]:
    rows = await servers.pool.fetch(
        "select level, reason from sales_hold where account_id = $1 and lifted_at is null order by reason", account
    )
    return [(row["level"], row["reason"]) for row in rows]
