from __future__ import annotations

from datetime import date

import pytest
from pydantic import ValidationError

from domain.kernel.business_calendar import BusinessCalendar, check_before_saving
from domain.kernel.business_clock import BusinessClock
from domain.kernel.business_errors import (
    CalendarExhaustedError,
    NoOpenHoursError,
    OverlappingHoursError,
    UnknownCountryError,
)
from domain.kernel.localtime import at_minute, minute_of
from domain.kernel.national import national_holidays
from tests.domain.service.around_the_clock import always_open
from tests.domain.service.samples import at, hours, office, office_clock
from tests.oracles.dialects.errors import code_of


@pytest.mark.parametrize(
    ("change", "code", "advice"),
    [
        ({"timezone": "Mars/Olympus"}, "unknown_timezone", "Europe/Berlin"),
        ({"timezone": "America"}, "unknown_timezone", "Europe/Berlin"),
        ({"timezone": "../etc/passwd"}, "unknown_timezone", "Europe/Berlin"),
        ({"week": {"mon": [["17:00", "09:00"]]}}, "period_end_before_start", "two intervals"),
        ({"week": {"mon": [["09:00", "09:00"]]}}, "period_end_before_start", "two intervals"),
        ({"week": {"mon": [["09:00", "25:00"]]}}, "invalid_value", "HH:MM"),
        ({"week": {"mon": [["9 am", "17:00"]]}}, "invalid_value", "HH:MM"),
        ({"week": {"mon": [["09:00"]]}}, "invalid_value", "an opening and a closing time"),
        (
            {"closures": [{"starts_at": "2018-04-03T10:00:00Z", "ends_at": "2018-04-03T12:00:00+06:00"}]},
            "closure_end_before_start",
            "give an end after the start",
        ),
        ({"date_hours": [{"on": "2026-01-05"}, {"on": "2026-01-05"}]}, "invalid_value", "one entry"),
    ],
)
def test_a_wrong_calendar_is_refused_with_advice(change: dict[str, object], code: str, advice: str) -> None:
    with pytest.raises(ValidationError, match=advice) as refusal:
        office(**{"timezone": "UTC", **change})  # type: ignore[arg-type]
    assert code_of(refusal.value) == code


def test_saving_refuses_what_reading_forgives() -> None:
    closed = BusinessCalendar(timezone="UTC")
    overlapping = office("UTC", ("09:00", "13:00"), ("12:00", "17:00"))
    with pytest.raises(NoOpenHoursError, match="give at least one day hours"):
        check_before_saving(closed)
    with pytest.raises(OverlappingHoursError, match="mon is open 09:00 to 13:00 and again from 12:00"):
        check_before_saving(overlapping)
    check_before_saving(office("UTC", ("09:00", "12:00"), ("12:00", "17:00")))
    assert BusinessClock(overlapping).elapsed(at("2026-01-05"), at("2026-01-06")) == hours(8)
    with pytest.raises(NoOpenHoursError):
        BusinessClock(closed).due(at("2026-01-05"), hours(1))


def test_a_calendar_with_hours_on_single_dates_only_is_open_on_those() -> None:
    calendar = BusinessCalendar.model_validate(
        {"timezone": "UTC", "date_hours": [{"on": "2026-03-07", "intervals": [["10:00", "12:00"]]}]}
    )
    check_before_saving(calendar)
    assert BusinessClock(calendar).due(at("2026-01-01"), hours(1)) == at("2026-03-07 11:00")
    with pytest.raises(CalendarExhaustedError, match="not enough open time within 25 years"):
        BusinessClock(calendar).due(at("2026-01-01"), hours(3))


def test_hours_of_a_date_replace_the_week_and_a_holiday_beats_both() -> None:
    clock = office_clock(
        "UTC",
        date_hours=[{"on": "2026-01-06", "intervals": [["12:00", "13:00"]]}, {"on": "2026-01-07"}],
        holidays=[
            {"on": "2026-01-06", "active": False},
            {"on": "2026-01-08"},
            {"on": "2020-01-09", "yearly": True},
            {"on": "2024-02-29", "yearly": True},
        ],
    )
    days = {day: clock.elapsed(at(f"2026-01-0{day}"), at(f"2026-01-0{day} 23:59")) / hours(1) for day in range(5, 10)}
    assert days == {5: 8, 6: 1, 7: 0, 8: 0, 9: 0}
    assert clock.elapsed(at("2026-02-27"), at("2026-02-28")) == hours(8)
    assert clock.elapsed(at("2028-02-29"), at("2028-03-01")) == hours(0)


def test_national_holidays_become_entries_of_the_calendar() -> None:
    german = national_holidays("DE", [2026], subdivision="BY")
    by_date = {holiday.on: holiday for holiday in german}
    assert date(2026, 1, 6) in by_date
    assert date(2026, 1, 6) not in {holiday.on for holiday in national_holidays("DE", [2026])}
    japanese = national_holidays("JP", [2026], language="en_US", working={"Culture Day"})
    culture = next(holiday for holiday in japanese if holiday.on == date(2026, 11, 3))
    assert (culture.name, culture.active) == ("Culture Day", False)
    clock = office_clock("Europe/Berlin", holidays=[holiday.model_dump() for holiday in german])
    assert clock.next_open(at("2026-01-06 08:30")) == at("2026-01-07 08:00")
    with pytest.raises(UnknownCountryError, match="ISO 3166"):
        national_holidays("XX", [2026])
    with pytest.raises(UnknownCountryError, match="DE-ZZ"):
        national_holidays("DE", [2026], subdivision="ZZ")


@pytest.mark.parametrize(
    ("zone", "on", "clock", "expected"),
    [
        ("Europe/Berlin", date(2026, 3, 29), "02:30", "2026-03-29 01:30"),
        ("Europe/Berlin", date(2026, 10, 25), "02:30", "2026-10-25 00:30"),
        ("Australia/Lord_Howe", date(2026, 10, 4), "02:15", "2026-10-03 16:15"),
        ("America/Sao_Paulo", date(2015, 10, 17), "24:00", "2015-10-18 03:00"),
        ("Pacific/Apia", date(2011, 12, 30), "12:00", "2011-12-30 10:00"),
    ],
)
def test_local_times_on_days_when_the_clock_jumps(zone: str, on: date, clock: str, expected: str) -> None:
    assert at_minute(zone, on, minute_of(clock)) == at(expected)


def test_a_date_that_does_not_exist_opens_nothing() -> None:
    clock = BusinessClock(always_open("Pacific/Apia"))
    week = clock.periods(date(2011, 12, 29), date(2011, 12, 31))
    assert [begin.date().isoformat() for begin, _ in week] == ["2011-12-29", "2011-12-30"]
    assert sum(((end - begin) for begin, end in week), hours(0)) == hours(48)


def test_days_of_23_and_25_hours() -> None:
    clock = BusinessClock(always_open("Europe/Berlin"))
    for on, length in ((date(2026, 3, 29), 23), (date(2026, 3, 30), 24), (date(2026, 10, 25), 25)):
        [(begin, end)] = clock.periods(on, on)
        assert end - begin == hours(length)


def test_overlapping_periods_made_by_a_jump_count_once() -> None:
    clock = office_clock("Europe/Berlin", ("01:00", "02:30"), ("03:00", "04:00"), days=("sun",))
    assert clock.periods(date(2026, 3, 29), date(2026, 3, 29)) == [(at("2026-03-29 00:00"), at("2026-03-29 02:00"))]
