"""By which terms the use of an asset is charged: what is included, what use beyond that costs, and the least of a month."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from domain.kernel.base import Received

Units = Annotated[int, Field(strict=True, ge=0, le=1_000_000_000)]
UnitPrice = Annotated[Decimal, Field(ge=0, le=Decimal("1e12"), decimal_places=6)]


class UseTier(Received):
    """The price of each unit up to `up_to` units beyond what is included, in a month; without it of all further ones."""

    up_to: Annotated[int, Field(strict=True, ge=1, le=1_000_000_000)] | None = None
    unit_price: UnitPrice


class UseTerms(Received):
    """Use is counted in `unit` and charged month by month, after each month, beside what the line itself costs.

    `granted`: so many units a month are included for each unit of the line, and lost with the month. `prepaid`: so many more are
    included in a term, drawn when a month's are used up, and lost with the term. What is used beyond costs `unit_price` for each,
    or by `tiers`, which count anew each month. `minimum`: what a whole month comes to at least.
    """

    unit: Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=r"^[^\x00-\x1f\x7f]*$")]
    granted: Units = 0
    prepaid: Units = 0
    unit_price: UnitPrice | None = None
    tiers: Annotated[tuple[UseTier, ...], Field(min_length=1, max_length=20)] | None = None
    minimum: UnitPrice = Decimal(0)

    @model_validator(mode="after")
    def _has_one_price(self) -> Self:
        if (self.unit_price is None) == (self.tiers is None):
            raise ValueError(
                "give either unit_price (of each unit beyond what is included) or tiers, not both and not none"
            )
        limits = [tier.up_to for tier in self.tiers or ()]
        known = [limit for limit in limits[:-1] if limit is not None]
        if limits and (limits[-1] is not None or len(known) < len(limits) - 1 or known != sorted(set(known))):
            raise ValueError("up_to rises from tier to tier; the last tier has none, for all further units")
        return self

    def steps(self) -> list[tuple[int | None, Decimal]]:
        """Up to how many units, and the price of each; null for all further ones."""
        if self.unit_price is not None:
            return [(None, self.unit_price)]
        return [(tier.up_to, tier.unit_price) for tier in self.tiers or ()]
