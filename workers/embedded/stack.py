"""Everything that Perennial needs around it, on one machine, from PyPI packages alone."""

import asyncio
import contextlib
import json
import os
import shutil
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from gateway.here import Running
from workers.embedded.lock import FolderLock
from workers.embedded.mailbox import Mailbox, Rejection
from workers.embedded.mailbox_server import EmbeddedMailbox
from workers.embedded.part import Part
from workers.embedded.placement import location
from workers.embedded.postgres import EmbeddedPostgres, check_user_has_a_name
from workers.embedded.process import complete
from workers.embedded.temporal_server import RETENTION, EmbeddedTemporal


def postgres_folder(data_dir: Path) -> Path:
    """Where a stack's PostgreSQL keeps everything."""
    return data_dir / "postgres"


def engine_file(data_dir: Path) -> Path:
    """The file in which a stack's Temporal keeps everything."""
    return data_dir / "temporal" / "temporal.db"


class EmbeddedStack(Part):
    """PostgreSQL, Temporal with its web interface, and a mailbox, as one async context manager.

    All listen on loopback alone, on their usual port or the next free one. Leaving the context, by whatever way, ends
    every process and gives back every port. When this process is killed, the kernel ends the servers on Linux;
    elsewhere the next start on the same folder does.

    Args:
        data_dir: folder that keeps the state between runs; made when missing.
        search_attributes: Temporal's search attributes, name to type.
        keep: False removes on leaving what the stack has put into `data_dir`.
        on_progress: told in a few words what has been reached.
        reject: refuses mail recipients, see `EmbeddedMailbox`.
        codec: where Temporal's web interface has payloads decoded.
        retention: for how long runs that are over can be looked at.

    Raises:
        AlreadyRunningError: on entering, when another process runs a stack on this folder; it has the `pid`.
        EmbeddedError: on entering, when a part cannot start. The others have been ended by then.
    """

    def __init__(
        self,
        data_dir: Path = Path(".perennial"),
        search_attributes: Mapping[str, str] | None = None,
        keep: bool = True,
        on_progress: Callable[[str], None] | None = None,
        *,
        reject: Rejection | None = None,
        codec: str | None = None,
        retention: timedelta = RETENTION,
    ) -> None:
        self.data_dir = data_dir.resolve()
        self.postgres = EmbeddedPostgres(postgres_folder(self.data_dir))
        self.temporal = EmbeddedTemporal(
            engine_file(self.data_dir),
            search_attributes=search_attributes,
            codec=codec,
            retention=retention,
        )
        self.mail = EmbeddedMailbox(self.data_dir / "mailbox", reject=reject)
        self._keep = keep
        self._report = on_progress or (lambda _: None)
        self._lock = FolderLock(self.data_dir)
        self._running: list[Part] = []

    @property
    def postgres_dsn(self) -> str:
        """Address of the database, password included."""
        return self.postgres.dsn

    @property
    def postgres_port(self) -> int:
        """The database's TCP port."""
        return self.postgres.port

    @property
    def temporal_address(self) -> str:
        """`host:port` of the Temporal server."""
        return self.temporal.address

    @property
    def ui_url(self) -> str:
        """Temporal's web interface."""
        return self.temporal.ui_url

    @property
    def metrics_url(self) -> str:
        """The Temporal server's metrics, in Prometheus' text format."""
        return self.temporal.metrics_url

    @property
    def smtp_host(self) -> str:
        """Host of the SMTP server."""
        return self.mail.smtp_host

    @property
    def smtp_port(self) -> int:
        """TCP port of the SMTP server."""
        return self.mail.smtp_port

    @property
    def mailbox(self) -> Mailbox:
        """The mails received, those of earlier runs included."""
        return self.mail.mailbox

    @property
    def running(self) -> Running:
        """Where it listens, for other processes."""
        return Running(
            pid=os.getpid(),
            data_dir=self.data_dir,
            temporal_address=self.temporal_address,
            database_url=self.postgres_dsn,
            smtp_host=self.smtp_host,
            smtp_port=self.smtp_port,
            ui_url=self.ui_url,
            mailbox_url=self.mailbox_url,
        )

    @property
    def mailbox_url(self) -> str:
        """Where a browser shows the mails."""
        return self.mail.web_url

    async def __aenter__(self) -> Self:
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self._lock.__enter__()
        self._prefer_known_ports()
        return await super().__aenter__()

    def _prefer_known_ports(self) -> None:
        """Each part listens where it did at the last start, if that is free: addresses that people wrote down still hold."""
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            known = json.loads(self._ports_file.read_text(encoding="utf-8"))
            postgres, temporal, mail = int(known["postgres"]), map(int, known["temporal"]), map(int, known["mail"])
            self.postgres.preferred = postgres
            self.temporal.preferred = (next(temporal), next(temporal), next(temporal))
            self.mail.preferred = (next(mail), next(mail))

    def _keep_ports(self) -> None:
        mailbox = urlsplit(self.mailbox_url).port
        known = {
            "postgres": self.postgres_port,
            "temporal": [self.temporal.port, self.temporal.ui_port, self.temporal.metrics_port],
            "mail": [self.smtp_port, mailbox],
        }
        self._ports_file.write_text(json.dumps(known), encoding="utf-8")

    @property
    def _ports_file(self) -> Path:
        return self.data_dir / "ports.json"

    async def _start(self) -> None:
        self._report("Starting PostgreSQL, Temporal and the mailbox")
        if not postgres_folder(self.data_dir).exists():
            check_user_has_a_name()  # said before another part fails for the same reason, in words of its own
        parts: list[tuple[Part, Callable[[], str]]] = [
            (self.postgres, lambda: f"PostgreSQL is up on port {self.postgres_port}"),
            (self.temporal, lambda: f"Temporal is up at {self.temporal_address}, its web interface at {self.ui_url}"),
            (self.mail, lambda: f"The mailbox is up: SMTP on port {self.smtp_port}, pages at {self.mailbox_url}"),
        ]
        starts = [asyncio.create_task(self._start_part(part, said)) for part, said in parts]
        try:
            await asyncio.gather(*starts)
        except BaseException:
            for start in starts:
                start.cancel()
            # Each part ends itself when its start is cancelled; wait for that, however often we are cancelled.
            await complete(_settled(starts))
            raise
        self._keep_ports()

    async def _start_part(self, part: Part, said: Callable[[], str]) -> None:
        began = time.monotonic()
        await part.__aenter__()
        self._running.append(part)
        self._report(f"{said()} ({time.monotonic() - began:.1f} s)")

    async def _stop(self) -> None:
        ends = await asyncio.gather(
            *(part.__aexit__(None, None, None) for part in self._running), return_exceptions=True
        )
        self._running.clear()
        try:
            if not self._keep:
                await asyncio.to_thread(self._remove)
        finally:
            self._lock.__exit__(None, None, None)
        for end in ends:
            if isinstance(end, BaseException):
                raise end

    def _remove(self) -> None:
        database = self.data_dir / "postgres"
        for folder in (location(database), database, self.data_dir / "temporal", self.data_dir / "mailbox"):
            shutil.rmtree(folder, ignore_errors=True)
        (self.data_dir / "owner.lock").unlink(missing_ok=True)
        self._ports_file.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # what others have put there stays
            self.data_dir.rmdir()


async def _settled(tasks: "list[asyncio.Task[None]]") -> None:
    await asyncio.gather(*tasks, return_exceptions=True)
