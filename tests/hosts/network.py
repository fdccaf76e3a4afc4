"""Network namespaces on one bridge, and the servers of this machine's loopback put there. Root alone can make them."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import cache
from pathlib import Path

BRIDGE, MARK = "prn-bridge", "prn-host"
NETWORK = "10.213.77"
HERE = f"{NETWORK}.1"
"""Where hosts reach the servers."""


@cache
def why_not() -> str | None:
    """Why there can be no namespaces here; null if there can."""
    if os.geteuid() != 0:
        return "network namespaces are made by root alone"
    if shutil.which("ip") is None:
        return "`ip` (iproute2) is not installed"
    tried = f"{MARK}-try-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", tried], capture_output=True, check=False)
    if made.returncode:
        return f"network namespaces cannot be made here: {made.stderr.decode().strip()}"
    _ip("netns", "del", tried)
    return None


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


def address(host: int) -> str:
    """Where a host is."""
    return f"{NETWORK}.{10 + host}"


def cut(host: int) -> None:
    """No byte reaches the host or leaves it any more; nobody is told."""
    _ip("link", "set", f"{MARK}{host}", "down")


def join(host: int) -> None:
    """It is reached again."""
    _ip("link", "set", f"{MARK}{host}", "up")


@asynccontextmanager
async def hosts(count: int) -> AsyncIterator[None]:
    """So many hosts, numbered from 1, until the end of the block."""
    _remove(count)
    try:
        _ip("link", "add", BRIDGE, "type", "bridge")
        _ip("addr", "add", f"{HERE}/24", "dev", BRIDGE)
        _ip("link", "set", BRIDGE, "up")
        for host in range(1, count + 1):
            inside = ("netns", "exec", f"{MARK}{host}", "ip")
            _ip("netns", "add", f"{MARK}{host}")
            _ip("link", "add", f"{MARK}{host}", "type", "veth", "peer", "name", "eth0", "netns", f"{MARK}{host}")
            _ip("link", "set", f"{MARK}{host}", "master", BRIDGE, "up")
            _ip(*inside, "addr", "add", f"{address(host)}/24", "dev", "eth0")
            _ip(*inside, "link", "set", "eth0", "up")
            _ip(*inside, "link", "set", "lo", "up")
        yield
    finally:
        _remove(count)


def _remove(count: int) -> None:
    for host in range(1, count + 1):
        subprocess.run(["ip", "netns", "del", f"{MARK}{host}"], capture_output=True, check=False)
        subprocess.run(["ip", "link", "del", f"{MARK}{host}"], capture_output=True, check=False)
    subprocess.run(["ip", "link", "del", BRIDGE], capture_output=True, check=False)


@asynccontextmanager
async def put_there(*ports: int) -> AsyncIterator[None]:
    """What listens on these ports of loopback is reached at `HERE` as well."""

    def passing(port: int) -> asyncio.Task[asyncio.Server]:
        async def taken(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            theirs, to_them = await asyncio.open_connection("127.0.0.1", port)
            await asyncio.gather(_pass_on(reader, to_them), _pass_on(theirs, writer))

        return asyncio.create_task(asyncio.start_server(taken, HERE, port))

    async with AsyncExitStack() as servers:
        for port in ports:
            server = await passing(port)
            servers.callback(server.close)
        yield


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def process_on(host: int, *command: str, log: Path, **environment: str) -> AsyncIterator[None]:
    """A process on a host; it is asked to end after the block, and killed if it does not."""
    with log.open("ab") as said:
        process = await asyncio.create_subprocess_exec(
            *("ip", "netns", "exec", f"{MARK}{host}", *command),
            env={**os.environ, **environment},
            stdout=said,
            stderr=said,
        )
    try:
        yield
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), 10)
            except TimeoutError:
                process.kill()
                await process.wait()
