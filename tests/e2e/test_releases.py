"""Running years moved from one build of the workers to the next while they are asked for things, and back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from temporalio.api.enums.v1 import EventType

from gateway.client import PerennialClient
from gateway.releases import ReleaseError, Releases
from tests.agendas import apart_of_all
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of
from tests.replay.changed import LOOKS_FIRST, LooksFirst
from workers.settings import Settings, Versioning
from workers.wiring import WORKFLOWS, build_worker
from workflows.patches import PATCHES

pytestmark = pytest.mark.engine
NEWER = (LooksFirst, *WORKFLOWS[1:])
OLD, NEW = "1.0", "1.1"
A_WHILE = timedelta(days=12)


class Place:
    """A task queue of its own, whose workers are of the builds that a test starts."""

    def __init__(self, servers: Servers, versioning: Versioning) -> None:
        self.servers = servers
        self.queue = f"releases-{uuid4().hex[:8]}"
        self.client = PerennialClient(servers.temporal, servers.pool, task_queue=self.queue)
        self.releases = Releases(servers.temporal, self.queue, timedelta(seconds=4))
        self._settings = servers.settings.model_copy(update={"task_queue": self.queue, "versioning": versioning})

    def settings(self, build: str) -> Settings:
        return self._settings.model_copy(update={"build_id": build})

    @asynccontextmanager
    async def build(self, build: str) -> AsyncIterator[None]:
        """Workers of a build, which has said what it knows."""
        newer = build == NEW
        workflows = NEWER if newer else WORKFLOWS
        async with build_worker(self.servers.temporal, self.servers.pool, self.settings(build), workflows=workflows):
            await self.releases.announce(build, (*PATCHES, LOOKS_FIRST) if newer else PATCHES)
            yield

    async def placed(self, number: int) -> list[str]:
        """So many customers with an order each."""
        documents = [order() for _ in range(number)]
        await asyncio.gather(*(self.client.place_order(document) for document in documents))
        return [account_of(document) for document in documents]

    async def later(self, accounts: Iterable[str]) -> None:
        """A while passes for some customers."""
        for account in accounts:
            await self.client.fast_forward(account, A_WHILE)

    async def talked(self, account: str) -> None:
        """Something small is asked for."""
        await self.client.ask(account, "pause", {"reason": "stocktaking"})
        await self.client.ask(account, "resume", {})

    async def build_of(self, account: str) -> str:
        """The build that a journey's last task was done by."""
        described = await self.servers.handle(account).describe()
        version: str = described.raw_description.workflow_execution_info.versioning_info.deployment_version.build_id
        return version

    async def moved_to(self, build: str, accounts: Sequence[str]) -> None:
        """Waits until journeys have moved; they hear of a change of builds with a task, once the engine has spread it."""
        for _ in range(20):
            await asyncio.gather(*map(self.talked, accounts))
            if [await self.build_of(account) for account in accounts] == [build] * len(accounts):
                return
        raise AssertionError(f"not all have moved to {build}")

    async def runs_of(self, account: str) -> int:
        """As how many runs a journey has gone on."""
        found = self.servers.temporal.list_workflows(f"WorkflowId = 'journey-{account}'")
        return len([one async for one in found])

    async def failed_tasks(self, account: str) -> list[Any]:
        """Workflow tasks of the journey's latest run that no build could do."""
        events = self.servers.handle(account).fetch_history_events()
        kind = EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
        return [event.workflow_task_failed_event_attributes async for event in events if event.event_type == kind]

    async def ways(self, way: str, number: int) -> None:
        """Waits until the engine lists so many runs that went a new way."""
        query = f"TaskQueue = '{self.queue}' and TemporalChangeVersion = '{way}' and ExecutionStatus = 'Running'"
        for _ in range(100):
            if (await self.servers.temporal.count_workflows(query)).count == number:
                return
            await asyncio.sleep(0.1)
        raise AssertionError(f"not {number} runs are listed that went the way {way}")


@asynccontextmanager
async def _asking(place: Place, accounts: Sequence[str]) -> AsyncIterator[list[str]]:
    """Load: one customer after the other asks for something, until the end of the block; who asked, in order."""
    asked: list[str] = []
    over = asyncio.Event()

    async def ask() -> None:
        while not over.is_set():
            account = accounts[len(asked) % len(accounts)]
            await place.talked(account)
            asked.append(account)

    asking = asyncio.create_task(ask())
    try:
        yield asked
    finally:
        over.set()
        await asking


async def test_running_years_move_to_a_new_build_under_load_and_back(servers: Servers) -> None:
    place = Place(servers, Versioning.AUTO_UPGRADE)
    async with place.build(OLD):
        with pytest.raises(ReleaseError, match=r"no worker of build '9\.9'.*known: 1\.0"):
            await place.releases.use("9.9")
        await place.releases.use(OLD)
        old = await place.placed(4)
        await place.later(old)
        async with place.build(NEW), _asking(place, old[:2]) as asked:
            onward = await place.releases.use(NEW)
            assert (onward.before, onward.pinned) == (OLD, 0)
            new = await place.placed(2)
            await place.later([*new, *old[2:4]])
            await place.ways(LOOKS_FIRST, len(new))
            assert [await place.build_of(account) for account in (*new, *old[2:4])] == [NEW] * 4

            back = await place.releases.use(OLD)
            assert (back.before, back.pinned) == (NEW, len(new))
            await place.later([*new, *old])
            await asyncio.gather(*map(place.talked, (*new, *old[2:])))
            assert [await place.build_of(account) for account in new] == [NEW] * len(new)
            assert [await place.build_of(account) for account in old] == [OLD] * len(old)
            held = {one.id: (one.current, one.pinned, one.workers) for one in await place.releases.builds()}
            assert held == {OLD: (True, 0, True), NEW: (False, len(new), True)}

            again = await place.releases.use(NEW)
            assert again.freed == len(new)
            await place.later([*new, *old])
            assert len(asked) > 3
            await asyncio.gather(*map(place.talked, (*new, *old[2:])))
            assert [await place.build_of(account) for account in (*new, *old)] == [NEW] * 6
            assert not [task for account in (*new, *old) for task in await place.failed_tasks(account)]
            assert not {account: said for account, said in (await apart_of_all(servers, [*new, *old])).items() if said}


async def test_a_change_of_builds_that_was_broken_off_is_made_whole_by_asking_again(servers: Servers) -> None:
    place = Place(servers, Versioning.AUTO_UPGRADE)
    async with place.build(OLD), place.build(NEW):
        await place.releases.use(NEW)
        (account,) = await place.placed(1)
        await place.later([account])
        await place.ways(LOOKS_FIRST, 1)
        await place.releases._make_current(OLD)  # and died before it had pinned anything
        moved = await place.releases.use(OLD)
        assert (moved.before, moved.pinned, moved.stranded) == (OLD, 1, ())
        await place.talked(account)
        assert await place.build_of(account) == NEW
        with pytest.raises(ReleaseError, match="give this one a PERENNIAL_BUILD_ID of its own"):
            await place.releases.announce(NEW, PATCHES)


async def test_pinned_runs_move_when_they_go_on_as_new_ones(servers: Servers) -> None:
    place = Place(servers, Versioning.PINNED)
    async with place.build(OLD):
        await place.releases.use(OLD)
        accounts = await place.placed(2)
        await place.later(accounts)
        async with place.build(NEW):
            await place.releases.use(NEW)
            await place.moved_to(NEW, accounts)
            assert [await place.runs_of(account) for account in accounts] == [2, 2]
            await place.later(accounts)
            await place.ways(LOOKS_FIRST, 2)
            assert (await place.releases.use(OLD)).pinned == 0
            await place.moved_to(OLD, accounts)
            for _ in range(3):  # and stay there
                await asyncio.gather(*map(place.talked, accounts))
            assert [await place.runs_of(account) for account in accounts] == [3, 3]
            await place.later(accounts)
            assert not [task for account in accounts for task in await place.failed_tasks(account)]
