"""Stored periods beside those that follow from the actions: what differs, and what no rebuilding can mend."""

from __future__ import annotations

from dataclasses import dataclass

from domain.assets.errors import LedgerCorruptError
from domain.assets.invariants import violations
from domain.assets.ledger import rebuild
from domain.assets.model import AssetRecord, StatePeriod
from domain.assets.worth import LedgerPolicy


@dataclass(frozen=True, slots=True)
class Examination:
    """An asset rebuilt from its actions.

    differences: periods that are stored otherwise than they follow, missing ones and those too many; damage: what is
    wrong with the actions themselves; rebuilt: the record with the periods that follow, None if none can be derived.
    """

    asset_id: str
    differences: tuple[str, ...]
    damage: tuple[str, ...]
    rebuilt: AssetRecord | None


def examine(record: AssetRecord, policy: LedgerPolicy) -> Examination:
    """Derive the periods of an asset from its actions again and compare them with the stored ones."""
    asset_id = record.asset.asset_id
    if not record.active:
        return Examination(asset_id, (), ("the asset has no action",), None)
    try:
        derived = rebuild(record.asset, record.actions, policy)
    except LedgerCorruptError as error:
        return Examination(asset_id, (), (str(error),), None)
    rebuilt = record.having(periods=derived)
    return Examination(asset_id, _differences(record.periods, derived), tuple(violations(rebuilt, policy)), rebuilt)


def _differences(stored: tuple[StatePeriod, ...], derived: tuple[StatePeriod, ...]) -> tuple[str, ...]:
    """Both sides of every period that is not the same, matched by their starts."""
    have = {period.start: period for period in stored}
    want = {period.start: period for period in derived}
    return tuple(
        f"from {start.isoformat()}: stored {_said(have.get(start))}; derived {_said(want.get(start))}"
        for start in sorted(have.keys() | want.keys())
        if have.get(start) != want.get(start)
    )


def _said(period: StatePeriod | None) -> str:
    if period is None:
        return "nothing"
    end = period.end.isoformat() if period.end else "no end"
    attributes = f", {period.attributes}" if period.attributes else ""
    return f"to {end}, {period.quantity} units, MRR {period.mrr}, amount {period.amount}{attributes}"
