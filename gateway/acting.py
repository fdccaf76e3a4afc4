"""Acts of whoever signed in, by any door: allowed by role, written in the audit log, asked of the journey or the case, settled."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from types import TracebackType
from typing import Any
from uuid import uuid4

from activities.frame import audit_rows
from activities.frame.customers import looks_after
from activities.kernel.clock import present
from activities.kernel.pool import Connection, Pool
from activities.service.case_rows import account_of_case
from domain.frame.access import Principal, require, signed
from domain.frame.keys import case_key, effect_key
from domain.frame.request_kinds import RequestKind
from domain.journey.registry import BEGINNINGS, CASE, JOURNEY, OPERATIONS, kind_of_effect
from domain.kernel.refusals import NOT_ALLOWED, Refusal
from gateway.calling import NoAnswerError
from gateway.doors import Doors
from gateway.views.answers.table import answer_for

DONE = "done"
OPEN = "open"
FAILED = "failed"
"""How an act ended, in the log, if it was not refused."""


@dataclass(frozen=True)
class Subject:
    """What is asked: an account, a case, or a thing of another kind by its name."""

    kind: str
    id: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.id}"


def of_account(account_id: str) -> Subject:
    """An account, for the log."""
    return Subject("account", account_id)


def of_case(case_id: str) -> Subject:
    """A case, for the log."""
    return Subject("case", case_id)


class Ending(AbstractContextManager[None]):
    """How the act of the block ended: `done`, the name of its refusal, `open`, or `failed`."""

    outcome = FAILED

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self.outcome = DONE
        elif isinstance(error, Refusal):
            self.outcome = error.type
        elif isinstance(error, NoAnswerError):
            self.outcome = OPEN


def new_request_id() -> str:
    """The id of a request that was given none."""
    return f"gw-{uuid4().hex[:20]}"


_WHY = ("reason", "comment", "outcome", "note", "evidence", "said", "text")


def reason_in(request: Mapping[str, Any]) -> str:
    """Why something is asked, as the request itself says it: in whichever of its words."""
    return next((str(request[name]) for name in _WHY if request.get(name)), "")


@asynccontextmanager
async def noted(
    pool: Pool, door: str, who: Principal, subject: Subject, operation: str, request_id: str, reason: str
) -> AsyncIterator[None]:
    """The act of the block stands in the audit log before it begins, and how it ended after it."""
    entry = audit_rows.Entry(present(), who.name, door, operation, str(subject), request_id, reason[:500])
    async with pool.acquire() as connection:
        audit_id = await audit_rows.note(connection, entry)
    ending = Ending()
    try:
        with ending:
            yield
    finally:
        async with pool.acquire() as connection:
            await audit_rows.settle(connection, audit_id, ending.outcome, present())


@asynccontextmanager
async def written(
    pool: Pool, door: str, who: Principal, subject: Subject, operation: str, request_id: str, reason: str
) -> AsyncIterator[Connection]:
    """As `noted`, for what is written to the tables in one transaction."""
    async with (
        noted(pool, door, who, subject, operation, request_id, reason),
        pool.acquire() as connection,
        connection.transaction(),
    ):
        yield connection


class Acting:
    """The acts of one door. What is refused raises `Refusal` and changes nothing; what gets no answer in time raises `NoAnswerError`.

    because: why they are done, for the log; what the request says otherwise.
    """

    def __init__(self, doors: Doors, door: str, because: str = "") -> None:
        self._doors = doors
        self._door = door
        self._because = because

    async def carry_out(self, who: Principal, operation: str, of: str, request: dict[str, Any]) -> dict[str, Any]:
        """Whatever can be asked, by its name among all operations. of: the account or the case, unless it begins one."""
        if operation == "open_case":
            return await self.open_case(who, request)
        if operation in BEGINNINGS:
            return await self.place(who, request, operation)
        if operation in JOURNEY:
            return await self.ask(who, of, operation, request)
        return await self.ask_case(who, of, OPERATIONS[operation].update, request)

    async def ask(self, who: Principal, account_id: str, update: str, request: dict[str, Any]) -> dict[str, Any]:
        """Asks an account's journey."""
        kind = JOURNEY[update]
        await self.sees(who, account_id)
        return await self._ask(who, of_account(account_id), kind, request, self._journey(account_id, update))

    async def ask_case(self, who: Principal, case_id: str, update: str, request: dict[str, Any]) -> dict[str, Any]:
        """Asks a case. A message of the customer goes where the case has gone meanwhile, as everywhere."""
        await self.sees_case(who, case_id)
        send = self._case(case_id, update)
        return await self._ask(who, of_case(case_id), CASE[update], request, send)

    async def place(self, who: Principal, document: dict[str, Any], update: str = "place_order") -> dict[str, Any]:
        """Places an order, or takes one of the past over."""
        kind = JOURNEY[update]
        require(who, kind)
        order = kind.read(document)
        await self.sees(who, order.account.account_id, new=True)
        place = self._doors.client.place_order if update == "place_order" else self._doors.client.import_order
        async with self.noted(who, of_account(order.account.account_id), update, order.order_id):
            return (await place(document)).model_dump(mode="json")

    async def open_case(self, who: Principal, document: dict[str, Any]) -> dict[str, Any]:
        """Opens a case."""
        kind = CASE["open_case"]
        require(who, kind)
        case = kind.read(document)
        if case.account_id is not None:
            await self.sees(who, case.account_id)
        async with self.noted(who, of_case(case.case_id), "open_case", case.case_id):
            return (await self._doors.cases.open_case(document)).model_dump(mode="json")

    async def sees(self, who: Principal, account_id: str, *, new: bool = False) -> None:
        """Raises `Refusal` (NotAllowed) for a customer of somebody else's, if that is all that somebody sees. new: it may be one that
        is not on record."""
        if not who.own_only or who.staff_id is None:
            return
        async with self._doors.pool.acquire() as connection:
            theirs = await looks_after(connection, account_id, who.staff_id)
        if theirs is False or (theirs is None and not new):
            raise Refusal(NOT_ALLOWED, f"account {account_id!r} is not among the customers of {who.by}")

    async def sees_case(self, who: Principal, case_id: str) -> None:
        if not who.own_only:
            return
        async with self._doors.pool.acquire() as connection:
            account_id = await account_of_case(connection, case_id)
        if account_id is not None:
            await self.sees(who, account_id)

    async def _ask(
        self,
        who: Principal,
        subject: Subject,
        kind: RequestKind[Any],
        request: dict[str, Any],
        send: Callable[[dict[str, Any]], Awaitable[dict[str, Any]]],
    ) -> dict[str, Any]:
        require(who, kind)
        made = signed(who, kind, request)
        if "request_id" in kind.model.model_fields:
            made.setdefault("request_id", new_request_id())
        kind.read(made)  # what can be known is said at once, and costs no history
        async with self.noted(who, subject, kind.update, str(made.get("request_id", "")), reason_in(made)):
            return await send(made)

    def _journey(self, account_id: str, update: str) -> Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]:
        return lambda made: self._doors.client.ask(account_id, update, made)

    def _case(self, case_id: str, update: str) -> Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]:
        cases = self._doors.cases
        if update == "customer_message":
            return lambda made: cases.customer_message(case_id, made)
        if update == "respond":
            return lambda made: cases.agent_message(case_id, made)
        return lambda made: cases.ask(case_id, update, made)

    @asynccontextmanager
    async def noted(
        self, who: Principal, subject: Subject, operation: str, request_id: str, reason: str = ""
    ) -> AsyncIterator[None]:
        """As `noted` below, by this door."""
        why = self._because or reason
        async with noted(self._doors.pool, self._door, who, subject, operation, request_id, why):
            yield

    async def outcome(self, who: Principal, subject: Subject, request_id: str) -> dict[str, Any] | None:
        """What became of a request: `done` with what of its answer is for `who`, `open`, or the name of its refusal; null if nobody made
        it."""
        whose = effect_key(subject.id, request_id) if subject.kind == "account" else case_key(subject.id, request_id)
        async with self._doors.pool.acquire() as connection:
            done = await audit_rows.done_under(connection, whose)
            asked = await audit_rows.asked_under(connection, str(subject), request_id)
        if done:
            kind = kind_of_effect(done[0]["key"])
            answer = answer_for(who, kind, done[0]["outcome"].get("answer") or {}) if kind else None
            return {"status": DONE, "at": done[0]["as_of"].isoformat(), "answer": answer}
        if not asked:
            return None
        return {"status": asked[0]["outcome"] or OPEN, "at": asked[0]["at"].isoformat(), "answer": None}

    def patient(self, within: timedelta) -> Acting:
        """The same door, with another patience."""
        return Acting(self._doors.waiting(within), self._door, self._because)

    def saying(self, because: str) -> Acting:
        """The same door, for acts with a reason of their own."""
        return Acting(self._doors, self._door, because)
