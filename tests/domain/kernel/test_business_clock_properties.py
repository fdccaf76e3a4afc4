"""Properties of business time over random calendars, zones with daylight saving, holidays, closures and pauses."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from domain.kernel.business_calendar import WEEKDAYS, BusinessCalendar, Closure, DateHours, Holiday, Interval, WeekHours
from domain.kernel.business_clock import BusinessClock, Span
from tests.oracles.dialects.clock import ClockOptions, Negative, OtherClock, TargetBoundary
from tests.properties import examples

ZONES = (
    "UTC",
    "Asia/Tokyo",
    "Europe/Berlin",
    "America/Los_Angeles",
    "America/Sao_Paulo",
    "America/Havana",
    "Australia/Lord_Howe",
    "Pacific/Apia",
)
SETTINGS = examples(150, suppress_health_check=[HealthCheck.too_slow])
FIRST, LAST = datetime(2010, 6, 1, tzinfo=UTC), datetime(2013, 6, 1, tzinfo=UTC)

instants = st.integers(0, int((LAST - FIRST).total_seconds())).map(lambda seconds: FIRST + timedelta(seconds=seconds))
targets = st.integers(0, 90 * 24 * 3600).map(lambda seconds: timedelta(seconds=seconds))
dates = st.dates(date(2010, 6, 1), date(2013, 6, 1))


@st.composite
def intervals(draw: st.DrawFn) -> Interval:
    opens = draw(st.integers(0, 1439))
    return Interval(opens=opens, closes=draw(st.integers(opens + 1, 1440)))


@st.composite
def spans(draw: st.DrawFn) -> Span:
    begin = draw(instants)
    return begin, begin + draw(st.integers(1, 20 * 24 * 3600).map(lambda seconds: timedelta(seconds=seconds)))


@st.composite
def calendars(draw: st.DrawFn, zones: tuple[str, ...] = ZONES) -> BusinessCalendar:
    day = st.lists(intervals(), max_size=3).map(tuple)
    # A Wednesday is always open, so that every target ends.
    week = {name: draw(day) for name in WEEKDAYS} | {"wed": (Interval(opens=600, closes=1020),)}
    closures = draw(st.lists(spans(), max_size=2))
    return BusinessCalendar(
        timezone=draw(st.sampled_from(zones)),
        week=WeekHours.model_validate(week),
        date_hours=tuple(
            DateHours(on=on, intervals=draw(day)) for on in draw(st.lists(dates, max_size=3, unique=True))
        ),
        holidays=tuple(Holiday(on=on, yearly=draw(st.booleans())) for on in draw(st.lists(dates, max_size=4))),
        closures=tuple(Closure(starts_at=begin, ends_at=end) for begin, end in closures),
    )


pauses = st.lists(spans(), max_size=4)


@SETTINGS
@given(calendars(), instants, targets, pauses)
def test_what_elapses_until_due_is_the_target(
    calendar: BusinessCalendar, start: datetime, target: timedelta, stops: list[Span]
) -> None:
    clock = BusinessClock(calendar)
    due = clock.due(start, target, stops)
    assert due >= start
    assert clock.elapsed(start, due, stops) == target


@SETTINGS
@given(calendars(), instants, targets, pauses)
def test_due_is_the_first_such_instant_and_next_open_is_open(
    calendar: BusinessCalendar, start: datetime, target: timedelta, stops: list[Span]
) -> None:
    clock = BusinessClock(calendar)
    due = clock.due(start, target, stops)
    later = OtherClock(calendar).due(start, target, stops, ClockOptions(boundary=TargetBoundary.NEXT_OPEN))
    assert later >= due
    assert clock.elapsed(due, later, stops) == timedelta(0)
    assert clock.next_open(later) == later
    assert not any(begin <= later < end for begin, end in stops)
    if target:
        assert clock.elapsed(start, due - timedelta(seconds=1), stops) < target


@SETTINGS
@given(calendars(), instants, instants, targets, targets, pauses)
def test_due_grows_with_start_target_and_pauses(
    calendar: BusinessCalendar,
    start: datetime,
    other: datetime,
    target: timedelta,
    more: timedelta,
    stops: list[Span],
) -> None:
    clock = BusinessClock(calendar)
    first, second = sorted([start, other])
    assert clock.due(first, target, stops) <= clock.due(second, target, stops)
    assert clock.due(start, target, stops) <= clock.due(start, target + more, stops)
    assert clock.due(start, target) <= clock.due(start, target, stops)


@SETTINGS
@given(calendars(), instants, targets, targets, pauses)
def test_targets_add_up(
    calendar: BusinessCalendar, start: datetime, target: timedelta, more: timedelta, stops: list[Span]
) -> None:
    clock = BusinessClock(calendar)
    middle = clock.due(start, target, stops)
    if more:
        assert clock.due(middle, more, stops) == clock.due(start, target + more, stops)


@SETTINGS
@given(calendars(), st.lists(instants, min_size=3, max_size=3), pauses)
def test_open_time_adds_up_and_never_exceeds_the_wall_clock(
    calendar: BusinessCalendar, moments: list[datetime], stops: list[Span]
) -> None:
    clock = BusinessClock(calendar)
    a, b, c = sorted(moments)
    assert clock.elapsed(a, c, stops) == clock.elapsed(a, b, stops) + clock.elapsed(b, c, stops)
    measured = clock.measure(a, c, stops)
    assert timedelta(0) <= measured.elapsed <= measured.gross <= c - a
    assert measured.elapsed == measured.gross - measured.paused


@SETTINGS
@given(calendars(), instants, targets, pauses)
def test_going_back_undoes_going_forward(
    calendar: BusinessCalendar, start: datetime, target: timedelta, stops: list[Span]
) -> None:
    clock = BusinessClock(calendar)
    due = clock.due(start, target, stops)
    back = OtherClock(calendar).due(due, -target, stops, ClockOptions(negative=Negative.BACKWARD))
    assert clock.elapsed(back, due, stops) == target


@SETTINGS
@given(calendars(), instants, targets, pauses)
def test_a_pause_after_the_target_changes_nothing(
    calendar: BusinessCalendar, start: datetime, target: timedelta, stops: list[Span]
) -> None:
    clock = BusinessClock(calendar)
    due = clock.due(start, target)
    late = [(max(begin, due), max(end, due) + timedelta(seconds=1)) for begin, end in stops]
    if target:
        assert clock.due(start, target, late) == due


@SETTINGS
@given(calendars(), instants, st.integers(1, 60))
def test_periods_agree_with_the_time_between(calendar: BusinessCalendar, start: datetime, days: int) -> None:
    clock = BusinessClock(calendar)
    zone = ZoneInfo(calendar.timezone)
    first = start.astimezone(zone).date()
    periods = clock.periods(first, first + timedelta(days=days))
    assert all(begin < end for begin, end in periods)
    assert all(one[1] <= other[0] for one, other in pairwise(periods))
    if periods:
        total = sum((end - begin for begin, end in periods), timedelta(0))
        assert clock.elapsed(periods[0][0], periods[-1][1]) == total


@examples(40)
@given(calendars(("UTC", "Asia/Tokyo")), instants, st.integers(1, 4 * 24 * 60))
def test_open_minutes_are_those_that_the_rules_say_one_by_one(
    calendar: BusinessCalendar, start: datetime, length: int
) -> None:
    """An independent reading of the rules, minute by minute, in zones whose clocks never jump."""
    start = start.replace(second=0)
    whole = [(one.starts_at.replace(second=0), one.ends_at.replace(second=0)) for one in calendar.closures]
    whole = [(begin, end) for begin, end in whole if begin < end]
    calendar = calendar.having(closures=tuple(Closure(starts_at=begin, ends_at=end) for begin, end in whole))
    zone = ZoneInfo(calendar.timezone)
    counted = 0
    for number in range(length):
        moment = start + timedelta(minutes=number)
        local = moment.astimezone(zone)
        special = next((one for one in calendar.date_hours if one.on == local.date()), None)
        hours = special.intervals if special else calendar.week.days()[local.weekday()]
        minute = local.hour * 60 + local.minute
        counted += (
            any(one.opens <= minute < one.closes for one in hours)
            and not any(_falls_on(one, local.date()) for one in calendar.holidays)
            and not any(begin <= moment < end for begin, end in whole)
        )
    elapsed = BusinessClock(calendar).elapsed(start, start + timedelta(minutes=length))
    assert elapsed == timedelta(minutes=counted)


def _falls_on(holiday: Holiday, on: date) -> bool:
    same_day = (holiday.on.month, holiday.on.day) == (on.month, on.day)
    return holiday.on == on or (holiday.yearly and same_day)
