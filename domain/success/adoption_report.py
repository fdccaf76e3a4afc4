"""How much of what was bought is used: utilisation, activation, breadth and trend, by product and segment. Pure.

What was not reported is not known: it is left out of every figure, and counted by itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum

from domain.kernel.base import Carried


class Reported(StrEnum):
    """How far an account's use of a product is known."""

    FRESH = "fresh"
    STALE = "stale"
    """it was reported once, and has not been for longer than the account's playbook takes for known"""
    NEVER = "never"


class ProductUse(Carried):
    """One account's use of one product in the 28 days up to a day.

    active: the mean of the reported days; earlier: that of the 28 days before; used and known: the features that they used, and
    those that anybody used. Null: nothing says so.
    """

    account_id: str
    account: str
    segment: str
    product: str
    seats: int
    reported: Reported
    latest_day: date | None = None
    active: Decimal | None = None
    earlier: Decimal | None = None
    invited: int | None = None
    activated: int | None = None
    used: tuple[str, ...] = ()
    known: int = 0

    @property
    def fresh(self) -> bool:
        """True if its figures count."""
        return self.reported is Reported.FRESH and self.active is not None

    @property
    def utilisation(self) -> Decimal | None:
        """Active users ÷ paid seats; more than 1 where more use it than is paid for."""
        return _share(self.active, Decimal(self.seats)) if self.fresh else None

    @property
    def activation(self) -> Decimal | None:
        """Users who did what the product is for ÷ invited ones."""
        return _share(_number(self.activated), _number(self.invited)) if self.fresh else None

    @property
    def breadth(self) -> Decimal | None:
        """Features they used ÷ features that anybody used; null where the product tells of none."""
        return _share(Decimal(len(self.used)), Decimal(self.known)) if self.fresh and self.used else None

    @property
    def trend(self) -> Decimal | None:
        """By how much use has risen (or fallen, below zero) against the 28 days before."""
        now = _share(self.active, self.earlier) if self.fresh else None
        return None if now is None else now - 1


class AdoptionFigures(Carried):
    """The figures of a product in a segment (empty: in all of them), and the accounts behind them, the least use first."""

    product: str
    segment: str
    uses: tuple[ProductUse, ...]

    @property
    def fresh(self) -> list[ProductUse]:
        """Those whose figures count."""
        return [use for use in self.uses if use.fresh]

    @property
    def seats(self) -> int:
        """The paid seats of those whose figures count."""
        return sum(use.seats for use in self.fresh)

    @property
    def active(self) -> Decimal:
        """Active users on a usual day, over all accounts."""
        return sum((use.active for use in self.fresh if use.active is not None), Decimal(0))

    @property
    def utilisation(self) -> Decimal | None:
        """Of all seats together, so that a large account counts for as much as it has."""
        return _share(self.active, Decimal(self.seats))

    @property
    def activation(self) -> Decimal | None:
        """Of all invited users together."""
        told = [use for use in self.fresh if use.activated is not None and use.invited is not None]
        return _share(_total(use.activated for use in told), _total(use.invited for use in told))

    @property
    def breadth(self) -> Decimal | None:
        """The mean over the accounts of which features are known."""
        told = [share for use in self.fresh if (share := use.breadth) is not None]
        return sum(told, Decimal(0)) / len(told) if told else None

    @property
    def trend(self) -> Decimal | None:
        """Of the accounts that reported both spans."""
        both = [use for use in self.fresh if use.active is not None and use.earlier is not None]
        now = sum((use.active for use in both if use.active is not None), Decimal(0))
        share = _share(now, sum((use.earlier for use in both if use.earlier is not None), Decimal(0)))
        return None if share is None else share - 1

    def spread(self) -> list[int]:
        """How many accounts use less than a fifth of their seats, less than two fifths, and so on; the last: all seats, or more."""
        found = [0] * 6
        for use in self.fresh:
            found[min(5, int((use.utilisation or Decimal(0)) * 5))] += 1
        return found


def adoption_figures(uses: Sequence[ProductUse]) -> list[AdoptionFigures]:
    """The figures of each product: over all segments first, then by segment where there are several."""
    products: dict[str, list[ProductUse]] = defaultdict(list)
    for use in uses:
        products[use.product].append(use)
    found = []
    for product, own in sorted(products.items()):
        segments: dict[str, list[ProductUse]] = defaultdict(list)
        for use in own:
            segments[use.segment].append(use)
        parts = [
            AdoptionFigures(product=product, segment=name, uses=_least(of)) for name, of in sorted(segments.items())
        ]
        everywhere = [AdoptionFigures(product=product, segment="", uses=_least(own))] if len(parts) > 1 else []
        found += [*everywhere, *parts]
    return found


def _least(uses: Iterable[ProductUse]) -> tuple[ProductUse, ...]:
    def key(use: ProductUse) -> tuple[bool, Decimal, str]:
        share = use.utilisation
        return share is None, share or Decimal(0), use.account_id

    return tuple(sorted(uses, key=key))


def _share(part: Decimal | None, whole: Decimal | None) -> Decimal | None:
    return part / whole if part is not None and whole else None


def _number(value: int | None) -> Decimal | None:
    return None if value is None else Decimal(value)


def _total(values: Iterable[int | None]) -> Decimal:
    return Decimal(sum(value or 0 for value in values))
