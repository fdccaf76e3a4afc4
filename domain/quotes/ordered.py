"""What came with an order, an import or a transfer can be quoted as well: how it is sold, and at what price if no list names one."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from domain.assets.model import SellingModel
from domain.catalogue.catalogue import Product
from domain.catalogue.pricebook import PriceBook, PriceEntry, PriceUnit, Tier
from domain.frame.ownership import price_at
from domain.frame.situation import Situation
from domain.orders.order import TERM_KINDS, PricePer, ProductKind


def plain_product(code: str, name: str, kind: ProductKind) -> Product:
    """A product of which nothing is known but what an order says."""
    models = (SellingModel.TERMED, SellingModel.EVERGREEN) if kind in TERM_KINDS else (SellingModel.ONE_TIME,)
    return Product.model_validate({"code": code, "name": name, "kind": kind, "selling_models": models})


def priced_as_sold(
    situation: Situation, book: PriceBook, ordered: Iterable[tuple[str, PricePer, Decimal]], codes: Iterable[str]
) -> PriceBook:
    """The book with the prices that the customer has now, or paid last, for those of `codes` that it does not name.

    ordered: product, for what time, and unit price of what they ordered in the book's currency, the latest of each product.
    """
    prices = {code: (per, price) for code, per, price in ordered}
    records = dict(situation.records.items())  # those that can be read
    for asset in sorted(
        situation.customer.assets, key=lambda asset: asset.periods[0].starts_at if asset.periods else situation.as_of
    ):
        record = records.get(asset.asset_id)
        if asset.currency == book.currency and record is not None:
            prices[asset.product] = asset.per, price_at(record, asset, situation.as_of)
    unlisted = [code for code in codes if code in prices and code not in book.by_product]
    entries = [
        PriceEntry(product=code, per=PriceUnit(per.value), tiers=(Tier(price=price),))
        for code in unlisted
        for per, price in [prices[code]]
    ]
    return book.having(entries=(*book.entries, *entries)) if entries else book
