"""Money: decimal amounts with their ISO 4217 currency, and the ways to round them."""

from __future__ import annotations

import re
from datetime import date
from decimal import ROUND_DOWN, ROUND_HALF_UP, ROUND_UP, Decimal
from enum import StrEnum
from fractions import Fraction
from functools import cache, lru_cache
from typing import Annotated

from iso4217 import Currency
from pydantic import AfterValidator, field_serializer

from domain.kernel.base import Carried

WITHDRAWN = {"ANG": date(2025, 6, 30), "BGN": date(2026, 1, 31)}
"""Currencies that ISO 4217 has dropped, with their last day: what was sold in them stays readable, nothing new is sold in them."""

MINOR_UNITS: dict[str, int] = {
    currency.code: currency.exponent for currency in Currency if currency.exponent is not None
}
"""Decimals by currency, as ISO 4217 lists them; units without any, such as gold and the codes for tests, are no currencies."""
MINOR_UNITS |= dict.fromkeys(WITHDRAWN, 2)


def withdrawn(currency: str, on: date) -> str | None:
    """Why nothing can be sold in `currency` on a day: it has been withdrawn. None if it can."""
    last = WITHDRAWN.get(currency)
    if last is None or on <= last:
        return None
    return f"{currency} was withdrawn and could be used until {last}; sell in the currency that took its place"


def _known_currency(code: str) -> str:
    if code not in MINOR_UNITS:
        raise ValueError(f"unknown currency {code!r}; use an ISO 4217 code in capitals, such as JPY, EUR or USD")
    return code


CurrencyCode = Annotated[str, AfterValidator(_known_currency)]


class RoundingMode(StrEnum):
    """How a tie or a remainder is settled."""

    HALF_UP = "half_up"
    """to the nearest, ties away from zero"""
    DOWN = "down"
    """towards zero"""
    UP = "up"
    """away from zero"""


_DECIMAL_MODE = {
    RoundingMode.HALF_UP: ROUND_HALF_UP,
    RoundingMode.DOWN: ROUND_DOWN,
    RoundingMode.UP: ROUND_UP,
}


class Rounding(Carried):
    """A rounding rule: `mode` and the number of `decimals` that are kept."""

    mode: RoundingMode = RoundingMode.HALF_UP
    decimals: int = 2

    def apply(self, value: Decimal | Fraction) -> Decimal:
        """`value` with exactly `decimals` places; ties are seen exactly, never through a cut-off quotient."""
        if isinstance(value, Decimal):
            return value.quantize(_step(self.decimals), rounding=_DECIMAL_MODE[self.mode])
        return self.quotient(value.numerator, value.denominator)

    def product(self, value: Decimal, factor: Fraction) -> Decimal:
        """`value` times `factor`, rounded once."""
        numerator, denominator = value.as_integer_ratio()
        return self.quotient(numerator * factor.numerator, denominator * factor.denominator)

    def quotient(self, numerator: int, denominator: int) -> Decimal:
        """`numerator` over `denominator`, rounded."""
        decimals, mode = self.decimals, self.mode
        if decimals > 0:
            numerator *= 10**decimals
        elif decimals < 0:
            denominator *= 10**-decimals
        whole, rest = divmod(abs(numerator), denominator)
        if mode is RoundingMode.UP:
            whole += rest > 0
        elif mode is RoundingMode.HALF_UP:
            whole += 2 * rest >= denominator
        if numerator < 0:
            whole = -whole
        if -_EXACT < whole < _EXACT:
            return whole * _step(decimals)
        return Decimal(f"{whole}E{-decimals}")


_EXACT = 10**27
"""Whole numbers below this are multiplied with a power of ten without being rounded."""


@cache
def _step(decimals: int) -> Decimal:
    """The least amount with so many decimals."""
    return Decimal(1).scaleb(-decimals)


@cache
def half_up(decimals: int = 0) -> Rounding:
    """To the nearest with so many decimals, ties away from zero."""
    return Rounding(decimals=decimals)


_MONTHLY = Rounding(decimals=12)
_DIVIDED = -10
_YEARLY = Decimal("1e-6")
_AGREED = Decimal("1e-10")
_MILLION = 10**6


@cache
def rounding_of(currency: str) -> Rounding:
    """Half up to the minor unit of `currency`: 0 decimals for JPY, 2 for EUR, 3 for KWD."""
    return half_up(MINOR_UNITS[currency])


class CurrencyMismatchError(ValueError):
    """Two amounts in different currencies were added or compared."""


class Money(Carried):
    """An amount in one currency, at any precision; `rounded()` brings it to the currency's minor unit."""

    amount: Decimal
    currency: CurrencyCode

    def _amount_of(self, other: Money) -> Decimal:
        if other.currency != self.currency:
            raise CurrencyMismatchError(
                f"{self.currency} and {other.currency} cannot be combined; convert one of them first"
            )
        return other.amount

    def __add__(self, other: Money) -> Money:
        return Money(amount=self.amount + self._amount_of(other), currency=self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(amount=self.amount - self._amount_of(other), currency=self.currency)

    def __mul__(self, factor: Decimal | int) -> Money:
        return Money(amount=self.amount * factor, currency=self.currency)

    def __neg__(self) -> Money:
        return Money(amount=-self.amount, currency=self.currency)

    def rounded(self) -> Money:
        """This amount at the currency's minor unit, ties away from zero."""
        return Money(amount=rounding_of(self.currency).apply(self.amount), currency=self.currency)

    @field_serializer("amount", when_used="json")
    def _plainly(self, amount: Decimal) -> str:
        return f"{amount:f}"

    def told(self) -> dict[str, str]:
        """As messages, answers and records carry it: {"amount": "12.50", "currency": "EUR"}."""
        return self.model_dump(mode="json")


def money(amount: Decimal, currency: str) -> Money:
    """An amount as it is."""
    return Money(amount=amount, currency=currency)


def to_minor_unit(amount: Decimal, currency: str) -> Money:
    """An amount at the currency's minor unit."""
    return Money(amount=amount, currency=currency).rounded()


def grouped(amount: Decimal, currency: str) -> str:
    """An amount at the currency's minor unit for tables, thousands grouped, without the currency."""
    return f"{rounding_of(currency).apply(amount):,}"


def by_one_month(price: Decimal, months: int) -> Decimal:
    """The part for one month of a price for `months`. It has 12 decimals: sums of it are exact, and right to the cent."""
    return _MONTHLY.apply(price / months)


def is_divided(monthly: Decimal) -> bool:
    """True for a price by the month that one by the year was divided into: nothing else has that many digits."""
    exponent = monthly.as_tuple().exponent
    return isinstance(exponent, int) and exponent <= _DIVIDED


@lru_cache(maxsize=4096)
def exactly(monthly: Decimal) -> Fraction:
    """A price by the month as it was agreed: one that a price by the year was divided into is that year's twelfth again."""
    if not is_divided(monthly):
        return Fraction(monthly)
    return Fraction((monthly * 12).quantize(_YEARLY)) / 12


def exact_ratio(monthly: Decimal) -> tuple[int, int]:
    """As `exactly`, as a numerator and a denominator; a price that needs no more than six decimals is what it says at once."""
    top, bottom = monthly.as_integer_ratio()
    if _MILLION % bottom == 0 and -_EXACT < top < _EXACT:
        return top, bottom
    return exactly(monthly).as_integer_ratio()


def for_months(monthly: Decimal, months: int) -> Decimal:
    """The price for `months` that one for a month came from: the way back, without the digits that the division left."""
    price = (monthly * months).quantize(_AGREED).normalize()
    return price if int(price.as_tuple().exponent) <= 0 else price.quantize(Decimal(1))


_NUMBER = r"[+\-−]?\d[\d.,]*"
_CURRENCY = "|".join(MINOR_UNITS)
_SUMS = re.compile(
    rf"(?:{_NUMBER}\s(?:{_CURRENCY})|(?:{_CURRENCY})\s{_NUMBER}|[¥€$£]\s?{_NUMBER}|(?:(?<=, not )|(?<=tax of )){_NUMBER})(?![\w-])"
)


def without_sums(text: str) -> str:
    """A sentence of ours without the sums of money in it, for whoever sees none."""
    return _SUMS.sub("…", text)
