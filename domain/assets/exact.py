"""Exact arithmetic: shares are fractions until the one point where a policy rounds them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from domain.money import Rounding, RoundingMode


def rounded(value: Fraction | Decimal | int, rounding: Rounding) -> Decimal:
    """`value` with exactly `rounding.decimals` places; ties are seen exactly, never through a cut-off quotient."""
    fraction = Fraction(value)
    scaled = abs(fraction) * Fraction(10) ** rounding.decimals
    whole, rest = divmod(scaled.numerator, scaled.denominator)
    if rounding.mode is RoundingMode.UP:
        whole += rest > 0
    elif rounding.mode is RoundingMode.HALF_UP:
        whole += 2 * rest >= scaled.denominator
    return Decimal(f"{-whole if fraction < 0 else whole}E{-rounding.decimals}")


def percent_of(value: Decimal, percent: Decimal, rounding: Rounding) -> Decimal:
    """`percent` per cent of `value`, rounded."""
    return rounded(Fraction(value) * Fraction(percent) / 100, rounding)
