"""`python -m tests.accountant`: random stories lived through the doors on one stack, or by the rules alone, and judged by the accountant."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from activities.kernel.clock import present
from tests.accountant.dense import made_dense
from tests.accountant.evergreen import made_evergreen
from tests.accountant.in_memory import judge_by_rules
from tests.accountant.living import Judgement, Table, demonstrate, judge_all, reproduction
from tests.accountant.stories import made
from tests.accountant.story import Story, read_data, told
from workers.cli.stack import stack_up

BATCH = 50
DEMOS_AT_ONCE = 2


def _told(arguments: argparse.Namespace) -> list[Story]:
    if arguments.data:
        documents = read_data()
    else:
        make = made_evergreen if arguments.evergreen else made_dense if arguments.dense else made
        numbers = range(arguments.begin, arguments.begin + arguments.stories)
        if arguments.only is not None:
            numbers = range(arguments.only, arguments.only + 1)
        documents = [make(arguments.seed, number, arguments.after) for number in numbers]
    return [told(document, f"n{n}", arguments.after) for n, document in enumerate(documents)]


@dataclass
class _Telling:
    """The table so far, and the differences that are printed."""

    arguments: argparse.Namespace
    table: Table = field(default_factory=Table)
    shown: int = 0
    demos: int = 0
    demos_agreed: int = 0
    began: float = field(default_factory=time.monotonic)

    def hear(self, judgement: Judgement) -> None:
        self.table.add(judgement)
        if not judgement.agrees and self.shown < self.arguments.show:
            self.shown += 1
            options = "".join(f"--{name} " for name in ("rules", "dense", "evergreen") if getattr(self.arguments, name))
            seed = None if self.arguments.data else self.arguments.seed
            print("\n".join(reproduction(judgement, seed, self.arguments.after, options)), flush=True)

    def hear_demo(self, judgement: Judgement, lines: list[str]) -> None:
        self.demos += 1
        self.demos_agreed += not lines
        self.table.agreed -= bool(lines)
        took = time.monotonic() - self.began
        says = "agrees" if not lines else "\n  ".join(["differs", *lines])
        print(f"story {judgement.story.name} by `perennial demo`: {says}, {took:.0f} s", flush=True)

    def so_far(self) -> None:
        took = time.monotonic() - self.began
        print(f"{self.table.stories} stories, {self.table.agreed} agree, {took:.0f} s", flush=True)


def _by_rules(stories: list[Story], telling: _Telling) -> None:
    for number, story in enumerate(stories, 1):
        telling.hear(judge_by_rules(story))
        if number % BATCH == 0:
            telling.so_far()


async def _on_a_stack(stories: list[Story], telling: _Telling) -> None:
    arguments, lived = telling.arguments, list[Judgement]()
    with tempfile.TemporaryDirectory() as folder:
        async with stack_up(Path(folder), keep=False, quiet=True) as up:
            for begin in range(0, len(stories), BATCH):
                for judgement in await judge_all(up.client, up.pool, stories[begin : begin + BATCH], arguments.at_once):
                    telling.hear(judgement)
                    lived.append(judgement)
                telling.so_far()
    if arguments.doors:
        await _by_demo([each for each in lived if each.agrees and len(each.story.accounts) == 1], telling)


async def _by_demo(judgements: list[Judgement], telling: _Telling) -> None:
    """Each story on a stack of its own, when the one of all is gone: a stack takes some hundred megabytes and most of a processor."""
    places = asyncio.Semaphore(DEMOS_AT_ONCE)

    async def one(judgement: Judgement) -> None:
        async with places:
            telling.hear_demo(judgement, await demonstrate(judgement))

    await asyncio.gather(*(one(each) for each in judgements))


def main() -> int:
    """Reads the arguments and runs; 0 if all agree."""
    parser = argparse.ArgumentParser(prog="python -m tests.accountant", description=__doc__)
    parser.add_argument("--stories", type=int, default=50, help="how many")
    parser.add_argument("--seed", type=int, default=20261128, help="which ones")
    parser.add_argument("--begin", type=int, default=0, help="from which one of the seed on")
    parser.add_argument("--only", type=int, help="one story of the seed, by its number")
    parser.add_argument("--data", action="store_true", help="the stories of tests/accountant/data instead")
    parser.add_argument("--rules", action="store_true", help="decided and billed in memory, without doors or database")
    parser.add_argument("--dense", action="store_true", help="stories in which much is agreed ahead")
    parser.add_argument("--evergreen", action="store_true", help="stories of contracts without an end")
    parser.add_argument(
        "--doors", action="store_true", help="each one once more by `perennial demo --json` (seconds each)"
    )
    parser.add_argument("--at-once", type=int, default=6, help="customers beside each other")
    parser.add_argument("--show", type=int, default=5, help="how many stories with differences are printed in full")
    parser.add_argument(
        "--after", type=date.fromisoformat, default=present().date(), help="stories begin after this day"
    )
    arguments = parser.parse_args()
    stories, telling = _told(arguments), _Telling(arguments)
    print(f"seed {arguments.seed}, {len(stories)} stories, after {arguments.after}", flush=True)
    if arguments.rules:
        _by_rules(stories, telling)
    else:
        asyncio.run(_on_a_stack(stories, telling))
    if telling.demos:
        print(f"{telling.demos} stories of one customer once more by `perennial demo`, {telling.demos_agreed} agree")
    print("\n".join(telling.table.lines()))
    return 0 if telling.table.agreed == telling.table.stories else 1


if __name__ == "__main__":
    sys.exit(main())
