"""Changes of assets: from a line of a request to the request that the ledger will carry out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any

from domain.assets.bundles import Relationship
from domain.assets.checks import cancelled_says
from domain.assets.errors import AssetCancelledError
from domain.assets.ledger import period_at
from domain.assets.model import Asset, AssetRecord, PricingSource, RenewalPricing, StatePeriod
from domain.assets.requests import (
    CancelAsset,
    ChangeEnd,
    ChangeFields,
    ChangePrice,
    ChangeQuantity,
    ChangeStart,
    Renew,
    Swap,
)
from domain.assets.worth import anchor_at, month_anchors
from domain.catalogue.errors import DiscountError, SellingModelError
from domain.catalogue.pricebook import PriceUnit, ledger_price
from domain.kernel.base import unchecked
from domain.quotes.configure import check_attributes, complete_attributes
from domain.quotes.discounts import HUNDRED, DiscountKind, discount_steps
from domain.quotes.quote import LedgerStep, PriceSource, QuotedRequest, UnitPricing
from domain.quotes.request_lines import (
    AnyAssetLine,
    AttributesLine,
    CancelLine,
    EndLine,
    PriceLine,
    QuantityLine,
    RenewLine,
    StartLine,
    SwapLine,
)
from domain.quotes.sources import ZERO, Planned, QuoteSources, price_from_book, price_from_last

_ledger_step, _unit_pricing = unchecked(LedgerStep), unchecked(UnitPricing)
_change_quantity, _renewed, _cancel = unchecked(ChangeQuantity), unchecked(Renew), unchecked(CancelAsset)
Edges = Mapping[str, Sequence[Relationship]]
"""The edges of bundles by their parents."""


def plan_change(desk: QuoteSources, line: AnyAssetLine, edges: Edges) -> Planned:
    """The request to the ledger for a change of an asset."""
    record = desk.ledger.record(line.asset_id)
    asset = record.asset
    if record.cancelled:
        raise AssetCancelledError(cancelled_says(record, desk.as_of))
    common: dict[str, Any] = {
        "request_id": desk.request_id(line.line_id),
        "recorded_at": desk.as_of,
        "asset_id": line.asset_id,
        "expected_version": record.version,
        "price_book": desk.book.name,
        "currency": desk.book.currency,
    }
    below: tuple[Relationship, ...] = ()
    pricing: UnitPricing | None = None
    request: QuotedRequest
    match line:
        case QuantityLine():
            below = _below(line.asset_id, edges)
            pricing = _increase(desk, line, record) if line.delta > 0 else None
            prices = _lot_prices(pricing)
            reference = desk.request_id(line.line_id)
            request = _change_quantity(
                **common, effective=line.effective, delta=line.delta, reference=reference, **prices
            )
        case PriceLine():
            pricing = price_from_last(desk, line.line_id, record, at=line.effective)
            if pricing is None or not pricing.discounts or pricing.ledger_price is None:
                raise DiscountError(f"line {line.line_id} changes the price: give the discount that does it")
            request = ChangePrice(**common, effective=line.effective, unit_price=pricing.ledger_price)
        case AttributesLine():
            pricing = _other_attributes(desk, line, record)
            price = pricing.ledger_price if pricing else None
            request = ChangeFields(**common, effective=line.effective, attributes=line.attributes, unit_price=price)
        case StartLine():
            request = ChangeStart(**common, new_start=line.new_start)
        case EndLine():
            request = ChangeEnd(**common, effective=line.effective, new_end=line.new_end)
        case CancelLine():
            below = _below(line.asset_id, edges)
            request = _cancel(**common, effective=line.effective, tail=line.tail)
        case RenewLine():
            below = _below(line.asset_id, edges)
            pricing = _renewal(desk, line, record)
            request = _renew(desk, line, pricing, common)
        case SwapLine():
            to_asset, pricing = _swapped(desk, line, record)
            prices = _lot_prices(pricing)
            request = Swap(
                **common,
                to_asset=to_asset,
                effective=line.effective,
                quantity=line.quantity,
                kind=line.swap,
                **prices,
            )
    step = _ledger_step(line_id=line.line_id, request=request, edges=below)
    return Planned(line.kind, step, pricing=pricing, product=desk.catalogue.by_code.get(asset.product))


def _below(root: str, edges: Edges) -> tuple[Relationship, ...]:
    """The edges of the bundle under an asset; a circle comes back to the root, and is refused as two lines for one asset."""
    found: dict[str, Sequence[Relationship]] = {}
    parents = [root]
    for parent in parents:
        if parent not in found:
            found[parent] = edges.get(parent, ())
            parents += [edge.child_id for edge in found[parent]]
    return tuple(edge for below in found.values() for edge in below)


def _lot_prices(pricing: UnitPricing | None) -> dict[str, Any]:
    """The prices of a new lot, as a request to the ledger names them."""
    if pricing is None:
        return {"unit_price": None}
    listed = pricing.list_price
    return {
        "unit_price": pricing.ledger_price,
        "list_price": None if listed is None else ledger_price(listed, pricing.per),
    }


def _held(record: AssetRecord, at: datetime) -> StatePeriod:
    """The period in force at an instant or, outside the asset's life, the nearest one: whether that is refused is the ledger's say."""
    if not record.periods:  # given up before it began
        return StatePeriod(start=record.start, end=record.end, quantity=0, mrr=None, amount=None)
    nearest = record.periods[0] if at < record.start else record.periods[-1]
    return period_at(record.periods, at) or nearest


def _increase(desk: QuoteSources, line: QuantityLine, record: AssetRecord) -> UnitPricing | None:
    asset, held = record.asset, _held(record, line.effective)
    if asset.pricing_source is PricingSource.LAST_TRANSACTION:
        return price_from_last(desk, line.line_id, record, at=line.effective)
    quantity = held.quantity + line.delta
    return price_from_book(desk, line.line_id, asset.product, asset.selling_model, held.attributes, quantity)


def _other_attributes(desk: QuoteSources, line: AttributesLine, record: AssetRecord) -> UnitPricing | None:
    """The new price, if the price book makes a difference between the old attributes and the new ones."""
    asset, held = record.asset, _held(record, line.effective)
    check_attributes(desk.catalogue.product(asset.product), line.attributes)
    entries = desk.book.by_product.get(asset.product, ())
    if not any(entry.attributes.keys() & line.attributes.keys() for entry in entries):
        return None
    old, new = (
        (asset.product, asset.selling_model, attributes, held.quantity)
        for attributes in (held.attributes, held.attributes | line.attributes)
    )
    if desk.book.list_price(*old) == desk.book.list_price(*new):
        return None
    return price_from_book(desk, line.line_id, *new)


def _renewal(desk: QuoteSources, line: RenewLine, record: AssetRecord) -> UnitPricing | None:
    asset, uplift = record.asset, line.uplift_percent
    match asset.renewal_pricing:
        case RenewalPricing.LAST_TRANSACTION:
            return price_from_last(desk, line.line_id, record, uplift)
        case RenewalPricing.LIST_PRICE:
            held = _held(record, line.start or record.end or record.start)
            model = asset.selling_model
            return price_from_book(desk, line.line_id, asset.product, model, held.attributes, held.quantity, uplift)
        case RenewalPricing.LOT_BY_LOT:
            return _each_lot(desk, line, asset)


def _each_lot(desk: QuoteSources, line: RenewLine, asset: Asset) -> UnitPricing:
    """Lots keep their prices, so that uplift and discounts can only be per cent of them."""
    discounts = desk.covering(line.line_id, asset.product)
    fixed = [discount.name for discount in discounts if discount.kind is not DiscountKind.PERCENT]
    if fixed:
        raise DiscountError(f"{asset.asset_id} renews lot by lot: make discount {fixed[0]} a percentage")
    raised = HUNDRED + line.uplift_percent
    steps = discount_steps(raised, discounts, desk.book.rounding)
    return _unit_pricing(
        source=PriceSource.EACH_LOT,
        per=PriceUnit.MONTH,
        uplift_percent=line.uplift_percent,
        base_price=raised,
        discounts=steps,
        net_price=steps[-1].after if steps else raised,
        ledger_price=None,
    )


def _renew(desk: QuoteSources, line: RenewLine, pricing: UnitPricing | None, common: dict[str, Any]) -> Renew:
    contract = desk.request.contract
    each_lot = pricing is not None and pricing.ledger_price is None
    return _renewed(
        **common,
        start=line.start,
        months=line.months,
        end=line.end,
        contract_months=contract.renewal_months if contract else None,
        months_from=contract.months_from if contract else None,
        unit_price=None if pricing is None else pricing.ledger_price,
        uplift_percent=pricing.net_price - HUNDRED if pricing is not None and each_lot else ZERO,
    )


def _swapped(desk: QuoteSources, line: SwapLine, record: AssetRecord) -> tuple[Asset, UnitPricing]:
    """The asset that takes over, and its price from the price book."""
    product, old = desk.catalogue.product(line.to_product), record.asset
    if old.selling_model not in product.selling_models:
        models = " or ".join(model.words for model in product.selling_models)
        raise SellingModelError(f"{old.asset_id} is sold {old.selling_model.words}; {product.code} is sold {models}")
    held = _held(record, line.effective)
    quantity = line.quantity or held.quantity
    # The new asset takes over the old one's attributes, as far as its product has them.
    names = {rule.name for rule in product.attributes}
    attributes = complete_attributes(product, {name: held.attributes[name] for name in names & held.attributes.keys()})
    pricing = price_from_book(desk, line.line_id, product.code, old.selling_model, attributes, quantity)
    to_asset = old.having(
        asset_id=desk.asset_id(line.line_id),
        product=product.code,
        name=product.name,
        pricing_source=product.pricing_source,
        renewal_pricing=product.renewal_pricing,
        renewal_months=product.renewal_months or old.renewal_months,
        carried=Fraction(),
        carried_first=None,
        months_from=anchor_at(month_anchors(old, record.active), line.effective),
    )
    return to_asset, pricing
