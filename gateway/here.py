"""The embedded stack of this folder: where `perennial up` or a demo listens, as they leave it for whoever works beside them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, TypeAdapter, ValidationError

from activities.kernel.pool import Pool, open_pool
from domain.kernel.refusals import MendableError

TASK_QUEUE = "perennial"
"""The task queue of a deployment, unless its settings name another."""

CODEC = "/codec"
"""Where the gateway reads payloads for the Temporal UI and the command line."""

DATA_DIR = Path(".perennial")
DEMO_DIR = DATA_DIR / "demo"


class NoServerError(MendableError, RuntimeError):
    """A server that cannot be found; the message says what to do."""


class Running(BaseModel):
    """Where an embedded stack listens, as `perennial up` leaves it for other processes."""

    pid: int
    temporal_address: str
    database_url: str
    smtp_host: str
    smtp_port: int
    ui_url: str
    mailbox_url: str
    gateway_url: str = ""
    data_dir: Path | None = None
    """where it keeps everything"""


def running_file(data_dir: Path) -> Path:
    """The file that tells others where the stack of `data_dir` listens."""
    return data_dir / "stack.json"


def find_running() -> Running | None:
    """The embedded stack that runs in this folder, if one does: that of `perennial up`, else that of a demo."""
    return running_on(DATA_DIR) or running_on(DEMO_DIR)


def running_on(data_dir: Path) -> Running | None:
    """The embedded stack that runs on `data_dir`, if one does."""
    try:
        found = Running.model_validate_json(running_file(data_dir).read_text())
        os.kill(found.pid, 0)
    except (OSError, ValidationError):
        return None
    return found


async def open_facts() -> Pool:
    """PostgreSQL with the facts: the one that PERENNIAL_DATABASE_URL names, else that of the stack in this folder.

    Raises NoServerError if there is neither.
    """
    here = find_running()
    dsn = os.environ.get("PERENNIAL_DATABASE_URL") or (here.database_url if here else None)
    if dsn is None:
        raise NoServerError("no stack runs in this folder; start `perennial up` here, or set PERENNIAL_DATABASE_URL")
    return await open_pool(dsn, pooled=is_pooled(os.environ))


def is_pooled(environment: Mapping[str, str]) -> bool:
    """Whether the database is behind a pooler that gives another session to each transaction, as the settings have it."""
    return TypeAdapter(bool).validate_python(environment.get("PERENNIAL_DATABASE_POOLED", "false"))
