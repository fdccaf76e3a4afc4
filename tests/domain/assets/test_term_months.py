"""Months counted from the start of a term: whole terms are whole, and a change in the middle charges nothing twice."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.assets.ledger import Ledger
from domain.assets.operations import apply
from domain.assets.requests import CancelAsset, Generate, Line, Renew
from domain.assets.worth import Anchor, LedgerPolicy, anchor_at
from domain.frame.ownership import POLICY
from domain.kernel.calendar import add_months, anchor_from, start_of_day
from domain.kernel.calendar import months_between as months_by_anchor
from tests.domain.assets import builders

DAYS = st.dates(date(2020, 1, 1), date(2035, 12, 31))


def at(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def months(start: date, end: date, term: date | None = None) -> Fraction:
    return LedgerPolicy().months(at(start), at(end), "UTC", at(term) if term else None)


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
    assert LedgerPolicy().months(start, end, "Asia/Tokyo") == 6


def test_each_moment_lies_in_the_latest_term_that_has_begun() -> None:
    first, second = at(date(2026, 1, 31)), at(date(2027, 1, 5))
    anchors = (Anchor(first, first), Anchor(second, second))
    assert anchor_at(anchors, at(date(2026, 12, 31))) == first
    assert anchor_at(anchors, second) == second
    assert anchor_at(anchors, at(date(2025, 5, 5))) == at(date(2025, 5, 5))


def sold(begins: datetime, until: datetime, zone: str = "UTC") -> Ledger:
    line = Line(start=begins, end=until, quantity=1, unit_price=Decimal(31))
    sale = Generate(request_id="sale", asset=builders.asset(time_zone=zone), lines=(line,))
    return apply(Ledger(policy=POLICY), sale)


@given(DAYS, st.integers(1, 37), st.integers(1, 8), st.sampled_from(["UTC", "Asia/Tokyo", "America/New_York"]))
def test_renewed_by_months_a_term_costs_that_many(start: date, length: int, renewals: int, zone: str) -> None:
    begins, until = start_of_day(start, zone), start_of_day(add_months(start, length), zone)
    ledger = sold(begins, until, zone)
    for number in range(renewals):
        ledger = apply(ledger, Renew(request_id=f"r{number}", asset_id=builders.X, months=length))
        last = ledger.record(builders.X).actions[-1]
        assert last.amount_change == 31 * length
        assert last.lifecycle_end == start_of_day(add_months(start, length * (number + 2)), zone)


@pytest.mark.parametrize(
    ("begins", "anchor", "counted_by"),
    [
        (date(2027, 2, 28), 31, 31),
        (date(2028, 2, 28), 31, 28),  # a leap year's February has one more day
        (date(2027, 4, 30), 31, 31),
        (date(2027, 4, 30), 30, 30),
        (date(2027, 3, 17), 31, 17),
    ],
)
def test_what_begins_where_a_month_begins_counts_on_by_its_anchor(begins: date, anchor: int, counted_by: int) -> None:
    assert anchor_from(begins, anchor) == counted_by
    assert months_by_anchor(begins, add_months(begins, 7, counted_by), counted_by) == 7


def test_a_change_within_a_clipped_month_counts_the_days_of_that_month() -> None:
    ledger = sold(at(date(2026, 12, 31)), at(date(2027, 1, 31)))
    for name in ("r1", "r2"):
        ledger = apply(ledger, Renew(request_id=name, asset_id=builders.X, months=1))
    # The third month is 28 February to 30 March, of 31 days.
    stop = CancelAsset(request_id="c", asset_id=builders.X, effective=at(date(2027, 3, 15)))
    assert apply(ledger, stop).record(builders.X).actions[-1].amount_change == -16
