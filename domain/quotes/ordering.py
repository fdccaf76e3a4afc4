"""From an accepted quote to its order: what the ledger will do, and the document that starts a customer's journey."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from domain.assets.dates import Instant
from domain.assets.ledger import Ledger
from domain.assets.model import SellingModel
from domain.catalogue.errors import OrderDocumentError, QuoteStateError
from domain.catalogue.pricebook import PriceUnit
from domain.kernel.base import Carried
from domain.kernel.calendar import local_day
from domain.kernel.ids import ContractId, OrderId
from domain.orders.order import Account, Contact, Contract, Order, OrderedLine, OrderedProduct, PricePer, Purchase, Term
from domain.quotes.pricing import confirm
from domain.quotes.quote import Quote, QuoteLine
from domain.quotes.versions import QuoteFile, QuoteState

DAY = timedelta(days=1)
_PER = {PriceUnit.MONTH: PricePer.MONTH, PriceUnit.YEAR: PricePer.YEAR, PriceUnit.ONCE: PricePer.ONCE}


class SoldOrder(Carried):
    """An order from an accepted quote. The quote's steps carry the order's id, so that the ledger takes each in once."""

    order_id: OrderId
    ordered_at: Instant
    quote: Quote


def order_from(file: QuoteFile, order_id: OrderId) -> SoldOrder:
    """The order of an accepted quote.

    Raises:
        QuoteStateError: The quote is not accepted.
    """
    if file.state is not QuoteState.ACCEPTED:
        raise QuoteStateError(f"{file.quote_id} is {file.state}; only an accepted quote becomes an order")
    steps = tuple(
        step.model_copy(update={"request": step.request.model_copy(update={"order_id": order_id})})
        for step in file.current.steps
    )
    quote = file.current.model_copy(update={"steps": steps})
    return SoldOrder(order_id=order_id, ordered_at=file.history[-1].at, quote=quote)


def assetize(assets: Ledger, order: SoldOrder) -> Ledger:
    """The ledger after an order, with the instant of the quote; twice is as once.

    Raises:
        QuoteStaleError: The amounts would not be those that were quoted.
        AssetError: The ledger refuses a step.
    """
    return confirm(assets, order.quote, order.ordered_at)


def order_document(
    order: SoldOrder,
    account: Account,
    contacts: Sequence[Contact],
    activated_at: datetime,
    *,
    auto_renew: bool = False,
) -> Order:
    """The sales of an order as a document: a contract for each term, by the account's local dates, and purchases.

    Raises:
        OrderDocumentError: Nothing is sold, or something that the document has no place for (evergreen, usage, ramps).
    """
    sales = [line for line in order.quote.lines if line.kind == "sale"]
    if not sales:
        raise OrderDocumentError(f"{order.order_id} sells nothing new; its changes go to the ledger")
    terms: dict[tuple[datetime, datetime], list[QuoteLine]] = defaultdict(list)
    purchases: list[Purchase] = []
    for line in sales:
        if line.selling_model is SellingModel.ONE_TIME:
            purchases.append(Purchase.model_validate(_priced(line)))
        elif line.end is None or line.selling_model is SellingModel.USAGE:
            raise OrderDocumentError(
                f"line {line.line_id} is sold {line.selling_model.words}; the document knows terms and purchases"
            )
        else:
            terms[line.effective, line.end].append(line)
    contracts = [
        _contract(order, number, account.time_zone, span, lines, auto_renew)
        for number, (span, lines) in enumerate(terms.items(), 1)
    ]
    products = {line.product: line for line in sales}
    return Order(
        order_id=order.order_id,
        activated_at=activated_at,
        account=account,
        contacts=tuple(contacts),
        currency=order.quote.currency,
        contracts=tuple(contracts),
        lines=tuple(purchases),
        products=tuple(
            OrderedProduct(code=code, name=line.name, kind=line.product_kind)
            for code, line in products.items()
            if line.product_kind is not None
        ),
    )


def _contract(
    order: SoldOrder,
    number: int,
    zone: str,
    span: tuple[datetime, datetime],
    lines: Sequence[QuoteLine],
    auto_renew: bool,
) -> Contract:
    start, until = (local_day(moment, zone) for moment in span)
    agreed = order.quote.contract
    contract_id = agreed.contract_id if agreed and number == 1 else ContractId(f"{order.order_id}-{number}")
    return Contract(
        contract_id=contract_id,
        term=Term(start=start, end=until - DAY),
        auto_renew=auto_renew,
        renewal_months=agreed.renewal_months if agreed else None,
        lines=tuple(OrderedLine.model_validate(_priced(line)) for line in lines),
    )


def _priced(line: QuoteLine) -> dict[str, object]:
    """A line's net price, in the unit of the price book."""
    if line.pricing is None:
        raise OrderDocumentError(f"line {line.line_id} has no price")
    return {
        "line_id": line.line_id,
        "product": line.product,
        "quantity": line.quantity,
        "unit_price": line.pricing.net_price,
        "per": _PER[line.pricing.per],
    }
