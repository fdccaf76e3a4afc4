"""What is written beside requests, as paths: usage in bulk, prices, who serves, what is owed; and previews, which write nothing."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from domain.frame.access import READ, WRITE, Principal, require, signed
from domain.journey.registry import CASE, JOURNEY
from domain.kernel.refusals import INVALID_REQUEST, Problem, Refusal
from domain.kernel.requests import read_document
from gateway.acting import new_request_id
from gateway.api.asking import Id
from gateway.api.carrying import Done, carried_out
from gateway.api.documents import told_of
from gateway.api.entry import entry_to
from gateway.api.reading import looking
from gateway.api.versions import VERSION
from gateway.api.written import (
    PREVIEW_CLAIM,
    PREVIEW_QUOTE,
    PUBLISH_PRICES,
    PUT_AGENT,
    PUT_ENTITLEMENT,
    PUT_TEAM,
    RECORD_USAGE,
    ClaimPreview,
)
from gateway.doors import Doors
from gateway.views.shown import shown
from gateway.writing import INVALID_USAGE, Writing


def writing(doors: Doors) -> APIRouter:
    """The paths of what is written beside requests."""
    router = APIRouter(prefix=VERSION)
    acts = Writing(doors, "api")
    _usage(router, doors, acts)
    _prices(router, doors, acts)
    _service(router, doors, acts)
    _previews(router, doors)
    return router


def _usage(router: APIRouter, doors: Doors, acts: Writing) -> None:
    enter = Depends(entry_to(doors.pool, RECORD_USAGE.resource, WRITE))

    async def endpoint(request: Request, who: Principal = enter) -> Response:
        async def work(asked: dict[str, Any], again: str | None) -> Done:
            rows = asked.get("rows")
            if not isinstance(rows, list) or asked.keys() != {"rows"}:
                problem = Problem(field="rows", problem="must be a list of rows, and all that the body has")
                raise Refusal(INVALID_USAGE, "the usage cannot be recorded", [problem])
            found = await acts.record_usage(who, rows, again or new_request_id())
            return Done(shown(found, who), settled=found.is_settled)

        return await carried_out(request, doors, who, work)

    router.add_api_route(RECORD_USAGE.path, endpoint, **told_of(RECORD_USAGE))


def _prices(router: APIRouter, doors: Doors, acts: Writing) -> None:
    enter = Depends(entry_to(doors.pool, PUBLISH_PRICES.resource, WRITE))

    async def endpoint(request: Request, who: Principal = enter) -> Response:
        async def work(asked: dict[str, Any], again: str | None) -> Done:
            return Done(shown(await acts.publish_prices(who, asked, again or new_request_id()), who))

        return await carried_out(request, doors, who, work)

    router.add_api_route(PUBLISH_PRICES.path, endpoint, **told_of(PUBLISH_PRICES))


def _service(router: APIRouter, doors: Doors, acts: Writing) -> None:
    teams, entitlements = (Depends(entry_to(doors.pool, one.resource, WRITE)) for one in (PUT_TEAM, PUT_ENTITLEMENT))

    async def team(request: Request, team: Id, who: Principal = teams) -> Response:
        async def work(asked: dict[str, Any], again: str | None) -> Done:
            _same(team, asked.get("team"), "team")
            return Done(shown(await acts.put_team(who, asked, again or new_request_id()), who))

        return await carried_out(request, doors, who, work)

    async def agent(request: Request, staff_id: Id, who: Principal = teams) -> Response:
        async def work(asked: dict[str, Any], again: str | None) -> Done:
            person = asked.get("staff")
            _same(staff_id, person.get("staff_id") if isinstance(person, dict) else None, "staff.staff_id")
            return Done(shown(await acts.put_agent(who, asked, again or new_request_id()), who))

        return await carried_out(request, doors, who, work)

    async def entitlement(request: Request, entitlement_id: Id, who: Principal = entitlements) -> Response:
        async def work(asked: dict[str, Any], again: str | None) -> Done:
            _same(entitlement_id, asked.get("entitlement_id"), "entitlement_id")
            return Done(shown(await acts.put_entitlement(who, asked, again or new_request_id()), who))

        return await carried_out(request, doors, who, work)

    for written, endpoint in ((PUT_TEAM, team), (PUT_AGENT, agent), (PUT_ENTITLEMENT, entitlement)):
        router.add_api_route(written.path, endpoint, **told_of(written))


def _previews(router: APIRouter, doors: Doors) -> None:
    quotes, claims = (Depends(entry_to(doors.pool, one.resource, READ)) for one in (PREVIEW_QUOTE, PREVIEW_CLAIM))

    async def quote(request: Request, account_id: Id, who: Principal = quotes) -> Response:
        async def work(asked: dict[str, Any], _: str | None) -> Done:
            kind = JOURNEY["request_quote"]
            require(who, kind)
            async with looking(doors, who, account_id) as (_connection, whose):
                pass
            made = await doors.client.preview_quote(account_id, signed(who, kind, asked), as_of=whose.now)
            return Done(made.model_dump(mode="json"))

        return await carried_out(request, doors, who, work)

    async def claim(request: Request, account_id: Id, who: Principal = claims) -> Response:
        async def work(asked: dict[str, Any], _: str | None) -> Done:
            require(who, CASE["claim_price_match"])
            line = read_document(ClaimPreview, asked, INVALID_REQUEST, "nothing can be previewed")
            async with looking(doors, who, account_id) as (_connection, whose):
                pass
            preview = await doors.cases.preview_price_match(
                account_id, line.order_id, line.line_id, as_of=whose.now, quantity=line.quantity
            )
            return Done(preview.model_dump(mode="json"))

        return await carried_out(request, doors, who, work)

    router.add_api_route(PREVIEW_QUOTE.path, quote, **told_of(PREVIEW_QUOTE))
    router.add_api_route(PREVIEW_CLAIM.path, claim, **told_of(PREVIEW_CLAIM))


def _same(named: str, said: object, field: str) -> None:
    if said != named:
        problem = Problem(field=field, problem=f"must be {named!r}, as the path says")
        raise Refusal(INVALID_REQUEST, "the path names another thing than the body", [problem])
