"""What the pages of settings share: forms of one change each, done once however often they are sent, refused with all that was typed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import BaseModel
from starlette.responses import Response

from activities.frame import audit_rows
from domain.kernel.refusals import INVALID_REQUEST, Problem, Refusal
from gateway.console import drafts
from gateway.console.acts import new_request_id
from gateway.console.fields import OURS, Field, document, elsewhere, fields_of, filled
from gateway.console.visit import Visit

ZONE = "UTC"
"""Times of settings are those of this zone's clocks: they are nobody's in particular."""
_LONGEST_REASON = 500


@dataclass(frozen=True)
class Change:
    """A form: what it does, of what (`of`, empty for something new), and where it is sent."""

    do: str
    path: str
    of: str
    fields: tuple[Field, ...]
    request_id: str
    reason: str = ""
    refusal: str = ""
    others: tuple[Problem, ...] = ()
    typed: Mapping[str, str] = field(default_factory=dict)
    """all that was sent, for what is asked beside the fields"""
    late: bool = False
    """filled in before somebody had to sign in again"""


@dataclass
class Sent:
    """What was sent to a page of settings, and why it is not done."""

    visit: Visit
    refusal: Refusal | None = None
    late: bool = False

    def form(
        self,
        do: str,
        model: type[BaseModel] | None = None,
        of: str = "",
        known: Mapping[str, str] | None = None,
        aside: frozenset[str] = frozenset(),
        choices: Mapping[str, Iterable[str]] | None = None,
    ) -> Change:
        """A form of the page: as it was sent, if it is that one, or else with what is known. choices: what there is, by the question that
        it answers."""
        asked = fields_of(model.model_json_schema(), OURS | aside) if model else ()
        asked = tuple(_among(one, (choices or {}).get(one.name)) for one in asked)
        path, typed = self.visit.request.url.path, self.visit.form
        if typed.get("do") != do or typed.get("of", "") != of or not (self.refusal or self.late):
            return Change(do, path, of, filled(asked, known or {}), new_request_id())
        problems = self.refusal.problems if self.refusal else ()
        return Change(
            do,
            path,
            of,
            filled(asked, typed, problems),
            typed.get("request_id") or new_request_id(),
            typed.get("reason", ""),
            self.refusal.says if self.refusal else "",
            tuple(one for one in elsewhere(asked, problems) if one.field != "reason"),
            typed,
            self.late,
        )


def _among(field: Field, choices: Iterable[str] | None) -> Field:
    return field if choices is None else replace(field, kind="choice", options=tuple(choices))


Page = Callable[[Sent], Awaitable[Response]]


async def shown(visit: Visit, page: Page) -> Response:
    """A page, with the form that somebody had sent too late filled in."""
    if draft := await drafts.kept(visit):
        visit.form = draft.fields
        return await page(Sent(visit, late=True))
    return await page(Sent(visit))


async def taken(
    visit: Visit, work: Mapping[str, Callable[[Visit], Awaitable[Response | None]]], page: Page
) -> Response:
    """Does what the button says, then shows the page anew; refused, the form comes back as it was typed."""
    does = visit.form.get("do", "")
    try:
        if does not in work:
            raise Refusal("UnknownChange", f"there is nothing called {does[:40]!r} to be done here")
        answer = await work[does](visit)
    except Refusal as refusal:
        if not await _is_done(visit):
            return await page(Sent(visit, refusal))
        answer = None
    return await drafts.done(visit, answer or visit.to(visit.request.url.path, done=does))


async def _is_done(visit: Visit) -> bool:
    """True if the same form was taken before: sent twice, it is one change."""
    async with visit.place.doors.pool.acquire() as connection:
        return await audit_rows.taken_under(connection, visit.who.name, request_id_of(visit))


def request_id_of(visit: Visit) -> str:
    """The id under which a form is sent, however often."""
    return visit.form.get("request_id", "")[:64] or new_request_id()


def read(visit: Visit, model: type[BaseModel], aside: frozenset[str] = frozenset()) -> dict[str, Any]:
    """What was filled in, as the model has it."""
    return document(fields_of(model.model_json_schema(), OURS | aside), visit.form, ZONE)


def reason_of(visit: Visit) -> str:
    """Why something is changed. Raises `Refusal` (InvalidRequest) if nobody says it."""
    reason = visit.form.get("reason", "").strip()[:_LONGEST_REASON]
    if not reason:
        raise Refusal(
            INVALID_REQUEST, visit.words("settings.no_reason"), [Problem(field="reason", problem="is missing")]
        )
    return reason


def ticked(visit: Visit, name: str, choices: tuple[str, ...]) -> tuple[str, ...]:
    """Those of the choices that have their boxes ticked."""
    return tuple(one for one in choices if visit.form.get(f"{name}.{one}"))
