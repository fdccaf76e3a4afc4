"""Acts of whoever is signed in, by forms made from the registry of requests: of a customer's journey, and of a case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from starlette.responses import Response
from temporalio.service import RPCError

from activities.kernel.clock import present
from activities.service.case_rows import find_case
from domain.frame.access import Principal
from domain.frame.request_kinds import RequestKind
from domain.journey.registry import CASE, JOURNEY, OF_CASES, OF_JOURNEYS
from domain.kernel.refusals import NOT_ALLOWED, UNKNOWN_ACCOUNT, UNKNOWN_CASE, Problem, Refusal
from gateway.acting import DONE, OPEN, Subject, of_account, of_case
from gateway.api.problems import status_of
from gateway.calling import NoAnswerError
from gateway.console import drafts
from gateway.console.act_forms import OPEN_CASE, asked_where, begun, case_to_open, form_of, request_of
from gateway.console.choices import ACCOUNTS, MOST, Asked, Known, choices_of
from gateway.console.fields import Field, choosing, closed_up, elsewhere, filled, questions_of
from gateway.console.previews import PREVIEWED, Preview, preview_of
from gateway.console.visit import Visit
from gateway.views.whose import Whose, nobody, whose

FIND = "find"
"""The button that looks for another customer by what was typed."""
_ORDERS = frozenset({"place_order", "import_order"})
"""They are asked of no customer that is there."""
_OF_ACCOUNT = {update: kind for update, kind in JOURNEY.items() if update not in _ORDERS} | {OPEN_CASE: CASE[OPEN_CASE]}
_OF_CASE = {update: kind for update, kind in CASE.items() if update != OPEN_CASE}
"""What is asked on the page of a customer, where cases are opened as well, and on that of a case."""


@dataclass(frozen=True)
class Act:
    """A form: what is asked of whom, and where to go once it is done."""

    kind: RequestKind[Any]
    subject: Subject
    back: str
    fields: tuple[Field, ...]
    request_id: str
    refusal: str = ""
    others: tuple[Problem, ...] = ()
    late: bool = False
    """filled in before somebody had to sign in again"""
    away: str = ""
    """what is said of a server that did not answer: `unlooked`, `untaken`, or `unsure` whether it was taken in"""

    @property
    def can_be_seen(self) -> bool:
        """True for what can be looked at before it is asked."""
        return self.kind.update in PREVIEWED

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
    areas = OF_CASES if of_case else {**OF_JOURNEYS, "Service": (CASE[OPEN_CASE],)}
    here = _OF_CASE if of_case else _OF_ACCOUNT
    found = [
        (area, [kind for kind in kinds if who.may_ask(kind) and kind.update in here]) for area, kinds in areas.items()
    ]
    return [(area, kinds) for area, kinds in found if kinds]


def act(visit: Visit, subject: Subject, update: str, back: str, **known: str) -> Act:
    """A form that is not filled in yet, but for what is known. Raises `Refusal` for what is not theirs to ask."""
    kind = (_OF_ACCOUNT if subject.kind == "account" else _OF_CASE).get(update)
    if kind is None:
        raise Refusal("UnknownRequest", f"there is nothing called {update[:80]!r} to be asked here")
    if not visit.who.may_ask(kind):
        raise Refusal(NOT_ALLOWED, f"{update} is not for {visit.who.by}; an admin grants roles")
    request_id = new_request_id()
    return Act(kind, subject, back, filled(form_of(kind), {**begun(kind, request_id), **known}), request_id)


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
    return _page(visit, found, await _around(visit, found))


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
    back = visit.back(home)
    found = act(visit, subject, str(visit.request.path_params["update"]), back)
    found = replace(found, request_id=visit.form.get("request_id") or found.request_id)
    around = await _around(visit, found)
    if visit.form.get("do") == FIND:
        typed = {**visit.form, **around.found}
        return _page(visit, replace(found, fields=filled(found.fields, typed, around.missed)), around)
    visit.form = closed_up(found.fields, visit.form)
    request = request_of(found.kind, found.fields, visit.form, around.zone) | {"request_id": found.request_id}
    away, about, under = "unlooked", subject, found.request_id
    try:
        if preview := await _to_be_seen(visit, found, request, around):
            return _seen(visit, found, around, preview)
        away = "unsure"
        acting = visit.place.acting
        if found.kind.update == OPEN_CASE:
            case = case_to_open(request, subject.id, found.request_id)
            about, under = of_case(case["case_id"]), case["case_id"]
            await acting.open_case(visit.who, case)
            back = f"/cases/{under}"
        else:
            ask = acting.ask if subject.kind == "account" else acting.ask_case
            await ask(visit.who, subject.id, found.kind.update, request)
    except (NoAnswerError, RPCError) as error:
        taken = error.taken if isinstance(error, NoAnswerError) else None
        if not taken:  # else the page that it leads to says so
            return _unanswered(visit, found, "untaken" if taken is False else away, around)
    except Refusal as refusal:
        return _refused(visit, found, refusal, around)
    led = visit.to(back, of=str(about), asked=found.kind.update, under=under)
    return await drafts.done(visit, led)


async def _to_be_seen(visit: Visit, act: Act, request: dict[str, Any], around: Around) -> Preview | None:
    """What it would come to, for who wants to look first, or has seen something else; null for what is to be asked. What was asked
    under this id before is not looked at again: it has an answer."""
    looks, seen = visit.form.get("do") == "preview", visit.form.get("seen", "")
    if act.kind.update not in PREVIEWED or not (looks or seen):
        return None
    if around.of is None:
        raise Refusal(UNKNOWN_ACCOUNT, "nobody knows yet whose case it is; say so first")
    if not looks and await visit.place.acting.outcome(visit.who, act.subject, act.request_id):
        return None
    if looks:  # as of now, and not as of when somebody looked before
        request = {name: value for name, value in request.items() if name != "as_of"}
        return await preview_of(visit, around.of, act.kind, request)
    found = await preview_of(visit, around.of, act.kind, request)
    if found.seen == seen or await visit.place.acting.outcome(visit.who, act.subject, act.request_id):
        return None
    return replace(found, changed=True)


def _seen(visit: Visit, act: Act, around: Around, preview: Preview) -> Response:
    """The form as it was typed, with what it would come to; nothing is asked yet."""
    again = replace(act, fields=filled(act.fields, {**visit.form, **preview.fills}))
    return _page(visit, again, around, preview=preview)


def _refused(visit: Visit, act: Act, refusal: Refusal, around: Around) -> Response:
    """The form as it was typed, under another id: the refusal is the answer to this one."""
    problems = asked_where(act.kind, refusal.problems)
    others = tuple(elsewhere(act.fields, problems))
    fields = filled(act.fields, visit.form, problems)
    again = Act(act.kind, act.subject, act.back, fields, new_request_id(), refusal.says, others)
    return _page(visit, again, around, HTTPStatus(status_of(refusal)))


def _unanswered(visit: Visit, act: Act, away: str, around: Around) -> Response:
    """The form as it was typed, under the same id: sent again it is one request, whatever became of this one."""
    again = replace(act, fields=filled(act.fields, visit.form), away=away)
    return _page(visit, again, around, HTTPStatus.SERVICE_UNAVAILABLE)


def _page(
    visit: Visit, act: Act, around: Around, status: HTTPStatus = HTTPStatus.OK, *, preview: Preview | None = None
) -> Response:
    sought = frozenset(path for path in around.known if f"{act.kind.update}.{path}" in ACCOUNTS)
    chosen = replace(act, fields=choosing(act.fields, around.known, MOST, sought))
    company = around.of.name if around.of else ""
    return visit.page("act.html", status, act=chosen, zone=around.zone, company=company, preview=preview)


@dataclass(frozen=True)
class Around:
    """Whose it is, if that is known, and what may be named by an id.

    found: what is filled in where customers were found by what was typed, the one if it is one; missed: where nobody was.
    """

    of: Whose | None
    known: Known
    found: Mapping[str, str] = field(default_factory=dict)
    missed: tuple[Problem, ...] = ()

    @property
    def zone(self) -> str:
        """The time zone in which times are typed."""
        return self.of.time_zone if self.of else "UTC"


async def _around(visit: Visit, act: Act) -> Around:
    async with visit.place.doors.pool.acquire() as connection:
        subject, case_id = act.subject, None
        account_id: str | None = subject.id
        if subject.kind == "case":
            case = await find_case(connection, subject.id)
            if case is None:
                raise Refusal(UNKNOWN_CASE, f"there is no case {subject.id!r}")
            account_id, case_id = case.account_id, case.case_id
        of = await whose(connection, account_id) if account_id is not None else None
        if account_id is not None:
            await visit.place.acting.sees(visit.who, account_id)
        sought = visit.form if visit.form.get("do") == FIND else {}
        asked = Asked(connection, visit, act.kind.update, of or nobody(present()), case_id)
        known = await choices_of(asked, questions_of(act.fields), sought)
    asks = [path for path in sought if f"{act.kind.update}.{path}" in ACCOUNTS]
    found = {path: known[path][0][0] if len(known[path]) == 1 else "" for path in asks if known[path]}
    nowhere = visit.words("act.nobody_found")
    return Around(of, known, found, tuple(Problem(field=path, problem=nowhere) for path in asks if path not in found))


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
    found = await visit.place.acting.outcome(visit.who, Subject(kind, subject_id), under)
    return Said(update, found["status"] if found["status"] in (DONE, OPEN) else "refused") if found else None
