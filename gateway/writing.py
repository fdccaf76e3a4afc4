"""What is written beside requests, by any door: usage, list prices, who serves, what is owed. Allowed by role, written in the audit log."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Any

import asyncpg

from activities.kernel.clock import present
from domain.frame.access import Principal, WriteAct, require_act
from domain.kernel.refusals import INVALID_REQUEST, Problem, Refusal
from domain.kernel.requests import read_document
from domain.service.desk import AgentDocument, EntitlementDocument, TeamDocument
from domain.success.usage import UsageRow
from gateway.acting import Acting, Subject, of_account
from gateway.calling import NoAnswerError
from gateway.doors import Doors
from gateway.prices import INVALID_PRICES
from gateway.views.shown import View

MOST_ROWS = 5000
INVALID_USAGE = "InvalidUsage"
NOT_RECORDED = "NotRecorded"
_WRONG = "the usage cannot be recorded"
_KEY = re.compile(r"Key \((?P<field>[\w, ]+)\)=\((?P<value>.*)\) is not present")


class RowStatus(StrEnum):
    DONE = "done"
    OPEN = "open"
    REFUSED = "refused"


class RowAnswer(View):
    """What became of a row: recorded (`done`), refused, or `open`: on record, but its journey could not be told yet."""

    index: int
    status: RowStatus
    code: str | None = None
    detail: str = ""
    problems: list[Problem] = []


class UsageAnswer(View):
    """An answer for each row, in their order; `told`: how many journeys heard that use crossed a threshold."""

    recorded: int
    told: int
    rows: list[RowAnswer]

    @property
    def is_settled(self) -> bool:
        """False while a journey is still to be told: the same rows sent again tell it."""
        return all(one.status is not RowStatus.OPEN for one in self.rows)


class Kept(View):
    """What was told is on record. `changed` is false if it was before."""

    changed: bool


class Writing:
    """The writes of one door. because: why they are done, for the log."""

    def __init__(self, doors: Doors, door: str, because: str = "") -> None:
        self._doors = doors
        self._acting = Acting(doors, door, because)

    async def record_usage(self, who: Principal, rows: Sequence[Any], request_id: str) -> UsageAnswer:
        """Records usage: of an account all rows or none, whatever becomes of other accounts. Raises `Refusal` if none can be looked at."""
        require_act(who, WriteAct.RECORD_USAGE)
        if not 1 <= len(rows) <= MOST_ROWS:
            problem = Problem(field="rows", problem=f"has {len(rows)} rows; send 1 to {MOST_ROWS} at once")
            raise Refusal(INVALID_USAGE, _WRONG, [problem])
        read, refused = _read_rows(rows)
        told = 0
        answers: dict[int, RowAnswer] = dict(refused)
        for account_id, own in read.items():
            came = await self._record_of(who, account_id, [row for _, row in own], request_id)
            told += came if isinstance(came, int) else 0
            answers.update((index, _answer(index, came)) for index, _ in own)
        recorded = sum(one.status is not RowStatus.REFUSED for one in answers.values())
        return UsageAnswer(recorded=recorded, told=told, rows=[answers[index] for index in sorted(answers)])

    async def _record_of(
        self, who: Principal, account_id: str, rows: list[UsageRow], request_id: str
    ) -> int | Refusal | NoAnswerError:
        try:
            await self._acting.sees(who, account_id, new=True)
            days = sorted({row.day for row in rows})
            why = f"use of {days[0]} to {days[-1]} reported"
            async with self._acting.noted(who, of_account(account_id), WriteAct.RECORD_USAGE, request_id, why):
                return await self._doors.client.record_usage(rows)
        except (Refusal, NoAnswerError) as error:
            return error

    async def publish_prices(self, who: Principal, document: dict[str, Any], request_id: str) -> Kept:
        """Publishes an edition of a price book, or one product's new price."""
        require_act(who, WriteAct.PUBLISH_PRICES)
        if refused := Refusal.of_characters(INVALID_PRICES, "the prices cannot be published", document):
            raise refused
        book = str(document.get("book") or document.get("name") or "standard")[:80]
        async with self._acting.noted(who, Subject("prices", book), WriteAct.PUBLISH_PRICES, request_id):
            return Kept(changed=await self._doors.client.publish_prices(document, as_of=present()))

    async def put_team(self, who: Principal, document: dict[str, Any], request_id: str) -> Kept:
        """Keeps a team, as told last."""
        require_act(who, WriteAct.PUT_TEAM)
        team = read_document(TeamDocument, document, INVALID_REQUEST, "the team cannot be kept")
        async with self._kept(who, Subject("team", team.team), WriteAct.PUT_TEAM, request_id):
            await self._doors.cases.put_team(document)
        return Kept(changed=True)

    async def put_agent(self, who: Principal, document: dict[str, Any], request_id: str) -> Kept:
        """Keeps somebody who takes cases, as told last."""
        require_act(who, WriteAct.PUT_AGENT)
        agent = read_document(AgentDocument, document, INVALID_REQUEST, "the agent cannot be kept")
        async with self._kept(who, Subject("agent", agent.staff.staff_id), WriteAct.PUT_AGENT, request_id):
            await self._doors.cases.put_agent(document)
        return Kept(changed=True)

    async def put_entitlement(self, who: Principal, document: dict[str, Any], request_id: str) -> Kept:
        """Keeps what support a customer is owed, as told last."""
        require_act(who, WriteAct.PUT_ENTITLEMENT)
        owed = read_document(EntitlementDocument, document, INVALID_REQUEST, "the entitlement cannot be kept")
        await self._acting.sees(who, owed.account_id)
        async with self._kept(who, of_account(owed.account_id), WriteAct.PUT_ENTITLEMENT, request_id):
            await self._doors.cases.put_entitlement(document)
        return Kept(changed=True)

    @asynccontextmanager
    async def _kept(self, who: Principal, subject: Subject, act: WriteAct, request_id: str) -> AsyncIterator[None]:
        """As `noted`; what the tables refuse since it names something that is not on record is a refusal."""
        async with self._acting.noted(who, subject, act, request_id):
            try:
                yield
            except asyncpg.ForeignKeyViolationError as error:
                raise _unknown(error) from None


def _read_rows(rows: Sequence[Any]) -> tuple[Mapping[str, list[tuple[int, UsageRow]]], Mapping[int, RowAnswer]]:
    """The rows of accounts of which all can be read, with their places; and what is said of all others."""
    read: dict[str, list[tuple[int, UsageRow]]] = defaultdict(list)
    refused: dict[int, RowAnswer] = {}
    spoilt = set[str]()
    for index, row in enumerate(rows):
        try:
            one = read_document(UsageRow, row, INVALID_USAGE, _WRONG)
            read[one.account_id].append((index, one))
        except Refusal as error:
            refused[index] = _answer(index, error)
            spoilt.add(str(row.get("account_id")) if isinstance(row, dict) else "")
    said = Refusal(NOT_RECORDED, "another row of this account is refused, so that none of it was recorded")
    for account_id in spoilt & read.keys():
        refused.update((index, _answer(index, said)) for index, _ in read.pop(account_id))
    return read, refused


def _answer(index: int, came: int | Refusal | NoAnswerError) -> RowAnswer:
    if isinstance(came, Refusal):
        return RowAnswer(
            index=index, status=RowStatus.REFUSED, code=came.type, detail=str(came), problems=list(came.problems)
        )
    if isinstance(came, NoAnswerError):
        return RowAnswer(index=index, status=RowStatus.OPEN, detail=str(came))
    return RowAnswer(index=index, status=RowStatus.DONE)


def _unknown(error: asyncpg.ForeignKeyViolationError) -> Refusal:
    found = _KEY.search(str(error.detail or ""))
    field, value = (found["field"], found["value"]) if found else ("", "")
    problem = Problem(field=field, problem=f"{value[:80]!r} is not on record")
    return Refusal(INVALID_REQUEST, "this names something that is not on record", [problem])
