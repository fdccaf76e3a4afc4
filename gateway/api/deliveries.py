"""What other systems are told: the catalogue of events, where each delivery stands, and a redelivery by request."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response

from domain.frame.access import READ, WRITE, Principal
from domain.journey.event_catalogue import CATALOGUE
from domain.kernel.refusals import INVALID_REQUEST, Refusal
from domain.kernel.requests import read_document
from gateway.acting import new_request_id
from gateway.api.answers import ON_A_PAGE, From, Limit, Words, answered, place_of, reads
from gateway.api.carrying import Done, carried_out
from gateway.api.documents import told_of
from gateway.api.entry import entry_to
from gateway.api.versions import VERSION
from gateway.api.written import REDELIVER_EVENT, Redelivery
from gateway.doors import Doors
from gateway.redelivering import UNKNOWN_DELIVERY, Redelivering
from gateway.views.deliveries import DeliveryLine, EventDelivery, deliveries_of, delivery
from gateway.views.pages import Page
from gateway.views.shown import View, shown

MessageId = Annotated[str, Path(pattern=r"^msg_[0-9a-f]{32}$")]
State = Annotated[Literal["waiting", "delivered", "given_up"] | None, Query(description="Only those that stand so.")]


class CatalogueEntry(View):
    """A kind of event: what it says, the JSON Schema of its body, and an example."""

    type: str
    says: str
    schema_of: dict[str, Any]
    example: dict[str, Any]


class EventCatalogue(View):
    """Every kind of event."""

    events: list[CatalogueEntry]


def deliveries(doors: Doors) -> APIRouter:
    """The paths of events that go out."""
    router = APIRouter(prefix=VERSION)
    enter = Depends(entry_to(doors.pool, "deliveries", READ))
    write = Depends(entry_to(doors.pool, REDELIVER_EVENT.resource, WRITE))
    redelivering = Redelivering(doors, "api")

    async def catalogue(request: Request, who: Principal = enter) -> Response:
        entries = [
            CatalogueEntry(type=one.type.value, says=one.says, schema_of=one.schema(), example=one.example())
            for one in CATALOGUE
        ]
        return answered(request, EventCatalogue(events=entries), who)

    async def page(
        request: Request,
        state: State = None,
        account_id: Words | None = None,
        type: Words | None = None,
        cursor: From = None,
        limit: Limit = ON_A_PAGE,
        who: Principal = enter,
    ) -> Response:
        async with doors.pool.acquire() as connection:
            found = await deliveries_of(connection, state, account_id, type, place_of(cursor), limit)
        return answered(request, found, who)

    async def one(request: Request, delivery_id: MessageId, who: Principal = enter) -> Response:
        async with doors.pool.acquire() as connection:
            found = await delivery(connection, delivery_id)
        if found is None:
            raise Refusal(UNKNOWN_DELIVERY, f"no event left under {delivery_id!r}")
        return answered(request, found, who)

    async def again(request: Request, delivery_id: MessageId, who: Principal = write) -> Response:
        async def work(asked: dict[str, Any], repeated: str | None) -> Done:
            asks = read_document(Redelivery, asked, INVALID_REQUEST, "nothing is told again")
            request_id = repeated or new_request_id()
            return Done(shown(await redelivering.redeliver(who, delivery_id, request_id, asks.reason), who))

        return await carried_out(request, doors, who, work)

    told = "deliveries"
    every = reads(EventCatalogue, told, "event_catalogue", "Every kind of event that other systems are told")
    router.add_api_route("/events/catalogue", catalogue, **every)
    out = reads(Page[DeliveryLine], told, "deliveries", "Events that go out or have gone")
    router.add_api_route("/deliveries", page, **out)
    whole = reads(EventDelivery, told, "delivery", "One event with its body and how it was tried")
    router.add_api_route("/deliveries/{delivery_id}", one, **whole)
    router.add_api_route(REDELIVER_EVENT.path, again, **told_of(REDELIVER_EVENT))
    return router
