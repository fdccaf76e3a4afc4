"""Billing periods: where they begin and end, for an asset and for the contract that it belongs to."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date

from domain.assets.dates import Span
from domain.assets.grid import Grid
from domain.kernel.calendar import month_index


@dataclass(frozen=True, slots=True)
class BillingTerms:
    """How an asset is billed: in advance, by days of `zone`, in periods of so many `months` on a grid that starts with the asset.

    `anchors` start the grid elsewhere, as with the contract: the days from which its months begin on a day of the month, with
    that day. `starts`, if given, are the first days of all periods.
    """

    zone: str = "UTC"
    months: int = 1
    anchors: tuple[tuple[date, int], ...] = ()
    starts: tuple[date, ...] = ()

    def periods(self, first: date) -> Periods:
        """The billing periods of what begins on `first`."""
        if self.starts:
            return Listed(self.starts)
        anchors = self.anchors or ((first, first.day),)
        grids = tuple((start, Grid(month_index(start), day, self.months)) for start, day in anchors)
        return Rebased(grids) if len(grids) > 1 else grids[0][1]


@dataclass(frozen=True, slots=True)
class Listed:
    """Billing periods by their first days; the last one has no end."""

    starts: tuple[date, ...]

    def period_at(self, day: date) -> Span:
        place = bisect_right(self.starts, day)
        ends = (*self.starts, date.max)
        return Span(self.starts[place - 1] if place else date.min, ends[place])

    def after(self, day: date) -> date:
        return self.period_at(day).end


@dataclass(frozen=True, slots=True)
class Rebased:
    """Billing periods on one grid after the other, each from a first day on."""

    grids: tuple[tuple[date, Grid], ...]

    def period_at(self, day: date) -> Span:
        place = max(1, bisect_right(self.grids, day, key=lambda grid: grid[0]))
        start, grid = self.grids[place - 1]
        span = grid.period_at(day)
        return Span(
            max(span.start, start) if place > 1 else span.start,
            min(span.end, self.grids[place][0]) if place < len(self.grids) else span.end,
        )

    def after(self, day: date) -> date:
        return self.period_at(day).end


Periods = Grid | Listed | Rebased
