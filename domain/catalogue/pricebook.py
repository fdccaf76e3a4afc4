"""Price books: list prices in one currency, valid for a time, by configuration and by quantity."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import Annotated, NamedTuple, Self

from pydantic import Field, model_validator

from domain.assets.model import Attributes, SellingModel
from domain.catalogue.errors import NoPriceError, PriceBookNotValidError, SellingModelError, one_of
from domain.kernel.base import Received
from domain.kernel.calendar import MONTHS_IN_YEAR
from domain.kernel.indexed import Indexed
from domain.kernel.money import CurrencyCode, Rounding
from domain.orders.order import Code, Text

LEDGER_DECIMALS = Rounding(decimals=12)
"""Of a yearly price by the month: a million units for a century still come to the cent."""
ZERO = Decimal(0)


class PriceUnit(StrEnum):
    """What a unit price pays for."""

    MONTH = "month"
    YEAR = "year"
    ONCE = "once"
    USE = "use"
    """one unit of measured use"""


_UNITS = {
    SellingModel.ONE_TIME: (PriceUnit.ONCE,),
    SellingModel.TERMED: (PriceUnit.MONTH, PriceUnit.YEAR),
    SellingModel.EVERGREEN: (PriceUnit.MONTH, PriceUnit.YEAR),
    SellingModel.USAGE: (PriceUnit.USE,),
}


_Sold = tuple[str, SellingModel, tuple[tuple[str, str], ...]]
"""A product, how it is sold, and its attributes."""


class Tier(Received):
    """From `least` units on, every unit costs `price`."""

    least: Annotated[int, Field(ge=0)] = 0
    price: Annotated[Decimal, Field(ge=0, le=Decimal("1e12"), decimal_places=6)]


class PriceEntry(Received):
    """The list price of a product, perhaps only for a selling model and for some attributes; the tier of the whole quantity counts."""

    product: Code
    per: PriceUnit
    tiers: Annotated[tuple[Tier, ...], Field(min_length=1)]
    selling_model: SellingModel | None = None
    attributes: Attributes = Field(default_factory=dict)

    @model_validator(mode="after")
    def _tiers_ascend(self) -> Self:
        if any(upper.least <= lower.least for lower, upper in pairwise(self.tiers)):
            raise ValueError(f"the tiers of {self.product} must start at ever larger quantities")
        return self

    def holds(self, model: SellingModel, attributes: Attributes) -> bool:
        return self.selling_model in (None, model) and self.attributes.items() <= attributes.items()

    @property
    def specificity(self) -> tuple[int, bool]:
        return len(self.attributes), self.selling_model is not None


class ListPrice(NamedTuple):
    """A price found in a book, and the tier that it comes from."""

    price: Decimal
    per: PriceUnit
    tier_from: int


class PriceBook(Indexed):
    """List prices in one currency from `valid_from` up to, but without, `valid_to`; net unit prices keep `unit_decimals`."""

    name: Text
    currency: CurrencyCode
    entries: tuple[PriceEntry, ...]
    valid_from: date
    valid_to: date | None = None
    unit_decimals: Annotated[int, Field(ge=0, le=6)] = 6

    @model_validator(mode="after")
    def _is_valid_some_day(self) -> Self:
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            raise ValueError(f"price book {self.name} ends on {self.valid_to}, not after {self.valid_from}")
        return self

    @cached_property
    def by_product(self) -> dict[str, list[PriceEntry]]:
        found: dict[str, list[PriceEntry]] = defaultdict(list)
        for entry in self.entries:
            found[entry.product].append(entry)
        return dict(found)

    @cached_property
    def _fitting(self) -> dict[_Sold, PriceEntry]:
        """The entries that were asked for, by what is sold."""
        return {}

    @cached_property
    def rounding(self) -> Rounding:
        return Rounding(decimals=self.unit_decimals)

    def valid_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)

    def list_price(self, product: str, model: SellingModel, attributes: Attributes, quantity: int) -> ListPrice:
        """The list price of a product; the entry with the most matching attributes wins, among equals the first.

        Raises:
            NoPriceError: No entry fits, or its tiers start at a larger quantity.
            SellingModelError: The entry's price is for a unit that this selling model does not have.
        """
        key = product, model, tuple(attributes.items())
        if (entry := self._fitting.get(key)) is None:
            entries = [entry for entry in self.by_product.get(product, ()) if entry.holds(model, attributes)]
            if not entries:
                says = f"price book {self.name} ({self.currency}) has no price {model.words} for {product}"
                raise NoPriceError(f"{says}; publish one, as by `perennial price set`")
            entry = self._fitting[key] = max(entries, key=lambda entry: entry.specificity)
        if entry.per not in _UNITS[model]:
            units = " or ".join(_UNITS[model])
            raise SellingModelError(
                f"{product} is sold {model.words}: its price must be per {units}, not per {entry.per}"
            )
        tiers = [tier for tier in entry.tiers if tier.least <= quantity]
        if not tiers:
            raise NoPriceError(f"{product} is sold from {entry.tiers[0].least} units on, not {quantity}")
        return ListPrice(price=tiers[-1].price, per=entry.per, tier_from=tiers[-1].least)


def choose_book(books: Iterable[PriceBook], name: str, currency: str, on: date) -> PriceBook:
    """The edition of a price book that is valid on a date; among several the one that began last.

    Raises:
        PriceBookNotValidError: There is none.
    """
    named = [book for book in books if book.name == name and book.currency == currency]
    valid = [book for book in named if book.valid_on(on)]
    if valid:
        return max(valid, key=lambda book: book.valid_from)
    if named:
        spans = ", ".join(f"{book.valid_from} to {book.valid_to or 'open'}" for book in named)
        raise PriceBookNotValidError(f"price book {name} ({currency}) is not valid on {on}; its editions: {spans}")
    known = {f"{book.name} ({book.currency})" for book in books}
    raise PriceBookNotValidError(f"no price book {name} ({currency}); {one_of(f'{name} ({currency})', known)}")


def ledger_price(price: Decimal, per: PriceUnit) -> Decimal:
    """A price as the ledger keeps it: by the month, or once; what is paid by use is no recurring revenue."""
    match per:
        case PriceUnit.YEAR:
            return LEDGER_DECIMALS.apply(Fraction(price) / MONTHS_IN_YEAR)
        case PriceUnit.USE:
            return ZERO
        case _:
            return price
