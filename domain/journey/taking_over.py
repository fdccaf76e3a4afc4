"""Orders of the past that a file brings of one customer, taken over together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import Field, ValidationError

from domain.frame.calls import Barred
from domain.frame.customer import Customer
from domain.kernel.base import Carried
from domain.kernel.ids import journey_id
from domain.kernel.limits import MOST_LINES
from domain.kernel.refusals import INVALID_ORDER, INVALID_REQUEST, Problem, Refusal
from domain.kernel.requests import Request
from domain.orders.order import Order, OrderAnswer

MOST_ORDERS = 25
"""So many orders are taken over at once; more of them come in several requests."""
MOST_LINES_TOGETHER = MOST_LINES // 2
"""About so many lines in all; an order that has more of them comes alone."""


class ImportOrders(Request):
    """Orders of the past of one customer, oldest first, are taken over together; sent by `perennial import orders`.

    Each is an order as `import_order` takes it, and has an answer of its own: one that is refused refuses only itself. If all are, so
    is the request.
    """

    orders: Annotated[tuple[dict[str, Any], ...], Field(min_length=1, max_length=MOST_ORDERS)]


class OrderTaken(Carried):
    """What became of one of several orders: its answer, or why it was refused. `before`: it was on record already."""

    order_id: str
    answer: OrderAnswer | None = None
    before: bool = False
    refused: Barred | None = None


class OrdersTaken(Carried):
    """What became of orders that were taken over together, each in its place."""

    account_id: str
    orders: list[OrderTaken]


def read_import(document: Any) -> ImportOrders:
    """The request, whose orders are still to be read, each by itself. Raises `Refusal` (InvalidRequest)."""
    try:
        return ImportOrders.model_validate(document)
    except ValidationError as error:
        raise Refusal.from_validation(INVALID_REQUEST, "the request cannot be read", error) from None


def check_imported_here(request: ImportOrders, workflow_id: str) -> None:
    """Refuses orders of another account."""
    for n, order in enumerate(request.orders):
        account = order.get("account")
        if not isinstance(account, Mapping) or journey_id(str(account.get("account_id"))) != workflow_id:
            said = f"this workflow is {workflow_id!r}; each account's orders go to its own"
            problem = Problem(field=f"orders[{n}].account.account_id", problem=said)
            raise Refusal(INVALID_ORDER, "the orders cannot be accepted", [problem])


def instant_of(as_of: datetime, place: int) -> datetime:
    """When an order is recorded, by its place among those that came together: a moment after the one before, so that it shows which was
    the first."""
    return as_of + timedelta(microseconds=place)


def goes_on(last: Order, order: Order) -> bool:
    """True if all that the customer is for `order` follows from the decision on the `last` one, which was accepted just before: both
    sell goods or devices, and say the same of the account and its people."""
    sells_terms = bool(last.contracts or order.contracts)
    return not sells_terms and (last.account, last.contacts) == (order.account, order.contacts)


def as_known(customer: Customer) -> Customer:
    """The customer of a decision as the next one would find them on record."""
    return customer.having(purchases=[one.having(names=[]) for one in customer.purchases])
