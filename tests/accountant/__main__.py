"""`python -m tests.accountant`: random stories lived through the doors on one stack, and judged by the accountant."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from activities.clock import present
from tests.accountant.living import Table, demonstrate, judge_all, reproduction
from tests.accountant.stories import made
from tests.accountant.story import read_data, told
from workers.cli.stack import stack_up


async def _main(arguments: argparse.Namespace) -> int:
    after: date = arguments.after
    numbers = [arguments.only] if arguments.only is not None else range(arguments.stories)
    documents = [made(arguments.seed, number, after) for number in numbers]
    if arguments.data:
        documents = read_data()
    stories = [told(document, f"n{n}", after) for n, document in enumerate(documents)]
    print(f"seed {arguments.seed}, {len(stories)} stories, after {after}", flush=True)
    table, shown = Table(), 0
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        async with stack_up(Path(folder), keep=False, quiet=True) as up:
            for begin in range(0, len(stories), 50):
                for judgement in await judge_all(up.client, up.pool, stories[begin : begin + 50], arguments.at_once):
                    table.add(judgement)
                    if not judgement.agrees and shown < arguments.show:
                        shown += 1
                        print("\n".join(reproduction(judgement, None if arguments.data else arguments.seed, after)))
                    if arguments.doors and judgement.agrees:
                        lines = await demonstrate(judgement)
                        for line in lines:
                            print(f"story {judgement.story.name} by `perennial demo`: {line}")
                        table.agreed -= bool(lines)
                print(f"{table.stories} stories, {table.agreed} agree, {time.monotonic() - began:.0f} s", flush=True)
    print("\n".join(table.lines()))
    return 0 if table.agreed == table.stories else 1


def main() -> int:
    """Reads the arguments and runs; 0 if all agree."""
    parser = argparse.ArgumentParser(prog="python -m tests.accountant", description=__doc__)
    parser.add_argument("--stories", type=int, default=50, help="how many")
    parser.add_argument("--seed", type=int, default=20261128, help="which ones")
    parser.add_argument("--only", type=int, help="one story of the seed, by its number")
    parser.add_argument("--data", action="store_true", help="the stories of tests/accountant/data instead")
    parser.add_argument(
        "--doors", action="store_true", help="each one once more by `perennial demo --json` (seconds each)"
    )
    parser.add_argument("--at-once", type=int, default=6, help="customers beside each other")
    parser.add_argument("--show", type=int, default=5, help="how many stories with differences are printed in full")
    parser.add_argument(
        "--after", type=date.fromisoformat, default=present().date(), help="stories begin after this day"
    )
    return asyncio.run(_main(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
