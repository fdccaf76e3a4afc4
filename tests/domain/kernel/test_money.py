"""Sums by whole numbers come to what they come to by fractions, to the last digit."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.kernel.money import Rounding, RoundingMode, by_one_month, exact_ratio, exactly
from tests.properties import examples

PRICES = st.decimals(-(10**12), 10**12, places=6, allow_nan=False)
_HALF = Fraction(1, 2)
_OFF: dict[RoundingMode, tuple[Fraction, Fraction]] = {
    RoundingMode.HALF_UP: (-_HALF, _HALF),
    RoundingMode.DOWN: (Fraction(-1), Fraction(0)),
    RoundingMode.UP: (Fraction(0), Fraction(1)),
}
"""By how much of a unit a rounded sum may be larger, at least and at most."""
WHOLE = st.integers(-(10**30), 10**30)


@examples(200)
@given(price=PRICES | PRICES.map(lambda price: by_one_month(price, 12)) | PRICES.map(lambda price: price * 37))
def test_a_price_in_whole_numbers_is_the_price_that_was_agreed(price: Decimal) -> None:
    assert Fraction(*exact_ratio(price)) == exactly(price)


@examples(200)
@given(top=WHOLE, bottom=st.integers(1, 10**9), decimals=st.integers(0, 12), mode=st.sampled_from(list(RoundingMode)))
def test_a_quotient_is_rounded_once_with_all_its_decimals(
    top: int, bottom: int, decimals: int, mode: RoundingMode
) -> None:
    rounded = Rounding(mode=mode, decimals=decimals).quotient(top, bottom)
    assert rounded.as_tuple().exponent == -decimals
    off = abs(Fraction(rounded)) - abs(Fraction(top, bottom))
    unit = Fraction(1, 10**decimals)
    least, most = _OFF[mode]
    assert least * unit <= off <= most * unit
    assert mode is not RoundingMode.HALF_UP or off != -unit / 2


@pytest.mark.parametrize(("top", "said"), [(-1, "0.00"), (-5, "-0.01"), (5, "0.01"), (4, "0.00")])
def test_ties_go_away_from_zero(top: int, said: str) -> None:
    assert str(Rounding().quotient(top, 1000)) == said
