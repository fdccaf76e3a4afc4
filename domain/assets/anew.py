"""A history as if some of it had not been agreed: what was agreed afterwards is carried out anew on what is left."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from domain.assets.amend import at_new_end, at_new_start, repriced
from domain.assets.errors import LedgerCorruptError
from domain.assets.ledger import rebuild
from domain.assets.model import ActionSource, ActionType, AssetAction, AssetRecord, Category, Subtype
from domain.assets.periods import lot_slices
from domain.assets.taking import close_lots, take
from domain.assets.worth import LedgerPolicy


def without(
    record: AssetRecord, sequences: Collection[int], policy: LedgerPolicy, first: AssetAction | None = None
) -> AssetRecord:
    """The record with its actions in force but those of `sequences`, and with another `first` one. Lots keep their numbers.

    Each action does what it did when it was agreed: as many units go or come, at the prices of their own or at those in
    force, up to the end that the asset has without what is left out. An early renewal leaves its first day as that end.

    Raises:
        AssetError: What is left cannot bear what was agreed afterwards.
    """
    begun, *others = record.active
    kept, ends = [first or begun], begun.lifecycle_end
    changed = first is not None
    for action in others:
        view = record.having(actions=tuple(kept))
        if action.sequence in sequences:
            changed = True
            if action.category is Category.RENEWALS and (view.end is None or action.effective < view.end):
                kept.append(action.having(**_ended(view, action.effective)))
        elif changed:
            kept.append(action.having(**_anew(view, action, ends, policy)))
        else:
            kept.append(action)
        ends = action.lifecycle_end
    actions = tuple(kept)
    periods = rebuild(record.asset, actions, policy)
    return record.having(actions=actions, periods=periods)


def changes_ahead(action: AssetAction) -> list[datetime]:
    """When an asset changes as it was agreed before it was made, of another that it took over or of its contract: units, prices,
    terms."""
    if action.related_asset is None and not action.terms:
        return []
    held = lot_slices(action.sources, action.effective)
    moments = {
        *(row.start for row in held),
        *(row.end for row in held if row.end),
        *(term.start for term in action.terms),
    }
    return sorted(moments - {action.lifecycle_end, min((row.start for row in held), default=None)})


def unchanged(action: AssetAction, ahead: Sequence[datetime]) -> AssetAction:
    """What made an asset as if the changes from the first of `ahead` on were not known: up to the next term or gap."""
    end = next(iter(_stops(action, ahead)), action.lifecycle_end)
    rows = [
        row if row.end is not None and row.end < ahead[0] else row.having(end=end)
        for row in action.sources
        if row.start < ahead[0]
    ]
    return action.having(
        sources=tuple(rows),
        cuts=tuple(cut for cut in action.cuts if cut < ahead[0]),
        lifecycle_end=end,
        terms=tuple(term for term in action.terms if term.start < ahead[0]),
    )


def _stops(action: AssetAction, ahead: Sequence[datetime]) -> list[datetime]:
    """Where a term begins, or a gap before one."""
    terms = {term.start for term in action.terms}
    gaps = [
        at
        for at, following in pairwise(ahead)
        if following in terms and not any(_covers(row, at) for row in action.sources)
    ]
    return sorted({*gaps, *(terms & set(ahead))})


def _covers(row: ActionSource, at: datetime) -> bool:
    return row.start <= at and (row.end is None or at < row.end)


def _ended(view: AssetRecord, end: datetime) -> dict[str, Any]:
    """What an action says that ends an asset sooner and nothing else."""
    return {
        "category": Category.DOWNSELLS,
        "sources": tuple(close_lots(view, end)),
        "cuts": (),
        "clears_from": None,
        "attributes": (),
        "lifecycle_start": view.start,
        "lifecycle_end": end,
    }


def _anew(view: AssetRecord, action: AssetAction, ended: datetime | None, policy: LedgerPolicy) -> dict[str, Any]:
    """What an action says if it is carried out on `view`; it was carried out on an asset that `ended` then."""
    effective, start, end = action.effective, view.start, view.end
    if action.type is ActionType.CANCEL:
        stays = end if action.lifecycle_end != effective else effective
        return {"sources": tuple(close_lots(view, effective)), "lifecycle_start": start, "lifecycle_end": stays}
    if action.category is Category.RENEWALS:
        return _renewed(view, action)
    if action.subtype is Subtype.START_DATE_ADJUSTMENT:
        begins = action.lifecycle_start
        rows, clears, cuts = at_new_start(view, begins)
        return {"sources": rows, "clears_from": clears, "cuts": cuts, "lifecycle_start": begins, "lifecycle_end": end}
    if end is not None and effective >= end:
        raise LedgerCorruptError(f"{view.asset.asset_id} ends before {effective.isoformat()}")
    if action.lifecycle_end != ended and action.lifecycle_end is not None:
        rows = at_new_end(view, effective, action.lifecycle_end)
        return {"sources": rows, "lifecycle_start": start, "lifecycle_end": action.lifecycle_end}
    return {"sources": _quantities(view, action, policy), "lifecycle_start": start, "lifecycle_end": end}


def _renewed(view: AssetRecord, action: AssetAction) -> dict[str, Any]:
    begins, ended = action.effective, view.end
    closed = close_lots(view, begins) if ended is None or begins < ended else []
    opened = [row for row in action.sources if row.quantity > 0]
    gap = [ended] if ended is not None and ended < begins else []
    return {
        "sources": (*closed, *opened),
        "lifecycle_start": view.start,
        "cuts": (*gap, *(cut for cut in action.cuts if cut > begins)),
        "clears_from": min(begins, ended or begins),
    }


def _quantities(view: AssetRecord, action: AssetAction, policy: LedgerPolicy) -> tuple[ActionSource, ...]:
    """The rows of more units, fewer units or another price."""
    opened = [row for row in action.sources if row.quantity > 0]
    closed = [row for row in action.sources if row.quantity < 0]
    if opened and closed:
        return tuple(repriced(view, action.effective, opened[0].unit_price, opened[0].lot))
    if opened:
        return tuple(_up_to_the_end(view, opened))
    units = _units(closed)
    if units is None:
        return tuple(close_lots(view, action.effective))
    return tuple(take(view, action.effective, units)) if units else ()


def _up_to_the_end(view: AssetRecord, opened: Sequence[ActionSource]) -> list[ActionSource]:
    """Added units, whose price follows only what is agreed in the view."""
    agreed = {at for action in view.active for at in (action.effective, *action.cuts)}
    later = [row for row in opened[1:] if row.start in agreed and (view.end is None or row.start < view.end)]
    rows = [opened[0], *later]
    ends = [*(row.start for row in rows[1:]), view.end]
    return [row.having(end=end) for row, end in zip(rows, ends, strict=True)]


def _units(closed: Sequence[ActionSource]) -> int | None:
    """How many units go; None if all of them, as many as each period holds."""
    counts = {sum(-row.quantity for row in closed if _covers(row, start)) for start in {row.start for row in closed}}
    return counts.pop() if len(counts) == 1 else None if counts else 0
