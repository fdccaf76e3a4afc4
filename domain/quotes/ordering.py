"""From an accepted quote to its order: what the ledger will do, and the document that starts a customer's journey."""

from __future__ import annotations

from domain.assets.dates import Instant
from domain.assets.ledger import Ledger
from domain.catalogue.errors import QuoteStateError
from domain.kernel.base import Carried
from domain.quotes.pricing import confirm
from domain.quotes.quote import Quote
from domain.quotes.versions import QuoteFile, QuoteState


class SoldOrder(Carried):
    """An order from an accepted quote. The quote's steps carry the order's id, so that the ledger takes each in once."""

    order_id: str
    ordered_at: Instant
    quote: Quote


def order_from(file: QuoteFile, order_id: str) -> SoldOrder:
    """The order of an accepted quote.

    Raises:
        QuoteStateError: The quote is not accepted.
    """
    if file.state is not QuoteState.ACCEPTED:
        raise QuoteStateError(f"{file.quote_id} is {file.state}; only an accepted quote becomes an order")
    steps = tuple(step.having(request=step.request.having(order_id=order_id)) for step in file.current.steps)
    quote = file.current.having(steps=steps)
    return SoldOrder(order_id=order_id, ordered_at=file.history[-1].at, quote=quote)


def assetize(assets: Ledger, order: SoldOrder) -> Ledger:
    """The ledger after an order, with the instant of the quote; twice is as once.

    Raises:
        QuoteStaleError: The amounts would not be those that were quoted.
        AssetError: The ledger refuses a step.
    """
    return confirm(assets, order.quote, order.ordered_at)
