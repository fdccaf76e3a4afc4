"""What assets come to in all."""

from __future__ import annotations

from decimal import Decimal

from domain.kernel.base import Carried
from domain.kernel.calendar import MONTHS_IN_YEAR


class Totals(Carried):
    """Sums at an instant, in one currency; assets without a price count in `unpriced` and in the quantity."""

    currency: str
    assets: int = 0
    quantity: int = 0
    mrr: Decimal = Decimal(0)
    unpriced: int = 0

    @property
    def arr(self) -> Decimal:
        """Twelve months of recurring revenue."""
        return self.mrr * MONTHS_IN_YEAR
