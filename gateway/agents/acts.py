"""Tools that act: what this key may ask, asking it, and taking it back. What binds a customer is proposed, and waits for a person."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from pydantic import Field

from activities.frame import tool_act_rows
from activities.frame.tool_act_rows import ToolAct
from activities.kernel.clock import present
from domain.frame.access import WRITE, require, signed
from domain.frame.request_kinds import RequestKind
from domain.journey.registry import BEGINNINGS, JOURNEY, OPERATIONS
from domain.journey.ways_back import WAYS_BACK, way_back_of
from domain.kernel.refusals import INVALID_REQUEST, NOT_ALLOWED, Problem, Refusal
from gateway.acting import DONE
from gateway.agents.reading import Arguments
from gateway.agents.visit import Visit
from gateway.agents.words import marked
from gateway.api.documents import example_of, without_asker
from gateway.api.resources import RESOURCE_OF
from gateway.proposals import WAITS_FOR, carried_out, subject_of

_REASON = Field(
    min_length=8, max_length=400, description="why, in a sentence for our people; it stands in the audit log"
)


class Acts(Arguments):
    """Which of them."""

    operation: str | None = Field(
        None, description="one of them, with its whole schema; all of them, in short, if left out"
    )


class Ask(Arguments):
    """What is asked, of whom, and why."""

    operation: str = Field(description="by its name in acts")
    of: str = Field("", description="the account_id or case_id that is asked; empty for what begins one", max_length=64)
    request: dict[str, Any] = Field(default_factory=dict, description="its fields, by its schema in acts")
    reason: str = _REASON


class TakeBack(Arguments):
    """Which act, and why."""

    act_id: str = Field(description="the act_id that ask gave", max_length=64)
    reason: str = _REASON


class Outcome(Arguments):
    """Which act."""

    act_id: str = Field(description="the act_id that ask gave", max_length=64)


async def acts(visit: Visit, asked: Acts) -> dict[str, Any]:
    """By the roles and scopes of the key."""
    if asked.operation is None:
        return {"acts": [_short(name, kind) for name, kind in OPERATIONS.items() if _may(visit, name)]}
    kind = _known(asked.operation)
    require(visit.who, kind)
    visit.check_scope(RESOURCE_OF[asked.operation], WRITE)
    schema = kind.model.model_json_schema()
    without_asker(schema)
    schema["properties"].pop("request_id", None)
    return {**_short(asked.operation, kind), "describes": kind.text, "schema": schema, "example": example_of(kind)}


async def ask(visit: Visit, asked: Ask) -> dict[str, Any]:
    """Done at once, or proposed. The act has an id by which it is looked up and taken back."""
    act = _checked(visit, asked.operation, asked.of, asked.request, asked.reason)
    visit.given.check(asked.operation, asked.of, asked.request)
    return await _begun(visit, act)


async def take_back(visit: Visit, asked: TakeBack) -> dict[str, Any]:
    """By the request that undoes it; what nobody has confirmed yet is withdrawn."""
    act = await _own(visit, asked.act_id)
    state = act.state(present())
    if state == "waiting":
        async with visit.doors.pool.acquire() as connection:
            withdrawn = await tool_act_rows.decide(
                connection, act.act_id, "withdrawn", visit.who.name, present(), asked.reason
            )
        if withdrawn is not None:
            return {"act_id": act.act_id, "state": "withdrawn"}
        state = (await _own(visit, asked.act_id)).state(present())
    way = way_back_of(act.operation, act.request)
    if state != DONE or act.answer is None:
        raise Refusal(NOT_ALLOWED, f"act {act.act_id} is {state}; there is nothing to take back")
    if way is None:
        ways = ", ".join(sorted(WAYS_BACK))
        raise Refusal(NOT_ALLOWED, f"{act.operation} has no way back; what can be taken back: {ways}")
    back = _checked(visit, way.by, act.subject_id, way.made(act.request, act.answer), asked.reason)
    return await _begun(visit, back.model_copy(update={"takes_back": act.act_id}))


async def outcome(visit: Visit, asked: Outcome) -> dict[str, Any]:
    """Of an act of this key's."""
    act = await _own(visit, asked.act_id)
    return _told(act)


def _may(visit: Visit, operation: str) -> bool:
    reached = visit.who.is_within(RESOURCE_OF[operation], WRITE)
    return reached and visit.who.may_ask(OPERATIONS[operation])


def _known(operation: str) -> RequestKind[Any]:
    kind = OPERATIONS.get(operation)
    if kind is None or kind.internal:
        raise Refusal("UnknownOperation", f"nothing is called {operation[:60]!r}; acts lists what can be asked")
    return kind


def _short(name: str, kind: RequestKind[Any]) -> dict[str, Any]:
    way = WAYS_BACK.get(name)
    return {
        "operation": name,
        "asks": kind.words,
        "of": "nothing: its document names it"
        if name in BEGINNINGS
        else "account_id"
        if name in JOURNEY
        else "case_id",
        "fields": kind.fields,
        "waits_for_a_person": kind.binding,
        "way_back": f"{way.by}: {way.says}" if way else None,
    }


def _checked(visit: Visit, operation: str, of: str, request: dict[str, Any], reason: str) -> ToolAct:
    """The act, if this key may ask it and its request can be read."""
    kind = _known(operation)
    require(visit.who, kind)
    visit.check_scope(RESOURCE_OF[operation], WRITE)
    if "request_id" in request:
        said = "leave it out: an act has the id that it is given"
        raise Refusal(INVALID_REQUEST, "the request cannot be read", [Problem(field="request_id", problem=said)])
    whole = {**request, "reason": request.get("reason") or reason} if "reason" in kind.model.model_fields else request
    kind.read(signed(visit.who, kind, whole))
    waits = present() + WAITS_FOR if kind.binding else None
    return ToolAct(
        act_id=f"act-{uuid4().hex[:20]}",
        actor=visit.who.name,
        operation=operation,
        subject_id=_begun_by(operation, request) if operation in BEGINNINGS else of,
        request=whole if operation not in BEGINNINGS else request,
        reason=reason,
        at=present(),
        expires_at=waits,
    )


def _begun_by(operation: str, document: dict[str, Any]) -> str:
    """The account or the case that a document begins."""
    account = document.get("account")
    return str(document.get("case_id") if operation == "open_case" else (account and account.get("account_id")) or "")


async def _begun(visit: Visit, act: ToolAct) -> dict[str, Any]:
    """Written down, then done or left to a person."""
    kind = OPERATIONS[act.operation]
    await _seen(visit, act)
    acting = visit.acting.saying(act.reason)
    if act.expires_at is None:
        async with visit.doors.pool.acquire() as connection:
            await tool_act_rows.add(connection, act)
        answer = await carried_out(acting, visit.doors, visit.who, act)
        return {"act_id": act.act_id, "state": DONE, "answer": marked(answer)}
    async with (
        acting.noted(visit.who, subject_of(act.operation, act.subject_id), f"propose {act.operation}", act.act_id),
        visit.doors.pool.acquire() as connection,
    ):
        await tool_act_rows.add(connection, act)
    says = (
        f"{kind.words}: it is not done. One of our people confirms or refuses it by {act.expires_at:%Y-%m-%d %H:%M} UTC"
    )
    return {"act_id": act.act_id, "state": "waiting", "says": says}


async def _seen(visit: Visit, act: ToolAct) -> None:
    """Raises `Refusal` for a customer of somebody else's."""
    if act.operation in JOURNEY:
        await visit.acting.sees(visit.who, act.subject_id, new=act.operation in BEGINNINGS)
    else:
        await visit.acting.sees_case(visit.who, act.subject_id)


async def _own(visit: Visit, act_id: str) -> ToolAct:
    async with visit.doors.pool.acquire() as connection:
        found = await tool_act_rows.by_id(connection, act_id)
    if not found or found[0].actor != visit.who.name:
        raise Refusal("UnknownAct", f"no act {act_id[:60]!r} of this key is on record; ask gives the ids")
    return found[0]


def _told(act: ToolAct) -> dict[str, Any]:
    return {
        "act_id": act.act_id,
        "operation": act.operation,
        "asked_of": act.subject_id,
        "at": act.at.isoformat(),
        "state": act.state(present()),
        "confirmed_by": act.decided_by if act.decision == "confirmed" else None,
        "why_not": act.decided_reason if act.decision == "refused" else None,
        "takes_back": act.takes_back,
        "answer": marked(act.answer),
    }
