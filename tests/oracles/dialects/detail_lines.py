"""An operation as detail lines."""

from __future__ import annotations

from domain.assets.model import ActionSource, ActionType, AssetAction, AssetRecord, Category, SellingModel


def detail_lines(record: AssetRecord, action: AssetAction) -> list[ActionSource]:
    """The lines that a reduction writes: one for each lot and affected period in a term, else one for each lot."""
    if action.type is not ActionType.CHANGE or action.category is not Category.DOWNSELLS or action.quantity_change >= 0:
        return []
    taken = [row for row in action.sources if row.quantity < 0]
    if record.asset.selling_model is SellingModel.TERMED:
        return taken
    return [row for row in taken if row.start == action.effective]
