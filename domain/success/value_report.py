"""How long customers wait for the first value and for go-live of what they ordered, and how many get it in time. Pure.

A customer's time goes on whoever it waits for: what stands still while a task waits is our date, not their time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from enum import StrEnum
from statistics import quantiles

from domain.kernel.base import Carried


class StartGoal(StrEnum):
    """What is waited for."""

    FIRST_VALUE = "first_value"
    GO_LIVE = "go_live"


class Waited(StrEnum):
    """Whom the onboarding of an order has waited for, on its way to a milestone."""

    NOBODY = "nobody"
    CUSTOMER = "customer"
    US = "us"
    BOTH = "both"


class OrderStart(Carried):
    """One order on its way to a milestone. days: from the order until it was reached; null while it is not. target: the days promised.

    open: somebody still has to do it. evidence: what was reached, in the words of whoever said so. waited_for_customer, waited_for_us:
    days for which tasks have waited on the way.
    """

    order_id: str
    account_id: str
    segment: str
    milestone: StartGoal
    started_on: date
    days: int | None = None
    target: int
    open: bool
    evidence: str = ""
    waited_for_customer: int = 0
    waited_for_us: int = 0

    @property
    def in_time(self) -> bool:
        """True if it was reached inside the promised days."""
        return self.days is not None and self.days <= self.target

    @property
    def waited(self) -> Waited:
        """Whose waiting it was."""
        if self.waited_for_customer and self.waited_for_us:
            return Waited.BOTH
        return Waited.CUSTOMER if self.waited_for_customer else Waited.US if self.waited_for_us else Waited.NOBODY


BOUNDS = (7, 14, 21, 30, 45, 60, 90)
"""The last days of the columns of the picture; one more is for what took longer."""


class TimeToValue(Carried):
    """The orders that began in a time, of one group (a segment, or whose waiting it was; empty: all), with their distribution."""

    milestone: StartGoal
    group: str
    orders: tuple[OrderStart, ...]

    @property
    def reached(self) -> list[int]:
        """The days of those that reached it, the shortest first."""
        return sorted(one.days for one in self.orders if one.days is not None)

    @property
    def quartiles(self) -> tuple[float, float, float] | None:
        """The days within which a quarter, half and three quarters of those that reached it did; null if none has."""
        days = self.reached
        if not days:
            return None
        if len(days) == 1:
            return float(days[0]), float(days[0]), float(days[0])
        low, middle, high = quantiles(days, n=4, method="inclusive")
        return low, middle, high

    @property
    def in_time(self) -> int:
        """How many were there inside their target; of all that started, also those that never got there."""
        return sum(one.in_time for one in self.orders)

    @property
    def without_evidence(self) -> int:
        """How many count as there without a word on what was reached."""
        return sum(one.days is not None and not one.evidence for one in self.orders)

    def spread(self) -> list[int]:
        """How many took up to a week, two, and so on, by `BOUNDS`; the last: longer."""
        found = [0] * (len(BOUNDS) + 1)
        for days in self.reached:
            found[next((place for place, bound in enumerate(BOUNDS) if days <= bound), len(BOUNDS))] += 1
        return found


def times_to_value(orders: Sequence[OrderStart]) -> list[TimeToValue]:
    """For each milestone all orders, then by segment where there are several, then by whose waiting it was where anybody's was."""
    found = []
    for milestone in StartGoal:
        own = [one for one in orders if one.milestone is milestone]
        if not own:
            continue
        found.append(_group(milestone, "", own))
        by_segment = _by(own, lambda one: one.segment)
        waited = _by(own, lambda one: f"waited for {one.waited.value}")
        for groups in (by_segment, waited):
            if len(groups) > 1:
                found += [_group(milestone, name, of) for name, of in sorted(groups.items())]
    return found


def _by(orders: Iterable[OrderStart], name: Callable[[OrderStart], str]) -> dict[str, list[OrderStart]]:
    groups: dict[str, list[OrderStart]] = defaultdict(list)
    for one in orders:
        groups[name(one)].append(one)
    return groups


def _group(milestone: StartGoal, name: str, orders: Iterable[OrderStart]) -> TimeToValue:
    def longest_first(one: OrderStart) -> tuple[bool, int, str]:
        return one.days is not None, -(one.days or 0), one.order_id

    return TimeToValue(milestone=milestone, group=name, orders=tuple(sorted(orders, key=longest_first)))
