"""Every customer's agenda against the facts, a page at a time: what is otherwise in words, and mended if that is asked for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from temporalio.client import WorkflowQueryFailedError
from temporalio.service import RPCError

from activities.carrying_out import effect_key
from activities.clock import present
from activities.requests import JourneyRequests
from activities.store import cases, customers, effects
from activities.store.agenda import load_facts
from activities.store.pool import TRANSPORT_ERRORS, Pool
from domain.agenda.comparing import Difference, DifferenceKind, compare, compare_case
from domain.agenda.facts import Facts
from domain.agenda.model import Agenda, Running
from domain.agenda.planning import agenda
from domain.journey import RequestCall
from domain.refusals import Refusal
from gateway.calling import NoAnswerError
from gateway.cases import CaseClient
from gateway.client import WORKFLOW, PerennialClient, journey_id
from gateway.histories import ORDERS, Answered, remember

PAGE = 200
AT_ONCE = 16
_SETTLES_WITHIN = 2.0
"""seconds in which what is just being done is over"""


@dataclass(frozen=True)
class Looked:
    """What was found of one customer (none: cases of nobody known); `left` is what mending has left, null if nothing was mended."""

    account_id: str | None
    found: Sequence[Difference] = ()
    left: Sequence[Difference] | None = None

    @property
    def standing(self) -> Sequence[Difference]:
        """What is amiss now."""
        return self.found if self.left is None else self.left


@dataclass
class Totals:
    """How many customers were looked at, of how many."""

    customers: int
    looked: int = 0
    differences: int = 0
    standing: int = 0
    by_kind: dict[str, int] = field(default_factory=dict)

    def add(self, page: Sequence[Looked]) -> None:
        """One page more."""
        self.looked += sum(one.account_id is not None for one in page)
        for one in page:
            self.differences += len(one.found)
            self.standing += len(one.standing)
            for difference in one.found:
                self.by_kind[difference.kind.value] = self.by_kind.get(difference.kind.value, 0) + 1


class Reconciler:
    """Compares and mends. Needs a worker, which answers for journeys and cases; `requests` accepts orders again that were lost."""

    def __init__(
        self,
        client: PerennialClient,
        case_client: CaseClient,
        pool: Pool,
        requests: JourneyRequests,
        *,
        by: str = "doctor",
    ) -> None:
        self._client = client
        self._requests = requests
        self._cases = case_client
        self._pool = pool
        self._by = by
        self._limit = asyncio.Semaphore(AT_ONCE)

    async def count(self) -> int:
        """How many customers there are."""
        async with self._pool.acquire() as connection:
            return await customers.count_accounts(connection)

    async def pages(self, *, mend: bool) -> AsyncIterator[list[Looked]]:
        """Customers in the order of their ids, a page at a time, then the cases of nobody known."""
        after = ""
        while True:
            async with self._pool.acquire() as connection:
                ids = await customers.accounts_after(connection, after, PAGE)
            if not ids:
                break
            yield list(await asyncio.gather(*(self.look(account_id, mend=mend) for account_id in ids)))
            after = ids[-1]
        if lost := await self._not_on_record():
            yield list(await asyncio.gather(*(self.look(account_id, mend=mend) for account_id in lost)))
        yield [await self._nobodys(mend=mend)]

    async def _not_on_record(self) -> list[str]:
        """Accounts whose journeys run and that the database does not know."""
        query = f"WorkflowType = '{WORKFLOW}' AND ExecutionStatus = 'Running'"
        prefix = journey_id("")
        running = [run.id.removeprefix(prefix) async for run in self._client.temporal.list_workflows(query)]
        async with self._pool.acquire() as connection:
            return await customers.unknown_accounts(connection, running)

    async def look(self, account_id: str, *, mend: bool = False) -> Looked:
        """One customer, with the cases that are not over."""
        async with self._limit:
            found = await self._settled(account_id)
            if not mend or not any(_mendable(one) for one in found):
                return Looked(account_id, found)
            await self._mend(account_id, found)
            return Looked(account_id, found, await self._settled(account_id))

    async def _settled(self, account_id: str) -> list[Difference]:
        """The differences that stay: what is just being done is waited for."""
        waited, pause = 0.0, 0.1
        while True:
            found = await self._differences(account_id)
            if not found or waited >= _SETTLES_WITHIN:
                return found
            await asyncio.sleep(pause)
            waited, pause = waited + pause, pause * 2

    async def _differences(self, account_id: str) -> list[Difference]:
        try:
            running = await self._client.agenda_of(account_id)
        except (WorkflowQueryFailedError, RPCError, NoAnswerError) as error:
            said = f"the journey does not answer: {error}; a worker has to run, and to be up to date"
            return [Difference(DifferenceKind.UNREADABLE, account_id, said)]
        as_of = present()
        if running is not None:
            as_of = running.paused.since if running.paused else running.now
        try:
            async with self._pool.acquire() as connection, connection.transaction(readonly=True):
                facts = await load_facts(connection, account_id, as_of, lost=running is None)
                open_cases = await cases.open_cases(connection, account_id)
            if facts is None:
                said = f"a journey of {account_id} runs, and the account is not on record"
                found = [Difference(DifferenceKind.NO_FACTS, account_id, said)] if running else []
                return [*found, *await self._lost(account_id)] if running else []
            found = _of_journey(facts, agenda(facts), running)
        except TRANSPORT_ERRORS:
            raise
        except Exception as broken:  # whatever cannot be read is the finding
            said = f"the facts of {account_id} cannot be read: {_one_line(broken)}"
            return [Difference(DifferenceKind.UNREADABLE, account_id, said)]
        lost = await self._lost(account_id) if found and running is not None else []
        zone = facts.situation.customer.account.time_zone
        return [*lost, *found, *await self._of_cases(open_cases, zone)]

    async def _lost(self, account_id: str) -> list[Difference]:
        """What the histories say was answered, and the database does not know: it is older than they are."""
        remembered = await remember(self._client.temporal, account_id)
        async with self._pool.acquire() as connection:
            missing = await effects.missing_effects(connection, effect_key(account_id, ""), list(remembered.answered))
        return [_said_lost(remembered.answered[key]) for key in missing]

    async def _of_cases(self, open_cases: Sequence[cases.OpenCase], zone: str) -> list[Difference]:
        found: list[Difference] = []
        for case in open_cases:
            running = await self._cases.agenda_of(case.case_id)
            found += compare_case(case.case_id, case.next_at, case.waiting, running, zone)
        return found

    async def _nobodys(self, *, mend: bool) -> Looked:
        async with self._pool.acquire() as connection:
            open_cases = await cases.open_cases(connection, None)
        found = await self._of_cases(open_cases, "UTC")
        if not mend or not found:
            return Looked(None, found)
        for case in open_cases:
            if any(one.about in (case.case_id, *case.waiting) for one in found):
                await self._cases.ask(case.case_id, "retry", {"by": self._by})
        return Looked(None, found, await self._of_cases(open_cases, "UTC"))

    async def _mend(self, account_id: str, found: Sequence[Difference]) -> None:
        """The journey first: a case begins at its customer's own time."""
        kinds = {one.kind for one in found}
        about = {one.about for one in found}
        try:
            await self._remember(account_id)
            if kinds & _MENDED_BY_JOURNEY:
                await self._client.reconcile(account_id, by=self._by)
            async with self._pool.acquire() as connection:
                open_cases = await cases.open_cases(connection, account_id)
            for case in open_cases:
                if about & {case.case_id, *case.waiting}:
                    await self._cases.ask(case.case_id, "retry", {"by": self._by})
        except (Refusal, NoAnswerError):
            return  # what is left says it

    async def _remember(self, account_id: str) -> None:
        """What the histories say was sent is booked as sent, and orders that were lost are accepted as they were."""
        remembered = await remember(self._client.temporal, account_id)
        prefix = effect_key(account_id, "")
        async with self._pool.acquire() as connection, connection.transaction():
            await effects.note_sent_before(connection, account_id, prefix, remembered.sent)
            missing = await effects.missing_effects(connection, prefix, list(remembered.answered))
        orders = [remembered.answered[key] for key in missing if remembered.answered[key].is_order]
        for order in sorted(orders, key=lambda order: order.as_of):
            call = RequestCall(
                account_id=account_id,
                request_id=order.request_id,
                body=order.body,
                as_of=order.as_of,
                run="remembered",
            )
            await self._requests.accept_again(call, imported=ORDERS[order.activity])


_MENDED_BY_JOURNEY = frozenset(
    {
        DifferenceKind.NO_FACTS,
        DifferenceKind.ORDER_LOST,
        DifferenceKind.NOT_RUNNING,
        DifferenceKind.STEP_MISSING,
        DifferenceKind.STEP_UNWANTED,
        DifferenceKind.STEP_MOVED,
        DifferenceKind.STAGE_MISSING,
        DifferenceKind.STAGE_UNWANTED,
        DifferenceKind.STAGE_OTHER,
        DifferenceKind.DELIVERY_MISSING,
    }
)


def _mendable(difference: Difference) -> bool:
    return difference.kind in _MENDED_BY_JOURNEY or difference.kind in (
        DifferenceKind.CASE_NOT_RUNNING,
        DifferenceKind.CASE_OTHER,
    )


def _said_lost(lost: Answered) -> Difference:
    if lost.is_order:
        said = f"order {lost.request_id} was accepted on {lost.as_of:%Y-%m-%d}, and is not on record"
        return Difference(DifferenceKind.ORDER_LOST, lost.request_id, said)
    asked = json.dumps(lost.body, ensure_ascii=False, sort_keys=True)
    said = f"{lost.activity} {lost.request_id} was done on {lost.as_of:%Y-%m-%d}, and is not on record; ask it again: {asked}"
    return Difference(DifferenceKind.REQUEST_LOST, f"{lost.activity}:{lost.request_id}", said)


def _of_journey(facts: Facts, wanted: Agenda, running: Running | None) -> list[Difference]:
    account = facts.situation.customer.account
    if facts.record.closed_at is not None:
        if running is None or running.closed:
            return []
        said = "the account is closed on record, and its journey runs; `close_journey` ends it, a new order reopens it"
        return [Difference(DifferenceKind.CLOSED, account.account_id, said)]
    if running is None or running.closed or running.opened_at is None:
        steps = wanted.plan()
        first = f"; the next was due {steps[0].at:%Y-%m-%d %H:%M} UTC" if steps else ""
        said = f"no journey runs: {len(steps)} steps and {len(wanted.deliveries)} messages are looked after by nobody{first}"
        return [Difference(DifferenceKind.NOT_RUNNING, account.account_id, said)]
    return compare(wanted, running, facts.situation.as_of, account.time_zone)


def _one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]
