"""Transfers between accounts and swaps between products: units leave one asset and appear in another.

A transfer has two halves, so that each can happen where its account lives: `transfer_out` says what leaves,
`transfer_in` makes the target from it. `transfer` does both in one ledger.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from fractions import Fraction

from domain.assets.checks import already_done, check_movable, in_term
from domain.assets.dates import Instant
from domain.assets.errors import AssetExistsError, OverReductionError, PriceBookError, TransferQuantityError
from domain.assets.ledger import Ledger, append, empty_record
from domain.assets.model import (
    ActionSource,
    ActionType,
    Asset,
    AssetRecord,
    AttributeSetting,
    Category,
    ComingTerm,
    Entry,
    SellingModel,
    Subtype,
)
from domain.assets.periods import attributes_at
from domain.assets.requests import Swap, SwapKind, Transfer
from domain.assets.taking import as_lots, close_lots, quantities_from, take
from domain.assets.worth import LedgerPolicy, anchor_at, exact_cost, month_anchors
from domain.kernel.base import Carried

SWAPS = {
    SwapKind.SWAP: (Category.SWAPS, Subtype.SWAP_OUT, Subtype.SWAP_IN),
    SwapKind.UPGRADE: (Category.UPGRADES, Subtype.UPGRADE_FROM, Subtype.UPGRADE_TO),
    SwapKind.DOWNGRADE: (Category.DOWNGRADES, Subtype.DOWNGRADE_FROM, Subtype.DOWNGRADE_TO),
}


class Conveyed(Carried):
    """What one asset hands to another: lots, boundaries and attributes from `effective` on."""

    request_id: str
    recorded_at: Instant | None
    effective: Instant
    end: Instant | None
    from_asset_id: str
    asset: Asset
    category: Category
    subtype: Subtype
    rows: tuple[ActionSource, ...]
    cuts: tuple[Instant, ...]
    attributes: tuple[AttributeSetting, ...]
    order_id: str | None = None
    terms: tuple[ComingTerm, ...] = ()


def transfer(ledger: Ledger, request: Transfer) -> Ledger:
    """Both halves of a transfer in one ledger; see `transfer_out` for what is refused."""
    ledger, conveyed = transfer_out(ledger, request)
    return ledger if conveyed is None else transfer_in(ledger, conveyed)


def transfer_out(ledger: Ledger, request: Transfer) -> tuple[Ledger, Conveyed | None]:
    """Take the units out of the source. None instead of what left means that the request was carried out before.

    Raises:
        TransferQuantityError: More than the least quantity of the current and all future periods.
        AssetExistsError: The ledger knows the target already.
        RestrictedError: A ramp, usage or a derived price.
    """
    record = ledger.record(request.asset_id)
    if already_done(record, request.request_id):
        return ledger, None
    record = in_term(ledger, request, request.effective)
    check_movable(record.asset, "transfer")
    _check_new(ledger, request.to_asset_id)
    most = min(quantity for _, quantity in quantities_from(record, request.effective))
    quantity = most if request.quantity is None else request.quantity
    if quantity > most or quantity == 0:
        raise TransferQuantityError(f"{request.asset_id} can hand over at most {most} units, not {quantity}")
    rows = take(record, request.effective, quantity)
    target = record.asset.having(
        asset_id=request.to_asset_id,
        account_id=request.to_account_id,
        contract_id=request.to_contract_id,
        parent_id=None,
        carried=Fraction(),
        carried_first=None,
        months_from=anchor_at(month_anchors(record.asset, record.active), request.effective),
    )
    conveyed = _conveyed(record, request, target, Category.TRANSFERS, Subtype.TRANSFER_TO, as_lots(rows, 1))
    ledger = _without(ledger, record, conveyed, Subtype.TRANSFER_FROM, rows)
    # The target sums up from where the source stops: rounded so, what one loses the other gets.
    if record.asset.selling_model is not SellingModel.ONE_TIME:
        target = target.having(**_carried(ledger.record(record.asset.asset_id), ledger.policy, request))
    return ledger, conveyed.having(asset=target)


def _carried(left: AssetRecord, policy: LedgerPolicy, request: Transfer) -> dict[str, Fraction | None]:
    whole = exact_cost(left, policy)
    paid = whole if request.paid_until is None else exact_cost(left, policy, request.paid_until)
    return {"carried": (whole or paid or Fraction()) % 1, "carried_first": None if paid is None else paid % 1}


def transfer_in(ledger: Ledger, conveyed: Conveyed) -> Ledger:
    """Make the target of a transfer; once, however often it is asked.

    Raises:
        AssetExistsError: An asset of this id came from somewhere else.
    """
    known = ledger.assets.get(conveyed.asset.asset_id)
    if known is not None and already_done(known, conveyed.request_id):
        return ledger
    _check_new(ledger, conveyed.asset.asset_id)
    entry = Entry(
        request_id=conveyed.request_id,
        type=ActionType.GENERATE,
        category=conveyed.category,
        subtype=conveyed.subtype,
        effective=conveyed.effective,
        recorded_at=conveyed.recorded_at,
        lifecycle_start=conveyed.effective,
        lifecycle_end=conveyed.end,
        sources=conveyed.rows,
        cuts=conveyed.cuts,
        attributes=conveyed.attributes,
        related_asset=conveyed.from_asset_id,
        order_id=conveyed.order_id,
        terms=conveyed.terms,
    )
    return ledger.with_records(append(empty_record(conveyed.asset), entry, ledger.policy))


def swap(ledger: Ledger, request: Swap) -> Ledger:
    """Replace units by another product: the old ones are credited at their prices, the new ones inherit the timeline.

    Raises:
        PriceBookError: The new product comes from another price book or in another currency.
        OverReductionError: A period holds fewer units than are to be replaced.
        RestrictedError: A ramp, usage or a derived price.
    """
    record = ledger.record(request.asset_id)
    if already_done(record, request.request_id):
        return ledger
    record = in_term(ledger, request, request.effective)
    old, new = record.asset, request.to_asset
    check_movable(old, "swap")
    check_movable(new, "swap")
    _check_new(ledger, new.asset_id)
    if (old.price_book, old.currency) != (new.price_book, new.currency):
        raise PriceBookError(f"{new.asset_id} and {old.asset_id} must share price book and currency")
    held = quantities_from(record, request.effective)
    whole = request.quantity is None
    rows = close_lots(record, request.effective) if whole else take(record, request.effective, request.quantity or 0)
    if not rows:
        raise OverReductionError(f"{request.asset_id} holds nothing that could be replaced")
    opened = [
        ActionSource(
            lot=1,
            start=stretch.start,
            end=stretch.end,
            quantity=request.quantity or quantity,
            unit_price=request.unit_price,
            list_price=request.list_price,
        )
        for stretch, quantity in held
        if quantity
    ]
    category, subtype_out, subtype_in = SWAPS[request.kind]
    conveyed = _conveyed(record, request, new, category, subtype_in, opened)
    return transfer_in(_without(ledger, record, conveyed, subtype_out, rows), conveyed)


def _check_new(ledger: Ledger, asset_id: str) -> None:
    if asset_id in ledger.assets:
        raise AssetExistsError(f"asset {asset_id} exists; choose another id for the target")


def _conveyed(
    record: AssetRecord,
    request: Transfer | Swap,
    target: Asset,
    category: Category,
    subtype: Subtype,
    rows: Sequence[ActionSource],
) -> Conveyed:
    cuts = [stretch.start for stretch, _ in quantities_from(record, request.effective)]
    return Conveyed(
        request_id=request.request_id,
        recorded_at=request.recorded_at,
        effective=request.effective,
        end=record.end,
        from_asset_id=record.asset.asset_id,
        asset=target,
        category=category,
        subtype=subtype,
        rows=tuple(rows),
        cuts=tuple(cuts),
        attributes=tuple(_attributes(record, cuts)),
        order_id=request.order_id,
        terms=tuple(
            ComingTerm(start=term.start, months_from=term.anchor)
            for term in month_anchors(record.asset, record.active)
            if term.start > request.effective
        ),
    )


def _attributes(record: AssetRecord, starts: Sequence[datetime]) -> list[AttributeSetting]:
    found = attributes_at(record.active, starts)
    return [AttributeSetting(start=start, values=values) for start, values in zip(starts, found, strict=True) if values]


def _without(
    ledger: Ledger, record: AssetRecord, conveyed: Conveyed, subtype: Subtype, rows: Sequence[ActionSource]
) -> Ledger:
    entry = Entry(
        request_id=conveyed.request_id,
        type=ActionType.CHANGE,
        category=conveyed.category,
        subtype=subtype,
        effective=conveyed.effective,
        recorded_at=conveyed.recorded_at,
        lifecycle_start=record.start,
        lifecycle_end=record.end,
        sources=rows,
        related_asset=conveyed.asset.asset_id,
        order_id=conveyed.order_id,
    )
    return ledger.with_records(append(record, entry, ledger.policy))
