"""A small run: customers live through faults of all parts, and errors that are planted into what it has left are found."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.checking import Finding
from tests.faults.planting import KINDS, plant
from tests.faults.running import Asked, Run, running


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that PostgreSQL reaches as well, who is somebody else where we are root."""
    with tempfile.TemporaryDirectory(prefix="perennial-faults-") as found:
        Path(found).chmod(0o711)
        yield Path(found)


@pytest.mark.slow("faults")
@pytest.mark.timeout(600)
async def test_nothing_is_lost_and_what_is_planted_is_found(folder: Path) -> None:
    asked = Asked(seed=20261130, minutes=0.2, journeys=3, at_once=3, every=2.0, of_connections=3.0, restores=False)
    async with running(folder, asked, print) as run:
        await run.live()
        await run.settle()
        evidence, found = await run.check()
        assert found == []
        assert len(run.failing.counted) >= 3
        assert len(evidence.of("orders")) >= 3
        before: list[Finding] = []
        for kind, (counted_as, _) in KINDS.items():
            said = await plant(kind, run.world, run.pool)
            before = await _found_more(run, before, kind, counted_as, said)


async def _found_more(run: Run, before: list[Finding], kind: str, counted_as: str, said: str) -> list[Finding]:
    """What is found now; something new of that kind has to be."""
    _, found = await run.check()
    new = [finding for finding in found if finding not in before]
    assert any(finding.kind == counted_as for finding in new), f"{kind}: {said}: {new}"
    return found
