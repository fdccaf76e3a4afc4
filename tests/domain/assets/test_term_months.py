"""Months counted from the start of a term: whole terms are whole, and a change in the middle charges nothing twice."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.assets.dates import add_months
from domain.assets.ledger import MonthCount, months_between, term_of

DAYS = st.dates(date(2020, 1, 1), date(2035, 12, 31))


def at(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def months(start: date, end: date, term: date | None = None) -> Fraction:
    return months_between(at(start), at(end), MonthCount.TERM_DAYS, "UTC", at(term) if term else None)


@given(DAYS, st.integers(1, 60))
def test_a_term_of_so_many_months_is_so_many(start: date, length: int) -> None:
    assert months(start, add_months(start, length)) == length


@given(DAYS, st.integers(0, 1500), st.integers(0, 1500))
def test_what_is_cut_adds_up(start: date, first: int, second: int) -> None:
    middle, end = start + timedelta(days=first), start + timedelta(days=first + second)
    assert months(start, middle, start) + months(middle, end, start) == months(start, end)


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        (date(2027, 1, 31), date(2027, 2, 28), Fraction(1)),
        (date(2027, 1, 31), date(2027, 3, 1), 1 + Fraction(1, 31)),
        (date(2026, 11, 30), date(2027, 1, 14), 1 + Fraction(15, 31)),
        (date(2028, 2, 29), date(2029, 2, 28), Fraction(12)),
    ],
)
def test_a_part_of_a_month_is_its_days(start: date, end: date, expected: Fraction) -> None:
    assert months(start, end) == expected


def test_days_are_those_of_the_zone() -> None:
    start, end = (
        datetime(2026, 3, 31, 15, tzinfo=UTC),
        datetime(2026, 9, 30, 15, tzinfo=UTC),
    )  # 1 April to 1 October in Tokyo
    assert months_between(start, end, MonthCount.TERM_DAYS, "Asia/Tokyo") == 6


def test_each_moment_lies_in_the_latest_term_that_has_begun() -> None:
    terms = (at(date(2026, 1, 1)), at(date(2027, 1, 1)))
    assert term_of(terms, at(date(2026, 12, 31))) == terms[0]
    assert term_of(terms, terms[1]) == terms[1]
    assert term_of(terms, at(date(2025, 5, 5))) == at(date(2025, 5, 5))
