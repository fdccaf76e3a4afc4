"""Logged cases lived again: each as a `ServiceCase` of its own on the time-skipping server, and judged as the log would be."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.client import WorkflowExecutionStatus
from temporalio.common import WorkflowIDConflictPolicy

from activities.kernel.clock import present
from activities.kernel.pool import Pool
from activities.service.desks import load_calendar, load_policy
from domain.frame.case_words import CaseState
from domain.kernel.business_clock import clock_of
from domain.kernel.ids import case_workflow_id
from domain.service.case import Happened, Recorded
from domain.service.case_log import promises_of
from domain.service.lifecycle import CaseRules
from domain.service.milestones import MilestoneState, Occurrence
from gateway.calling import Call, insist
from gateway.cases import CASE_WORKFLOW, CaseClient
from gateway.clock import Clocks
from gateway.here import TASK_QUEUE
from workers.feeds.case_log import LoggedCase

RULES = CaseRules()
WEEK = timedelta(weeks=1)
LEAD = timedelta(minutes=10)
"""How far ahead of the present a case begins at least: nothing can happen before its clock begins."""


@dataclass(frozen=True)
class Replayed:
    """A case that was lived again: what the library says of the log, and what the workflow left on record."""

    case_id: str
    events: int
    expected: tuple[str, ...]
    found: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """True if both say the same."""
        return self.expected == self.found


def shifted(case: LoggedCase, now: datetime) -> tuple[Recorded, ...]:
    """The record of a case, later by the fewest whole weeks that bring it into the future.

    It ends where work went on so long after an ending that our rules open another case for it.
    """
    record = case.record(now)
    weeks = math.ceil((now + LEAD - record[0].at) / WEEK)
    kept: list[Recorded] = []
    ended_at: datetime | None = None
    for event in record:
        if event.kind is Happened.REOPENED and ended_at is not None and event.at - ended_at > RULES.reopen_within:
            break
        if event.kind is Happened.REOPENED:
            ended_at = None
        elif event.kind in (Happened.RESOLVED, Happened.CLOSED):
            ended_at = ended_at or event.at
        kept.append(event.having(at=event.at + weeks * WEEK))
    return tuple(kept)


class Replayer:
    """Lives logged cases through the real doors of a running worker."""

    def __init__(self, client: CaseClient, pool: Pool, *, tag: str) -> None:
        self._client = client
        self._pool = pool
        self._clocks = Clocks(client.temporal)
        self._tag = tag

    async def replay(self, cases: Iterable[LoggedCase], *, at_once: int) -> list[Replayed]:
        """Every case, at most `at_once` side by side, in the order given."""
        room = asyncio.Semaphore(at_once)

        async def one(case: LoggedCase) -> Replayed:
            async with room:
                return await self._replay(case)

        return await asyncio.gather(*(one(case) for case in cases))

    async def _replay(self, case: LoggedCase) -> Replayed:
        case_id = f"{case.case_id}-{self._tag}"
        record = shifted(case, present())
        await self._open(case_id, case, record[0].at)
        for event in record[1:]:
            await self._until(case_id, event.at)
            await self._live(case_id, event)
        end = await self._clocks.now(case_workflow_id(case_id))
        found = await self._found(case_id)
        expected = await self._expected(case_id, case, record, end)
        return Replayed(case_id, len(record), expected, found)

    async def _open(self, case_id: str, case: LoggedCase, at: datetime) -> None:
        await self._begin(case_id)
        await self._until(case_id, at)
        await self._client.open_case(
            {
                "case_id": case_id,
                "contact": {"name": case.account_id, "phone": "+1 555 0100"},
                "subject": case.subject,
                "channel": "phone",
                "category": "incident",
                "priority": case.priority.value,
                "opened_at": at.isoformat(),
                "owner": "replay-agent",
            }
        )

    async def _begin(self, case_id: str) -> None:
        await insist(
            lambda: self._client.temporal.start_workflow(
                CASE_WORKFLOW,
                id=case_workflow_id(case_id),
                task_queue=TASK_QUEUE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            ),
            Call("the start", case_workflow_id(case_id)),
        )

    async def _until(self, case_id: str, at: datetime) -> None:
        await self._clocks.move(case_workflow_id(case_id), at)
        described = await self._client.temporal.get_workflow_handle(case_workflow_id(case_id)).describe()
        if described.status is not WorkflowExecutionStatus.RUNNING:
            # On the way it closed by itself: whoever takes it up again begins a run on a clock of its own.
            await self._begin(case_id)
            await self._clocks.move(case_workflow_id(case_id), at)

    async def _live(self, case_id: str, event: Recorded) -> None:
        """What the log says happened, asked of the case."""
        common = {"at": event.at.isoformat(), "by": "replay-agent"}
        match event.kind:
            case Happened.FIRST_RESPONSE:
                await self._ask(case_id, "respond", {**common, "body": "We are looking into it.", "channel": "phone"})
            case Happened.WAITING:
                whom = event.detail["status"].removeprefix("waiting_")
                await self._ask(case_id, "wait", {**common, "waiting_for": whom, "reason": "as in the log"})
            case Happened.RESUMED:
                await self._ask(case_id, "resume", common)
            case Happened.REOPENED:
                await self._ask(case_id, "reopen", {**common, "reason": "as in the log"})
            case Happened.RESOLVED:
                await self._resolve(case_id, common)
            case Happened.CLOSED:
                await self._close(case_id, common)
            case _:
                raise AssertionError(f"a log does not say {event.kind}")

    async def _resolve(self, case_id: str, common: dict[str, Any]) -> None:
        await self._ask(case_id, "resolve", {**common, "code": "as_logged", "text": "As in the log."})

    async def _close(self, case_id: str, common: dict[str, Any]) -> None:
        facts = await self._client.case(case_id)
        assert facts is not None
        if facts.status is CaseState.CLOSED:
            return  # it closed by itself before
        if facts.status is not CaseState.RESOLVED:
            await self._resolve(case_id, common)
        await self._ask(case_id, "close", common)

    async def _ask(self, case_id: str, update: str, request: dict[str, Any]) -> None:
        await self._client.ask(case_id, update, request)

    async def _found(self, case_id: str) -> tuple[str, ...]:
        rows = await self._pool.fetch(
            "select milestone, number, started_at, due_at as due, completed_at, elapsed, violated_at, state"
            " from case_milestone where case_id = $1 order by milestone, number",
            case_id,
        )
        return tuple(_figures(Occurrence.model_validate(dict(row))) for row in rows)

    async def _expected(
        self, case_id: str, case: LoggedCase, record: Sequence[Recorded], end: datetime
    ) -> tuple[str, ...]:
        """The library over the events, by the policy and the calendar that the case was opened under."""
        facts = await self._client.case(case_id)
        assert facts is not None
        assert facts.policy_id is not None
        assert facts.policy_version is not None
        assert facts.calendar_id is not None
        async with self._pool.acquire() as connection:
            policy = await load_policy(connection, facts.policy_id, facts.policy_version)
            calendar = await load_calendar(connection, facts.calendar_id, facts.calendars[facts.calendar_id])
        counted = policy.having(calendar_id=calendar.id)
        promises = promises_of(counted, case.priority, record, {calendar.id: clock_of(calendar)}, as_of=end)
        return tuple(_figures(one) for one in sorted(promises, key=lambda one: (one.milestone, one.number)))


def _figures(one: Occurrence) -> str:
    """Everything that makes two answers the same. What an open promise has used up is told once it is done."""
    elapsed = one.elapsed if one.state in (MilestoneState.MET, MilestoneState.MISSED) else None
    instants = (one.started_at, one.due, one.completed_at, one.violated_at)
    shown = " ".join("-" if at is None else at.astimezone(UTC).isoformat() for at in instants)
    return f"{one.key} {one.state.value} {elapsed} {shown}"
