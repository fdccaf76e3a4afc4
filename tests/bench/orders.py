"""An order, a request and a plain step, beside the same on bare Temporal: the same rows, steps and mails."""

from __future__ import annotations

import statistics
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import psutil

from tests.bench.floor import floor
from tests.bench.lives import Life, recorded, some_days
from tests.bench.meter import Spent, Turns, middle, timed
from tests.bench.rows import Row, Size
from tests.bench.stand import Stand, stand

PARTS = {"order": 1.10, "request": 1.10, "plain step": 1.10}
"""and how many times the floor's CPU each may take"""


@dataclass
class Measured:
    """A part of the life by both ways, in turn: all of it until nothing is left to do, and its answers alone."""

    quiet: Turns = field(default_factory=Turns)
    answer: Turns = field(default_factory=Turns)


async def rows(size: Size) -> AsyncIterator[Row]:
    """Some customers of ours, as many of the floor, and so on in turn; one after the other. The first turn of each warms up."""
    turns, customers = size.count("turns", 6, 2), size.count("customers", 10, 3)
    life = await recorded(some_days)
    measured = {part: Measured() for part in PARTS}
    async with stand() as place, place.worker() as worker, floor(place, life, (turns + 1) * customers) as bare:
        for turn in range(turns + 1):
            ours = [Life(place.client, place.pool, f"ours-{turn}-{number}") for number in range(customers)]
            theirs = [next(bare.lives) for _ in range(customers)]
            for part in PARTS:
                quiet, answer = await _spent(place, worker, [_of_ours(one, part) for one in ours])
                bare_quiet, bare_answer = await _spent(place, bare.worker, [(one.account, one.play) for one in theirs])
                if turn:
                    measured[part].quiet.ours.append(quiet.each(customers))
                    measured[part].quiet.floor.append(bare_quiet.each(customers))
                    measured[part].answer.ours.append(answer)
                    measured[part].answer.floor.append(bare_answer)
    how = f"median of {turns} turns of {customers}, ours and the floor's, one after the other"
    for part, found in measured.items():
        yield Row(
            f"{part} until quiet, CPU against bare",
            found.quiet.cpu,
            reach=PARTS[part],
            floor=str(middle(found.quiet.floor)),
            detail=f"({middle(found.quiet.ours)})",
            how=how,
        )
        if part == "plain step":
            continue
        said, least = (f"{middle_wall(one) * 1000:.0f} ms" for one in (found.answer.ours, found.answer.floor))
        figure = f"  {part} to its answer, time against bare"
        yield Row(figure, found.answer.wall, reach=1.10 if part == "order" else None, floor=least, detail=f"({said})")


def middle_wall(spent: Sequence[Spent]) -> float:
    """The time in the middle."""
    return sorted(one.wall for one in spent)[len(spent) // 2]


def _of_ours(life: Life, part: str) -> tuple[str, Callable[[], Awaitable[None]]]:
    return life.account, {"order": life.order, "request": life.request, "plain step": life.morning}[part]


async def _spent(
    place: Stand, worker: psutil.Process, lives: Sequence[tuple[str, Callable[[], Awaitable[None]]]]
) -> tuple[Spent, Spent]:
    """What a part took of these customers, one after the other until each is quiet; and what its answer took, the one in the middle."""
    answers: list[float] = []

    async def work() -> None:
        for account, play in lives:
            answers.append(await timed(play()))
            await place.quiet(account)

    spent = await place.spent(worker, work)
    return spent, Spent(statistics.median(answers))
