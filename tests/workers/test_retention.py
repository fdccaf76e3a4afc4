"""For how long the engine keeps what is over: one setting, which the embedded stack follows and the doctor looks at."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from gateway.connection import connect_to_own
from workers.embedded.temporal_server import EmbeddedTemporal
from workers.retention import RETENTION, RetentionError, retention_of, wanted_retention


@pytest.mark.parametrize(("said", "days"), [("365d", 365), ("48h", 2), ("1d", 1)])
def test_a_period_is_read(said: str, days: int) -> None:
    assert wanted_retention({RETENTION: said}) == timedelta(days=days)
    assert wanted_retention({}) is None


@pytest.mark.parametrize("said", ["365", "1w", "12h", "-1d", "0d", "a year"])
def test_what_is_no_period_is_told(said: str) -> None:
    with pytest.raises(RetentionError, match="365d"):
        wanted_retention({RETENTION: said})


async def test_the_embedded_server_keeps_it(tmp_path: Path) -> None:
    async with EmbeddedTemporal(tmp_path / "temporal.db", retention=timedelta(days=30)) as server:
        assert await retention_of(await connect_to_own(server.address)) == timedelta(days=30)
