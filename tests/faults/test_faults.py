"""A small run: customers live through faults of all parts, and errors that are planted into what it has left are found."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.planting import KINDS, plant
from tests.faults.running import Asked, running


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that PostgreSQL reaches as well, who is somebody else where we are root."""
    with tempfile.TemporaryDirectory(prefix="perennial-faults-") as found:
        Path(found).chmod(0o711)
        yield Path(found)


@pytest.mark.slow("faults")
@pytest.mark.timeout(600)
async def test_nothing_is_lost_and_what_is_planted_is_found(folder: Path) -> None:
    asked = Asked(
        seed=20261130, minutes=0.1, journeys=2, at_once=2, every=3.5, of_connections=4.0, restores=False, days=(40,)
    )
    async with running(folder, asked, print) as run:
        await run.live()
        await run.settle()
        evidence, found = await run.check()
        assert found == []
        assert run.failing.counted.total() >= 3
        assert len(evidence.of("orders")) >= 2
        planted = [await plant(kind, run.world, run.pool) for kind in KINDS]
        _, found = await run.check()
        missed = [one for one in planted if not one.is_found(found)]
        assert missed == [], found
