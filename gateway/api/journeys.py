"""Journeys over HTTP: what operators read first, what comes, and why something was done or is to come."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from domain.frame.access import READ, Principal
from domain.journey.horizon import NEXT, Horizon
from domain.kernel.calendar import MONTHS_IN_YEAR
from gateway.api.answers import Words, answered, reads
from gateway.api.asking import Id
from gateway.api.entry import entry_to
from gateway.api.reading import looking
from gateway.api.versions import VERSION
from gateway.doors import Doors
from gateway.views.journey import Explained, Journey, Plan, explained, journey, plan_of

_FOR_A_BRIEFING = timedelta(seconds=3)
"""So long a worker is waited for; without one the rest is shown."""
_MOST_MONTHS = 120
_Months = Annotated[int, Query(ge=0, le=_MOST_MONTHS, description="So many ahead; 0: the next step of each kind.")]


def journeys(doors: Doors) -> APIRouter:
    """The paths of journeys."""
    router = APIRouter(prefix=VERSION)
    enter = Depends(entry_to(doors.pool, "journeys", READ))

    async def one(request: Request, account_id: Id, who: Principal = enter) -> Response:
        async with looking(doors, who, account_id) as (_, whose):
            pass
        found = await journey(doors.pool, doors.waiting(_FOR_A_BRIEFING).client, whose)
        return answered(request, found, who)

    async def plan(
        request: Request, account_id: Id, months: _Months = MONTHS_IN_YEAR, who: Principal = enter
    ) -> Response:
        async with looking(doors, who, account_id):
            pass
        horizon = Horizon(months=months) if months else NEXT
        return answered(request, await plan_of(doors.pool, doors.client, account_id, horizon), who)

    async def explain(request: Request, account_id: Id, step: Words | None = None, who: Principal = enter) -> Response:
        async with looking(doors, who, account_id):
            pass
        return answered(request, await explained(doors.pool, doors.client, account_id, step), who)

    path = "/accounts/{account_id}/journey"
    router.add_api_route(path, one, **reads(Journey, "journeys", "journey", "Whether a journey runs, and its briefing"))
    router.add_api_route(
        f"{path}/plan", plan, **reads(Plan, "journeys", "plan", "What comes, if nothing is asked, with its why")
    )
    router.add_api_route(
        f"{path}/explain",
        explain,
        **reads(
            Explained, "journeys", "explain", "Why something was done or is to come: a step, a mail, an invoice, a task"
        ),
    )
    return router
