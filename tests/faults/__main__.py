"""`python -m tests.faults`: customers live for years on real servers that die all the time; 1 if anything was lost, doubled or wrong.

    python -m tests.faults --minutes 30 --seed 7 --json > report.json

Progress goes to standard error. The logs of a run that found something are kept, and it says where.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from tests import bytecode  # first: whatever comes after is compiled once for all processes
from tests.faults.planting import KINDS
from tests.faults.report import Report
from tests.faults.running import Asked, rehearse, to_stderr

__all__ = ["bytecode", "main"]
SPARE_SECONDS = 1500.0
"""after the time of the run, until everybody has lived to the end and all is checked"""
JOURNEYS_A_MINUTE = 20


def main() -> int:
    """Runs it and prints the report."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=None, help="the same seed makes the same customers and faults")
    parser.add_argument("--journeys", type=int, default=None, help="so many at most; by default 20 a minute")
    parser.add_argument("--at-once", type=int, default=10, help="lives beside each other")
    parser.add_argument("--every", type=float, default=7.0, help="seconds from one fault of a part to the next")
    parser.add_argument("--no-restores", action="store_true", help="no database is brought back from before")
    parser.add_argument(
        "--plant", action="append", choices=sorted(KINDS), default=[], help="an error that has to be found"
    )
    parser.add_argument("--json", action="store_true", help="the report as one JSON object")
    said = parser.parse_args()
    seed = said.seed if said.seed is not None else secrets.randbelow(1_000_000)
    journeys = said.journeys if said.journeys is not None else int(said.minutes * JOURNEYS_A_MINUTE)
    asked = Asked(
        seed, said.minutes, journeys, said.at_once, said.every, restores=not said.no_restores, plants=tuple(said.plant)
    )
    to_stderr(f"seed {seed}: {said.minutes:g} minutes, up to {journeys} journeys")
    folder = Path(tempfile.mkdtemp(prefix="perennial-faults-"))
    folder.chmod(0o711)  # PostgreSQL runs as somebody else where we are root
    report = asyncio.run(_within(folder, asked))
    print(json.dumps(report.as_json(), indent=1, ensure_ascii=False) if said.json else "\n".join(report.lines()))
    if report.findings:
        to_stderr(f"the logs are in {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if report.findings else 0


async def _within(folder: Path, asked: Asked) -> Report:
    """The run; whoever asks it to end by a signal still has everything cleared away."""
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    try:
        return await asyncio.wait_for(rehearse(folder, asked, to_stderr), asked.minutes * 60 + SPARE_SECONDS)
    except BaseException:
        to_stderr(f"the run was not finished; the logs are in {folder}")
        raise


if __name__ == "__main__":
    sys.exit(main())
