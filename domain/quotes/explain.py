"""A quote in sentences: where every amount comes from."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from domain.quotes.discounts import DiscountKind
from domain.quotes.quote import LotPart, PriceSource, Quote, QuoteLine, UnitPricing

_SOURCES = {
    PriceSource.PRICE_BOOK: "list price",
    PriceSource.LAST_TRANSACTION: "last price agreed",
    PriceSource.EACH_LOT: "each lot's own price, in per cent",
    PriceSource.INCLUDED: "included in the bundle's price",
}


def explain(quote: Quote, line: QuoteLine) -> list[str]:
    """How a line's amount comes about, one sentence for each step: price, discounts, lots, months, rounding."""
    return list(_sentences(quote, line))


def _sentences(quote: Quote, line: QuoteLine) -> Iterator[str]:
    if line.pricing is not None:
        yield from _price(quote, line.pricing)
    for part in line.parts:
        yield _part(quote, part)
    if line.adjustment:
        yield f"adjustment for months that are cut: {_plain(line.adjustment)} {quote.currency}"
    if line.amount is None:
        yield f"no end: {_plain(line.monthly)} {quote.currency} a month"
    else:
        yield f"in all {_plain(line.amount)} {quote.currency}, as of {quote.as_of.isoformat()}"


def _price(quote: Quote, pricing: UnitPricing) -> Iterator[str]:
    each_lot = pricing.source is PriceSource.EACH_LOT
    unit = "per cent" if each_lot else f"{quote.currency} per {pricing.per}"
    source = _SOURCES[pricing.source]
    if pricing.source is PriceSource.PRICE_BOOK:
        source = f"{source} of {quote.price_book}"
        if pricing.tier_from:
            source = f"{source} from {pricing.tier_from} units on"
    raised = f", raised by {_plain(pricing.uplift_percent)} per cent" if pricing.uplift_percent else ""
    yield f"{source}{raised}: {_plain(pricing.base_price)} {unit}"
    for step in pricing.discounts:
        off = {
            DiscountKind.PERCENT: f"{_plain(step.value)} per cent off",
            DiscountKind.AMOUNT: f"{_plain(step.value)} off",
            DiscountKind.PRICE: "a fixed price",
        }[step.kind]
        yield f"{step.name}, {off}: {_plain(step.after)} {unit}"


def _part(quote: Quote, part: LotPart) -> str:
    what = (
        f"{part.quantity} units of lot {part.lot}"
        if part.quantity >= 0
        else f"{-part.quantity} of lot {part.lot} credited"
    )
    span = f"from {part.start.date()}" if part.end is None else f"from {part.start.date()} to {part.end.date()}"
    times = "" if part.months is None else f" x {_plain(part.months)} months ({quote.proration})"
    amount = "" if part.amount is None else f" = {_plain(part.amount)}"
    return f"{what} {span} at {_plain(part.unit_price)}{times}{amount}"


def _plain(value: Decimal | None) -> str:
    return "no price" if value is None else f"{value:f}"
