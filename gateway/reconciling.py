"""Every customer's agenda against the facts, a page at a time: what is otherwise in words, and mended if that is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from temporalio.client import Client, WorkflowExecutionStatus, WorkflowQueryFailedError
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError

from activities.frame import customers
from activities.journey.agenda_facts import load_facts
from activities.journey.standing import load_standing
from activities.kernel.clock import present
from activities.kernel.engine import is_unknown
from activities.kernel.pool import TRANSPORT_ERRORS, Pool
from activities.service import case_rows
from domain.journey.agenda import Agenda, Running
from domain.journey.agenda_facts import Facts
from domain.journey.comparing import Difference, DifferenceKind, compare, compare_case
from domain.journey.planning import agenda
from domain.journey.standing import CustomerStanding
from domain.kernel.ids import case_workflow_id, journey_id
from domain.kernel.refusals import Refusal
from domain.kernel.shown import counted
from gateway.calling import NoAnswerError
from gateway.cases import CASE_WORKFLOW, CaseClient
from gateway.client import WORKFLOW, PerennialClient
from gateway.restoring import Redo, Restored, Restorer

PAGE = 200
ACCOUNT = SearchAttributeKey.for_keyword("AccountId")
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

    @property
    def new(self) -> Sequence[Difference]:
        """What came up while it was mended."""
        return [difference for difference in self.standing if difference not in self.found]


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


_BY = "doctor"
"""Who asks for what is mended."""


class Reconciler:
    """Compares and mends. Needs a worker, which answers for journeys and cases; `redo` does once more what the database has lost."""

    def __init__(
        self,
        client: PerennialClient,
        case_client: CaseClient,
        pool: Pool,
        redo: Redo,
    ) -> None:
        self._client = client
        self._restorer = Restorer(client.temporal, pool, redo)
        self._strays: dict[str | None, list[str]] = {}
        self._stopped: dict[str, list[Difference]] = {}
        self.paused: list[str] = []
        """customers of whom `redo` has put a lost order on record again, and has more to do"""
        self.waiting: dict[str | None, str] = {}
        """by customers, what `redo` could not do yet, and why"""
        self._restored = 0
        self._cases = case_client
        self._pool = pool
        self._limit = asyncio.Semaphore(AT_ONCE)

    async def count(self) -> int:
        """How many customers there are."""
        async with self._pool.acquire() as connection:
            return await customers.count_accounts(connection)

    async def pages(self, *, mend: bool) -> AsyncIterator[list[Looked]]:
        """Customers in the order of their ids, a page at a time, then the cases of nobody known; those last whose past is
        brought back only when another customer's is."""
        self._strays = await self._cases_not_on_record()
        after = ""
        while True:
            async with self._pool.acquire() as connection:
                ids = await customers.accounts_after(connection, after, PAGE)
            if not ids:
                break
            yield await self._page(ids, mend=mend)
            after = ids[-1]
        if lost := await self._not_on_record():
            yield await self._page(lost, mend=mend)
        nothing_came = False
        while self._stopped:
            waiting, before = sorted(self._stopped), self._restored
            yield await self._page(waiting, mend=True, give_up=nothing_came)
            nothing_came = self._restored == before
        yield [await self._nobodys(mend=mend)]

    async def redo(self, *, leave_out: bool = False) -> AsyncIterator[tuple[str | None, int]]:
        """Does once more what the database has lost, asking no journey: customers (none: nobody known) with how many acts. Before workers
        start, nobody decides anything on facts that lack it.

        Whose order was lost is `paused` once it is on record again: what no history has, such as prices and usage, is taken of what it
        sells only from then on. Each goes on up to what cannot be done yet, which `waiting` says. leave_out: nothing is waited for; what
        could not be done is in `left`, and `pages` names it.
        """
        strays = await self._cases_not_on_record()
        going: list[str] = []
        async with self._pool.acquire() as connection:
            while page := await customers.accounts_after(connection, going[-1] if going else "", PAGE):
                going += page
        going += await self._not_on_record()
        given_up: set[str] = set()
        while going:
            stopped, came = dict[str, Restored](), 0
            for account_id in going:
                restored = await self._restorer.restore(
                    account_id, give_up=account_id in given_up, pausing=not leave_out, from_before=True
                )
                came += restored.done
                if restored.done:
                    yield account_id, restored.done
                if restored.paused:
                    self.paused.append(account_id)
                elif restored.stopped:
                    stopped[account_id] = restored
            going, given_up = list(stopped), set()
            if not came:  # nothing of this run helps; what waits for another customer may be helped by the next
                refused = {one for one, restored in stopped.items() if restored.waits and not self.paused}
                given_up = set(stopped) if leave_out else refused
                if not given_up:
                    self.waiting = {one: restored.stopped for one, restored in stopped.items()}
                    break
        for case_id in strays.get(None, []):
            done, stops = await self._of_a_case(case_id, leave_out=leave_out, from_before=True)
            if done:
                yield None, done
            if stops:
                self.waiting[None] = stops

    async def _of_a_case(self, case_id: str, *, leave_out: bool, from_before: bool = False) -> tuple[int, str]:
        """How much of a case of nobody known was done once more, and what stops the rest."""
        done = 0
        while True:
            restored = await self._restorer.restore(None, [case_id], give_up=leave_out, from_before=from_before)
            done += restored.done
            if not restored.stopped or not leave_out:
                return done, restored.stopped

    @property
    def left(self) -> list[str]:
        """Customers of whom something could not be done once more."""
        return sorted(account_id or "" for account_id in self._restorer.left)

    async def _page(self, ids: Sequence[str], *, mend: bool, give_up: bool = False) -> list[Looked]:
        looked = await asyncio.gather(*(self.look(account_id, mend=mend, give_up=give_up) for account_id in ids))
        return [one for one in looked if one.account_id not in self._stopped]

    async def _not_on_record(self) -> list[str]:
        """Accounts that have journeys, running or over, and that the database does not know."""
        prefix = journey_id("")
        runs = self._client.temporal.list_workflows(f"WorkflowType = '{WORKFLOW}'")
        ids = {run.id.removeprefix(prefix) async for run in runs}
        async with self._pool.acquire() as connection:
            return await customers.unknown_accounts(connection, sorted(ids))

    async def _cases_not_on_record(self) -> dict[str | None, list[str]]:
        """Cases that run and that the database does not know, by the accounts that their runs name."""
        runs = self._client.temporal.list_workflows(f"WorkflowType = '{CASE_WORKFLOW}' AND ExecutionStatus = 'Running'")
        accounts = {
            run.id.removeprefix(case_workflow_id("")): run.typed_search_attributes.get(ACCOUNT) async for run in runs
        }
        async with self._pool.acquire() as connection:
            unknown = await case_rows.unknown_cases(connection, list(accounts))
        found: dict[str | None, list[str]] = {}
        for case_id in unknown:
            found.setdefault(accounts[case_id], []).append(case_id)
        return found

    async def look(self, account_id: str, *, mend: bool = False, give_up: bool = False) -> Looked:
        """One customer, with the cases that are not over. give_up: what of their past cannot be brought back is left out."""
        async with self._limit:
            found = await self._settled(account_id)
            first = self._stopped.pop(account_id, found)
            if not mend or not any(_mendable(one) for one in found):
                return Looked(account_id, found)
            if not await self._mend(account_id, found, give_up=give_up):
                self._stopped[account_id] = first
                return Looked(account_id, first)
            return Looked(account_id, first, await self._settled(account_id))

    async def _settled(self, account_id: str) -> list[Difference]:
        """The differences that stay: what is just being done is waited for."""
        waited, pause = 0.0, 0.1
        while True:
            found = await self._differences(account_id)
            if waited >= _SETTLES_WITHIN or all(one.kind in _STANDING for one in found):
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
            as_of = running.now
        try:
            async with self._pool.acquire() as connection, connection.transaction(readonly=True):
                facts = await load_facts(connection, account_id, as_of, lost=running is None)
                open_cases = await case_rows.open_cases(connection, account_id)
                standing = await load_standing(connection, facts) if facts is not None else None
            if facts is None:
                said = f"a journey of {account_id} runs, and the account is not on record"
                found = [Difference(DifferenceKind.NO_FACTS, account_id, said)] if running else []
                return [*found, *await self._restorer.lost(account_id)]
            found = _of_journey(facts, agenda(facts), running, standing)
        except TRANSPORT_ERRORS:
            raise
        except Exception as broken:  # whatever cannot be read is the finding
            said = f"the facts of {account_id} cannot be read: {_one_line(broken)}"
            return [Difference(DifferenceKind.UNREADABLE, account_id, said)]
        found += await self._of_cases(open_cases, facts.situation.customer.account.time_zone)
        behind = running is not None and facts.lacks(running.last)
        known = account_id in self._strays or account_id in self._restorer.left
        lost = await self._restorer.lost(account_id) if found or behind or known else []
        return [*lost, *found]

    async def _of_cases(self, open_cases: Sequence[case_rows.OpenCase], zone: str) -> list[Difference]:
        found: list[Difference] = []
        for case in open_cases:
            running = await self._cases.agenda_of(case.case_id)
            found += compare_case(case.case_id, case.next_at, case.waiting, running, zone, over=case.over)
        return found

    async def _nobodys(self, *, mend: bool) -> Looked:
        strays = self._strays.get(None, [])
        found = await self._of_nobody(strays)
        if not mend or not found:
            return Looked(None, found)
        for case_id in strays:
            await self._of_a_case(case_id, leave_out=True)
        async with self._pool.acquire() as connection:
            open_cases = await case_rows.open_cases(connection, None)
        for case in open_cases:
            if any(one.about in (case.case_id, *case.waiting) for one in found):
                await self._cases.ask(case.case_id, "retry", {"by": _BY})
        return Looked(None, found, await self._of_nobody(strays))

    async def _of_nobody(self, strays: Sequence[str]) -> list[Difference]:
        async with self._pool.acquire() as connection:
            open_cases = await case_rows.open_cases(connection, None)
        lost = await self._restorer.lost(None, strays) if strays else []
        return [*lost, *await self._of_cases(open_cases, "UTC")]

    async def _mend(self, account_id: str, found: Sequence[Difference], *, give_up: bool) -> bool:
        """The past first, then the journey, then cases, which begin at their customer's own time; false while the past waits
        for that of another customer."""
        restored = await self._restorer.restore(account_id, give_up=give_up)
        self._restored += restored.done
        if restored.stopped:
            return False
        if restored.done:
            found = await self._differences(account_id)
        about = {one.about for one in found}
        try:
            if any(one.kind in _MENDED_BY_JOURNEY for one in found):
                await self._client.reconcile(account_id, by=_BY)
            async with self._pool.acquire() as connection:
                open_cases = await case_rows.open_cases(connection, account_id)
            for case in open_cases:
                if about & {case.case_id, *case.waiting}:
                    await self._cases.ask(case.case_id, "retry", {"by": _BY})
        except (Refusal, NoAnswerError):
            pass  # what is left says it
        return True


_MENDED_BY_JOURNEY = frozenset(
    {
        DifferenceKind.NO_FACTS,
        DifferenceKind.NOT_RUNNING,
        DifferenceKind.STEP_MISSING,
        DifferenceKind.STEP_UNWANTED,
        DifferenceKind.STEP_MOVED,
        DifferenceKind.STAGE_MISSING,
        DifferenceKind.STAGE_UNWANTED,
        DifferenceKind.STAGE_OTHER,
        DifferenceKind.DELIVERY_MISSING,
        DifferenceKind.PAUSE_OTHER,
        DifferenceKind.CLOSED,
        DifferenceKind.STANDING_OTHER,
    }
)


_LOST = frozenset({DifferenceKind.ORDER_LOST, DifferenceKind.REQUEST_LOST, DifferenceKind.STEP_LOST})

_STANDING = _LOST | {DifferenceKind.NOT_RUNNING, DifferenceKind.CASE_NOT_RUNNING, DifferenceKind.CLOSED}
"""What does not pass by itself."""


async def unattended(temporal: Client, pool: Pool) -> list[str]:
    """Accounts under contract whose journey does not run: nobody renews or bills them."""
    runs = temporal.list_workflows(f"WorkflowType = '{WORKFLOW}' AND ExecutionStatus = 'Running'")
    listed = {run.id async for run in runs}
    async with pool.acquire() as connection:
        owed = await customers.accounts_under_contract(connection)
    missing = [account_id for account_id in owed if journey_id(account_id) not in listed]
    return [account_id for account_id in missing if not await _runs(temporal, account_id)]


async def _runs(temporal: Client, account_id: str) -> bool:
    """True if the journey runs, also if it has just begun and is not listed yet."""
    try:
        described = await temporal.get_workflow_handle(journey_id(account_id)).describe()
    except RPCError as error:
        if not is_unknown(error):
            raise
        return False
    return described.status is WorkflowExecutionStatus.RUNNING


def _mendable(difference: Difference) -> bool:
    return difference.kind in _MENDED_BY_JOURNEY or difference.kind in _LOST | {
        DifferenceKind.CASE_NOT_RUNNING,
        DifferenceKind.CASE_OTHER,
    }


def _of_journey(
    facts: Facts, wanted: Agenda, running: Running | None, standing: CustomerStanding | None
) -> list[Difference]:
    account = facts.situation.customer.account
    if facts.record.closed_at is not None:
        if running is None or running.closed:
            return []
        said = "the account is closed on record, and its journey runs"
        return [Difference(DifferenceKind.CLOSED, account.account_id, said)]
    if running is None or running.closed or running.opened_at is None:
        steps = wanted.plan()
        first = f"; the next was due {steps[0].at:%Y-%m-%d %H:%M} UTC" if steps else ""
        said = f"no journey runs: {counted(len(steps), 'step')} and {counted(len(wanted.deliveries), 'message')} are looked after by nobody{first}"
        return [Difference(DifferenceKind.NOT_RUNNING, account.account_id, said)]
    return compare(wanted, running, facts.situation.as_of, account.time_zone, standing)


def _one_line(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]
