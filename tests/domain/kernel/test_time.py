"""Days and terms in the customer's zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.frame.customer import ContractFacts
from domain.frame.playbook import Reorder
from domain.frame.term_facts import TermFacts
from domain.kernel.calendar import (
    add_months,
    business_day_from,
    business_day_until,
    is_business_day,
    local_day,
    local_instant,
    months_between,
    start_of_day,
)
from domain.success.rhythm import lapse_days, order_rhythm

ZONES = st.sampled_from(["Asia/Tokyo", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia", "UTC"])
DAYS = st.dates(date(2012, 1, 1), date(2060, 12, 31))


@given(DAYS, ZONES)
def test_a_local_morning_falls_on_its_day(day: date, zone: str) -> None:
    assert local_day(local_instant(day, zone), zone) == day


@pytest.mark.parametrize(
    ("day", "zone", "at", "expected"),
    [
        (date(2027, 3, 28), "Europe/Berlin", time(2, 30), datetime(2027, 3, 28, 1, 30, tzinfo=UTC)),  # skipped hour
        (date(2027, 10, 31), "Europe/Berlin", time(2, 30), datetime(2027, 10, 31, 0, 30, tzinfo=UTC)),  # twice
        (date(2027, 1, 1), "Asia/Tokyo", time(0, 0), datetime(2026, 12, 31, 15, 0, tzinfo=UTC)),
    ],
)
def test_clock_changes(day: date, zone: str, at: time, expected: datetime) -> None:
    assert local_instant(day, zone, at) == expected


@given(DAYS, st.sampled_from(["JP", "DE", "US", "GB", "NP"]))
def test_business_days_lie_on_the_right_side(day: date, country: str) -> None:
    after, before = business_day_from(day, country), business_day_until(day, country)
    assert before <= day <= after
    assert is_business_day(after, country)
    assert is_business_day(before, country)
    assert after - before <= timedelta(days=15)


def test_a_national_holiday_is_no_business_day() -> None:
    assert business_day_from(date(2027, 1, 1), "JP") == date(2027, 1, 4)
    assert business_day_from(date(2026, 11, 23), "JP") == date(2026, 11, 24)
    assert business_day_from(date(2026, 11, 23), "US") == date(2026, 11, 23)


def contract(start: date, until: date, renewal_months: int) -> ContractFacts:
    return ContractFacts(
        contract_id="K",
        order_id="SO",
        currency="EUR",
        auto_renew=False,
        renewal_months=renewal_months,
        notice_days=30,
        uplift_percent=Decimal(0),
        status="active",
        first_start=start,
        first_until=until,
        term=TermFacts(
            number=1,
            start_on=start,
            until=until,
            starts_at=start_of_day(start, "UTC"),
            ends_at=start_of_day(until, "UTC"),
        ),
    )


def test_terms_that_begin_at_a_months_end_do_not_wander() -> None:
    monthly = contract(date(2027, 1, 31), date(2027, 2, 28), 1)
    assert [monthly.end_after(n) for n in (1, 2, 3, 4)] == [
        date(2027, 2, 28),
        date(2027, 3, 31),
        date(2027, 4, 30),
        date(2027, 5, 31),
    ]


@given(DAYS, st.integers(1, 36), st.integers(1, 36), st.integers(1, 20))
def test_terms_follow_each_other_without_gap_and_keep_their_length(day: date, first: int, renewal: int, n: int) -> None:
    facts = contract(day, add_months(day, first), renewal)
    assert facts.end_after(1) == facts.first_until
    assert facts.end_after(n) < facts.end_after(n + 1)
    assert months_between(facts.end_after(n), facts.end_after(n + 1), day.day) == renewal
    assert facts.end_after(n + 1) == add_months(day, first + n * renewal)


@given(st.lists(DAYS, min_size=1, max_size=40))
def test_the_order_rhythm_stays_within_the_playbooks_bounds(days: list[date]) -> None:
    terms = Reorder()
    rhythm = order_rhythm(days, terms)
    assert terms.shortest_days <= rhythm <= terms.longest_days
    assert lapse_days(rhythm, terms) > rhythm


def test_the_rhythm_is_the_median_of_the_gaps() -> None:
    days = [date(2027, 1, 1) + timedelta(days=n) for n in (0, 20, 50, 75)]
    assert order_rhythm(days, Reorder()) == 25
    assert order_rhythm(days[:1], Reorder()) == 60
