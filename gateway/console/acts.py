"""Acts of whoever is signed in, by forms made from the registry of requests: of a customer's journey, and of a case."""

from __future__ import annotations

from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from starlette.responses import Response

from activities.journey.reports import assets_of
from activities.service.case_rows import find_case
from domain.frame.access import Principal
from domain.frame.request_kinds import RequestKind
from domain.journey.registry import CASE, JOURNEY, OF_CASES, OF_JOURNEYS
from domain.kernel.refusals import NOT_ALLOWED, UNKNOWN_ACCOUNT, UNKNOWN_CASE, Refusal
from gateway.acting import DONE, OPEN, Subject, of_account, of_case
from gateway.api.problems import status_of
from gateway.calling import NoAnswerError
from gateway.console import drafts
from gateway.console.fields import Field, document, elsewhere, fields_of, filled
from gateway.console.previews import PREVIEWED, preview_of
from gateway.console.visit import Visit
from gateway.views.pages import LONGEST
from gateway.views.relations import contacts_page
from gateway.views.whose import whose

Known = dict[str, list[tuple[str, str]]]
"""Ids that a question may be answered with, by its name, each with what it is called."""
_BEGIN = frozenset({"place_order", "import_order", "open_case"})
"""They are asked of no customer or case that is there."""


@dataclass(frozen=True)
class Act:
    """A form: what is asked of whom, and where to go once it is done."""

    kind: RequestKind[Any]
    subject: Subject
    back: str
    fields: tuple[Field, ...]
    request_id: str
    refusal: str = ""
    others: tuple[str, ...] = ()
    late: bool = False
    """filled in before somebody had to sign in again"""

    @property
    def path(self) -> str:
        """Where the form is sent."""
        place = "customers" if self.subject.kind == "account" else "cases"
        return f"/{place}/{self.subject.id}/acts/{self.kind.update}"


def new_request_id() -> str:
    """In the form from the beginning, so that a form that is sent twice is one request."""
    return f"co-{uuid4().hex[:20]}"


def offered(who: Principal, *, of_case: bool) -> list[tuple[str, list[RequestKind[Any]]]]:
    """What somebody may ask of a customer or a case, by area."""
    areas = (OF_CASES if of_case else OF_JOURNEYS).items()
    found = [
        (area, [kind for kind in kinds if who.may_ask(kind) and kind.update not in _BEGIN]) for area, kinds in areas
    ]
    return [(area, kinds) for area, kinds in found if kinds]


def act(visit: Visit, subject: Subject, update: str, back: str, **known: str) -> Act:
    """A form that is not filled in yet, but for what is known. Raises `Refusal` for what is not theirs to ask."""
    kinds = JOURNEY if subject.kind == "account" else CASE
    kind = kinds.get(update)
    if kind is None or kind.update in _BEGIN:
        raise Refusal("UnknownRequest", f"there is nothing called {update[:80]!r} to be asked here")
    if not visit.who.may_ask(kind):
        raise Refusal(NOT_ALLOWED, f"{update} is not for {visit.who.by}; an admin grants roles")
    return Act(kind, subject, back, filled(fields_of(kind.schema()), known), new_request_id())


async def of_customer(visit: Visit) -> Response:
    """The form of an act of a customer's, empty or with what a link knows."""
    account_id = visit.id("account_id", UNKNOWN_ACCOUNT)
    return await _form(visit, of_account(account_id), f"/customers/{account_id}")


async def of_one_case(visit: Visit) -> Response:
    """The form of an act of a case's."""
    case_id = visit.id("case_id", UNKNOWN_CASE)
    return await _form(visit, of_case(case_id), f"/cases/{case_id}")


async def _form(visit: Visit, subject: Subject, back: str) -> Response:
    found = act(visit, subject, str(visit.request.path_params["update"]), back, **dict(visit.request.query_params))
    if draft := await drafts.kept(visit):
        visit.form = draft.fields
        request_id = visit.form.get("request_id") or found.request_id
        fields = filled(found.fields, visit.form)
        found = replace(found, back=visit.back(back), fields=fields, request_id=request_id, late=True)
    zone, known = await _around(visit, subject)
    return visit.page("act.html", act=found, zone=zone, known=known)


async def ask_customer(visit: Visit) -> Response:
    """Asks a journey what was filled in."""
    account_id = visit.id("account_id", UNKNOWN_ACCOUNT)
    return await _ask(visit, of_account(account_id), f"/customers/{account_id}")


async def ask_case(visit: Visit) -> Response:
    """Asks a case what was filled in."""
    case_id = visit.id("case_id", UNKNOWN_CASE)
    return await _ask(visit, of_case(case_id), f"/cases/{case_id}")


async def _ask(visit: Visit, subject: Subject, home: str) -> Response:
    """One request, done once however often its form is sent. Refused, the form comes back with all that was typed."""
    update = str(visit.request.path_params["update"])
    back = visit.back(home)
    found = act(visit, subject, update, back)
    zone, known = await _around(visit, subject)
    request_id = visit.form.get("request_id") or found.request_id
    request = {**document(found.fields, visit.form, zone), "request_id": request_id}
    if visit.form.get("do") == "preview" and update in PREVIEWED:
        return await _previewed(visit, found, request, zone, known)
    acting = visit.place.acting
    ask = acting.ask if subject.kind == "account" else acting.ask_case
    try:
        await ask(visit.who, subject.id, update, request)
    except NoAnswerError:
        pass  # the page that it leads to says so
    except Refusal as refusal:
        return _refused(visit, found, refusal, zone, known)
    return await drafts.done(visit, visit.to(back, of=str(subject), asked=update, under=request_id))


async def _previewed(visit: Visit, act: Act, request: dict[str, Any], zone: str, known: Known) -> Response:
    """The form as it was typed, with what it would come to; nothing is asked yet."""
    async with visit.place.doors.pool.acquire() as connection:
        case = await find_case(connection, act.subject.id)
        of = await whose(connection, case.account_id) if case is not None and case.account_id else None
    try:
        if of is None:
            raise Refusal(UNKNOWN_ACCOUNT, "nobody knows yet whose case it is; say so first")
        found = await preview_of(visit, of, request)
    except Refusal as refusal:
        return _refused(visit, act, refusal, zone, known)
    fields = filled(act.fields, {**visit.form, **found.fills})
    again = replace(act, fields=fields, request_id=str(request["request_id"]))
    return visit.page("act.html", act=again, zone=zone, known=known, preview=found)


def _refused(visit: Visit, act: Act, refusal: Refusal, zone: str, known: Known) -> Response:
    others = tuple(str(problem) for problem in elsewhere(act.fields, refusal.problems))
    fields = filled(act.fields, visit.form, refusal.problems)
    again = Act(act.kind, act.subject, act.back, fields, new_request_id(), str(refusal), others)
    return visit.page("act.html", HTTPStatus(status_of(refusal)), act=again, zone=zone, known=known)


async def _around(visit: Visit, subject: Subject) -> tuple[str, Known]:
    """The time zone in which times are typed, and what may be named by an id: of the customer, if one is known."""
    async with visit.place.doors.pool.acquire() as connection:
        account_id: str | None = subject.id
        if subject.kind == "case":
            case = await find_case(connection, subject.id)
            if case is None:
                raise Refusal(UNKNOWN_CASE, f"there is no case {subject.id!r}")
            account_id = case.account_id
        if account_id is None:
            return "UTC", {}
        of = await whose(connection, account_id)
        await visit.place.acting.sees(visit.who, account_id)
        assets = await assets_of(connection, account_id)
        contacts = await contacts_page(connection, of, None, LONGEST)
    contracts = {one["contract_id"]: one["product"] for one in assets if one["contract_id"]}
    return of.time_zone, {
        "asset_id": [(one["id"], one["product"]) for one in assets],
        "contract_id": list(contracts.items()),
        "contact_id": [(one.contact_id, one.name) for one in contacts.items],
    }


@dataclass(frozen=True)
class Said:
    """What became of the request that led back to a page."""

    update: str
    status: str


async def what_became(visit: Visit) -> Said | None:
    """What the log and the facts say of the request that the address names, whatever the address says; null without one."""
    kind, _, subject_id = visit.asked("of").partition("/")
    under, update = visit.asked("under"), visit.asked("asked")
    if not under or kind not in ("account", "case") or update not in (JOURNEY if kind == "account" else CASE):
        return None
    found = await visit.place.acting.outcome(Subject(kind, subject_id), under)
    return Said(update, found["status"] if found["status"] in (DONE, OPEN) else "refused") if found else None
