"""Sales: from a configured product to the requests that make its assets."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from domain.assets.bundles import Relationship
from domain.assets.contract_dates import cotermed
from domain.assets.model import Asset, PricingSource, RenewalPricing, SellingModel
from domain.assets.requests import Generate, Line
from domain.catalogue.catalogue import Product
from domain.catalogue.errors import SellingModelError, TermMissingError
from domain.catalogue.pricebook import PriceUnit, ledger_price
from domain.kernel.base import unchecked
from domain.kernel.calendar import months_later
from domain.quotes.configure import Configured, configure
from domain.quotes.quote import LedgerStep, PriceSource, UnitPricing
from domain.quotes.request_lines import SaleLine
from domain.quotes.sources import ZERO, Planned, QuoteSources, price_from_book

_sold_asset, _sold_line, _generate = unchecked(Asset), unchecked(Line), unchecked(Generate)
_ledger_step, _unit_pricing = unchecked(LedgerStep), unchecked(UnitPricing)
WITHOUT_TERM = frozenset({SellingModel.ONE_TIME, SellingModel.EVERGREEN})


def plan_sale(desk: QuoteSources, sale: SaleLine) -> tuple[list[Planned], list[Relationship]]:
    """One asset for each configured product, and the edges between them."""
    configured = configure(desk.catalogue, sale)
    planned = [_plan_one(desk, sale, configured[0].product, part) for part in configured]
    edges = [
        Relationship(
            parent_id=desk.asset_id(part.parent_id),
            child_id=desk.asset_id(part.line_id),
            child_quantity=part.option.child_quantity,
            ratio=Decimal(part.per_parent),
            included_in_price=part.included,
        )
        for part in configured
        if part.parent_id is not None and part.option is not None
    ]
    return planned, edges


def _plan_one(desk: QuoteSources, sale: SaleLine, root: Product, part: Configured) -> Planned:
    if part.included:
        per = PriceUnit.ONCE if part.model is SellingModel.ONE_TIME else PriceUnit.MONTH
        pricing = _unit_pricing(
            source=PriceSource.INCLUDED, per=per, base_price=ZERO, net_price=ZERO, ledger_price=ZERO
        )
    else:
        pricing = price_from_book(desk, part.line_id, part.product.code, part.model, part.attributes, part.quantity)
    contract = desk.request.contract
    if contract is not None and part.model is not SellingModel.ONE_TIME:
        sale = sale.having(start=contract.from_its_begin(sale.start))
    request = _generate(
        request_id=desk.request_id(part.line_id),
        recorded_at=desk.as_of,
        asset=_asset(desk, part, sale.start),
        lines=(_lot(desk, sale, root, part, pricing),),
        attributes=part.attributes,
        terms=contract.coming(sale.start) if contract and contract.coterminous else (),
    )
    step = _ledger_step(line_id=part.line_id, request=request)
    return Planned("sale", step, part.parent_id, pricing, part.product)


def _asset(desk: QuoteSources, part: Configured, start: datetime) -> Asset:
    product, child = part.product, part.parent_id is not None
    contract = desk.request.contract
    return _sold_asset(
        asset_id=desk.asset_id(part.line_id),
        account_id=desk.request.account_id,
        product=product.code,
        name=product.name,
        currency=desk.book.currency,
        price_book=desk.book.name,
        selling_model=part.model,
        # A change of a bundle brings a price for its root alone: its children keep theirs.
        pricing_source=PricingSource.LAST_TRANSACTION if child else product.pricing_source,
        renewal_pricing=RenewalPricing.LOT_BY_LOT if child else product.renewal_pricing,
        renewal_months=product.renewal_months,
        contract_id=contract.contract_id if contract else None,
        parent_id=desk.asset_id(part.parent_id) if part.parent_id is not None else None,
        time_zone=desk.request.time_zone,
        months_from=contract.counted_from(start) if contract and contract.coterminous else None,
    )


def _lot(desk: QuoteSources, sale: SaleLine, root: Product, part: Configured, pricing: UnitPricing) -> Line:
    contract = desk.request.contract
    common_end = contract is not None and contract.coterminous
    line = _sold_line(
        start=sale.start,
        end=_end(desk, sale, root, part, common_end),
        quantity=part.quantity,
        unit_price=pricing.ledger_price,
        list_price=None if pricing.list_price is None else ledger_price(pricing.list_price, pricing.per),
        reference=desk.request_id(part.line_id),
    )
    if contract is None or part.model in WITHOUT_TERM:
        return line
    if contract.open_ended:
        raise SellingModelError(
            f"contract {contract.contract_id} has no end; sell {part.product.code} evergreen under it"
        )
    return cotermed([line], contract)[0]


def _end(desk: QuoteSources, sale: SaleLine, root: Product, part: Configured, common_end: bool) -> datetime | None:
    if part.model in WITHOUT_TERM:
        if part.parent_id is None and (sale.end or sale.months):
            raise SellingModelError(f"{root.code} is sold {part.model}: it has no end; leave end and months out")
        return None
    if sale.end is not None:
        return sale.end
    months = sale.months or root.term_months or part.product.term_months
    if months is not None:
        return months_later(sale.start, months, desk.request.time_zone)
    if part.model is SellingModel.TERMED and not common_end:
        raise TermMissingError(f"line {part.line_id}: {part.product.code} is sold for a term; give months or an end")
    return None
