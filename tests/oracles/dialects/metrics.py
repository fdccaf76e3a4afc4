"""Delta metrics of an order: what it changes in quantity, recurring revenue, billing and contract value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from domain.assets.dates import Span
from domain.assets.proration_policy import DAYS_IN_MONTH, DayCount
from domain.kernel.base import Carried
from domain.kernel.calendar import CALENDAR, day_in_month, month_index, months_between
from domain.kernel.money import Rounding


class OrderKind(StrEnum):
    CHANGE = "change"
    RENEWAL = "renewal"
    """a new contract: nothing before it counts"""


@dataclass(frozen=True, slots=True)
class ChargeSegment:
    """A stretch of a charge; prices are for one unit and month, before the discount."""

    span: Span
    quantity: int
    unit_price: Decimal
    list_price: Decimal
    discount_percent: Decimal = Decimal(0)

    @property
    def gross(self) -> Fraction:
        return Fraction(self.unit_price) * self.quantity

    @property
    def net(self) -> Fraction:
        return self.gross * (100 - Fraction(self.discount_percent)) / 100

    @property
    def listed(self) -> Fraction:
        return Fraction(self.list_price) * self.quantity


class DeltaMetrics(Carried):
    """Monthly figures at the effective date, sums from there on; gross is without discount, ELP at list price."""

    delta_quantity: int
    delta_mrr: Decimal
    delta_gross_mrr: Decimal
    delta_tcb: Decimal
    delta_gross_tcb: Decimal
    delta_elp: Decimal
    delta_tcv: Decimal
    subtotals: tuple[Decimal, ...]


Monthly = Callable[[ChargeSegment], Fraction]


def calendar_months(span: Span, day_count: DayCount) -> Fraction:
    """Calendar months of `span`: a partial month is its days over the month's length, or over 30."""
    if span.days <= 0:
        return Fraction()
    if day_count is DayCount.ACTUAL:
        return months_between(span.start, span.end, CALENDAR)
    first, last = month_index(span.start) + 1, month_index(span.end)
    begin, end = day_in_month(first, CALENDAR), day_in_month(last, CALENDAR)
    if first > last:
        return Fraction(span.days, DAYS_IN_MONTH)
    return last - first + _thirtieths(span.start, begin) + Fraction((span.end - end).days, DAYS_IN_MONTH)


def _thirtieths(day: date, next_month: date) -> Fraction:
    """What a month from `day` on counts: one if it is whole, else its days over 30."""
    return Fraction(1) if day.day == CALENDAR else Fraction((next_month - day).days, DAYS_IN_MONTH)


def delta_metrics(
    kind: OrderKind,
    effective: date,
    before: Sequence[ChargeSegment],
    after: Sequence[ChargeSegment],
    billing_day_count: DayCount,
    rounding: Rounding,
) -> DeltaMetrics:
    """Compare a charge before and after an order, from `effective` on. Contract value always counts actual days."""
    old = [] if kind is OrderKind.RENEWAL else before

    def at_effective(value: Monthly) -> Fraction:
        return _sum(value(s) for s in after if _holds(s, effective)) - _sum(
            value(s) for s in old if _holds(s, effective)
        )

    def from_effective(value: Monthly, day_count: DayCount) -> Decimal:
        def worth(segments: Sequence[ChargeSegment]) -> Fraction:
            return _sum(value(s) * calendar_months(_rest(s.span, effective), day_count) for s in segments)

        return rounding.apply(worth(after) - worth(old))

    return DeltaMetrics(
        delta_quantity=int(at_effective(lambda s: Fraction(s.quantity))),
        delta_mrr=rounding.apply(at_effective(lambda s: s.net)),
        delta_gross_mrr=rounding.apply(at_effective(lambda s: s.gross)),
        delta_tcb=from_effective(lambda s: s.net, billing_day_count),
        delta_gross_tcb=from_effective(lambda s: s.gross, billing_day_count),
        delta_elp=from_effective(lambda s: s.listed, billing_day_count),
        delta_tcv=from_effective(lambda s: s.net, DayCount.ACTUAL),
        subtotals=tuple(rounding.apply(s.net * calendar_months(s.span, billing_day_count)) for s in after),
    )


def _sum(values: Iterable[Fraction]) -> Fraction:
    return sum(values, Fraction())


def _holds(segment: ChargeSegment, on: date) -> bool:
    return segment.span.start <= on < segment.span.end


def _rest(span: Span, start: date) -> Span:
    return Span(max(span.start, start), span.end)
