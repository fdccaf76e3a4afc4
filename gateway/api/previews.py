"""Previews: what a request would come to, tried by the very code that does it and taken back; nothing is written."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from activities.journey.trying import TRIED, try_request
from domain.frame.access import READ, Principal, require, signed
from domain.frame.request_kinds import RequestKind
from domain.journey.registry import JOURNEY
from gateway.acting import Acting
from gateway.api.asking import Id
from gateway.api.carrying import Done, carried_out
from gateway.api.documents import told_of
from gateway.api.entry import entry_to
from gateway.api.versions import VERSION
from gateway.api.written import preview_written
from gateway.doors import Doors
from gateway.views.previews import preview_of
from gateway.views.shown import shown


def previews(doors: Doors) -> APIRouter:
    """The paths of previews: one for each request that can be tried."""
    router = APIRouter(prefix=VERSION)
    for update in sorted(TRIED):
        _preview(router, doors, JOURNEY[update])
    return router


def _preview(router: APIRouter, doors: Doors, kind: RequestKind[Any]) -> None:
    written = preview_written(kind)
    enter = Depends(entry_to(doors.pool, written.resource, READ))

    async def endpoint(request: Request, account_id: Id, who: Principal = enter) -> Response:
        async def work(asked: dict[str, Any], _: str | None) -> Done:
            require(who, kind)
            await Acting(doors, "api").sees(who, account_id)
            now = await doors.client.now(account_id)
            found = await try_request(doors.pool, doors.issuer, account_id, kind, signed(who, kind, asked), now)
            return Done(shown(preview_of(found, now), who))

        return await carried_out(request, doors, who, work)

    router.add_api_route(written.path, endpoint, **told_of(written))
