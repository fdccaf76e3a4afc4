"""How fast the business clock counts."""

from __future__ import annotations

import gc
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta

from domain.frame.case_words import Priority
from domain.kernel.business_calendar import BusinessCalendar
from domain.kernel.business_clock import BusinessClock
from domain.kernel.national import national_holidays
from domain.service.definitions import Milestone, MilestoneKind
from domain.service.history import CaseEvent, EventKind, history_of
from domain.service.milestone_timeline import follow
from tests.bench.meter import best
from tests.bench.rows import Row, Size
from tests.domain.service.samples import office

CALLS = 40_000
START = datetime(2026, 1, 5, 8, tzinfo=UTC)
TARGETS = {priority: timedelta(hours=8) for priority in Priority}
MILESTONES = [
    Milestone(name=kind.value, kind=kind, targets=TARGETS)
    for kind in (MilestoneKind.FIRST_RESPONSE, MilestoneKind.NEXT_RESPONSE, MilestoneKind.RESOLUTION)
]


def split_days() -> BusinessCalendar:
    """A German office with a lunch break, public holidays of fifteen years and a closure each year."""
    years = range(2025, 2040)
    return office(
        "Europe/Berlin",
        ("09:00", "12:30"),
        ("13:30", "18:00"),
        holidays=[holiday.model_dump() for holiday in national_holidays("DE", years)],
        closures=[{"starts_at": f"{y}-08-03T10:00:00Z", "ends_at": f"{y}-08-07T10:00:00Z"} for y in years],
    )


def case_events(start: datetime) -> list[CaseEvent]:
    """Ten events of an ordinary case: three exchanges, a pause, the resolution."""
    kinds = ["created", "customer_message", "agent_message", "pause", "customer_message", "resume", "agent_message"]
    kinds += ["customer_message", "agent_message", "resolved"]
    return [
        CaseEvent(at=start + timedelta(hours=5 * number), kind=EventKind(kind)) for number, kind in enumerate(kinds)
    ]


def rate(call: Callable[[int], object], calls: int = CALLS) -> float:
    """How often a second of CPU `call` runs, the best of three rounds."""
    best = 0.0
    gc.collect()
    gc.disable()
    for _ in range(3):
        began = time.process_time()
        for number in range(calls):
            call(number)
        best = max(best, calls / (time.process_time() - began))
    gc.enable()
    return best


def clocks() -> Iterator[Row]:
    """`due` and `elapsed` over a year of split days with holidays, and over ten years."""
    calendar = split_days()
    clock = BusinessClock(calendar)
    starts = [START + timedelta(minutes=37 * number) for number in range(CALLS)]
    targets = [timedelta(minutes=number % 120_000) for number in range(CALLS)]
    pause = [(START + timedelta(days=9), START + timedelta(days=11))]
    within = 14_000  # so many starts lie in one year
    ten_years = timedelta(days=3652)
    for what, call in (
        ("due within a year", lambda n: clock.due(starts[n % within], targets[n])),
        ("due within a year, with a pause", lambda n: clock.due(START, targets[n], pause)),
        ("elapsed within a year", lambda n: clock.elapsed(START, starts[n % within])),
        ("elapsed within a year, with a pause", lambda n: clock.elapsed(START, starts[n % within], pause)),
        ("due ten years ahead", lambda n: clock.due(starts[n % within], timedelta(hours=19_000))),
        ("elapsed over ten years", lambda n: clock.elapsed(starts[n % within], starts[n % within] + ten_years)),
    ):
        yield Row(what, rate(call), "/s", 20_000, least=True, how=f"one core, best of 3 rounds of {CALLS:,}")
    # Walking each day would cost ten years ten times as much as one.
    near = rate(lambda n: clock.elapsed(starts[n % within], starts[n % within] + ten_years / 10))
    far = rate(lambda n: clock.elapsed(starts[n % within], starts[n % within] + ten_years))
    yield Row("  ten years beside one", near / far, reach=2)


async def rows(_: Size) -> AsyncIterator[Row]:
    """The clock itself, then what cases ask of it."""
    for row in clocks():
        yield row
    calendar = split_days()
    first = best(lambda: BusinessClock(calendar).due(START, timedelta(hours=20_000)), 3)
    yield Row("first due of a new calendar, ten years ahead", first, "ms")
    clock = BusinessClock(calendar)
    cases = [case_events(START + timedelta(minutes=37 * number)) for number in range(1_000)]
    until = START + timedelta(days=600)

    def followed(number: int) -> None:
        history = history_of(cases[number])
        follow(MILESTONES, Priority.HIGH, history, {"office": clock}, calendar_id="office", as_of=until)

    yield Row("cases of ten events, three milestones", rate(followed, len(cases)), "/s")
