"""Period grids: where billing periods start, for every boundary rule."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from domain.assets.dates import Span
from domain.kernel.calendar import day_in_month, month_index


@dataclass(frozen=True, slots=True)
class Grid:
    """Boundary k is the wanted `day` of the month with index `anchor + k * step`."""

    anchor: int
    day: int
    step: int

    def boundary(self, number: int) -> date:
        return day_in_month(self.anchor + number * self.step, self.day)

    def number_at(self, day: date) -> int:
        """The last boundary on or before `day`."""
        number = (month_index(day) - self.anchor) // self.step
        return number if self.boundary(number) <= day else number - 1

    def period_at(self, day: date) -> Span:
        number = self.number_at(day)
        return Span(self.boundary(number), self.boundary(number + 1))

    def after(self, day: date) -> date:
        """The first boundary after `day`."""
        return self.boundary(self.number_at(day) + 1)
