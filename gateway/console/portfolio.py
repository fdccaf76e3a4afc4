"""The portfolio: what is kept of revenue, renewals, adoption, promises, answers and value, as charts with the figures behind them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from http import HTTPStatus

from starlette.responses import Response

from activities.frame.customers import latest_lived
from activities.journey.account_pages import names_of
from activities.kernel.clock import present
from activities.kernel.pool import Connection
from domain.frame.access import FieldGroup, Principal
from domain.kernel.calendar import within_reach
from domain.kernel.refusals import NOT_ALLOWED, Refusal
from domain.service.roi_report import GivenInputs
from gateway.console import portfolio_parts as parts
from gateway.console.portfolio_parts import Part
from gateway.console.visit import Visit
from gateway.views.reports.adoption import adoption
from gateway.views.reports.periods import YEAR, between, instants, last_year, midnight
from gateway.views.reports.renewals import renewals
from gateway.views.reports.retention import retention
from gateway.views.reports.service import service, value
from gateway.views.reports.surveys import surveys

_RENEWALS_WITHIN = 365
_FEW, _MANY = 8, 500
"""So many accounts stand behind a figure on the page of all parts, and on that of one."""


@dataclass(frozen=True)
class Span:
    """The days that the page is about; what is not given is a year up to today."""

    first: date | None
    last: date | None

    @classmethod
    async def of(cls, connection: Connection, visit: Visit) -> Span:
        """The days that were asked for; where lives are lived ahead to be looked at, the last one is theirs."""
        first, last = _day(visit.asked("from")), _day(visit.asked("to"))
        lived = await latest_lived(connection) if visit.place.local and last is None else None
        if lived and lived > present():
            last = lived.date()
            first = first or last - YEAR
        return cls(first, last)

    @property
    def day_after(self) -> date | None:
        """For reports of instants, which end before a day."""
        return self.last + timedelta(days=1) if self.last else None


async def _retention(connection: Connection, visit: Visit, span: Span) -> list[Part]:
    start, end = between(span.first, span.last)
    return parts.of_retention(visit.words, await retention(connection, start, end))


async def _renewals(connection: Connection, visit: Visit, span: Span) -> list[Part]:
    found, pace = await renewals(connection, span.last or present().date(), _RENEWALS_WITHIN)
    return parts.of_renewals(visit.words, found, pace)


async def _adoption(connection: Connection, visit: Visit, span: Span) -> list[Part]:
    at = midnight(span.last) if span.last else present()
    found, _ = await adoption(connection, at)
    return parts.of_adoption(visit.words, found)


async def _service(connection: Connection, visit: Visit, span: Span) -> list[Part]:
    return parts.of_service(visit.words, await service(connection, *instants(span.first, span.day_after)))


async def _surveys(connection: Connection, visit: Visit, span: Span) -> list[Part]:
    return parts.of_surveys(visit.words, await surveys(connection, *last_year(span.first, span.last)))


async def _value(connection: Connection, visit: Visit, span: Span) -> list[Part]:
    found = await value(connection, GivenInputs(), *instants(span.first, span.day_after))
    return parts.of_value(visit.words, found)


_Make = Callable[[Connection, Visit, Span], Awaitable[list[Part]]]
REPORTS: tuple[tuple[str, _Make, tuple[FieldGroup, ...]], ...] = (
    ("retention", _retention, (FieldGroup.PRICES,)),
    ("renewals", _renewals, (FieldGroup.PRICES, FieldGroup.HEALTH)),
    ("adoption", _adoption, ()),
    ("promises", _service, ()),
    ("surveys", _surveys, ()),
    ("value", _value, (FieldGroup.PRICES,)),
)
"""The reports by their names, each with the groups of fields that it is of."""


def shown_to(who: Principal) -> list[str]:
    """The reports that somebody may see; none for who sees their own customers alone."""
    return [] if who.own_only else [name for name, _, groups in REPORTS if all(map(who.sees, groups))]


async def portfolio(visit: Visit) -> Response:
    """All reports at once, or the one that the path names with all accounts behind it."""
    allowed = shown_to(visit.who)
    if not allowed:
        raise Refusal(NOT_ALLOWED, f"this is over all customers, and {visit.who.by} sees their own")
    only = visit.request.path_params.get("report")
    if only is not None and only not in allowed:
        raise Refusal(NOT_ALLOWED, f"there is no report {str(only)[:40]!r} for {visit.who.by}")
    found: list[tuple[str, list[Part]]] = []
    span, wrong, status = Span(None, None), "", HTTPStatus.OK
    try:
        async with visit.place.doors.pool.acquire() as connection, connection.transaction(readonly=True):
            span = await Span.of(connection, visit)
            for name, make, _ in REPORTS:
                if name in allowed and only in (None, name):
                    found.append((name, await make(connection, visit, span)))
            names = await _names(connection, [part for _, of in found for part in of], _MANY if only else _FEW)
    except (ValueError, Refusal) as error:
        names, wrong, status = {}, str(error), HTTPStatus.UNPROCESSABLE_ENTITY
    return visit.page(
        "portfolio.html",
        status,
        reports=found,
        allowed=allowed,
        only=only,
        most=_MANY if only else _FEW,
        names=names,
        wrong=wrong,
        span=span,
        asked={name: visit.asked(name) for name in ("from", "to") if visit.asked(name)},
    )


def _day(text: str) -> date | None:
    return within_reach(date.fromisoformat(text)) if text else None


async def _names(connection: Connection, found: Sequence[Part], most: int) -> dict[str, str]:
    shown = {account for part in found for behind in part.behind for account, *_ in behind.rows[:most]}
    return {row["account_id"]: row["name"] for row in await names_of(connection, sorted(shown))}
