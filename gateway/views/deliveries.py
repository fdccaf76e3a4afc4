"""Events on their way to other systems: where each stands, how often it was tried, and what was said last."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AwareDatetime

from activities.channels import webhook_rows
from activities.kernel.pool import Connection
from domain.frame.access import FieldGroup
from domain.journey.customer_timeline import Cursor
from gateway.views.pages import Page, page_of
from gateway.views.shown import View

_MESSAGE = re.compile(r"msg_([0-9a-f]{32})")
_STATES = {"waiting": "waiting", "sent": "delivered", "rejected": "given_up"}
STATES = tuple(_STATES.values())
_STORED = {state: status for status, state in _STATES.items()}


class DeliveryLine(View):
    """An event. `state`: waiting (it is tried again), delivered, or given_up; `tries`: attempts in vain and redeliveries; `last_error`:
    what was said at the latest attempt in vain."""

    message_id: str
    type: str
    account_id: str
    state: str
    at: AwareDatetime
    settled_at: AwareDatetime | None
    tries: int
    tried_at: AwareDatetime | None
    last_error: str | None


class DeliveryTry(View):
    """An attempt: `taken` if it arrived."""

    at: AwareDatetime
    by: str
    taken: bool
    said: str


class EventDelivery(DeliveryLine):
    """An event whole: what it says, and how it was tried."""

    body: Annotated[dict[str, Any], FieldGroup.PRICES]
    history: list[DeliveryTry]


class _Line(DeliveryLine):
    """A line as the table has it."""

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> _Line:
        row = {
            **obj,
            "state": _STATES.get(obj["status"], obj["status"]),
            "last_error": obj["last_error"] or obj["reason"],
        }
        return super().model_validate(row, **options)


async def deliveries_of(
    connection: Connection,
    state: str | None,
    account_id: str | None,
    type: str | None,
    place: Cursor | None,
    limit: int,
) -> Page[DeliveryLine]:
    """Events, the latest first."""
    status = _STORED.get(state) if state is not None else None
    found = await page_of(_Line, webhook_rows.deliveries_page, connection, place, limit, status, account_id, type)
    return Page[DeliveryLine](items=list(found.items), next=found.next)


async def stored_id(connection: Connection, message_id: str) -> str | None:
    """Under which id a delivery is kept; null if there is none."""
    row = await _row(connection, message_id)
    return None if row is None else str(row["id"])


async def delivery(connection: Connection, message_id: str) -> EventDelivery | None:
    """One event by the id of its message; null if there is none."""
    row = await _row(connection, message_id)
    if row is None:
        return None
    history = await webhook_rows.tries_of(connection, row["id"])
    line = _Line.model_validate(row).model_dump()
    return EventDelivery(**line, body=await webhook_rows.body_of(connection, row["id"]) or {}, history=history)


async def _row(connection: Connection, message_id: str) -> dict[str, Any] | None:
    found = _MESSAGE.fullmatch(message_id)
    rows = await webhook_rows.find_delivery(connection, found[1]) if found else []
    return rows[0] if rows else None
