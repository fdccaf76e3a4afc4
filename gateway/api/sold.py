"""What was sold, by its own id, whosever it is: an order, a contract, a quote, an invoice or a credit memo."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import Response

from activities.contracts.contract_pages import account_of_contract
from activities.kernel.pool import Connection
from activities.kernel.queries import Value
from activities.mail.paper_rows import account_of_bill, account_of_quote
from activities.orders.order_pages import account_of_order
from domain.frame.access import READ, FieldGroup, Principal, require_sight
from domain.journey.customer_timeline import Cursor
from domain.kernel.refusals import Refusal
from gateway.api.answers import answered, reads
from gateway.api.entry import entry_to
from gateway.api.reading import looking
from gateway.api.things import THING, whose_is
from gateway.api.versions import VERSION
from gateway.doors import Doors
from gateway.views.bills import Bill, bills_page
from gateway.views.contracts import ContractOnRecord, contracts_page
from gateway.views.orders import PlacedOrder, orders_page
from gateway.views.pages import Page
from gateway.views.quotes import QuoteOnRecord, quotes_page
from gateway.views.shown import View
from gateway.views.whose import Whose

_Make = Callable[[Connection, Whose, Cursor | None, int, str | None], Awaitable[Page[Any]]]


@dataclass(frozen=True)
class _Document:
    """A document that has an id of its own. `only_for`: all of it belongs to these groups."""

    resource: str
    view: type[View]
    account_of: Value[str | None]
    make: _Make
    text: str
    only_for: tuple[FieldGroup, ...] = ()
    parameter: str = "document_id"
    """what the path calls its id"""

    @property
    def name(self) -> str:
        """`order` of `orders`."""
        return self.resource.removesuffix("s")


_DOCUMENTS = (
    _Document(
        "orders",
        PlacedOrder,
        account_of_order,
        orders_page,
        "One order, and how far each line of it has come",
        parameter="order_id",
    ),
    _Document(
        "contracts",
        ContractOnRecord,
        account_of_contract,
        contracts_page,
        "One contract with its terms and renewals",
        parameter="contract_id",
    ),
    _Document(
        "quotes", QuoteOnRecord, account_of_quote, quotes_page, "One quote with its versions", parameter="quote_id"
    ),
    _Document("invoices", Bill, account_of_bill, bills_page, "One invoice or credit memo", (FieldGroup.PRICES,)),
)


def sold(doors: Doors) -> APIRouter:
    """The paths of these documents."""
    router = APIRouter(prefix=VERSION)
    for document in _DOCUMENTS:
        _one(router, doors, document)
    return router


def _one(router: APIRouter, doors: Doors, document: _Document) -> None:
    enter = Depends(entry_to(doors.pool, document.resource, READ))
    named = Path(alias=document.parameter, pattern=THING)

    async def one(request: Request, document_id: str = named, who: Principal = enter) -> Response:
        require_sight(who, *document.only_for)
        account_id = await whose_is(doors, who, document.account_of, document_id)
        if account_id is not None:
            async with looking(doors, who, account_id) as (connection, of):
                page = await document.make(connection, of, None, 1, document_id)
            if page.items:
                return answered(request, page.items[0], who)
        raise Refusal(f"Unknown{document.name.capitalize()}", f"there is no {document.name} {document_id!r}")

    told = reads(document.view, document.resource, document.name, document.text)
    router.add_api_route(f"/{document.resource}/{{{document.parameter}}}", one, **told)
