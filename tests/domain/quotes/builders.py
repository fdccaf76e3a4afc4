"""A small catalogue, its price book, and quotes from it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from domain.assets.bundles import ChildQuantity
from domain.assets.errors import AssetError
from domain.assets.ledger import Ledger
from domain.assets.model import PricingSource, RenewalPricing, SellingModel
from domain.catalogue.catalogue import AttributeRule, Catalogue, Option, OptionRule, OptionRuleKind, Product
from domain.catalogue.errors import QuoteError
from domain.catalogue.pricebook import PriceBook, PriceEntry, PriceUnit, Tier
from domain.orders.order import ProductKind
from domain.quotes.discounts import Discount
from domain.quotes.pricing import confirm, price
from domain.quotes.quote import Quote
from domain.quotes.request_lines import QuoteRequest

BUYER = "capricorn"
NOW = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


def on(text: str) -> datetime:
    """Midnight in UTC of a date."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def product(code: str, *models: SellingModel, **facts: Any) -> Product:
    given: dict[str, Any] = {
        "code": code,
        "name": code.capitalize(),
        "kind": ProductKind.SUBSCRIPTION,
        "selling_models": models or (SellingModel.TERMED,),
    }
    return Product.model_validate(given | facts)


EDITION = AttributeRule(name="edition", values=("basic", "pro"), default="basic")
REGION = AttributeRule(name="region", values=("eu", "us"))

CATALOGUE = Catalogue(
    products=(
        product(
            "seats",
            SellingModel.TERMED,
            SellingModel.EVERGREEN,
            attributes=(EDITION,),
            term_months=12,
            renewal_months=12,
        ),
        product(
            "vault",
            attributes=(REGION,),
            pricing_source=PricingSource.LIST_PRICE,
            renewal_pricing=RenewalPricing.LIST_PRICE,
            renewal_months=12,
        ),
        product("helpdesk", SellingModel.TERMED, SellingModel.EVERGREEN, kind=ProductKind.SUPPORT, term_months=12),
        product("router", SellingModel.ONE_TIME, kind=ProductKind.DEVICE),
        product("cable", SellingModel.ONE_TIME, kind=ProductKind.GOODS),
        product("calls", SellingModel.USAGE),
        product("setup", SellingModel.ONE_TIME, kind=ProductKind.SERVICE),
        product(
            "office",
            term_months=24,
            options=(
                Option(product="seats", least=1, default=5, child_quantity=ChildQuantity.PROPORTIONAL),
                Option(product="router", most=2),
                Option(product="cable", most=9),
                Option(product="helpdesk", included_in_price=True),
                Option(product="setup"),
            ),
            rules=(
                OptionRule(kind=OptionRuleKind.REQUIRES, option="router", other="cable"),
                OptionRule(kind=OptionRuleKind.EXCLUDES, option="setup", other="helpdesk"),
            ),
        ),
    )
)


def entry(code: str, *prices: tuple[int, str], per: PriceUnit = PriceUnit.MONTH, **facts: Any) -> PriceEntry:
    tiers = tuple(Tier(least=least, price=Decimal(value)) for least, value in prices)
    return PriceEntry.model_validate({"product": code, "per": per, "tiers": tiers} | facts)


ENTRIES = (
    entry("seats", (0, "10.00"), (50, "8.00")),
    entry("seats", (0, "15.00"), attributes={"edition": "pro"}),
    entry("seats", (0, "12.00"), selling_model=SellingModel.EVERGREEN),
    entry("vault", (0, "100.00"), per=PriceUnit.YEAR),
    entry("helpdesk", (0, "30.00")),
    entry("router", (0, "249.90"), per=PriceUnit.ONCE),
    entry("cable", (0, "5.25"), per=PriceUnit.ONCE),
    entry("calls", (0, "0.02"), per=PriceUnit.USE),
    entry("setup", (0, "500"), per=PriceUnit.ONCE),
    entry("office", (0, "40.00")),
)
BOOK = PriceBook(
    name="standard", currency="EUR", entries=ENTRIES, valid_from=date(2026, 1, 1), valid_to=date(2027, 1, 1)
)


def sale(code: str, quantity: int = 1, line_id: str = "1", start: str = "2026-03-01", **facts: Any) -> dict[str, Any]:
    given = {"line_id": line_id, "kind": "sale", "product": code, "quantity": quantity, "start": on(start)}
    return given | facts


def request(*lines: dict[str, Any], quote_id: str = "q1", **facts: Any) -> QuoteRequest:
    return QuoteRequest.model_validate({"quote_id": quote_id, "account_id": BUYER, "lines": lines} | facts)


def quote(
    *lines: dict[str, Any],
    assets: Ledger | None = None,
    discounts: tuple[Discount, ...] = (),
    book: PriceBook = BOOK,
    relationships: Any = (),
    as_of: datetime = NOW,
    **facts: Any,
) -> Quote:
    """The quote for lines of a request."""
    made = request(*lines, **facts)
    return price(CATALOGUE, book, assets or Ledger(), made, discounts, as_of=as_of, relationships=relationships)


def sold(*lines: dict[str, Any], assets: Ledger | None = None, **facts: Any) -> Ledger:
    """The ledger after a quote was made and accepted at once."""
    ledger = assets or Ledger()
    return confirm(ledger, quote(*lines, assets=ledger, **facts), facts.get("as_of", NOW))


def owned(line_id: str = "1", quote_id: str = "q1") -> str:
    """The asset that a line of a quote makes."""
    return f"{quote_id}-{line_id}"


def percent(value: str, *lines: str, name: str = "deal") -> Discount:
    return Discount(name=name, value=Decimal(value), lines=lines)


def refused(*lines: dict[str, Any], **facts: Any) -> tuple[str, str]:
    """The code and the message of the refusal that a request meets."""
    with pytest.raises((QuoteError, AssetError)) as caught:
        quote(*lines, **facts)
    assert isinstance(caught.value, QuoteError | AssetError)
    return caught.value.code, str(caught.value)
