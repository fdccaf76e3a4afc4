"""Whatever is on record of a customer, as GET paths: one for the whole, and one for each part."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from activities.kernel.pool import Connection
from domain.frame.access import READ, Principal
from gateway.acting import Acting
from gateway.api.answers import answered, reads
from gateway.api.asking import Id
from gateway.api.entry import entry_to
from gateway.doors import Doors
from gateway.views.customer import Customer, customer
from gateway.views.whose import Whose, whose


def reading(doors: Doors) -> APIRouter:
    """The paths of everything that is on record of a customer."""
    router = APIRouter()
    _whole(router, doors)
    return router


@asynccontextmanager
async def looking(doors: Doors, who: Principal, account_id: str) -> AsyncIterator[tuple[Connection, Whose]]:
    """The facts, and the account that is looked at. Raises `Refusal` for one that is unknown, or not for `who`."""
    await Acting(doors, "api").sees(who, account_id)
    async with doors.pool.acquire() as connection:
        yield connection, await whose(connection, account_id)


def _whole(router: APIRouter, doors: Doors) -> None:
    enter = Depends(entry_to(doors.pool, "accounts", READ))

    async def one(request: Request, account_id: Id, who: Principal = enter) -> Response:
        async with looking(doors, who, account_id) as (connection, of):
            found = await customer(connection, of)
        return answered(request, found, who)

    told = reads(Customer, "accounts", "account", "One customer, whole")
    router.add_api_route("/accounts/{account_id}", one, **told)
