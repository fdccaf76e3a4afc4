"""`python -m tests.driver`: random customers for so many minutes, by a seed that is printed.

With `--in-memory` they live without Temporal's server, on PostgreSQL alone: dozens a minute, each up to its first difference.
"""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
from pathlib import Path

from tests.driver.in_memory import driving
from tests.driver.running import drive


def main() -> int:
    """Prints the table; ends with 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument(
        "--seed", type=int, default=None, help="the same seed makes the same customers; by chance if not given"
    )
    parser.add_argument(
        "--scale", type=float, default=None, help="of what thirty minutes have to reach; by default minutes / 30"
    )
    parser.add_argument("--log", type=Path, default=None, help="where to write what every customer did")
    parser.add_argument(
        "--closely", action="store_true", help="compare agendas after each act, not only at the end of a life"
    )
    memory = parser.add_argument_group("in memory")
    memory.add_argument("--in-memory", action="store_true", help="without Temporal's server, one life after the other")
    memory.add_argument("--lives", type=int, default=driving.MOST_LIVES, help="so many lives at most")
    memory.add_argument("--life", type=int, default=None, help="this life alone, by its number")
    asked = parser.parse_args()
    seed = asked.seed if asked.seed is not None else secrets.randbelow(1_000_000)
    print(f"seed {seed}", flush=True)
    if asked.in_memory:
        lives, first = (asked.lives, 1) if asked.life is None else (1, asked.life)
        run = driving.drive(asked.minutes, seed, lives=lives, first=first, log=asked.log)
    else:
        run = drive(asked.minutes, seed, scale=asked.scale, log=asked.log, closely=asked.closely)
    table, wrong = asyncio.run(run)
    print(table)
    for line in wrong:
        print(f"\nWRONG {line}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
