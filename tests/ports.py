"""Ports of this process alone: whatever else tests start on this machine at the same time looks elsewhere."""

from __future__ import annotations

import atexit
import fcntl
import itertools
import os
import tempfile
from functools import cache
from pathlib import Path
from typing import IO

from workers.embedded.mailbox_server import EmbeddedMailbox
from workers.embedded.ports import is_free
from workers.embedded.postgres import EmbeddedPostgres
from workers.embedded.temporal_server import EmbeddedTemporal

# Above the ports that servers prefer, below those that the system hands out to whoever calls (from 32768).
_FIRST = 20_000
_EACH = 200
_BLOCKS = 60
_PREFERRED = range(0, 120, 20)
"""where each server of a stack begins to look, within the block; the rest is handed out"""

_held: list[IO[str]] = []
"""locks that last as long as this process"""


@cache
def _block() -> range:
    """The first block of ports that no other process holds."""
    folder = Path(tempfile.gettempdir()) / f"perennial-test-ports-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    for number in range(_BLOCKS):
        lock = (folder / f"{number}.lock").open("a")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            continue
        _held.append(lock)
        atexit.register(lock.close)
        return range(_FIRST + number * _EACH, _FIRST + (number + 1) * _EACH)
    raise RuntimeError(f"all {_BLOCKS} blocks of ports are held; look for tests that never ended")


@cache
def _handed_out() -> itertools.cycle[int]:
    return itertools.cycle(_block()[_PREFERRED.stop :])


def own_ports(count: int) -> list[int]:
    """Free ports in a row that only this process looks at, so that nothing else can be faster at one of them.

    To look whether a port is free is to listen on it for a moment: two processes that look at one port disturb each other.
    """
    found: list[int] = []
    for port in itertools.islice(_handed_out(), 2 * _EACH):
        if not is_free(port):
            found = []
            continue
        in_a_row = found and port == found[-1] + 1
        found = [*found, port] if in_a_row else [port]
        if len(found) == count:
            return found
    raise RuntimeError(f"no {count} free ports in a row among this process's {_EACH}")


def prefer_own() -> None:
    """Lets every embedded server that this process starts without saying where listen on ports of its own."""
    postgres, temporal, ui, metrics, smtp, web = (_block()[offset] for offset in _PREFERRED)
    EmbeddedPostgres.preferred = postgres
    EmbeddedTemporal.preferred = (temporal, ui, metrics)
    EmbeddedMailbox.preferred = (smtp, web)
