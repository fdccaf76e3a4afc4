"""Whatever is on record of a customer, as GET paths: one for the whole, and one for each part."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel

from activities.kernel.pool import Connection
from domain.frame.access import READ, FieldGroup, Principal, require_sight
from domain.journey.customer_timeline import Cursor, TimelineItem, TimelineKind
from domain.kernel.refusals import Refusal
from gateway.acting import Acting
from gateway.api.answers import ON_A_PAGE, From, Limit, Words, answered, place_of, reads
from gateway.api.asking import Id
from gateway.api.entry import entry_to
from gateway.api.versions import VERSION
from gateway.doors import Doors
from gateway.views.accounts import AccountLine, accounts_page
from gateway.views.assets import AssetLine, assets_page
from gateway.views.bills import Bill, bills_page
from gateway.views.cases import CaseLine, cases_page
from gateway.views.contracts import ContractOnRecord, contracts_page
from gateway.views.customer import Customer, customer
from gateway.views.health import Health, ScoreLine, health_of, scores_page
from gateway.views.orders import PlacedOrder, orders_page
from gateway.views.pages import Page
from gateway.views.quotes import QuoteOnRecord, quotes_page
from gateway.views.relations import ContactOnRecord, HoldsPage, Survey, contacts_page, holds_page, surveys_page
from gateway.views.tasks import TaskFilter, TaskLine, tasks_page
from gateway.views.timeline import events_page
from gateway.views.whose import Whose, whose

_OnlyOpen = Annotated[bool, Query(alias="open", description="Only those that are not over.")]
_Over = Annotated[bool, Query(alias="all", description="Also those that are over.")]
_Make = Callable[[Connection, Whose, Cursor | None, int], Awaitable[BaseModel]]


@dataclass(frozen=True)
class _Part:
    """A part of a customer that is read a page at a time. `only_for`: all of it belongs to these groups."""

    name: str
    resource: str
    view: Any
    make: _Make
    text: str
    only_for: tuple[FieldGroup, ...] = ()


_PARTS = (
    _Part("assets", "assets", Page[AssetLine], assets_page, "What a customer owns, with MRR on the time axis"),
    _Part("orders", "orders", Page[PlacedOrder], orders_page, "Orders, and how far their lines have come"),
    _Part("contracts", "contracts", Page[ContractOnRecord], contracts_page, "Contracts, terms and renewals"),
    _Part("quotes", "quotes", Page[QuoteOnRecord], quotes_page, "Quotes with their versions"),
    _Part("invoices", "invoices", Page[Bill], bills_page, "Invoices and credit memos", (FieldGroup.PRICES,)),
    _Part("surveys", "surveys", Page[Survey], surveys_page, "Surveys with their answers"),
    _Part("holds", "holds", HoldsPage, holds_page, "What holds sales back, and what did"),
    _Part("contacts", "accounts", Page[ContactOnRecord], contacts_page, "The people at a customer"),
    _Part("health/scores", "accounts", Page[ScoreLine], scores_page, "Every health score", (FieldGroup.HEALTH,)),
)


def reading(doors: Doors) -> APIRouter:
    """The paths of everything that is on record of a customer."""
    router = APIRouter(prefix=VERSION)
    _all(router, doors)
    _whole(router, doors)
    for part in _PARTS:
        _part(router, doors, part)
    _cases(router, doors)
    _tasks(router, doors)
    _timeline(router, doors)
    _health(router, doors)
    return router


@asynccontextmanager
async def looking(doors: Doors, who: Principal, account_id: str) -> AsyncIterator[tuple[Connection, Whose]]:
    """The facts, and the account that is looked at. Raises `Refusal` for one that is unknown, or not for `who`."""
    await Acting(doors, "api").sees(who, account_id)
    async with doors.pool.acquire() as connection:
        yield connection, await whose(connection, account_id)


def _all(router: APIRouter, doors: Doors) -> None:
    enter = Depends(entry_to(doors.pool, "accounts", READ))

    async def some(
        request: Request, q: Words | None = None, cursor: From = None, limit: Limit = ON_A_PAGE, who: Principal = enter
    ) -> Response:
        async with doors.pool.acquire() as connection:
            found = await accounts_page(connection, who, q, cursor, limit)
        return answered(request, found, who)

    told = reads(
        Page[AccountLine], "accounts", "accounts", "Customers: all, or found by anything that is known of them"
    )
    router.add_api_route("/accounts", some, **told)


def _whole(router: APIRouter, doors: Doors) -> None:
    enter = Depends(entry_to(doors.pool, "accounts", READ))

    async def one(request: Request, account_id: Id, who: Principal = enter) -> Response:
        async with looking(doors, who, account_id) as (connection, of):
            found = await customer(connection, of)
        return answered(request, found, who)

    router.add_api_route("/accounts/{account_id}", one, **reads(Customer, "accounts", "account", "One customer, whole"))


def _part(router: APIRouter, doors: Doors, part: _Part) -> None:
    enter = Depends(entry_to(doors.pool, part.resource, READ))

    async def page(
        request: Request, account_id: Id, cursor: From = None, limit: Limit = ON_A_PAGE, who: Principal = enter
    ) -> Response:
        require_sight(who, *part.only_for)
        async with looking(doors, who, account_id) as (connection, of):
            found = await part.make(connection, of, place_of(cursor), limit)
        return answered(request, found, who)

    told = reads(part.view, part.resource, f"{part.name.replace('/', '_')}_of_account", part.text)
    router.add_api_route(f"/accounts/{{account_id}}/{part.name}", page, **told)


def _cases(router: APIRouter, doors: Doors) -> None:
    enter = Depends(entry_to(doors.pool, "cases", READ))

    async def page(
        request: Request,
        account_id: Id,
        only_open: _OnlyOpen = False,
        cursor: From = None,
        limit: Limit = ON_A_PAGE,
        who: Principal = enter,
    ) -> Response:
        async with looking(doors, who, account_id) as (connection, of):
            found = await cases_page(connection, of, place_of(cursor), limit, only_open=only_open)
        return answered(request, found, who)

    told = reads(Page[CaseLine], "cases", "cases_of_account", "Cases with the promise that is due next")
    router.add_api_route("/accounts/{account_id}/cases", page, **told)


def _tasks(router: APIRouter, doors: Doors) -> None:
    enter = Depends(entry_to(doors.pool, "tasks", READ))

    async def page(
        request: Request,
        account_id: Id,
        over: _Over = False,
        cursor: From = None,
        limit: Limit = ON_A_PAGE,
        who: Principal = enter,
    ) -> Response:
        async with looking(doors, who, account_id) as (connection, of):
            wanted = TaskFilter(account_id=account_id, over=over)
            found = await tasks_page(connection, wanted, of.now, place_of(cursor), limit)
        return answered(request, found, who)

    told = reads(Page[TaskLine], "tasks", "tasks_of_account", "What our people have to do for a customer")
    router.add_api_route("/accounts/{account_id}/tasks", page, **told)


def _timeline(router: APIRouter, doors: Doors) -> None:
    enter = Depends(entry_to(doors.pool, "accounts", READ))

    async def page(
        request: Request,
        account_id: Id,
        kind: Annotated[list[TimelineKind] | None, Query(max_length=len(TimelineKind))] = None,
        cursor: From = None,
        limit: Limit = ON_A_PAGE,
        who: Principal = enter,
    ) -> Response:
        async with looking(doors, who, account_id) as (connection, of):
            found = await events_page(connection, of, who, place_of(cursor), limit, kind or ())
        return answered(request, found, who)

    told = reads(Page[TimelineItem], "accounts", "timeline_of_account", "Everything that happened, sales and service")
    router.add_api_route("/accounts/{account_id}/timeline", page, **told)


def _health(router: APIRouter, doors: Doors) -> None:
    enter = Depends(entry_to(doors.pool, "accounts", READ))

    async def one(request: Request, account_id: Id, who: Principal = enter) -> Response:
        require_sight(who, FieldGroup.HEALTH)
        async with looking(doors, who, account_id) as (connection, of):
            found = await health_of(connection, account_id, of.now)
        if found is None:
            raise Refusal("UnknownScore", f"account {account_id!r} was not scored yet; the daily look does it")
        return answered(request, found, who)

    told = reads(Health, "accounts", "health_of_account", "The health score with its why, and what would change it")
    router.add_api_route("/accounts/{account_id}/health", one, **told)
