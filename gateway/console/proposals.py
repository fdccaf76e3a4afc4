"""What assistants proposed that binds a customer: read, confirmed or refused in place by a person whose role may ask it."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from activities.frame.tool_act_rows import ToolAct
from activities.journey.account_pages import names_of
from activities.kernel.clock import present
from domain.frame.request_kinds import RequestKind
from domain.journey.customer_timeline import Cursor, read_cursor
from domain.journey.registry import BEGINNINGS, JOURNEY, OPERATIONS
from domain.kernel.ids import case_workflow_id, journey_id
from domain.kernel.refusals import Problem, Refusal
from gateway.api.problems import status_of
from gateway.calling import NoAnswerError
from gateway.console.visit import Visit
from gateway.proposals import Proposals

MOST = 50
_NO_REASON = Refusal("InvalidDecision", "the proposal is not refused", [Problem(field="reason", problem="say why")])


@dataclass(frozen=True)
class Proposed:
    """A proposal as it is shown."""

    act: ToolAct
    kind: RequestKind[Any]
    of_case: bool
    name: str
    state: str
    run: str

    @property
    def page(self) -> str:
        """Where its customer or case is; empty for what begins one."""
        if self.act.operation in BEGINNINGS:
            return ""
        return f"/{'cases' if self.of_case else 'customers'}/{self.act.subject_id}"


async def proposals(visit: Visit) -> Response:
    """Those that wait, or all of them, the latest first."""
    return await _page(visit, HTTPStatus.OK)


async def _page(visit: Visit, status: HTTPStatus, wrong: str = "", about: str = "") -> Response:
    everything = bool(visit.asked("all"))
    rows, more = await _page_of(visit, everything)
    async with visit.place.doors.pool.acquire() as connection:
        named = await names_of(connection, [one.subject_id for one in rows if one.operation in JOURNEY])
    names = {row["account_id"]: row["name"] for row in named}
    return visit.page(
        "proposals.html",
        status,
        found=[_shown(visit, one, names) for one in rows],
        everything=everything,
        more=more,
        wrong=wrong,
        about=about,
        decided=await _decided(visit),
        now=present(),
    )


async def _page_of(visit: Visit, everything: bool) -> tuple[list[ToolAct], str]:
    """As many as a page has of those that the reader sees, and where the next page begins."""
    cursor = read_cursor(visit.asked("before", 400)) if visit.asked("before") else None
    seen: list[ToolAct] = []
    while found := await _decisions(visit).waiting(all_of_them=everything, limit=MOST, before=cursor):
        for one in found:
            if await _sees(visit, one):
                if len(seen) == MOST:
                    return seen, str(Cursor(seen[-1].at, seen[-1].act_id))
                seen.append(one)
        cursor = Cursor(found[-1].at, found[-1].act_id)
    return seen, ""


def _decisions(visit: Visit) -> Proposals:
    return Proposals(visit.place.doors, "console")


def _shown(visit: Visit, act: ToolAct, names: dict[str, str]) -> Proposed:
    kind, of_case = OPERATIONS[act.operation], act.operation not in JOURNEY
    workflow = case_workflow_id(act.subject_id) if of_case else journey_id(act.subject_id)
    return Proposed(
        act,
        kind,
        of_case,
        names.get(act.subject_id, act.subject_id),
        act.state(present()),
        "" if act.operation in BEGINNINGS else visit.place.run_of(workflow),
    )


async def _sees(visit: Visit, act: ToolAct) -> bool:
    """True for who may ask it themselves, unless it is of somebody else's customer and they see their own alone."""
    if not visit.who.may_ask(OPERATIONS[act.operation]):
        return False
    acting = visit.place.acting
    try:
        await (acting.sees if act.operation in JOURNEY else acting.sees_case)(visit.who, act.subject_id)
    except Refusal:
        return False
    return True


async def _decided(visit: Visit) -> ToolAct | None:
    """The proposal that the reader has just decided about, as it is on record."""
    found = await _decisions(visit).one(visit.asked("decided"))
    return found if found and await _sees(visit, found) else None


async def decide(visit: Visit) -> Response:
    """Confirms or refuses a proposal. What a rule has against it is told on the page, and the proposal stays as it is on record."""
    act_id = str(visit.request.path_params["act_id"])
    try:
        found = await _decisions(visit).one(act_id)
        if found is not None and not await _sees(visit, found):
            raise Refusal("UnknownProposal", f"there is no proposal {act_id[:40]!r} for {visit.who.by}")
        await _do(visit, act_id)
    except NoAnswerError:
        pass  # passed on: the page says how it stands
    except Refusal as refusal:
        return await _page(visit, HTTPStatus(status_of(refusal)), str(refusal), act_id)
    return visit.to("/proposals", decided=act_id)


async def _do(visit: Visit, act_id: str) -> None:
    if visit.form.get("decision") == "confirm":
        await _decisions(visit).confirm(visit.who, act_id)
        return
    reason = visit.form.get("reason", "").strip()
    if not reason:
        raise _NO_REASON
    await _decisions(visit).refuse(visit.who, act_id, reason[:400])
