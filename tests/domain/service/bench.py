"""Speed of the business clock, printed: `python -m tests.domain.service.bench`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import perf_counter

from domain.frame.case_words import Priority
from domain.kernel.business_calendar import BusinessCalendar
from domain.kernel.business_clock import BusinessClock
from domain.kernel.national import national_holidays
from domain.service.definitions import Milestone, MilestoneKind
from domain.service.history import CaseEvent, EventKind, history_of
from domain.service.milestone_timeline import follow
from tests.domain.service.samples import office

CALLS = 20_000
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


def rate(name: str, call: Callable[[int], object], calls: int = CALLS) -> None:
    """Prints how often a second `call` runs, given its number."""
    begun = perf_counter()
    for number in range(calls):
        call(number)
    print(f"{name:<58}{calls / (perf_counter() - begun):>12,.0f} /s")


def main() -> None:
    calendar = split_days()
    clock = BusinessClock(calendar)
    starts = [START + timedelta(minutes=37 * number) for number in range(CALLS)]
    year = [timedelta(minutes=number % 120_000) for number in range(CALLS)]
    pause = [(START + timedelta(days=9), START + timedelta(days=11))]
    ten_years = timedelta(days=3652)
    begun = perf_counter()
    due = BusinessClock(calendar).due(START, timedelta(hours=20_000))
    print(
        f"{'first due of a new calendar, ' + str(due.year - START.year) + ' years ahead':<58}"
        f"{(perf_counter() - begun) * 1000:>12.1f} ms"
    )
    rate("due, targets of up to a year", lambda n: clock.due(START, year[n]))
    rate("due, starts over a year and targets of up to a year", lambda n: clock.due(starts[n], year[n]))
    rate("due with a pause", lambda n: clock.due(START, year[n], pause))
    rate("elapsed, spans of up to a year", lambda n: clock.elapsed(START, starts[n % 14_000]))
    rate("elapsed with a pause", lambda n: clock.elapsed(START, starts[n % 14_000], pause))
    rate("due, ten years ahead", lambda n: clock.due(starts[n % 10_000], timedelta(hours=19_000)))
    rate("elapsed over ten years", lambda n: clock.elapsed(starts[n % 10_000], starts[n % 10_000] + ten_years))
    cases = [case_events(starts[number]) for number in range(1_000)]
    rate(
        "cases of ten events, three milestones",
        lambda n: follow(
            MILESTONES, Priority.HIGH, history_of(cases[n]), {"office": clock}, calendar_id="office", as_of=starts[-1]
        ),
        calls=len(cases),
    )


if __name__ == "__main__":
    main()
