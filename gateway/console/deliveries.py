"""Events on their way to other systems, for those who run the place: where each stands, why, and once more by a button."""

from __future__ import annotations

from http import HTTPStatus

from starlette.responses import Response

from activities.channels import webhook_rows
from domain.frame.access import WriteAct
from domain.kernel.refusals import NOT_ALLOWED, Refusal
from gateway.api.answers import place_of
from gateway.api.problems import status_of
from gateway.console.acts import new_request_id
from gateway.console.settings.changes import reason_of
from gateway.console.visit import Visit
from gateway.redelivering import Redelivering
from gateway.views.deliveries import STATES, deliveries_of

MOST = 50


async def deliveries(visit: Visit) -> Response:
    """The latest events, or those that stand so or so."""
    return await _page(visit, HTTPStatus.OK)


async def redeliver(visit: Visit) -> Response:
    """One of them once more, now."""
    message_id = visit.request.path_params["message_id"]
    try:
        _check(visit)
        found = await Redelivering(visit.place.doors, "console").redeliver(
            visit.who, message_id, visit.form.get("request_id") or new_request_id(), reason_of(visit)
        )
    except Refusal as refusal:
        return await _page(visit, status_of(refusal), refusal.says)
    arrived = bool(found.history) and found.history[-1].taken
    return visit.to("/deliveries", told=message_id, arrived="1" if arrived else "")


def _check(visit: Visit) -> None:
    if not visit.who.may_do(WriteAct.REDELIVER_EVENT):
        raise Refusal(NOT_ALLOWED, f"deliveries are for operators, and not for {visit.who.by}; an admin grants roles")


async def _page(visit: Visit, status: HTTPStatus, wrong: str = "") -> Response:
    _check(visit)
    state = visit.asked("state")
    channel = visit.place.doors.webhooks
    async with visit.place.doors.pool.acquire() as connection:
        cursor = place_of(visit.asked("cursor") or None)
        found = await deliveries_of(connection, state if state in STATES else None, None, None, cursor, MOST)
        known = await webhook_rows.endpoints(connection, channel.url) if channel else []
    return visit.page(
        "deliveries.html",
        status,
        found=found.items,
        next=found.next,
        states=STATES,
        state=state,
        wrong=wrong,
        told=visit.asked("told"),
        arrived=bool(visit.asked("arrived")),
        endpoint=channel.url if channel else "",
        failing=known[0] if known else None,
        new_id=new_request_id,
    )
