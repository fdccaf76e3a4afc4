"""What decisions write to the asset ledger."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from domain.assets.bundles import Relationship
from domain.assets.model import AssetAction, AssetRecord
from domain.kernel.base import Write


@dataclass(frozen=True)
class AssetChange(Write):
    """An asset before (null: it is new) and after a business event, and the unit price agreed last of what is in force."""

    before: AssetRecord | None
    after: AssetRecord
    unit_price: Decimal

    @property
    def new_actions(self) -> Sequence[AssetAction]:
        """What the event has done to the asset, in order; nothing if it was only locked or set free."""
        return self.after.actions[len(self.before.actions) if self.before else 0 :]

    @property
    def mrr_change(self) -> Decimal:
        """What the event changes in monthly revenue."""
        return self.after.actions[-1].mrr_change or Decimal(0)


@dataclass(frozen=True)
class SetUnitPrice(Write):
    """A price that was agreed before is in force from now on."""

    asset_id: str
    unit_price: Decimal


@dataclass(frozen=True)
class Relate(Write):
    """Edges of bundles, from parents to children."""

    edges: list[Relationship]
