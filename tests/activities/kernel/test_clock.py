"""The one clock: it can be given another time, in a process and for a command."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from activities.kernel import clock
from tests.workers.cli.running import perennial


@pytest.fixture
def _afterwards() -> Iterator[None]:
    before = clock.present()
    yield
    clock.begin_at(before)


@pytest.mark.usefixtures("_afterwards")
def test_it_goes_on_from_the_instant_that_it_was_given() -> None:
    for given in ("2027-01-31T23:30:00+09:00", "2028-02-29T00:00:00Z", "2026-12-31T23:30:00-05:00"):
        at = datetime.fromisoformat(given)
        clock.begin_at(at)
        assert timedelta() <= clock.present() - at < timedelta(seconds=10)
    with pytest.raises(ValueError, match="add its offset"):
        clock.begin_at(datetime.fromisoformat("2027-01-31T10:00:00"))


async def test_a_time_that_is_none_is_refused_by_the_command_line(tmp_path: Path) -> None:
    ended = await perennial(
        "report", "sla", dsn="postgresql://127.0.0.1:9/x", folder=tmp_path, environment={"PERENNIAL_NOW": "soon"}
    )
    assert ended.code == 1
    assert "PERENNIAL_NOW is 'soon'; give an instant such as 2027-01-31T23:30:00+09:00" in " ".join(ended.err.split())
