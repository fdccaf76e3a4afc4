"""Amounts by policy: proration, changes, refunds, invoices, ramps, uplifts and usage, beyond the worked cases."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.assets.dates import Span
from domain.assets.errors import AssetError, IndexRateMissingError, PolicyError, SegmentError
from domain.assets.presets import PRORATION_PRESETS
from domain.assets.proration_policy import (
    DayCount,
    Precision,
    ProrationPolicy,
    RemainderTo,
    RoundOn,
    days_used,
    read_policy,
)
from domain.assets.uplift import Combination, IndexRate, index_percent, uplift_percent
from domain.kernel.calendar import add_months
from domain.kernel.money import Rounding, RoundingMode
from tests.oracles.dialects.ending_early import DiscountRule, OnTermination, Termination, shorten_term, split_refund
from tests.oracles.dialects.invoicing import InvoiceLine, allocate, apply_invoice, charge_prepaid_units
from tests.oracles.dialects.metered import Bucket, Drawdown, RatePack, draw_order, select_rate
from tests.oracles.dialects.moments import EndStyle, as_instant, read_end, write_end
from tests.oracles.dialects.periods import (
    Boundary,
    BoundaryKind,
    MonthEndRule,
    PeriodLength,
    PeriodUnit,
    billing_periods,
)
from tests.oracles.dialects.prepaid_changes import Change, Side, prorate_change
from tests.oracles.dialects.proration import UnitPrice, prorate_fraction, prorate_in_period, prorate_interval
from tests.oracles.dialects.ramps import check_segments, ramp_segments

MONTH = PeriodLength()
CALENDAR = Boundary(kind=BoundaryKind.CALENDAR)
CENTS = Rounding()
dates = st.dates(date(2023, 1, 1), date(2029, 12, 31))


def prorated(start: date, end: date, preset: str, price: str = "100") -> tuple[Decimal | None, Decimal | None]:
    policy = PRORATION_PRESETS[preset]
    found = prorate_interval(start, end, MONTH, CALENDAR, policy, price=UnitPrice(Decimal(price)))
    return found.multiplier, found.amount


@pytest.mark.parametrize(
    ("preset", "multiplier", "amount"),
    [
        ("actual_days", "1.535714", "153.57"),
        ("touched_periods", "2", "200.00"),
        ("full_price", None, "200.00"),
        ("actual_over_30", "1.533333333", "153.33"),
        ("thirty_over_360", "1.566666667", "156.67"),
        ("nine_decimals", "1.535714286", "153.57"),
        ("nine_decimals_thirty_days", "1.566666667", "156.67"),
    ],
)
def test_one_interval_under_each_convention(preset: str, multiplier: str | None, amount: str) -> None:
    """14 February to 31 March 2026: 15 of 28 days, or 17 of 30 if the month's end is day 30; and a whole month."""
    shown = prorated(date(2026, 2, 14), date(2026, 4, 1), preset)
    assert shown == (None if multiplier is None else Decimal(multiplier), Decimal(amount))


@given(start=dates, days=st.integers(0, 900), cut=st.integers(0, 900), kind=st.sampled_from(BoundaryKind))
def test_cutting_an_interval_on_its_grid_loses_nothing(start: date, days: int, cut: int, kind: BoundaryKind) -> None:
    end = date.fromordinal(start.toordinal() + days)
    middle = min(end, date.fromordinal(start.toordinal() + cut))
    day = Boundary(kind=BoundaryKind.DAY_OF_PERIOD, day=17, month=1)
    whole, *parts = (
        prorate_interval(*pair, MONTH, day, ProrationPolicy(multiplier_rounding=Rounding(decimals=20)))
        for pair in ((start, end), (start, middle), (middle, end))
    )
    assert whole.multiplier is not None
    assert abs(sum(part.multiplier or 0 for part in parts) - whole.multiplier) < Decimal("1e-18")
    assert whole.total_days == sum(part.total_days for part in parts)
    periods = billing_periods(start, 3, PeriodLength(count=2), Boundary(kind=kind, day=31, month=3))
    assert periods[0].start == start
    assert all(before.end == after.start for before, after in pairwise(periods))
    assert all(period.days > 0 for period in periods)


@given(start=dates, months=st.integers(1, 40))
def test_sticky_month_ends_stay_at_the_end(start: date, months: int) -> None:
    last = date.fromordinal(add_months(start.replace(day=1), 1).toordinal() - 1)
    boundary = Boundary(month_end_rule=MonthEndRule.STICKY)
    for period in billing_periods(last, 3, PeriodLength(count=months), boundary):
        assert date.fromordinal(period.end.toordinal() + 1).day == 1


@pytest.mark.parametrize(
    ("start", "end", "count", "expected"),
    [
        (date(2026, 2, 1), date(2026, 3, 1), DayCount.ACTUAL, 28),
        (date(2026, 2, 1), date(2026, 3, 1), DayCount.THIRTY, 30),
        (date(2026, 2, 1), date(2026, 3, 1), DayCount.THIRTY_MONTH_END, 30),
        (date(2026, 1, 31), date(2026, 2, 1), DayCount.THIRTY_MONTH_END, 1),
        (date(2024, 2, 29), date(2024, 3, 1), DayCount.THIRTY_MONTH_END, 1),
        (date(2026, 3, 1), date(2026, 3, 1), DayCount.THIRTY_MONTH_END, 0),
    ],
)
def test_day_counts(start: date, end: date, count: DayCount, expected: int) -> None:
    assert days_used(Span(start, end), count) == expected


def test_seconds_see_the_change_of_clocks_and_days_do_not() -> None:
    zone = "Europe/Berlin"
    service, period = (date(2026, 3, 29), date(2026, 3, 30)), (date(2026, 3, 1), date(2026, 4, 1))
    by_second = ProrationPolicy(precision=Precision.SECOND, time_zone=zone)
    priced = prorate_in_period(UnitPrice(Decimal(743)), service, period, by_second)
    assert [priced.used_units, priced.period_units, priced.amount] == [23 * 3600, 743 * 3600, 23]
    by_day = prorate_in_period(UnitPrice(Decimal(31)), service, period, ProrationPolicy(time_zone=zone))
    assert [by_day.used_units, by_day.amount] == [1, 1]


@pytest.mark.parametrize(
    "raw",
    [
        {"day_count": "moon"},
        {"colour": "blue"},
        {"amount_from": "rounded_multiplier"},
        {"precision": "second", "day_count": "30_day"},
        {"time_zone": "Mars/Olympus"},
    ],
)
def test_unknown_or_contradictory_policies_are_refused(raw: dict[str, Any]) -> None:
    with pytest.raises(PolicyError):
        read_policy(raw)


def test_a_policy_survives_its_own_json() -> None:
    for policy in PRORATION_PRESETS.values():
        assert read_policy(policy.model_dump(mode="json")) == policy


@pytest.mark.parametrize(
    "boundary",
    [
        {"kind": BoundaryKind.BILL_DAY},
        {"kind": BoundaryKind.DAY_OF_PERIOD},
        {"kind": BoundaryKind.CALENDAR, "month_end_rule": MonthEndRule.STICKY},
    ],
)
def test_contradictory_boundaries_are_refused(boundary: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"boundary needs a day|anniversary"):
        Boundary(**boundary)


def test_what_cannot_be_measured_is_refused() -> None:
    price = UnitPrice(Decimal(1))
    with pytest.raises(PolicyError, match="whole months"):
        prorate_in_period(
            price,
            (date(2026, 1, 1), date(2026, 1, 15)),
            (date(2026, 1, 1), date(2027, 1, 1)),
            ProrationPolicy(precision=Precision.MONTH),
        )
    empty = (date(2026, 1, 1), date(2026, 1, 1))
    with pytest.raises(PolicyError, match="empty"):
        prorate_in_period(price, empty, empty, ProrationPolicy())
    with pytest.raises(PolicyError, match="one unit"):
        prorate_fraction(1, 1, 0, ProrationPolicy())
    with pytest.raises(PolicyError, match="without an end"):
        prorate_interval(date(2026, 1, 1), None, PeriodLength(unit=PeriodUnit.YEAR), Boundary(), ProrationPolicy())


sides = st.builds(
    Side,
    unit_price=st.decimals(0, 10_000, places=2),
    quantity=st.integers(0, 50),
)


@given(
    old=sides,
    new=sides,
    day=st.integers(0, 40),
    adjusted=st.decimals(0, 20_000, places=2),
    mode=st.sampled_from(RoundingMode),
)
def test_credits_never_exceed_what_is_left_and_parts_add_up(
    old: Side, new: Side, day: int, adjusted: Decimal, mode: RoundingMode
) -> None:
    change = Change(
        old=old,
        new=new,
        period=(date(2026, 1, 1), date(2026, 2, 1)),
        moment=date.fromordinal(date(2026, 1, 1).toordinal() + day),
        already_adjusted=adjusted,
    )
    policy = ProrationPolicy(round_on=RoundOn.USED_PART, rounding=Rounding(mode=mode))
    priced = prorate_change(change, policy)
    assert priced.used_units + priced.remaining_units == priced.period_units == 31
    assert priced.credit is not None
    assert priced.used_amount is not None
    assert 0 <= priced.credit <= max(Decimal(0), old.unit_price * old.quantity - adjusted)
    unadjusted = prorate_change(Change(old=old, new=new, period=change.period, moment=change.moment), policy)
    assert unadjusted.used_amount is not None
    assert unadjusted.credit is not None
    assert unadjusted.used_amount + unadjusted.credit == old.unit_price * old.quantity


@given(
    price=st.decimals(1, 1000, places=2),
    day=st.integers(0, 30),
    free=st.integers(0, 30),
    paid=st.integers(0, 120),
    prior=st.decimals(0, 50, places=2),
    way=st.sampled_from(OnTermination),
)
def test_a_refund_and_its_rest_make_what_is_creditable(
    price: Decimal, day: int, free: int, paid: int, prior: Decimal, way: OnTermination
) -> None:
    start = date(2026, 1, 1)
    ending = Termination(
        price=price,
        period=Span(start, date(2026, 2, 1)),
        terminated=date.fromordinal(start.toordinal() + day),
        invoice_total=price * 2,
        paid=price * paid / 100,
        chargeable_from=date.fromordinal(start.toordinal() + free),
        tax_percent=Decimal(19),
        prior_credit_net=prior,
    )
    split = split_refund(ending, ProrationPolicy(), way)
    assert split.refund + split.credit + split.offset == split.creditable
    assert min(split.item, split.refund, split.credit, split.offset) >= 0
    assert way is not OnTermination.CREDIT or split.refund == 0


def test_nothing_is_refunded_of_an_invoice_of_nothing() -> None:
    ending = Termination(
        Decimal(31), Span(date(2026, 1, 1), date(2026, 2, 1)), date(2026, 1, 11), Decimal(0), Decimal(0)
    )
    split = split_refund(ending, ProrationPolicy(), OnTermination.REFUND)
    assert [split.refund, split.credit] == [0, 21]
    with pytest.raises(PolicyError):
        shorten_term(Decimal(1), Decimal(0), 12, 13, DiscountRule.KEEP, CENTS)


@given(
    total=st.decimals(-10_000, 10_000, places=2),
    weights=st.lists(st.integers(1, 100).map(Decimal), min_size=1, max_size=13),
    to=st.sampled_from(RemainderTo),
    mode=st.sampled_from(RoundingMode),
)
def test_allocated_parts_make_the_total(
    total: Decimal, weights: list[Decimal], to: RemainderTo, mode: RoundingMode
) -> None:
    made = allocate(total, weights, sum(weights, Decimal(0)), Rounding(mode=mode), to)
    assert sum(made.parts) + (made.remainder if to is RemainderTo.SEPARATE else 0) == total
    assert len(made.parts) == len(weights)


@given(
    lines=st.lists(
        st.builds(InvoiceLine, unit_price=st.decimals(0, 500, places=2), quantity=st.integers(-9, 9)), max_size=5
    ),
    balance=st.decimals(0, 900, places=2),
    credit=st.decimals(0, 900, places=2),
)
def test_an_invoice_moves_the_account_by_its_total(lines: list[InvoiceLine], balance: Decimal, credit: Decimal) -> None:
    booked = apply_invoice(lines, balance, credit, CENTS)
    assert (booked.open_balance_after - booked.account_credit_after) - (balance - credit) == booked.total
    assert min(booked.open_balance_after, booked.account_credit_after, booked.amount_due) >= 0


def test_prepaid_units_are_charged_above_the_highest_count() -> None:
    assert list(charge_prepaid_units(Decimal(10), [10, 4, 12, 12], CENTS)) == [100, 0, 20, 0]


def test_ramps() -> None:
    segments = ramp_segments(date(2026, 1, 31), 14, 6, trial_days=14, remainder=RemainderTo.FIRST)
    assert [(segment.kind, segment.months) for segment in segments] == [
        ("trial", 0),
        ("partial", 2),
        ("whole", 6),
        ("whole", 6),
    ]
    check_segments([(segment.start, segment.end) for segment in segments])
    for start, total, length in ((date(2026, 1, 1), 13, 1), (date(2026, 1, 1), 0, 1)):
        with pytest.raises(SegmentError):
            ramp_segments(start, total, length)
    first, second, third = date(2026, 1, 1), date(2026, 2, 1), date(2026, 3, 1)
    for spans, word in (
        ([(first, second), (third, date(2026, 4, 1))], "gap"),
        ([(first, third), (second, third)], "overlap"),
        ([(first, first)], "empty"),
    ):
        with pytest.raises(SegmentError, match=word):
            check_segments(spans)


def test_an_index_counts_for_its_region_and_date() -> None:
    rates = [
        IndexRate(region="JP", valid_from=date(2025, 1, 1), percent=Decimal("2.7")),
        IndexRate(region="JP", valid_from=date(2026, 1, 1), valid_to=date(2026, 7, 1), percent=Decimal("3.1")),
        IndexRate(region="DE", valid_from=date(2027, 1, 1), percent=Decimal("2.0")),
    ]
    assert index_percent(rates, "JP", date(2026, 6, 30)) == Decimal("3.1")
    assert index_percent(rates, "JP", date(2026, 7, 1)) == Decimal("2.7")
    with pytest.raises(IndexRateMissingError, match="DE on 2026-06-30"):
        index_percent(rates, "DE", date(2026, 6, 30))
    assert uplift_percent(Decimal(10), Decimal(5)) == 15
    assert uplift_percent(Decimal(10), Decimal(5), Combination.COMPOUND) == Decimal("15.5")


@pytest.mark.parametrize(
    ("drawdown", "order"), [("expiring_first", "bca"), ("granted_first", "cba"), ("granted_last", "bca")]
)
def test_buckets_are_drawn_in_their_order(drawdown: str, order: str) -> None:
    buckets = [
        Bucket(id="a", units_each=Decimal(1), quantity=1),
        Bucket(id="b", units_each=Decimal(1), quantity=1, granted=date(2026, 2, 1), expires=date(2026, 3, 1)),
        Bucket(id="c", units_each=Decimal(1), quantity=1, granted=date(2026, 1, 1), expires=date(2026, 4, 1)),
    ]
    assert "".join(bucket.id for bucket in draw_order(buckets, Drawdown(drawdown))) == order


def test_of_packs_that_start_together_the_cheapest_counts() -> None:
    spring = {"start": date(2026, 3, 1), "end": date(2026, 5, 31)}
    packs = [RatePack(name=name, rate=Decimal(rate), **spring) for name, rate in (("a", 9), ("b", 7), ("c", 8))]
    assert select_rate(date(2026, 5, 31), Decimal(10), packs).pack == "b"
    assert select_rate(date(2026, 6, 1), Decimal(10), packs).pack is None


@given(st.fractions(-1000, 1000), st.sampled_from(RoundingMode), st.integers(0, 6))
def test_rounding_is_that_of_the_mode(value: Fraction, mode: RoundingMode, decimals: int) -> None:
    found = Fraction(Rounding(mode=mode, decimals=decimals).apply(value))
    step = Fraction(1, 10**decimals)
    if mode is RoundingMode.HALF_UP:
        assert abs(found - value) <= step / 2
    else:
        assert abs(found - value) < step
        assert abs(found) <= abs(value) if mode is RoundingMode.DOWN else abs(found) >= abs(value)


@given(st.integers(0, 2 * 10**9).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)), st.sampled_from(EndStyle))
def test_a_written_end_is_read_back(end: datetime, style: EndStyle) -> None:
    whole = end.replace(hour=0, minute=0, second=0, microsecond=0)
    assert read_end(write_end(whole, style), style, ZoneInfo("UTC")) == whole
    precise = end.replace(microsecond=0)
    seconds = EndStyle.INCLUSIVE_SECOND
    assert read_end(write_end(precise, seconds), seconds, ZoneInfo("UTC")) == precise


def test_a_bare_date_is_midnight_where_it_is_said() -> None:
    assert as_instant(date(2026, 1, 1), ZoneInfo("Asia/Tokyo")) == datetime(2025, 12, 31, 15, tzinfo=UTC)


def test_every_refusal_has_a_code_of_its_own() -> None:
    codes = [error.code for error in AssetError.__subclasses__()]
    assert len(set(codes)) == len(codes)
    assert AssetError.code not in codes
