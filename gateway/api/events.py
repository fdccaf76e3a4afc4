"""Where foreign systems tell what happened: signed, kept, and answered with 202 before anything else is done."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse, Response

from activities.kernel.clock import present
from gateway.api.bodies import read_bytes
from gateway.api.documents import told_as
from gateway.api.problems import CallError
from gateway.api.versions import VERSION
from gateway.doors import Doors
from gateway.events.desk import EventDesk
from gateway.events.signatures import Call
from gateway.views.shown import View

SourceName = Annotated[str, Path(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
_EXAMPLE = {"id": "evt_1", "type": "invoice.paid", "data": {"object": {"id": "in_1", "amount_paid": 2400}}}


class EventTaken(View):
    """An event is kept: under which id, and since when. The same event again gets the same answer."""

    event_id: str
    received_at: datetime


def events(doors: Doors, desk: EventDesk | None = None) -> APIRouter:
    """The path of events. desk: whoever attends to them in this process and hears of them at once."""
    router = APIRouter(prefix=VERSION)
    takes = desk or EventDesk(doors)

    async def endpoint(source: SourceName, request: Request) -> Response:
        """What a foreign system tells, in its own shape: an order, a payment, a ticket, usage. No key: the source signs it, by the scheme
        of Shopify, Stripe, HubSpot or Standard Webhooks, or sends its token as bearer. A mapping says what it becomes."""
        body = await read_bytes(request)
        headers = {name.lower(): value for name, value in request.headers.items()}
        taken = await takes.receive(source, Call(request.method, str(request.url), headers, body), present())
        if taken is None:
            said = "no source of this name has signed this just now; `perennial events sources` shows them"
            raise CallError(HTTPStatus.UNAUTHORIZED, "NotSigned", said)
        event_id, received_at = taken
        told = EventTaken(event_id=event_id, received_at=received_at)
        return JSONResponse(told.model_dump(mode="json"), HTTPStatus.ACCEPTED)

    router.add_api_route("/events/{source}", endpoint, **_described())
    return router


def _described() -> dict[str, Any]:
    content = {"schema": {}, "examples": {"typical": {"value": _EXAMPLE}}}
    problems = told_as(
        HTTPStatus.UNAUTHORIZED,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
        HTTPStatus.SERVICE_UNAVAILABLE,
    )
    return {
        "methods": ["POST"],
        "tags": ["events"],
        "operation_id": "receive_event",
        "summary": "Something that happened in another system",
        "status_code": int(HTTPStatus.ACCEPTED),
        "response_model": EventTaken,
        "response_description": "Kept; what it asks is done after it.",
        "responses": problems,
        "openapi_extra": {
            "requestBody": {"required": True, "content": {"application/json": content}},
            "security": [],
        },
    }
