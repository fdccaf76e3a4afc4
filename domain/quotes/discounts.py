"""Discounts: in the order in which they are given, each on what the one before left."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from domain.catalogue.errors import DiscountError
from domain.kernel.base import Carried, Received, unchecked
from domain.kernel.money import Rounding
from domain.orders.order import Code, Text

HUNDRED = Decimal(100)
ONE_PERCENT = Decimal("0.01")


class DiscountKind(StrEnum):
    PERCENT = "percent"
    AMOUNT = "amount"
    """off the price of one unit, for the time that the price is for"""
    PRICE = "price"
    """the unit price that is to be paid"""


class Discount(Received):
    """A discount on the lines or products it names; a percentage that names none is for every line that has a new price."""

    name: Text
    kind: DiscountKind = DiscountKind.PERCENT
    value: Annotated[Decimal, Field(ge=0, le=Decimal("1e12"), decimal_places=6)]
    lines: tuple[str, ...] = ()
    products: tuple[Code, ...] = ()

    @model_validator(mode="after")
    def _is_meant_for_something(self) -> Self:
        if self.kind is DiscountKind.PERCENT:
            if self.value > HUNDRED:
                raise ValueError(f"discount {self.name}: at most 100 per cent, not {self.value}")
        elif not self.lines and not self.products:
            raise ValueError(f"discount {self.name}: an {self.kind} needs the lines or products it is for")
        return self

    def covers(self, line_id: str, product: str) -> bool:
        if not self.lines and not self.products:
            return True
        return line_id in self.lines or product in self.products


class DiscountStep(Carried):
    """What one discount made of a unit price."""

    name: str
    kind: DiscountKind
    value: Decimal
    before: Decimal
    after: Decimal


_step = unchecked(DiscountStep)


def discount_steps(price: Decimal, discounts: Sequence[Discount], rounding: Rounding) -> tuple[DiscountStep, ...]:
    """Every discount in order, rounded after each.

    Raises:
        DiscountError: One of them is more than what is left of the price.
    """
    steps: list[DiscountStep] = []
    for discount in discounts:
        after = _after(price, discount, rounding)
        if not 0 <= after <= price:
            raise DiscountError(f"discount {discount.name}: {price} would become {after}; choose between 0 and {price}")
        steps.append(_step(name=discount.name, kind=discount.kind, value=discount.value, before=price, after=after))
        price = after
    return tuple(steps)


def _after(price: Decimal, discount: Discount, rounding: Rounding) -> Decimal:
    match discount.kind:
        case DiscountKind.PERCENT:
            return rounding.apply(price * (HUNDRED - discount.value) * ONE_PERCENT)
        case DiscountKind.AMOUNT:
            return price - discount.value
        case DiscountKind.PRICE:
            return discount.value
