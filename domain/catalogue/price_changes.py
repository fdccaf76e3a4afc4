"""From one edition of a price book to another: what each product costs more or less, and what that means for what is held."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from domain.assets.model import SellingModel
from domain.catalogue.pricebook import PriceBook, PriceEntry, PriceUnit
from domain.kernel.calendar import MONTHS_IN_YEAR
from domain.kernel.money import Rounding

PERCENT = Rounding(decimals=1)
_Key = tuple[str, SellingModel | None, tuple[tuple[str, str], ...]]


@dataclass(frozen=True)
class PriceChange:
    """What a product costs in two editions, one unit of it in their first tier; null: it has no price there."""

    product: str
    selling_model: SellingModel | None
    per: PriceUnit
    before: Decimal | None
    after: Decimal | None

    @property
    def percent(self) -> Decimal | None:
        """How much more it costs, in percent; null if one edition has no price, or none but zero."""
        if not self.before or self.after is None:
            return None
        return PERCENT.apply((self.after - self.before) / self.before * 100)

    @property
    def yearly(self) -> Decimal:
        """What one unit costs more in a year of paying for it; zero for what is paid once or by use."""
        if self.before is None or self.after is None:
            return Decimal(0)
        times = {PriceUnit.MONTH: MONTHS_IN_YEAR, PriceUnit.YEAR: 1}.get(self.per, 0)
        return (self.after - self.before) * times


def price_changes(before: PriceBook, after: PriceBook) -> list[PriceChange]:
    """Every list price of either edition, by product; unchanged ones are among them.

    Raises:
        ValueError: The editions are in different currencies.
    """
    if before.currency != after.currency:
        raise ValueError(f"prices in {before.currency} and {after.currency} cannot be compared")
    old, new = _by_key(before), _by_key(after)
    return [_change(old.get(key), new.get(key)) for key in sorted(old.keys() | new.keys(), key=_order)]


def renewal_effect(changes: list[PriceChange], held: Mapping[str, int]) -> Decimal:
    """What renewing everything that is held at the later prices brings more in a year. held: units of each product."""
    plain = [change for change in changes if change.selling_model in (None, SellingModel.TERMED)]
    # Where a term has a price of its own, that one is asked.
    by_product = {change.product: change for change in sorted(plain, key=lambda c: c.selling_model is not None)}
    return sum((by_product[p].yearly * units for p, units in held.items() if p in by_product), Decimal(0))


def _by_key(book: PriceBook) -> dict[_Key, PriceEntry]:
    return {(e.product, e.selling_model, tuple(sorted(e.attributes.items()))): e for e in book.entries}


def _order(key: _Key) -> tuple[str, str, tuple[tuple[str, str], ...]]:
    return key[0], key[1] or "", key[2]


def _change(old: PriceEntry | None, new: PriceEntry | None) -> PriceChange:
    known = new or old
    if known is None:
        raise AssertionError("one of the editions has the price")
    comparable = old is None or new is None or old.per is new.per
    return PriceChange(
        product=known.product,
        selling_model=known.selling_model,
        per=known.per,
        before=old.tiers[0].price if old and comparable else None,
        after=new.tiers[0].price if new else None,
    )
