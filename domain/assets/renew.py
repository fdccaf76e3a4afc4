"""Renewals: on time, early over what was scheduled, late after a gap; lot by lot or at one price, with an uplift."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from domain.assets.checks import already_done, changeable, reversible
from domain.assets.errors import (
    EndBeforeStartError,
    FutureRenewalError,
    PriceMissingError,
    RenewalTermMissingError,
    RestrictedError,
    SegmentError,
)
from domain.assets.ledger import Ledger, append
from domain.assets.model import (
    ActionSource,
    ActionType,
    Asset,
    AssetRecord,
    Category,
    Entry,
    RenewalPricing,
    SellingModel,
)
from domain.assets.periods import lots_at, rows_of
from domain.assets.requests import Renew
from domain.assets.taking import close_lots, last_lot, next_lot
from domain.assets.uplift import raised
from domain.assets.worth import anchored, month_anchors
from domain.kernel.base import unchecked
from domain.kernel.calendar import months_later

_source = unchecked(ActionSource)


def renew(ledger: Ledger, request: Renew) -> Ledger:
    """Renew an asset with the quantity in force at the new start, or else the last one; or with the `quantity` that is asked for.

    Early, everything later is replaced; late, the gap becomes a period of quantity zero.

    Raises:
        RenewalTermMissingError: Neither request nor asset nor contract say how long.
        FutureRenewalError: A renewal is scheduled already.
        RestrictedError: A one-time asset, one without an end, or usage before its term's end.
        PriceMissingError: Renewals are priced by the price list and no price is given.
    """
    record = ledger.record(request.asset_id)
    if already_done(record, request.request_id):
        return ledger
    old_end = record.end
    start = request.start or old_end or record.start
    record = changeable(ledger, request, start)
    if old_end is None or record.asset.selling_model is SellingModel.ONE_TIME:
        raise RestrictedError(f"{request.asset_id} has no term that could be renewed")
    _check_no_renewal(record, request)
    if record.asset.selling_model is SellingModel.USAGE and start < old_end:
        raise RestrictedError(
            f"{request.asset_id} is usage; renew it at the end of its term, {record.asset.day_of(old_end)}"
        )
    anchor = _anchor(record, request, start)
    end = _new_end(record, request, start, anchor)
    rows = [
        *(close_lots(record, start) if start < old_end else []),
        *_new_lots(record, request, start, end),
    ]
    entry = Entry(
        request_id=request.request_id,
        type=ActionType.CHANGE,
        category=Category.RENEWALS,
        effective=start,
        recorded_at=request.recorded_at,
        lifecycle_start=record.start,
        lifecycle_end=end,
        sources=rows,
        cuts=[
            *([old_end] if start > old_end else []),
            *_segments(record.asset, start, end, anchor, request.segment_months, ledger.policy.most_segments),
        ],
        clears_from=min(start, old_end),
        can_roll_back=reversible(record.asset),
        order_id=request.order_id,
        months_from=request.months_from,
        uplift_percent=request.uplift_percent if request.unit_price is None else None,
    )
    return ledger.with_records(append(record, entry, ledger.policy))


def prices_before(record: AssetRecord, start: datetime) -> dict[int, Decimal]:
    """What the lots that a renewal from `start` on would sell cost until then, by the numbers that they get; those without a price
    are left out."""
    lots = enumerate(_base(record, start), next_lot(record))
    return {number: held.unit_price for number, (held, _) in lots if held.unit_price is not None}


def _check_no_renewal(record: AssetRecord, request: Renew) -> None:
    if request.recorded_at is None:
        return
    today = record.asset.day_of(request.recorded_at)
    replaced_from = None
    for action in reversed(record.active):
        replaced = replaced_from is not None and replaced_from <= action.effective
        if action.clears_from is not None:
            replaced_from = min(action.clears_from, replaced_from or action.clears_from)
        begins = record.asset.day_of(action.effective)
        if action.category is Category.RENEWALS and not replaced and begins > today:
            raise FutureRenewalError(
                f"{request.asset_id} is renewed from {begins}; roll that back before renewing anew"
            )


def _anchor(record: AssetRecord, request: Renew, start: datetime) -> datetime:
    """The instant on whose day the months of the new term begin."""
    last = month_anchors(record.asset, record.active)[-1].anchor
    return anchored(record.asset, start, request.months_from or last)


def _new_end(record: AssetRecord, request: Renew, start: datetime, anchor: datetime) -> datetime:
    if request.end is not None:
        end = request.end
    else:
        months = request.months or record.asset.renewal_months or request.contract_months
        if months is None:
            raise RenewalTermMissingError(f"neither {request.asset_id} nor its contract say how long a renewal is")
        end = months_later(start, months, record.asset.time_zone, record.asset.day_of(anchor).day)
    if end <= start:
        ends, starts = record.asset.day_of(end), record.asset.day_of(start)
        raise EndBeforeStartError(f"the renewal would end on {ends}, which is not after its start on {starts}")
    return end


def _segments(
    asset: Asset, start: datetime, end: datetime, anchor: datetime, months: int | None, most: int | None
) -> list[datetime]:
    if months is None:
        return []
    cuts: list[datetime] = []
    day = asset.day_of(anchor).day
    while (cut := months_later(start, months * (len(cuts) + 1), asset.time_zone, day)) < end:
        cuts.append(cut)
    if most is not None and len(cuts) >= most:
        raise SegmentError(f"{len(cuts) + 1} segments; a ramp has at most {most}")
    return cuts


def _base(record: AssetRecord, start: datetime) -> list[tuple[ActionSource, int]]:
    """What each lot holds in the period in force at `start`, or else in the last one, oldest lot first."""
    late = record.end is not None and start >= record.end
    return lots_at(rows_of(record.active), record.periods[-1].start if late else start)


def _new_lots(record: AssetRecord, request: Renew, start: datetime, end: datetime) -> Sequence[ActionSource]:
    base = _base(record, start)
    asset = record.asset
    price = request.unit_price
    if price is None and asset.renewal_pricing is RenewalPricing.LIST_PRICE:
        raise PriceMissingError(f"{request.asset_id} renews at the list price; give it")
    if price is None and asset.renewal_pricing is RenewalPricing.LAST_TRANSACTION:
        last = last_lot(record)
        price = last.unit_price if last else None

    def anew(price: Decimal | None) -> Decimal | None:
        return None if price is None else raised(price, request.uplift_percent, asset.currency, request.priced_months)

    first, span = next_lot(record), {"start": start, "end": end, "product_amount": None}
    if price is None:
        lots = [
            row.having(**span, lot=number, quantity=quantity, unit_price=anew(row.unit_price))
            for number, (row, quantity) in enumerate(base, first)
        ]
        return lots if request.quantity is None else _with_units(lots, request.quantity)
    quantity = request.quantity or sum(quantity for _, quantity in base)
    return [_source(lot=first, start=start, end=end, quantity=quantity, unit_price=anew(price))] if quantity else []


def _with_units(lots: Sequence[ActionSource], quantity: int) -> list[ActionSource]:
    """The lots with so many units in all: the newest ones give way, and more units join the newest."""
    more = quantity - sum(lot.quantity for lot in lots)
    kept: list[ActionSource] = []
    for lot in sorted(lots, key=lambda lot: -lot.lot):
        held = max(0, lot.quantity + more)
        more = min(0, lot.quantity + more)
        if held:
            kept.insert(0, lot.having(quantity=held))
    return kept
