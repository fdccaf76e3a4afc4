"""Builds of our workers as the engine keeps them apart: which one has the work, which runs stay with another, and how they move.

A run that went a way of new code (a patch, `workflows/patches.py`) cannot be gone on with by a build that does not know that way. Each
build says which ones it knows; what it does not know stays pinned to the build that does, and everything else moves. Where workers pin
all that they begin, a run stays with its build anyway, and moves, onward or back, as it goes on as a new one.

Source: https://docs.temporal.io/production-deployment/worker-deployments/worker-versioning
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from google.protobuf.field_mask_pb2 import FieldMask
from temporalio.api.common.v1 import Payload, WorkflowExecution
from temporalio.api.deployment.v1 import WorkerDeploymentInfo
from temporalio.api.deployment.v1 import WorkerDeploymentVersion as VersionMessage
from temporalio.api.enums.v1 import TaskQueueType, WorkerDeploymentVersionStatus
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflow.v1 import WorkflowExecutionOptions
from temporalio.api.workflowservice.v1 import (
    DescribeTaskQueueRequest,
    DescribeWorkerDeploymentRequest,
    DescribeWorkerDeploymentVersionRequest,
    SetWorkerDeploymentCurrentVersionRequest,
    UpdateWorkerDeploymentVersionMetadataRequest,
    UpdateWorkflowExecutionOptionsRequest,
)
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import PinnedVersioningOverride, SearchAttributeKey, WorkerDeploymentVersion
from temporalio.service import RPCError, RPCStatusCode

from domain.kernel.refusals import MendableError
from workflows.patches import PATCHES

_KNOWN = "patches"
"""Under this name a build says which changes of code it knows."""
_RUNNING = "ExecutionStatus = 'Running'"
_PINNED = f"{_RUNNING} and TemporalWorkflowVersioningBehavior = 'Pinned'"
LATE = timedelta(seconds=20)
"""So long after a change of builds a run may still come up that went a new way: a workflow's task may take ten seconds, and be listed later."""
_BETWEEN = 1.5
"""Seconds between one look for such runs and the next."""
_APPEARS_WITHIN = 30
"""Seconds within which a build that asks for work is known to the engine."""


_WAYS = SearchAttributeKey.for_keyword_list("TemporalChangeVersion")
Known = Mapping[str, frozenset[str] | None]
"""Which changes of code each build knows, by its id; null for one that never said."""


class ReleaseError(MendableError, RuntimeError):
    """A build that cannot be given the work; the message says why, and what to do."""


@dataclass(frozen=True)
class Build:
    """A build of the workers: `current` has the work; `pinned` so many runs stay with it while another has; `patches` is what it knows
    of changed code, null if it never said; `workers` is true while some of it ask for work."""

    id: str
    current: bool
    status: str
    since: datetime | None
    pinned: int
    patches: frozenset[str] | None
    workers: bool


@dataclass(frozen=True)
class Moved:
    """What became of a change of builds: so many runs are `pinned` to a build that knows the ways they went, so many pinned ones `freed`;
    what went ways that no build knows any more is `stranded`."""

    before: str | None
    pinned: int
    freed: int
    stranded: tuple[str, ...] = ()


class Releases:
    """The builds of one deployment, which is called as its task queue is."""

    def __init__(self, temporal: Client, deployment: str, late: timedelta = LATE) -> None:
        self._temporal = temporal
        self._deployment = deployment
        self._late = late

    async def builds(self) -> list[Build]:
        """Every build that ever asked for work and is not forgotten, the newest first; none where versioning is off."""
        info = await self._info()
        if info is None:
            return []
        current, at_work = _current(info), await self._at_work()
        found = [
            Build(
                id=one.deployment_version.build_id,
                current=one.deployment_version.build_id == current,
                status=WorkerDeploymentVersionStatus.Name(one.status).rpartition("_")[2].lower(),
                since=one.create_time.ToDatetime(UTC) if one.HasField("create_time") else None,
                pinned=await self._count(self._held_by(one.deployment_version.build_id)),
                patches=await self.known_to(one.deployment_version.build_id),
                workers=one.deployment_version.build_id in at_work,
            )
            for one in info.version_summaries
        ]
        return sorted(found, key=lambda one: (one.since or datetime.min.replace(tzinfo=UTC), one.id), reverse=True)

    async def announce(self, build: str, patches: Sequence[str] = PATCHES) -> None:
        """Tells the engine which changes of code `build` knows; waits until the engine knows the build.

        Raises ReleaseError, also for a build that said something else before: other code needs another id.
        """
        entry = Payload(metadata={"encoding": b"json/plain"}, data=json.dumps(sorted(patches)).encode())
        request = UpdateWorkerDeploymentVersionMetadataRequest(
            namespace=self._temporal.namespace,
            deployment_version=self._version(build),
            upsert_entries={_KNOWN: entry},
        )
        for _ in range(_APPEARS_WITHIN * 4):
            try:
                said = await self.known_to(build)
                if said is not None and said != frozenset(patches):
                    other = ", ".join(sorted(said ^ frozenset(patches)))
                    raise ReleaseError(
                        f"build {build!r} is other code than before (it differs in {other}); give this one a PERENNIAL_BUILD_ID of its own"
                    )
                await self._temporal.workflow_service.update_worker_deployment_version_metadata(request)
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
                await asyncio.sleep(0.25)
            else:
                return
        raise ReleaseError(f"the engine does not know build {build!r}: no worker of it asks for work")

    async def use(self, build: str) -> Moved:
        """Gives `build` the work. Runs that went ways which it does not know stay with the build that has the work now; runs that are
        pinned, and went no such way, go on with `build`.

        Raises ReleaseError if no worker of it asked for work yet, or if it never said what it knows while some runs went new ways.
        """
        info = await self._info()
        ids = [one.deployment_version.build_id for one in info.version_summaries] if info else []
        if info is None or build not in ids:
            raise ReleaseError(
                f"no worker of build {build!r} asked for work; start one with PERENNIAL_BUILD_ID={build}"
                f" and PERENNIAL_VERSIONING on. Builds that are known: {', '.join(sorted(ids)) or 'none'}"
            )
        before = _current(info)
        known = {id: await self.known_to(id) for id in ids}
        unknown = _ways_unknown_to(build, known)
        pinned = set(await self._pin(unknown, known, before))
        await self._make_current(build)
        # What goes a new way until just now is in no list yet. Until it is pinned the other build fails its tasks, which are tried again.
        until = time.monotonic() + (self._late.total_seconds() if unknown else 0)
        while time.monotonic() < until:
            await asyncio.sleep(_BETWEEN)
            pinned |= set(await self._pin(unknown, known, before))
        return Moved(before, len(pinned), await self._free(unknown), tuple(await self._stranded(unknown, pinned)))

    async def known_to(self, build: str) -> frozenset[str] | None:
        """The changes of code that a build knows; null if it never said."""
        request = DescribeWorkerDeploymentVersionRequest(
            namespace=self._temporal.namespace, deployment_version=self._version(build)
        )
        answer = await self._temporal.workflow_service.describe_worker_deployment_version(request)
        entries = answer.worker_deployment_version_info.metadata.entries
        return frozenset(json.loads(entries[_KNOWN].data)) if _KNOWN in entries else None

    async def _pin(self, unknown: frozenset[str], known: Known, rather: str | None) -> list[str]:
        """Pins what went one of these ways, and is not pinned, to a build that knows all the ways it went: `rather` this one. Gives what
        was pinned."""
        pinned = []
        if unknown:
            query = f"{self._ours(unknown)} and TemporalWorkflowVersioningBehavior != 'Pinned'"
            async for run, ways in self._went(query):
                if (build := _who_knows(ways, known, rather)) is not None:
                    version = WorkerDeploymentVersion(self._deployment, build)
                    override = PinnedVersioningOverride(version)._to_proto()
                    if await self._set_options(run, WorkflowExecutionOptions(versioning_override=override)):
                        pinned.append(run)
        return pinned

    async def _stranded(self, unknown: frozenset[str], pinned: Collection[str]) -> list[str]:
        """What went one of these ways and is pinned to no build."""
        if not unknown:
            return []
        query = f"{self._ours(unknown)} and TemporalWorkflowVersioningBehavior != 'Pinned'"
        return [run async for run, _ in self._went(query) if run not in pinned]

    async def _free(self, unknown: frozenset[str]) -> int:
        """Lets what is pinned go on with the build that has the work, unless it went one of these ways; gives how many."""
        stays = {run async for run, _ in self._went(self._ours(unknown))} if unknown else set()
        freed = 0
        async for run, _ in self._went(f"{_PINNED} and TemporalWorkerDeployment = '{self._deployment}'"):
            if run not in stays and await self._is_held(run):
                freed += await self._set_options(run, WorkflowExecutionOptions())
        return freed

    async def _set_options(self, workflow_id: str, options: WorkflowExecutionOptions) -> int:
        """1 if the run took them, 0 if it has ended meanwhile."""
        request = UpdateWorkflowExecutionOptionsRequest(
            namespace=self._temporal.namespace,
            workflow_execution=WorkflowExecution(workflow_id=workflow_id),
            workflow_execution_options=options,
            update_mask=FieldMask(paths=["versioning_override"]),
            identity=self._temporal.identity,
        )
        try:
            await self._temporal.workflow_service.update_workflow_execution_options(request)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return 0
            raise
        return 1

    async def _is_held(self, workflow_id: str) -> bool:
        """True for what somebody pinned, and not its worker's own way."""
        described = await self._temporal.get_workflow_handle(workflow_id).describe()
        info = described.raw_description.workflow_execution_info
        return described.status is WorkflowExecutionStatus.RUNNING and info.versioning_info.HasField(
            "versioning_override"
        )

    async def _make_current(self, build: str) -> None:
        request = SetWorkerDeploymentCurrentVersionRequest(
            namespace=self._temporal.namespace,
            deployment_name=self._deployment,
            build_id=build,
            identity=self._temporal.identity,
        )
        try:
            await self._temporal.workflow_service.set_worker_deployment_current_version(request)
        except RPCError as error:
            if error.status is RPCStatusCode.FAILED_PRECONDITION:
                raise ReleaseError(f"build {build!r} cannot be given the work: {error}") from error
            raise

    async def _info(self) -> WorkerDeploymentInfo | None:
        request = DescribeWorkerDeploymentRequest(namespace=self._temporal.namespace, deployment_name=self._deployment)
        try:
            answer = await self._temporal.workflow_service.describe_worker_deployment(request)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise
        return answer.worker_deployment_info

    def _version(self, build: str) -> VersionMessage:
        return VersionMessage(deployment_name=self._deployment, build_id=build)

    def _ours(self, ways: Iterable[str]) -> str:
        named = ", ".join(f"'{one}'" for one in sorted(ways))
        return f"{_RUNNING} and TemporalWorkerDeployment = '{self._deployment}' and TemporalChangeVersion in ({named})"

    def _held_by(self, build: str) -> str:
        return f"{_PINNED} and TemporalWorkerDeploymentVersion = '{self._deployment}:{build}'"

    async def _went(self, query: str) -> AsyncIterator[tuple[str, frozenset[str]]]:
        """The workflows of these runs, each with the ways it went."""
        for run in [one async for one in self._temporal.list_workflows(query)]:
            yield run.id, frozenset(run.typed_search_attributes.get(_WAYS) or ())

    async def _at_work(self) -> set[str]:
        """The builds of the workers that ask for the queue's work."""
        request = DescribeTaskQueueRequest(
            namespace=self._temporal.namespace,
            task_queue=TaskQueue(name=self._deployment),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        )
        described = await self._temporal.workflow_service.describe_task_queue(request)
        return {one.deployment_options.build_id for one in described.pollers}

    async def _count(self, query: str) -> int:
        return (await self._temporal.count_workflows(query)).count


def _ways_unknown_to(build: str, known: Known) -> frozenset[str]:
    """The ways that some build knows and `build` does not. Raises ReleaseError if it never said."""
    everything = frozenset[str]().union(*(ways for ways in known.values() if ways))
    its = known[build]
    if its is None and everything:
        raise ReleaseError(
            f"build {build!r} never said which changes of code it knows; let one of its workers run until it has, then ask again"
        )
    return everything - (its or frozenset())


def _who_knows(ways: frozenset[str], known: Known, rather: str | None) -> str | None:
    """A build that knows all of these ways: `rather` this one, else the one that knows most."""
    able = {id: its for id, its in known.items() if its is not None and ways <= its}
    return rather if rather in able else max(able, key=lambda id: (len(able[id]), id), default=None)


def _current(info: WorkerDeploymentInfo) -> str | None:
    return info.routing_config.current_deployment_version.build_id or None
