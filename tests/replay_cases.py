"""`python -m tests.replay_cases LOG --seed N --count 300`: cases drawn from a log, lived again through the real workflow.

On a stack of its own. Prints the seed and every case whose figures differ from what the library says of the log; exit code 1
if any does.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from activities.kernel.pool import open_pool
from gateway.cases import CaseClient
from gateway.connection import connect
from tests.cases import person
from tests.replaying import Replayed, Replayer
from workers.embedded.stack import EmbeddedStack
from workers.feeds.case_log import CaseLogScanner, LoggedCase
from workers.feeds.case_mapping import case_mapping_for
from workers.migrating import migrate
from workers.settings import Settings
from workers.wiring import build_worker
from workflows.visibility import SEARCH_ATTRIBUTES

console = Console()


def drawn(log: Path, seed: int, count: int) -> list[LoggedCase]:
    """So many cases of the log, drawn by the seed."""
    mapping, header = case_mapping_for(log)
    cases = sorted(CaseLogScanner(mapping, header).scan(log).cases, key=lambda case: case.case_id)
    return random.Random(seed).sample(cases, min(count, len(cases)))


async def replay(cases: list[LoggedCase], at_once: int) -> list[Replayed]:
    """The cases lived again on a stack of their own."""
    with tempfile.TemporaryDirectory(prefix="perennial-replay-") as folder:
        async with EmbeddedStack(Path(folder), SEARCH_ATTRIBUTES, keep=False) as stack:
            await migrate(stack.postgres_dsn)
            temporal, pool = await connect(stack.temporal_address), await open_pool(stack.postgres_dsn)
            settings = Settings.model_validate(
                {"database_url": stack.postgres_dsn, "smtp_host": stack.smtp_host, "smtp_port": stack.smtp_port}
            )
            async with build_worker(temporal, pool, settings):
                client = CaseClient(temporal, pool)
                await client.put_team({"team": "service", "name": "Service", "lead": person("replay-lead")})
                await client.put_agent({"staff": person("replay-agent"), "team": "service"})
                found = await Replayer(client, pool, tag="again").replay(cases, at_once=at_once)
            await pool.close()
    return found


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.replay_cases", description="Live logged cases again.")
    parser.add_argument("log", type=Path, help="a log of case events that a mapping knows")
    parser.add_argument("--seed", type=int, default=None, help="draws the cases; a new one each time unless given")
    parser.add_argument("--count", type=int, default=300)
    parser.add_argument("--at-once", type=int, default=12)
    asked = parser.parse_args()
    seed = asked.seed if asked.seed is not None else random.SystemRandom().randrange(1_000_000)
    console.print(f"seed {seed}")
    began = time.monotonic()
    found = asyncio.run(replay(drawn(asked.log, seed, asked.count), asked.at_once))
    for one in found:
        if not one.agrees:
            console.print(
                f"[red]{one.case_id}[/red]\n  log:      {one.expected}\n  workflow: {one.found}", highlight=False
            )
    same = sum(one.agrees for one in found)
    events, promises = sum(one.events for one in found), sum(len(one.expected) for one in found)
    console.print(
        f"{same} of {len(found)} cases ({events} events, {promises} promises) have the same figures,"
        f" in {time.monotonic() - began:.0f} s"
    )
    return 0 if same == len(found) and found else 1


if __name__ == "__main__":
    sys.exit(main())
