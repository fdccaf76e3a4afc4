"""What the tests of the embedded stack share: places for data, and looks at processes, ports and file modes."""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from workers.embedded.placement import location
from workers.embedded.ports import LOOPBACK, is_free
from workers.embedded.process import listens

AS_ROOT = os.geteuid() == 0
PROJECT = Path(__file__).resolve().parents[3]


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    """A folder that only we can enter, as root's home is; what root had to put elsewhere is removed afterwards."""
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    folder = private / "state"
    yield folder
    for asked in (folder, folder / "postgres"):
        elsewhere = location(asked)
        if elsewhere != asked:
            shutil.rmtree(elsewhere, ignore_errors=True)
            shutil.rmtree(elsewhere.with_name(elsewhere.name + ".old"), ignore_errors=True)


@pytest.fixture
def open_dir() -> Iterator[Path]:
    """A folder that everybody can enter."""
    folder = Path(tempfile.mkdtemp(prefix="perennial-test-", dir="/var/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def stranger() -> Iterator[Callable[[int | None], int]]:
    """Starts a process that has nothing to do with us, as the given user id, and returns its process id."""
    started: list[subprocess.Popen[bytes]] = []

    def start(uid: int | None) -> int:
        started.append(subprocess.Popen(["/bin/sleep", "60"], user=uid, cwd="/"))
        return started[-1].pid

    yield start
    for process in started:
        process.kill()
        process.wait()


def modes(*paths: Path) -> dict[str, tuple[str, int, int]]:
    """Mode, user and group of every folder above the paths, and of those of the paths that exist."""
    found = {}
    for folder in {folder for path in paths for folder in (path, *path.parents) if folder.exists()}:
        status = folder.stat()
        found[str(folder)] = (stat.filemode(status.st_mode), status.st_uid, status.st_gid)
    return found


def running(pid: int) -> bool:
    """Whether the process lives; one that has ended and was not yet waited for does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def family(pid: int) -> list[int]:
    """The process and all that it started."""
    return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]


def children() -> set[int]:
    """The processes that this one has started itself and that still live; other tests' servers may be among them."""
    return {child.pid for child in psutil.Process().children() if running(child.pid)}


async def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for the condition, and fail when it does not come true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.02)


@contextlib.contextmanager
def taken(*ports: int) -> Iterator[None]:
    """Somebody listens on each of them: we, if it is not the stack that this process's other tests run on."""
    with contextlib.ExitStack() as held:
        for port in ports:
            if is_free(port):
                held.enter_context(socket.create_server((LOOPBACK, port)))
        yield


async def kill(pid: int) -> None:
    """End a process as a power failure would, and wait until it is gone."""
    members = family(pid)
    os.kill(pid, signal.SIGKILL)
    await until(lambda: not any(running(member) for member in members))


async def all_gone(pids: list[int], ports: list[int]) -> None:
    """Fail unless every process ends and every port is given back within a moment."""
    await until(lambda: not any(running(pid) for pid in pids))
    # Others who test on this machine may have taken a free port again: what counts is that we do not hold it.
    await until(lambda: not any(listens(pid, port) for pid in (os.getpid(), *pids) for port in ports))


def installation(target: Path) -> Path:
    """An interpreter with our dependencies and packages that every user can run; returns its path.

    Ours may lie in root's home. The copy is made of hard links where the file system allows them.
    """
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    library = Path(sys.base_prefix, "lib", version)
    ours = Path(psutil.__file__).parents[1]
    development = shutil.ignore_patterns("mypy*", "hypothesis*", "*stubs", "rich*")
    _link_tree(library, target / "lib" / version, shutil.ignore_patterns("test", "site-packages"))
    _link_tree(ours, target / "lib" / version / "site-packages", development)
    for package in ("domain", "workflows", "activities", "gateway", "workers"):
        _link_tree(PROJECT / package, target / "lib" / version / "site-packages" / package, development)
    (target / "bin").mkdir()
    for program in (Path(sys.base_prefix, "bin", version), Path(sys.prefix, "bin", "temporal")):
        _link(str(program.resolve()), str(target / "bin" / program.name))
    for shared in Path(sys.base_prefix, "lib").glob("libpython*"):
        _link(str(shared.resolve()), str(target / "lib" / shared.name))
    return target / "bin" / version


def _link_tree(source: Path, target: Path, ignore: Callable[[str, list[str]], set[str]]) -> None:
    shutil.copytree(source, target, ignore=ignore, copy_function=_link)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
