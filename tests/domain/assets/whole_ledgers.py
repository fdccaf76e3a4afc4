"""What must hold over all assets of a ledger."""

from __future__ import annotations

from pydantic import BaseModel, ValidationError

from domain.assets.invariants import ZERO, violations
from domain.assets.ledger import Ledger
from domain.assets.model import AssetRecord, Subtype


def ledger_violations(ledger: Ledger) -> dict[str, list[str]]:
    """The violations of all assets that have any, transfers whose two sides differ, and values that no constructor would have kept."""
    found = {
        asset_id: problems
        for asset_id, record in ledger.assets.items()
        if (problems := [*violations(record, ledger.policy), *_transfers(ledger, record), *misfits(record)])
    }
    return {str(asset_id): problems for asset_id, problems in found.items()}


def misfits(model: BaseModel) -> list[str]:
    """What validation would refuse or make something else of, in a model that rules made without it."""
    try:
        checked = type(model).model_validate(model.model_dump())
    except ValidationError as error:
        return [str(error)]
    return [] if repr(checked) == repr(model) else [f"{model!r} would be {checked!r}"]


def _transfers(ledger: Ledger, record: AssetRecord) -> list[str]:
    problems = []
    for action in record.actions:
        if action.subtype is not Subtype.TRANSFER_FROM or action.related_asset not in ledger.assets:
            continue
        target = ledger.assets[action.related_asset].actions[0]
        given = sorted((row.start, -row.quantity, row.unit_price or ZERO) for row in action.sources)
        taken = sorted((row.start, row.quantity, row.unit_price or ZERO) for row in target.sources)
        if given != taken:
            problems.append(f"{action.related_asset} did not receive what {record.asset.asset_id} handed over")
    return problems
