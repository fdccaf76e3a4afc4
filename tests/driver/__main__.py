"""`python -m tests.driver`: random customers for so many minutes, by a seed that is printed."""

from __future__ import annotations

import argparse
import asyncio
import secrets
import sys
from pathlib import Path

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
    asked = parser.parse_args()
    seed = asked.seed if asked.seed is not None else secrets.randbelow(1_000_000)
    print(f"seed {seed}", flush=True)
    given = {name: getattr(asked, name) for name in ("scale", "log", "closely")}
    table, wrong = asyncio.run(drive(asked.minutes, seed, **given))
    print(table)
    for line in wrong:
        print(f"\nWRONG {line}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
