"""`perennial deliveries retry`: all that waits, or some messages alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Servers
from tests.workers.cli.running import beside, perennial


@pytest.mark.engine
@pytest.mark.parametrize(
    ("said", "told"),
    [
        (("journey:A-0/none#0",), "journey:A-0/none#0 does not wait to leave; `perennial deliveries list --json` says"),
        (("journey:A-0/none#0", "--channel", "mail"), "name messages, or give --channel and --account"),
    ],
)
async def test_a_message_alone_is_one_that_waits(
    servers: Servers, tmp_path: Path, said: tuple[str, ...], told: str
) -> None:
    beside(servers, tmp_path)
    ended = await perennial("deliveries", "retry", *said, dsn=servers.stack.postgres_dsn, folder=tmp_path, width=200)
    assert ended.code != 0
    assert told in ended.err
