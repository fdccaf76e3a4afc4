"""Exact arithmetic: shares are fractions until the one point where a policy rounds them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from domain.kernel.money import Rounding, RoundingMode


def rounded(value: Fraction | Decimal | int, rounding: Rounding) -> Decimal:
    """`value` with exactly `rounding.decimals` places; ties are seen exactly, never through a cut-off quotient."""
    numerator, denominator = value.as_integer_ratio()
    return quotient(numerator, denominator, rounding)


def product(value: Decimal, factor: Fraction, rounding: Rounding) -> Decimal:
    """`value` times `factor`, rounded once."""
    numerator, denominator = value.as_integer_ratio()
    return quotient(numerator * factor.numerator, denominator * factor.denominator, rounding)


def quotient(numerator: int, denominator: int, rounding: Rounding) -> Decimal:
    """`numerator` over `denominator`, rounded."""
    decimals = rounding.decimals
    if decimals < 0:
        denominator *= 10**-decimals
    else:
        numerator *= 10**decimals
    whole, rest = divmod(abs(numerator), denominator)
    if rounding.mode is RoundingMode.UP:
        whole += rest > 0
    elif rounding.mode is RoundingMode.HALF_UP:
        whole += 2 * rest >= denominator
    return Decimal(f"{-whole if numerator < 0 else whole}E{-decimals}")
