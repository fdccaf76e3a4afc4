"""`perennial deliveries retry`: all that waits, or some messages alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Servers
from tests.workers.cli.running import beside, perennial


@pytest.mark.engine
async def test_each_message_that_is_named_is_looked_at_whatever_becomes_of_the_others(
    servers: Servers, tmp_path: Path
) -> None:
    beside(servers, tmp_path)
    asked = ("deliveries", "retry", "journey:A-0/none#0", "journey:A-0/none#1")
    ended = await perennial(*asked, dsn=servers.stack.postgres_dsn, folder=tmp_path, width=200)
    assert ended.code == 1
    assert [
        line.partition(" it does not wait to leave; `perennial deliveries list --json`")[0]
        for line in ended.out.splitlines()
    ] == [
        "journey:A-0/none#0:",
        "journey:A-0/none#1:",
    ]
    assert "2 messages of 2 not tried again" in ended.err


async def test_messages_are_named_or_chosen_by_channel(tmp_path: Path) -> None:
    asked = ("deliveries", "retry", "journey:A-0/none#0", "--channel", "mail")
    ended = await perennial(*asked, dsn="postgresql://none", folder=tmp_path, width=200)
    assert (ended.code, "name messages, or give --channel and --account" in ended.err) == (1, True)
