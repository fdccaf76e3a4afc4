"""The unit price of a renewal, with the percentage that made it."""

from __future__ import annotations

from decimal import Decimal

from domain.assets.uplift import Combination, uplift_percent, uplifted
from domain.kernel.base import Carried
from domain.kernel.money import Rounding


class RenewalPrice(Carried):
    uplift_percent: Decimal
    unit_price: Decimal


def renewal_price(
    last_unit_price: Decimal, index: Decimal, spread: Decimal, combination: Combination, rounding: Rounding
) -> RenewalPrice:
    """The unit price of a renewal from the last one."""
    percent = uplift_percent(index, spread, combination)
    return RenewalPrice(uplift_percent=percent, unit_price=uplifted(last_unit_price, percent, rounding))
