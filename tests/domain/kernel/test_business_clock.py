from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from domain.kernel.business_calendar import BusinessCalendar
from domain.kernel.business_clock import BusinessClock, clock_of
from domain.kernel.business_errors import (
    CalendarExhaustedError,
    NaiveInstantError,
    NegativeTargetError,
    NoOpenHoursError,
    PeriodEndBeforeStartError,
)
from tests.domain.service.around_the_clock import always_open
from tests.domain.service.samples import at, hours, minutes, office, office_clock
from tests.oracles.dialects.clock import (
    ClockOptions,
    DayMethod,
    Negative,
    NoHours,
    OtherClock,
    PauseClock,
    TargetBoundary,
    TimePrecision,
)

NEXT_OPEN = ClockOptions(boundary=TargetBoundary.NEXT_OPEN)
BACKWARD = ClockOptions(negative=Negative.BACKWARD)
WALL_PAUSES = ClockOptions(pause_clock=PauseClock.WALL)
WHOLE_MINUTES = ClockOptions(precision=TimePrecision.MINUTE)

# 5 January 2026 is a Monday.
MONDAY_NINE = at("2026-01-05 09:00")


def other(clock: BusinessClock) -> OtherClock:
    return OtherClock(clock.calendar)


def test_a_target_that_ends_at_closing_time_is_due_there_or_at_the_next_opening() -> None:
    clock = office_clock()
    assert clock.due(MONDAY_NINE, hours(8)) == at("2026-01-05 17:00")
    assert other(clock).due(MONDAY_NINE, hours(8), options=NEXT_OPEN) == at("2026-01-06 09:00")
    assert other(clock).due(MONDAY_NINE, hours(7), options=NEXT_OPEN) == at("2026-01-05 16:00")
    pause = (at("2026-01-05 12:00"), at("2026-01-05 14:00"))
    assert clock.due(MONDAY_NINE, hours(3), [pause]) == at("2026-01-05 12:00")
    assert other(clock).due(MONDAY_NINE, hours(3), [pause], NEXT_OPEN) == at("2026-01-05 14:00")


def test_zero_is_now_or_the_next_opening_outside_pauses() -> None:
    clock = office_clock()
    assert clock.due(at("2026-01-05 10:00"), hours(0)) == at("2026-01-05 10:00")
    assert clock.due(at("2026-01-09 17:00"), hours(0)) == at("2026-01-12 09:00")
    pauses = [(at("2026-01-05 10:00"), at("2026-01-05 18:00")), (at("2026-01-06 08:00"), at("2026-01-06 09:30"))]
    assert clock.due(at("2026-01-05 10:00"), hours(0), pauses) == at("2026-01-06 09:30")


def test_pauses_count_in_business_time_or_on_the_wall() -> None:
    clock = office_clock()
    night = (at("2026-01-05 04:00"), at("2026-01-05 04:45"))
    assert clock.due(at("2026-01-05 03:00"), hours(1), [night]) == at("2026-01-05 10:00")
    assert other(clock).due(at("2026-01-05 03:00"), hours(1), [night], WALL_PAUSES) == at("2026-01-05 10:45")
    twice = [night, (at("2026-01-05 04:30"), at("2026-01-05 05:00"))]
    assert other(clock).due(at("2026-01-05 03:00"), hours(1), twice, WALL_PAUSES) == at("2026-01-05 11:00")


def test_going_back_through_open_time_and_pauses() -> None:
    clock = office_clock()
    assert other(clock).due(at("2026-01-12 10:00"), -hours(2), options=BACKWARD) == at("2026-01-09 16:00")
    assert other(clock).due(at("2026-01-12 10:00"), -hours(1), options=BACKWARD) == at("2026-01-12 09:00")
    pause = (at("2026-01-12 09:30"), at("2026-01-12 10:00"))
    assert other(clock).due(at("2026-01-12 10:30"), -hours(1), [pause], BACKWARD) == at("2026-01-12 09:00")
    assert other(clock).due(at("2026-01-12 10:30"), -minutes(30), [pause], BACKWARD) == at("2026-01-12 10:00")
    with pytest.raises(NegativeTargetError, match="give zero or more"):
        clock.due(MONDAY_NINE, -minutes(1))
    with pytest.raises(CalendarExhaustedError):
        other(clock).due(MONDAY_NINE, -hours(8 * 366 * 30), options=BACKWARD)


def test_seconds_are_kept_or_cut() -> None:
    clock = office_clock()
    start = at("2026-01-05 09:00") + timedelta(seconds=36, microseconds=5)
    assert clock.due(start, hours(1)) == start + hours(1)
    assert other(clock).due(start, hours(1), options=WHOLE_MINUTES) == at("2026-01-05 10:00")
    end = start + timedelta(minutes=5, seconds=59)
    assert clock.elapsed(start, end) == timedelta(minutes=5, seconds=59)
    assert other(clock).measure(start, end, precision=TimePrecision.MINUTE).elapsed == minutes(5)


def test_a_calendar_that_never_opens_is_an_error_or_the_wall_clock() -> None:
    clock = BusinessClock(BusinessCalendar(timezone="UTC"))
    assert other(clock).due(
        MONDAY_NINE, hours(1), options=ClockOptions(no_hours=NoHours.WALL_CLOCK)
    ) == MONDAY_NINE + hours(1)
    for question in (
        lambda: clock.due(MONDAY_NINE, hours(1)),
        lambda: clock.elapsed(MONDAY_NINE, MONDAY_NINE + hours(1)),
        lambda: clock.add_days(MONDAY_NINE, 1),
    ):
        with pytest.raises(NoOpenHoursError, match="closed on all days"):
            question()


def test_measuring_gross_paused_and_inside_a_window() -> None:
    clock = office_clock()
    pause = (at("2026-01-05 16:00"), at("2026-01-06 10:00"))
    found = clock.measure(MONDAY_NINE, at("2026-01-06 11:00"), [pause, pause])
    assert (found.elapsed, found.gross, found.paused) == (hours(8), hours(10), hours(2))
    window = (at("2026-01-05 15:00"), at("2026-01-06 10:30"))
    assert other(clock).measure(MONDAY_NINE, at("2026-01-06 11:00"), [pause], window=window).elapsed == hours(1.5)
    assert clock.elapsed(at("2026-01-06"), at("2026-01-05")) == hours(0)


@pytest.mark.parametrize(
    ("start", "days", "method", "expected"),
    [
        ("2026-01-09 12:00", 2, DayMethod.KEEP_CLOCK, "2026-01-13 12:00"),
        ("2026-01-09 18:00", 1, DayMethod.KEEP_CLOCK, "2026-01-13 09:00"),
        ("2026-01-10 12:00", 0, DayMethod.KEEP_CLOCK, "2026-01-12 09:00"),
        ("2025-12-31 12:00", 2, DayMethod.KEEP_CLOCK, "2026-01-02 12:00"),
        ("2026-01-05 10:00", 1, DayMethod.WHOLE_DAYS, "2026-01-05 17:00"),
        ("2026-01-05 17:00", 1, DayMethod.WHOLE_DAYS, "2026-01-06 17:00"),
        ("2025-12-31 18:00", 3, DayMethod.WHOLE_DAYS, "2026-01-05 17:00"),
        ("2026-01-05 10:00", -1, DayMethod.WHOLE_DAYS, "2026-01-05 09:00"),
        ("2026-01-05 09:00", -1, DayMethod.WHOLE_DAYS, "2026-01-02 09:00"),
        ("2026-01-01 09:00", -2, DayMethod.WHOLE_DAYS, "2025-12-30 09:00"),
        ("2026-01-05 10:00", 0, DayMethod.WHOLE_DAYS, "2026-01-05 10:00"),
    ],
)
def test_business_days(start: str, days: int, method: DayMethod, expected: str) -> None:
    assert other(office_clock()).add_days(at(start), days, method) == at(expected)


def test_business_days_keep_the_local_clock_over_a_jump() -> None:
    clock = office_clock("Europe/Berlin", ("00:00", "24:00"), days=("sat", "sun", "mon"))
    assert clock.add_days(at("2026-03-28 01:30"), 1) == at("2026-03-29 01:30")  # 02:30 does not exist, read as 03:30
    assert clock.add_days(at("2026-03-28 11:00"), 2) == at("2026-03-30 10:00")
    with pytest.raises(NegativeTargetError):
        clock.add_days(MONDAY_NINE, -1)


@pytest.mark.parametrize(
    ("question", "error"),
    [
        (lambda clock: clock.due(datetime(2026, 1, 5), hours(1)), NaiveInstantError),  # noqa: DTZ001
        (lambda clock: clock.elapsed(datetime(2026, 1, 5), MONDAY_NINE), NaiveInstantError),  # noqa: DTZ001
        (
            lambda clock: clock.due(MONDAY_NINE, hours(1), [(at("2026-01-06"), at("2026-01-05"))]),
            PeriodEndBeforeStartError,
        ),
        (lambda clock: clock.due(MONDAY_NINE, timedelta(days=365 * 30)), CalendarExhaustedError),
        (lambda clock: clock.due(at("1700-01-01"), hours(1)), CalendarExhaustedError),
        (lambda clock: clock.periods(at("2026-01-06").date(), at("2026-01-05").date()), PeriodEndBeforeStartError),
    ],
)
def test_bad_questions_get_named_errors(question: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        question(office_clock())  # type: ignore[operator]


def test_ten_years_are_found_without_visiting_their_days() -> None:
    clock = BusinessClock(always_open("Europe/Berlin"))
    start = at("2016-03-01")
    end = clock.due(start, timedelta(days=3653))
    assert end == start + timedelta(days=3653)
    assert clock.elapsed(start, end) == timedelta(days=3653)


def test_clocks_of_equal_calendars_are_shared() -> None:
    assert clock_of(office()) is clock_of(office())
    assert clock_of(office()) is not clock_of(office("Asia/Tokyo"))
