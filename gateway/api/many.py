"""Many requests in one call, with an answer for each: orders of a night, tasks that are done, people who came."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from temporalio.service import RPCError

from activities.kernel.pool import TRANSPORT_ERRORS
from domain.frame.access import WRITE, Principal
from domain.journey.registry import BEGINNINGS, OPERATIONS
from domain.kernel.refusals import INVALID_REQUEST, Refusal
from domain.kernel.requests import read_document
from gateway.acting import Acting, new_request_id
from gateway.api.carrying import Done, carried_out
from gateway.api.documents import told_of
from gateway.api.entry import signed_in
from gateway.api.resources import RESOURCE_OF
from gateway.api.versions import VERSION
from gateway.api.written import ASK_MANY, AskedItem, AskedItems, ItemAnswer, ItemsAnswer
from gateway.calling import NoAnswerError
from gateway.doors import Doors
from gateway.writing import RowStatus

_AWAY: tuple[type[BaseException], ...] = (NoAnswerError, RPCError, *TRANSPORT_ERRORS)
_AT_ONCE = 8
_WITHIN = timedelta(seconds=10)
"""So long each of them is waited for; what takes longer is answered as open."""


def many(doors: Doors) -> APIRouter:
    """The path of many requests."""
    router = APIRouter(prefix=VERSION)
    enter = Depends(signed_in(doors.pool))

    async def endpoint(request: Request, who: Principal = enter) -> Response:
        async def work(asked: dict[str, Any], again: str | None) -> Done:
            items = read_document(AskedItems, asked, INVALID_REQUEST, "the requests cannot be read").items
            acting = Acting(doors.waiting(min(_WITHIN, doors.within)), "api")
            found = await _all(acting, who, items, again or new_request_id())
            return Done(
                found.model_dump(mode="json"), settled=all(one.status is not RowStatus.OPEN for one in found.items)
            )

        return await carried_out(request, doors, who, work)

    router.add_api_route(ASK_MANY.path, endpoint, **told_of(ASK_MANY))
    return router


async def _all(acting: Acting, who: Principal, items: Sequence[AskedItem], under: str) -> ItemsAnswer:
    """An answer for each: of one customer or case in their order, of several some at once."""
    whose: dict[str, list[int]] = defaultdict(list)
    for index, item in enumerate(items):
        whose[_subject(item)].append(index)
    answers: dict[int, ItemAnswer] = {}
    room = asyncio.Semaphore(_AT_ONCE)

    async def of_one(indices: Sequence[int]) -> None:
        async with room:
            for index in indices:
                answers[index] = await _one(acting, who, items[index], index, f"{under}-{index}")

    await asyncio.gather(*map(of_one, whose.values()))
    done = sum(one.status is RowStatus.DONE for one in answers.values())
    return ItemsAnswer(done=done, items=[answers[index] for index in sorted(answers)])


def _subject(item: AskedItem) -> str:
    account = item.request.get("account")
    return str(item.of or (account.get("account_id") if isinstance(account, dict) else item.request.get("account_id")))


async def _one(acting: Acting, who: Principal, item: AskedItem, index: int, under: str) -> ItemAnswer:
    kind = OPERATIONS.get(item.operation)
    request = dict(item.request)
    if kind is not None and "request_id" in kind.model.model_fields:
        request.setdefault("request_id", under)
    request_id = str(request.get(kind.id_field) or "") if kind else ""
    try:
        _check(who, item)
        answer = await acting.carry_out(who, item.operation, item.of, request)
    except Refusal as refused:
        said = {"code": refused.type, "detail": str(refused), "problems": list(refused.problems)}
        return ItemAnswer(index=index, status=RowStatus.REFUSED, request_id=request_id, **said)
    except _AWAY as error:
        said = {"code": "NoAnswer", "detail": str(error) or "a server is away; send it again under the same key"}
        return ItemAnswer(index=index, status=RowStatus.OPEN, request_id=request_id, **said)
    return ItemAnswer(index=index, status=RowStatus.DONE, request_id=request_id, answer=answer)


def _check(who: Principal, item: AskedItem) -> None:
    """Raises `Refusal` for what nobody knows, whose scope does not reach it, or that does not say of whom."""
    if item.operation not in OPERATIONS:
        raise Refusal(
            "UnknownOperation", f"there is no request {item.operation!r}; /v1/openapi.json lists what there is"
        )
    resource = RESOURCE_OF[item.operation]
    if not who.is_within(resource, WRITE):
        raise Refusal(
            "OutOfScope", f"the key {who.by!r} reaches {', '.join(who.scopes)}; this needs {resource}:{WRITE}"
        )
    if not item.of and item.operation not in BEGINNINGS:
        raise Refusal(INVALID_REQUEST, f"say of which account or case {item.operation} is asked, as `of`")
