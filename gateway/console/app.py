"""The console: pages for our people, made on the server, mounted beside the API. Every act works without a script."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus
from importlib.resources import files
from types import MappingProxyType

from jinja2 import TemplateNotFound
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Mount, Route
from starlette.types import Scope
from temporalio.service import RPCError

from activities.kernel.pool import TRANSPORT_ERRORS
from domain.kernel.refusals import Problem, Refusal
from gateway.api.problems import CallError, status_of
from gateway.calling import NoAnswerError
from gateway.console import acts, drafts, entrance, steps
from gateway.console.case_files import one_file
from gateway.console.cases import cases, one_case
from gateway.console.customer import customer
from gateway.console.customers import customers
from gateway.console.deliveries import deliveries, redeliver
from gateway.console.jobs import Jobs
from gateway.console.news import News
from gateway.console.papers import OneDocument, documents
from gateway.console.planned import one_planned
from gateway.console.playbooks import PlaybookPages, playbooks
from gateway.console.portfolio import portfolio
from gateway.console.proposals import decide, proposals
from gateway.console.sent import one_sent
from gateway.console.settings.calendars import calendars, change_calendars
from gateway.console.settings.keys import change_keys, keys
from gateway.console.settings.overview import settings
from gateway.console.settings.policies import change_policies, policies
from gateway.console.settings.prices import change_prices, prices
from gateway.console.settings.staff import StaffPages
from gateway.console.settings.templates import templates
from gateway.console.today import one_list, today
from gateway.console.visit import Place, Visit
from gateway.console.waiting import one_event, one_mail, settle_event, settle_mail

_log = logging.getLogger(__name__)
_AWAY: tuple[type[BaseException], ...] = (*TRANSPORT_ERRORS, RPCError)
_NOT_OURS = ("/v1", "/mcp", "/codec", "/live", "/ready")
Page = Callable[[Visit], Awaitable[Response]]


class Pages(Mount):
    """The console under `/`, but for what programs ask for: there, what is unknown is told as to a program."""

    def __init__(self, app: Starlette, news: News, jobs: Jobs) -> None:
        super().__init__("", app=app)
        self._news = news
        self._jobs = jobs

    def end(self) -> None:
        """Nobody is told of anything any more, so that no open page holds the server up."""
        self._news.end()
        self._jobs.end()

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        first = "/" + scope.get("path", "/").lstrip("/").partition("/")[0]
        return (Match.NONE, {}) if first in _NOT_OURS else super().matches(scope)


def console(place: Place) -> Pages:
    """The pages, to be put among the routes of the application."""
    news, jobs = News(place.doors.pool, place.line), Jobs()
    routes = _routes(place, news, PlaybookPages(jobs), StaffPages(jobs))
    return Pages(Starlette(routes=routes, exception_handlers={HTTPException: _no_page(place)}), news, jobs)


def _routes(place: Place, news: News, of_playbook: PlaybookPages, of_staff: StaffPages) -> list[BaseRoute]:
    def show(path: str, page: Page, *, anybody: bool = False) -> Route:
        return Route(path, _visited(place, page, anybody=anybody), methods=["GET"])

    def take(path: str, act: Page, *, anybody: bool = False, kept: bool = False) -> Route:
        return Route(path, _visited(place, act, anybody=anybody, kept=kept), methods=["POST"])

    return [
        show("/console.css", _file("console.css", "text/css"), anybody=True),
        show("/console.js", _file("console.js", "text/javascript"), anybody=True),
        show("/news", news.answer),
        show("/icon.svg", _file("icon.svg", "image/svg+xml"), anybody=True),
        show("/sign-in", entrance.entrance, anybody=True),
        take("/sign-in", entrance.sign_in, anybody=True),
        show("/sign-in/ticket/{ticket}", entrance.by_ticket, anybody=True),
        show("/sign-in/to-provider", entrance.to_provider, anybody=True),
        show(entrance.BACK, entrance.from_provider, anybody=True),
        take("/sign-out", entrance.sign_out),
        take("/language", entrance.choose_language, anybody=True),
        show("/", today),
        show("/today/{part}", one_list),
        show("/customers", customers),
        show("/customers/{account_id}", customer),
        show("/customers/{account_id}/documents", documents),
        show("/customers/{account_id}/documents/{name}", OneDocument()),
        show("/customers/{account_id}/acts/{update}", acts.of_customer),
        take("/customers/{account_id}/acts/{update}", acts.ask_customer, kept=True),
        show("/customers/{account_id}/step", steps.of_customer),
        show("/customers/{account_id}/planned", one_planned),
        show("/sent", one_sent),
        show("/cases", cases),
        show("/cases/{case_id}", one_case),
        show("/cases/{case_id}/step", steps.of_case),
        show("/cases/{case_id}/files/{mail}/{number}", one_file),
        show("/cases/{case_id}/acts/{update}", acts.of_one_case),
        take("/cases/{case_id}/acts/{update}", acts.ask_case, kept=True),
        show("/mails/{inbox_id}", one_mail),
        take("/mails/{inbox_id}", settle_mail),
        show("/events/{event_id}", one_event),
        take("/events/{event_id}", settle_event),
        show("/proposals", proposals),
        take("/proposals/{act_id}", decide),
        show("/deliveries", deliveries),
        take("/deliveries/{message_id}", redeliver),
        show("/playbooks", playbooks),
        show("/playbooks/{segment}", of_playbook.show),
        take("/playbooks/{segment}", of_playbook.take),
        show("/playbooks/{segment}/file", of_playbook.file),
        show("/portfolio", portfolio),
        show("/portfolio/{report}", portfolio),
        show("/settings", settings),
        show("/settings/prices", prices),
        take("/settings/prices", change_prices, kept=True),
        show("/settings/calendars", calendars),
        take("/settings/calendars", change_calendars, kept=True),
        show("/settings/policies", policies),
        take("/settings/policies", change_policies, kept=True),
        show("/settings/templates", templates),
        show("/settings/staff", of_staff.everybody),
        take("/settings/staff", of_staff.change_all, kept=True),
        show("/settings/staff/{staff_id}", of_staff.one),
        take("/settings/staff/{staff_id}", of_staff.change_one, kept=True),
        show("/settings/keys", keys),
        take("/settings/keys", change_keys, kept=True),
    ]


def _file(name: str, kind: str) -> Page:
    content = (files("gateway.console") / name).read_bytes()

    async def file(visit: Visit) -> Response:
        return visit.finished(Response(content, media_type=kind, headers={"Cache-Control": "max-age=300"}))

    return file


def _visited(
    place: Place, page: Page, *, anybody: bool, kept: bool = False
) -> Callable[[Request], Awaitable[Response]]:
    """The page for whoever may see it, or the page that says why not. kept: what was filled in is shown again under the same path, to
    whoever sent it too late."""

    async def answer(request: Request) -> Response:
        try:
            visit = await Visit.of(place, request)
        except _AWAY as error:
            _log.warning("nobody can be signed in: %s", type(error).__name__)
            visit = Visit.of_nobody(place, request)
            with suppress(CallError):  # what is no form of ours has nothing to be kept
                if kept and request.method == "POST":
                    await visit.read_form()
            return _wrong(visit, HTTPStatus.SERVICE_UNAVAILABLE, "away", again=_again(visit, kept=kept))
        nobody = visit.person is None and not anybody
        try:
            if request.method == "POST" and not await visit.read_form():
                aside = await drafts.put_aside(visit) if kept else None
                return aside or (visit.to("/sign-in") if nobody else _wrong(visit, HTTPStatus.FORBIDDEN, "form"))
            if nobody:
                return visit.to("/sign-in", back=visit.here if request.method != "POST" else "")
            return await page(visit)
        except Exception as error:
            return _told(visit, error, _again(visit, kept=kept))

    return answer


def _again(visit: Visit, *, kept: bool) -> Mapping[str, str]:
    """What was typed, to be sent once more as it is; nothing of what another site sent."""
    return visit.form if kept and visit.is_from_here else {}


def _told(visit: Visit, error: Exception, again: Mapping[str, str]) -> Response:
    """The page for what went wrong. Mistakes of ours are logged, and the page says nothing of their insides. again: what is kept of a
    form while a server is away."""
    if isinstance(error, Refusal):
        return _wrong(visit, status_of(error), "refused", error.says, problems=error.problems)
    if isinstance(error, CallError):
        return _wrong(visit, error.status, "refused", error.detail)
    if isinstance(error, NoAnswerError):
        return _wrong(visit, HTTPStatus.SERVICE_UNAVAILABLE, "open", str(error))
    if isinstance(error, _AWAY) and not isinstance(error, TemplateNotFound):  # which is an OSError by its making
        _log.warning("a server cannot be reached: %s", type(error).__name__)
        return _wrong(visit, HTTPStatus.SERVICE_UNAVAILABLE, "away", again=again)
    _log.error("a page ended in a mistake of ours", exc_info=error)
    return _wrong(visit, HTTPStatus.INTERNAL_SERVER_ERROR, "mistake")


def _wrong(
    visit: Visit,
    status: HTTPStatus,
    what: str,
    said: str = "",
    again: Mapping[str, str] = MappingProxyType({}),
    problems: Sequence[Problem] = (),
) -> Response:
    return visit.page("wrong.html", status, what=what, said=said, again=again, problems=problems)


def _no_page(place: Place) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def answer(request: Request, error: Exception) -> Response:
        status = HTTPStatus(error.status_code) if isinstance(error, HTTPException) else HTTPStatus.NOT_FOUND

        async def page(visit: Visit) -> Response:
            return _wrong(visit, status, "nowhere")

        return await _visited(place, page, anybody=True)(request)

    return answer
