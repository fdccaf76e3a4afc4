"""Single things by their own ids, whosever they are: an asset, a case, a task; the tasks of one of our people; cases of all customers."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response

from activities.assets.asset_pages import account_of_asset
from activities.journey.task_lists import account_of_task
from activities.kernel.clock import present
from activities.kernel.pool import Connection
from activities.kernel.queries import Value
from activities.service.case_rows import account_of_case
from domain.frame.access import READ, Principal
from domain.frame.case_words import CaseState, Priority
from domain.kernel.refusals import INVALID_REQUEST, UNKNOWN_CASE, UNKNOWN_TASK, Problem, Refusal
from domain.service.opening import CaseCategory
from gateway.acting import Acting
from gateway.api.answers import ON_A_PAGE, From, Limit, answered, place_of, reads
from gateway.api.asking import Id
from gateway.api.entry import entry_to
from gateway.api.versions import VERSION
from gateway.doors import Doors
from gateway.views.assets import AssetOnRecord, asset
from gateway.views.cases import Case, CaseLine, CasesWanted, case, cases_page_of_all
from gateway.views.pages import Page
from gateway.views.tasks import Task, TaskFilter, TaskLine, task, tasks_page
from gateway.views.whose import whose

THING = r"^[\w.:@+-]{1,120}$"
AssetId = Annotated[str, Path(pattern=THING)]
UNKNOWN_ASSET = "UnknownAsset"


def things(doors: Doors) -> APIRouter:
    """The paths of single things."""
    router = APIRouter(prefix=VERSION)
    _asset(router, doors)
    _case(router, doors)
    _task(router, doors)
    _my_tasks(router, doors)
    _cases(router, doors)
    return router


async def _time_of(connection: Connection, account_id: str | None) -> datetime:
    return present() if account_id is None else (await whose(connection, account_id)).now


async def whose_is(doors: Doors, who: Principal, account_of: Value[str | None], id: str) -> str | None:
    """The account of a thing; null if there is no such thing. Raises `Refusal` if it is not for `who`."""
    async with doors.pool.acquire() as connection:
        account_id = await account_of(connection, id)
    if account_id is not None:
        await Acting(doors, "api").sees(who, account_id)
    return account_id


def _asset(router: APIRouter, doors: Doors) -> None:
    enter = Depends(entry_to(doors.pool, "assets", READ))

    async def one(request: Request, asset_id: AssetId, who: Principal = enter) -> Response:
        account_id = await whose_is(doors, who, account_of_asset, asset_id)
        async with doors.pool.acquire() as connection:
            found = await asset(connection, asset_id, await _time_of(connection, account_id))
        if found is None:
            raise Refusal(UNKNOWN_ASSET, f"there is no asset {asset_id!r}")
        return answered(request, found, who)

    told = reads(AssetOnRecord, "assets", "asset", "One asset with its periods and all that was done to it")
    router.add_api_route("/assets/{asset_id}", one, **told)


def _case(router: APIRouter, doors: Doors) -> None:
    enter = Depends(entry_to(doors.pool, "cases", READ))

    async def one(request: Request, case_id: Id, who: Principal = enter) -> Response:
        account_id = await whose_is(doors, who, account_of_case, case_id)
        async with doors.pool.acquire() as connection:
            found = await case(connection, case_id, await _time_of(connection, account_id))
        if found is None:
            raise Refusal(UNKNOWN_CASE, f"there is no case {case_id!r}")
        return answered(request, found, who)

    told = reads(Case, "cases", "case", "One case with its thread, promises and claims")
    router.add_api_route("/cases/{case_id}", one, **told)


def _task(router: APIRouter, doors: Doors) -> None:
    enter = Depends(entry_to(doors.pool, "tasks", READ))

    async def one(request: Request, task_id: Id, who: Principal = enter) -> Response:
        await whose_is(doors, who, account_of_task, task_id)
        async with doors.pool.acquire() as connection:
            found = await task(connection, task_id, present())
        if found is None:
            raise Refusal(UNKNOWN_TASK, f"there is no task {task_id!r}")
        return answered(request, found, who)

    told = reads(Task, "tasks", "task", "One task with what became of it")
    router.add_api_route("/tasks/{task_id}", one, **told)


def _my_tasks(router: APIRouter, doors: Doors) -> None:
    enter = Depends(entry_to(doors.pool, "tasks", READ))

    async def page(
        request: Request,
        mine: Annotated[bool, Query(description="Only those of whoever is signed in.")] = False,
        owner: Annotated[Id | None, Query(description="Only those of this one of our people.")] = None,
        late: Annotated[bool, Query(description="Only those that are late.")] = False,
        over: Annotated[bool, Query(alias="all", description="Also those that are over.")] = False,
        cursor: From = None,
        limit: Limit = ON_A_PAGE,
        who: Principal = enter,
    ) -> Response:
        if mine and who.staff_id is None:
            said = "is of people who signed in; with a key, name one of them as `owner`"
            raise Refusal(INVALID_REQUEST, "nobody's tasks can be shown", [Problem(field="mine", problem=said)])
        wanted = TaskFilter(
            owner=who.staff_id if mine else owner,
            over=over,
            late=late,
            looked_after_by=who.staff_id if who.own_only else None,
        )
        async with doors.pool.acquire() as connection:
            found = await tasks_page(connection, wanted, present(), place_of(cursor), limit)
        return answered(request, found, who)

    told = reads(Page[TaskLine], "tasks", "tasks", "What our people have to do, the first due first")
    router.add_api_route("/tasks", page, **told)


def _cases(router: APIRouter, doors: Doors) -> None:
    enter = Depends(entry_to(doors.pool, "cases", READ))

    async def page(
        request: Request,
        state: Annotated[CaseState | None, Query(description="Only those in this state.")] = None,
        owner: Annotated[Id | None, Query(description="Only those of this one of our people.")] = None,
        team: Annotated[Id | None, Query(description="Only those of this team.")] = None,
        priority: Annotated[Priority | None, Query(description="Only those of this priority.")] = None,
        category: Annotated[CaseCategory | None, Query(description="Only those of this category.")] = None,
        only_open: Annotated[bool, Query(alias="open", description="Only those that are not over.")] = False,
        escalated: Annotated[bool, Query(description="Only those that are escalated.")] = False,
        late: Annotated[bool, Query(description="Only those whose next promise is late.")] = False,
        cursor: From = None,
        limit: Limit = ON_A_PAGE,
        who: Principal = enter,
    ) -> Response:
        staff_id = who.staff_id if who.own_only else None
        wanted = CasesWanted(state, owner, team, priority, category, only_open, escalated, late, staff_id)
        async with doors.pool.acquire() as connection:
            found = await cases_page_of_all(connection, wanted, present(), place_of(cursor), limit)
        return answered(request, found, who)

    told = reads(Page[CaseLine], "cases", "cases", "Cases of all customers, the latest first")
    router.add_api_route("/cases", page, **told)
