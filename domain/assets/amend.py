"""Sale, amendments and cancellation: functions from a ledger and a request to another ledger.

Every function does nothing if its request was carried out before, and raises a named error without effect if refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from domain.assets.checks import alive, already_done, check_schedule, in_term, reversible
from domain.assets.errors import (
    AssetExistsError,
    EndBeforeStartError,
    LaterTransactionError,
    MissingQuantityChangeError,
    PriceMissingError,
    RestrictedError,
    StartDateError,
)
from domain.assets.ledger import Ledger, append, empty_record
from domain.assets.model import (
    ActionSource,
    ActionType,
    AssetRecord,
    AttributeSetting,
    Category,
    Entry,
    PricingSource,
    SellingModel,
    Subtype,
)
from domain.assets.periods import boundaries, lot_slices, rows_of
from domain.assets.requests import (
    Amendment,
    CancelAsset,
    ChangeEnd,
    ChangeFields,
    ChangePrice,
    ChangeQuantity,
    ChangeStart,
    Generate,
    Tail,
)
from domain.assets.taking import agreed_from, close_lots, next_lot, quantities_from, take
from domain.kernel.base import unchecked

_setting, _source = unchecked(AttributeSetting), unchecked(ActionSource)


def generate(ledger: Ledger, request: Generate) -> Ledger:
    """Make an asset. The same request, or the same order, makes it once.

    Raises:
        EndBeforeStartError: A line ends before it starts.
        AssetExistsError: Another order made an asset of this id.
    """
    asset = request.asset
    if asset.asset_id in ledger.assets:
        first = ledger.assets[asset.asset_id].actions[0]
        same_order = request.order_id is not None and first.order_id == request.order_id
        if same_order or first.request_id == request.request_id:
            return ledger
        raise AssetExistsError(f"asset {asset.asset_id} was made by request {first.request_id}")
    starts = [line.start for line in request.lines]
    ends = [line.end for line in request.lines if line.end is not None]
    for line in request.lines:
        if line.end is not None and line.end <= line.start:
            raise EndBeforeStartError(f"a line of {asset.asset_id} ends at {line.end} and starts at {line.start}")
    start, end = min(starts), max(ends) if len(ends) == len(starts) else None
    begins = [term.start for term in request.terms if start < term.start and (end is None or term.start < end)]
    entry = Entry(
        request_id=request.request_id,
        type=ActionType.GENERATE,
        category=Category.INITIAL_SALE,
        effective=start,
        recorded_at=request.recorded_at,
        lifecycle_start=start,
        lifecycle_end=end,
        sources=[
            _source(
                lot=number,
                start=line.start,
                end=line.end,
                quantity=line.quantity,
                unit_price=line.unit_price,
                list_price=line.list_price,
                reference=line.reference,
            )
            for number, line in enumerate(request.lines, 1)
        ],
        # The end of life is no boundary: a later extension must not find one there.
        cuts=sorted({*starts, *(cut for cut in ends if cut != end), *begins}),
        attributes=[_setting(start=start, values=request.attributes)] if request.attributes else [],
        order_id=request.order_id,
        terms=request.terms,
    )
    return ledger.with_records(append(empty_record(asset), entry, ledger.policy))


def change_quantity(ledger: Ledger, request: ChangeQuantity) -> Ledger:
    """More units at the request's price, or else the last one agreed for their time; fewer at the prices they were sold for.

    Raises:
        MissingQuantityChangeError: No delta, or none but zero.
        OverReductionError: An affected period holds fewer units.
        PriceMissingError: The asset is priced by the price list and no price is given.
    """
    record = ledger.record(request.asset_id)
    if already_done(record, request.request_id):
        return ledger
    if not request.delta:
        raise MissingQuantityChangeError("state by how many units the quantity changes")
    record = in_term(ledger, request, request.effective)
    check_schedule(record, request.effective)
    if request.delta > 0:
        rows: Sequence[ActionSource] = _new_lots(record, request, request.delta)
    else:
        rows = take(record, request.effective, -request.delta)
    entry = _amendment(record, request, request.effective, rows)
    return ledger.with_records(append(record, entry, ledger.policy))


def _new_lots(record: AssetRecord, request: ChangeQuantity, quantity: int) -> list[ActionSource]:
    """The added units at the price that is given or, without one, at that in force, and later at what it changes to."""
    prices: list[tuple[datetime, Decimal | None, Decimal | None]]
    if request.unit_price is not None:
        prices = [(request.effective, request.unit_price, request.list_price)]
    elif record.asset.pricing_source is PricingSource.LIST_PRICE:
        raise PriceMissingError(f"{request.asset_id} is priced by the price list; give the list price")
    else:
        prices = [
            (start, lot.unit_price if lot else None, lot.list_price if lot else None)
            for start, lot in agreed_from(record, request.effective)
        ]
    ends = [*(start for start, *_ in prices[1:]), record.end]
    first = next_lot(record)
    return [
        _source(
            lot=first + number,
            start=start,
            end=end,
            quantity=quantity,
            unit_price=price,
            list_price=listed,
            reference=request.reference,
        )
        for number, ((start, price, listed), end) in enumerate(zip(prices, ends, strict=True))
    ]


def change_price(ledger: Ledger, request: ChangePrice) -> Ledger:
    """All units from the effective instant on at a new price: old lots are closed, one new lot opens.

    Raises:
        RestrictedError: There are none, so that nobody would know of the price.
    """
    record = ledger.record(request.asset_id)
    if already_done(record, request.request_id):
        return ledger
    record = _repriceable(ledger, request, request.effective)
    rows = repriced(record, request.effective, request.unit_price, next_lot(record))
    if not any(row.quantity > 0 for row in rows):
        day = record.asset.day_of(request.effective)
        raise RestrictedError(f"{request.asset_id} has no units from {day} on; name a price when units are added")
    entry = _amendment(record, request, request.effective, rows)
    return ledger.with_records(append(record, entry, ledger.policy))


def change_fields(ledger: Ledger, request: ChangeFields) -> Ledger:
    """New attributes in all periods from the effective instant on, and a new price if they change it."""
    record = ledger.record(request.asset_id)
    if already_done(record, request.request_id):
        return ledger
    price = request.unit_price
    if price is None:
        record, rows = in_term(ledger, request, request.effective), []
    else:
        record = _repriceable(ledger, request, request.effective)
        rows = repriced(record, request.effective, price, next_lot(record))
    setting = _setting(start=request.effective, values=request.attributes)
    entry = _amendment(
        record,
        request,
        request.effective,
        rows,
        subtype=Subtype.FIELD_AMENDMENT,
        category=Category.TERMS_CHANGES if price is None else None,
        attributes=[setting],
    )
    return ledger.with_records(append(record, entry, ledger.policy))


def _repriceable(ledger: Ledger, request: Amendment, effective: datetime) -> AssetRecord:
    record = in_term(ledger, request, effective)
    if record.asset.ramped:
        raise RestrictedError(f"{request.asset_id} is a ramp; its prices are those of its segments")
    check_schedule(record, effective)
    return record


def repriced(record: AssetRecord, effective: datetime, price: Decimal | None, lot: int) -> list[ActionSource]:
    """The rows that close all lots at `effective` and open one at another price."""
    opened = [
        _source(lot=lot, start=stretch.start, end=stretch.end, quantity=quantity, unit_price=price)
        for stretch, quantity in quantities_from(record, effective)
        if quantity
    ]
    return [*close_lots(record, effective), *opened]


def change_start(ledger: Ledger, request: ChangeStart) -> Ledger:
    """Move the start of an asset that has not begun, inside its first period or earlier; the end stays.

    Raises:
        StartDateError: The asset has begun, or the new start is not after today, or beyond the first period.
    """
    record = ledger.record(request.asset_id)
    if already_done(record, request.request_id):
        return ledger
    record = alive(ledger, request)
    new, old = request.new_start, record.start
    if record.asset.ramped:
        raise RestrictedError(f"{request.asset_id} is a ramp; its start is fixed")
    if request.recorded_at is not None:
        today, begins, anew = (record.asset.day_of(moment) for moment in (request.recorded_at, old, new))
        if not (today < begins and today < anew):
            raise StartDateError(f"both the start {begins} and the new one {anew} must lie after {today}")
    cuts = boundaries(record.active)
    limit = cuts[1] if len(cuts) > 1 else record.end
    if limit is not None and new >= limit:
        raise StartDateError(f"the new start must lie before the end of the first period, {record.asset.day_of(limit)}")
    rows, clears, others = at_new_start(record, new)
    entry = _amendment(
        record,
        request,
        new,
        rows,
        start=new,
        subtype=Subtype.START_DATE_ADJUSTMENT,
        category=None if new != old else Category.TERMS_CHANGES,
        clears_from=clears,
        cuts=others,
    )
    return ledger.with_records(append(record, entry, ledger.policy))


def at_new_start(record: AssetRecord, new: datetime) -> tuple[tuple[ActionSource, ...], datetime, tuple[datetime, ...]]:
    """What moves the start of an asset: rows, from when on its boundaries are named anew, and those that stay."""
    old = record.start
    first = [row for row in lot_slices(rows_of(record.active), old) if row.start == old]
    sign, begin, end = (1, new, old) if new < old else (-1, old, new)
    rows = [row.having(start=begin, end=end, quantity=sign * row.quantity) for row in first]
    cuts = tuple(cut for cut in boundaries(record.active) if cut not in (old, new))
    return () if new == old else tuple(rows), min(new, old), cuts


def change_end(ledger: Ledger, request: ChangeEnd) -> Ledger:
    """Move the end of a term: longer sells more, shorter less, at the quantity that holds at the end.

    Raises:
        LaterTransactionError: A later change is scheduled.
        EndBeforeStartError: The new end is not after the effective instant.
    """
    record = ledger.record(request.asset_id)
    if already_done(record, request.request_id):
        return ledger
    record = in_term(ledger, request, request.effective)
    asset, new, old = record.asset, request.new_end, record.end
    plain = asset.selling_model in (SellingModel.TERMED, SellingModel.EVERGREEN) and not asset.ramped
    if not plain or (old is None) is not request.converts:
        raise RestrictedError(f"{request.asset_id}: only the end of a plain term can be moved")
    if new <= request.effective:
        says = f"the new end {asset.day_of(new)} is not after {asset.day_of(request.effective)}"
        raise EndBeforeStartError(says)
    if any(cut > request.effective for cut in boundaries(record.active)):
        raise LaterTransactionError(f"{request.asset_id} has a change after {asset.day_of(request.effective)}")
    rows = at_new_end(record, request.effective, new)
    more = Category.TERMS_CHANGES
    if old is not None and new != old:
        more = Category.UPSELLS if new > old else Category.DOWNSELLS
    entry = _amendment(record, request, request.effective, rows, end=new, category=more)
    return ledger.with_records(append(record, entry, ledger.policy))


def at_new_end(record: AssetRecord, effective: datetime, new: datetime) -> tuple[ActionSource, ...]:
    """The rows that end an asset elsewhere; what it holds at `effective` goes on if that is later."""
    old = record.end
    if old is None or new < old:
        return tuple(close_lots(record, new))
    held = lot_slices(rows_of(record.active), effective)
    return tuple(row.having(start=old, end=new) for row in held) if new > old else ()


def cancel(ledger: Ledger, request: CancelAsset) -> Ledger:
    """End an asset for good at the effective instant; at the end of its term, that will not be renewed."""
    record = ledger.record(request.asset_id)
    if already_done(record, request.request_id):
        return ledger
    asked = request.recorded_at
    ahead = request.effective == record.end and asked is not None and asked < request.effective
    record = alive(ledger, request) if ahead else in_term(ledger, request, request.effective)
    check_schedule(record, request.effective)
    entry = Entry(
        request_id=request.request_id,
        type=ActionType.CANCEL,
        category=Category.CANCELLATIONS,
        effective=request.effective,
        recorded_at=request.recorded_at,
        lifecycle_start=record.start,
        lifecycle_end=request.effective if request.tail is Tail.NONE else record.end,
        sources=close_lots(record, request.effective),
        clears_from=request.effective,
        order_id=request.order_id,
    )
    return ledger.with_records(append(record, entry, ledger.policy))


def _amendment(
    record: AssetRecord,
    request: Amendment,
    effective: datetime,
    rows: Sequence[ActionSource],
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    subtype: Subtype | None = None,
    category: Category | None = None,
    attributes: Sequence[AttributeSetting] = (),
    clears_from: datetime | None = None,
    cuts: Sequence[datetime] = (),
) -> Entry:
    return Entry(
        request_id=request.request_id,
        type=ActionType.CHANGE,
        category=category,
        subtype=subtype,
        effective=effective,
        recorded_at=request.recorded_at,
        lifecycle_start=start or record.start,
        lifecycle_end=end or record.end,
        sources=rows,
        cuts=cuts,
        clears_from=clears_from,
        attributes=attributes,
        can_roll_back=reversible(record.asset),
        order_id=request.order_id,
    )
