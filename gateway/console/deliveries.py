"""What is on its way out, for those who run the place: what has not left and why, events of other systems, and each once more by a button."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any

from starlette.responses import Response
from temporalio.service import RPCError

from activities.channels import webhook_rows
from activities.channels.waiting import waiting
from domain.frame.access import WriteAct
from domain.frame.flight import Channel
from domain.kernel.refusals import NOT_ALLOWED, Refusal
from gateway.api.answers import place_of
from gateway.api.problems import status_of
from gateway.console.acts import new_request_id
from gateway.console.openings import of_delivery
from gateway.console.settings.changes import reason_of
from gateway.console.visit import Visit
from gateway.outgoing import Outgoing
from gateway.redelivering import Redelivering
from gateway.views.deliveries import STATES, deliveries_of

MOST = 50
_PATIENCE = 4
"""Seconds that the engine gets to say how they were tried."""
_WAITING = 20
"""So many of what has not left are shown, the oldest first."""


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


async def _backlog(visit: Visit) -> tuple[list[dict[str, Any]], bool]:
    """What has not left, each with how it was tried and what can be asked about it; and whether there is more of it. While the engine is
    away nobody knows how it was tried."""
    doors = visit.place.doors
    outgoing = Outgoing(doors.temporal, doors.pool, doors.client, doors.cases)
    try:
        async with asyncio.timeout(_PATIENCE):
            found = await outgoing.list(most=_WAITING + 1)
    except (RPCError, RuntimeError, TimeoutError):
        async with doors.pool.acquire() as connection:
            rows = await waiting(connection, [one.value for one in Channel])
        found = [{**row, "tried": None} for row in rows[: _WAITING + 1]]
    shown = [{**row, "acts": of_delivery(visit, row["account_id"], row["delivery_id"])} for row in found[:_WAITING]]
    return shown, len(found) > _WAITING


async def _page(visit: Visit, status: HTTPStatus, wrong: str = "") -> Response:
    _check(visit)
    state = visit.asked("state")
    channel = visit.place.doors.webhooks
    async with visit.place.doors.pool.acquire() as connection:
        cursor = place_of(visit.asked("cursor") or None)
        found = await deliveries_of(connection, state if state in STATES else None, None, None, cursor, MOST)
        known = await webhook_rows.endpoints(connection, channel.url) if channel else []
    backlog, cut = await _backlog(visit)
    return visit.page(
        "deliveries.html",
        status,
        backlog=backlog,
        cut=cut,
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
