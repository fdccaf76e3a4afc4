"""Usage: granted units, the order they are drawn in, overage, and the rate that holds on a day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from pydantic import Field

from domain.kernel.base import Carried
from domain.kernel.money import Rounding

ZERO = Decimal(0)


class Drawdown(StrEnum):
    """Which bucket is drawn first."""

    EXPIRING_FIRST = "expiring_first"
    GRANTED_FIRST = "granted_first"
    GRANTED_LAST = "granted_last"


class Bucket(Carried):
    """Units granted with a purchase, for `used_units` of a period's `period_units`; the next period grants in full."""

    id: str
    units_each: Decimal
    quantity: int
    used_units: int = 1
    period_units: int = Field(default=1, ge=1)
    granted: date | None = None
    expires: date | None = None

    @property
    def full(self) -> Decimal:
        return self.units_each * self.quantity

    def grant(self, rounding: Rounding) -> Decimal:
        """Units of this period."""
        return rounding.apply(Fraction(self.full) * Fraction(self.used_units, self.period_units))


class Usage(Carried):
    units: Decimal
    credits_per_unit: Decimal


class GrantState(Carried):
    """Units, and `overage_charge` in money if there is a rate."""

    granted_total: Decimal
    next_period_total: Decimal
    used: Decimal
    balance: Decimal
    overage: Decimal
    overage_charge: Decimal | None
    draw_order: tuple[str, ...]


class RatePack(Carried):
    """A rate from `start` to `end`, both included."""

    name: str
    start: date
    end: date
    rate: Decimal


class SelectedRate(Carried):
    rate: Decimal
    pack: str | None


def draw_order(buckets: Sequence[Bucket], drawdown: Drawdown) -> list[Bucket]:
    """Buckets in the order they are drawn; without a date last, otherwise in the order given."""

    def by_grant(bucket: Bucket) -> int:
        return (bucket.granted or date.max).toordinal()

    if drawdown is Drawdown.GRANTED_LAST:
        return sorted(buckets, key=lambda bucket: -(bucket.granted or date.min).toordinal())
    if drawdown is Drawdown.GRANTED_FIRST:
        return sorted(buckets, key=by_grant)
    return sorted(buckets, key=lambda bucket: (bucket.expires or date.max, by_grant(bucket)))


def settle_grants(
    buckets: Sequence[Bucket],
    usage: Sequence[Usage],
    drawdown: Drawdown,
    rounding: Rounding,
    overage_rate: Decimal | None = None,
) -> GrantState:
    """What is granted, used and left, and what usage above the grants costs."""
    granted = sum((bucket.grant(rounding) for bucket in buckets), ZERO)
    used = sum((item.units * item.credits_per_unit for item in usage), ZERO)
    overage = max(ZERO, used - granted)
    return GrantState(
        granted_total=granted,
        next_period_total=sum((bucket.full for bucket in buckets), ZERO),
        used=used,
        balance=max(ZERO, granted - used),
        overage=overage,
        overage_charge=None if overage_rate is None else rounding.apply(overage * overage_rate),
        draw_order=tuple(bucket.id for bucket in draw_order(buckets, drawdown)),
    )


def select_rate(on: date, base_rate: Decimal, packs: Sequence[RatePack]) -> SelectedRate:
    """The rate of a day: of overlapping packs the one that started last, of these the lowest; else the base rate."""
    holding = [pack for pack in packs if pack.start <= on <= pack.end]
    if not holding:
        return SelectedRate(rate=base_rate, pack=None)
    pack = min(holding, key=lambda pack: (-pack.start.toordinal(), pack.rate))
    return SelectedRate(rate=pack.rate, pack=pack.name)
