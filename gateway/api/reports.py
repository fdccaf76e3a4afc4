"""Reports over all customers, and the audit log: for those who see all customers, and the groups that a report is of."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from pydantic import AfterValidator, BaseModel

from activities.kernel.clock import present
from activities.kernel.pool import Connection
from domain.frame.access import READ, FieldGroup, Principal, require_sight
from domain.kernel.calendar import within_reach
from domain.kernel.refusals import NOT_ALLOWED, Refusal
from domain.service.roi_report import GivenInputs, RoiReport
from domain.service.sla_report import SlaReport
from gateway.api.answers import ON_A_PAGE, From, Limit, Words, answered, place_of, reads
from gateway.api.entry import entry_to
from gateway.api.versions import VERSION
from gateway.doors import Doors
from gateway.views.audit import AuditEntry, audit_page
from gateway.views.pages import Page
from gateway.views.reports.adoption import adoption, adoption_document
from gateway.views.reports.documents import (
    AdoptionReport,
    RenewalsReport,
    RetentionReport,
    SurveysReport,
    TimeToValueReport,
)
from gateway.views.reports.periods import between, instants, last_year, midnight
from gateway.views.reports.renewals import renewals, renewals_document
from gateway.views.reports.retention import retention, retention_document
from gateway.views.reports.service import service, value
from gateway.views.reports.surveys import surveys, surveys_document
from gateway.views.reports.ttv import ttv, ttv_document

_Day = Annotated[date, AfterValidator(within_reach)]
First = Annotated[_Day | None, Query(alias="from", description="The first day; a year ago if it is not given.")]
Last = Annotated[_Day | None, Query(alias="to", description="The last day; today if it is not given.")]
Within = Annotated[int, Query(ge=1, le=1830, description="So many days from the first one on.")]
_Made = Awaitable[dict[str, Any]]


def reports(doors: Doors) -> APIRouter:
    """The paths of reports and of the audit log."""
    router = APIRouter(prefix=VERSION)
    for name, make, view, groups, text in _OF_PERIODS:
        _of_period(router, doors, name, make, view, groups, text)
    _renewals(router, doors)
    _audit(router, doors)
    return router


async def _retention(connection: Connection, first: date | None, last: date | None) -> dict[str, Any]:
    start, end = between(first, last)
    return retention_document(start, end, await retention(connection, start, end))


async def _adoption(connection: Connection, _: date | None, last: date | None) -> dict[str, Any]:
    at = midnight(last) if last else present()
    return adoption_document(at, *await adoption(connection, at))


async def _ttv(connection: Connection, first: date | None, last: date | None) -> dict[str, Any]:
    start, end = last_year(first, last)
    return ttv_document(start, end, await ttv(connection, start, end))


async def _surveys(connection: Connection, first: date | None, last: date | None) -> dict[str, Any]:
    start, end = last_year(first, last)
    return surveys_document(start, end, await surveys(connection, start, end))


async def _service(connection: Connection, first: date | None, last: date | None) -> dict[str, Any]:
    return (await service(connection, *instants(first, last))).model_dump(mode="json")


async def _value(connection: Connection, first: date | None, last: date | None) -> dict[str, Any]:
    return (await value(connection, GivenInputs(), *instants(first, last))).model_dump(mode="json")


_Make = Callable[[Connection, date | None, date | None], Awaitable[dict[str, Any]]]
_OF_PERIODS: tuple[tuple[str, _Make, type[BaseModel], tuple[FieldGroup, ...], str], ...] = (
    (
        "retention",
        _retention,
        RetentionReport,
        (FieldGroup.PRICES,),
        "What is kept of recurring revenue and of customers",
    ),
    ("adoption", _adoption, AdoptionReport, (), "How much of what was bought is used, at the start of `to`"),
    ("ttv", _ttv, TimeToValueReport, (), "How long customers wait for first value and go-live"),
    ("surveys", _surveys, SurveysReport, (), "What customers answered"),
    ("service", _service, SlaReport, (), "How promises to customers went; `to` is the day after the last"),
    (
        "value",
        _value,
        RoiReport,
        (FieldGroup.PRICES,),
        "What service joined to sales returns; `to` is the day after the last",
    ),
)


def _of_period(
    router: APIRouter,
    doors: Doors,
    name: str,
    make: _Make,
    view: type[BaseModel],
    groups: tuple[FieldGroup, ...],
    text: str,
) -> None:
    enter = Depends(entry_to(doors.pool, "reports", READ))

    async def report(request: Request, first: First = None, last: Last = None, who: Principal = enter) -> Response:
        _sees_all(who, *groups)
        async with doors.pool.acquire() as connection:
            found = await make(connection, first, last)
        return answered(request, found, who)

    router.add_api_route(f"/reports/{name}", report, **reads(view, "reports", f"report_{name}", text))


def _renewals(router: APIRouter, doors: Doors) -> None:
    enter = Depends(entry_to(doors.pool, "reports", READ))

    async def report(request: Request, first: First = None, within: Within = 180, who: Principal = enter) -> Response:
        _sees_all(who, FieldGroup.PRICES, FieldGroup.HEALTH)
        begin = first or present().date()
        async with doors.pool.acquire() as connection:
            found, pace = await renewals(connection, begin, within)
        return answered(request, renewals_document(begin, within, found, pace), who)

    text = "What falls due, how far it has come, and what it is likely to bring"
    router.add_api_route("/reports/renewals", report, **reads(RenewalsReport, "reports", "report_renewals", text))


def _audit(router: APIRouter, doors: Doors) -> None:
    enter = Depends(entry_to(doors.pool, "audit", READ))

    async def page(
        request: Request,
        subject: Annotated[Words | None, Query(description="Of whom, such as account/C-17.")] = None,
        actor: Annotated[Words | None, Query(description="By whom, such as key:erp or staff:s-1.")] = None,
        cursor: From = None,
        limit: Limit = ON_A_PAGE,
        who: Principal = enter,
    ) -> Response:
        _sees_all(who, FieldGroup.KEYS)
        async with doors.pool.acquire() as connection:
            found = await audit_page(connection, subject, actor, place_of(cursor), limit)
        return answered(request, found, who)

    told = reads(Page[AuditEntry], "audit", "audit", "What was asked through the gateway, by whom, and what came of it")
    router.add_api_route("/audit", page, **told)


def _sees_all(who: Principal, *groups: FieldGroup) -> None:
    """Raises `Refusal` (NotAllowed) for whoever sees some customers only, or not these groups."""
    require_sight(who, *groups)
    if who.own_only:
        raise Refusal(NOT_ALLOWED, f"this is over all customers, and {who.by} sees their own")
