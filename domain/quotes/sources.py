"""The desk: all that a quote is made from, and the unit prices found there."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from domain.assets.ledger import Ledger
from domain.assets.model import AssetRecord, Attributes, SellingModel
from domain.assets.taking import last_lot, lot_agreed_at
from domain.assets.uplift import raised as uplift_price
from domain.catalogue.catalogue import Catalogue, Product
from domain.catalogue.pricebook import PriceBook, PriceUnit, ledger_price
from domain.kernel.base import unchecked
from domain.quotes.discounts import Discount, discount_steps
from domain.quotes.quote import LedgerStep, LineKind, PriceSource, UnitPricing
from domain.quotes.request_lines import QuoteRequest

ZERO = Decimal(0)
_unit_pricing = unchecked(UnitPricing)


class Planned(NamedTuple):
    """A step, and how its unit price comes about."""

    kind: LineKind
    step: LedgerStep
    parent_id: str | None = None
    pricing: UnitPricing | None = None
    product: Product | None = None


@dataclass(frozen=True, slots=True)
class QuoteSources:
    """All that a quote is made from."""

    catalogue: Catalogue
    book: PriceBook
    ledger: Ledger
    request: QuoteRequest
    discounts: Sequence[Discount]
    as_of: datetime
    priced: dict[Hashable, UnitPricing] = field(default_factory=dict)
    """the prices found so far: most lines of a quote are alike"""

    def request_id(self, line_id: str) -> str:
        return f"{self.request.quote_id}.v{self.request.version}.{line_id}"

    def asset_id(self, line_id: str) -> str:
        return f"{self.request.quote_id}-{line_id}"

    def covering(self, line_id: str, product: str) -> list[Discount]:
        return [discount for discount in self.discounts if discount.covers(line_id, product)]


def price_from_book(
    desk: QuoteSources,
    line_id: str,
    product: str,
    model: SellingModel,
    attributes: Attributes,
    quantity: int,
    uplift: Decimal = ZERO,
) -> UnitPricing:
    found = desk.book.list_price(product, model, attributes, quantity)
    return _priced(
        desk, line_id, product, PriceSource.PRICE_BOOK, found.per, found.price, found.price, uplift, found.tier_from
    )


def price_from_last(
    desk: QuoteSources, line_id: str, record: AssetRecord, uplift: Decimal = ZERO, *, at: datetime | None = None
) -> UnitPricing | None:
    """The last price agreed, or that for `at`, which is by the month or once; None if the asset has none."""
    last, asset = last_lot(record) if at is None else lot_agreed_at(record, at), record.asset
    if last is None or last.unit_price is None:
        return None
    per = PriceUnit.ONCE if asset.selling_model is SellingModel.ONE_TIME else PriceUnit.MONTH
    source = PriceSource.LAST_TRANSACTION
    return _priced(desk, line_id, asset.product, source, per, last.list_price, last.unit_price, uplift)


def _priced(
    desk: QuoteSources,
    line_id: str,
    product: str,
    source: PriceSource,
    per: PriceUnit,
    listed: Decimal | None,
    base: Decimal,
    uplift: Decimal,
    tier_from: int | None = None,
) -> UnitPricing:
    covering = desk.covering(line_id, product)
    # Figures that are equal may have other decimals, which are shown.
    figures = tuple(None if one is None else str(one) for one in (listed, base, uplift))
    key = (source, per, figures, tier_from, tuple(map(id, covering)))
    if (known := desk.priced.get(key)) is not None:
        return known
    raised = uplift_price(base, uplift, desk.book.currency)
    steps = discount_steps(raised, covering, desk.book.rounding)
    net = steps[-1].after if steps else raised
    desk.priced[key] = made = _unit_pricing(
        source=source,
        per=per,
        list_price=listed,
        uplift_percent=uplift,
        base_price=raised,
        discounts=steps,
        net_price=net,
        ledger_price=ledger_price(net, per),
        tier_from=tier_from,
    )
    return made
