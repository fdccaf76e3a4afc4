"""Nobody who was erased comes back by an order or a request that still names them: it is refused before any history has it."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from domain.journey.account_changes import ChangeContacts
from domain.journey.taking_over import ImportOrders
from domain.kernel.refusals import Refusal
from domain.orders.order import Order

ERASED_CUSTOMER = "ErasedCustomer"
ERASED_PERSON = "ErasedPerson"


def contacts_named(request: Any) -> Iterator[str]:
    """The ids of contacts whom a request would bring."""
    match request:
        case Order():
            yield from (contact.contact_id for contact in request.contacts)
        case ChangeContacts():
            yield from (contact.contact_id for contact in request.add)
        case ImportOrders():
            for order in request.orders:
                for contact in order.get("contacts") or ():
                    yield str(contact.get("contact_id"))
        case _:
            return


def check_erased(account_id: str, erased: Collection[str | None], request: Any) -> None:
    """Refuses what would bring back one of the `erased` contacts of an account, or (null) the account itself.

    Raises:
        Refusal: ErasedCustomer, ErasedPerson.
    """
    if None in erased:
        raise Refusal(ERASED_CUSTOMER, f"account {account_id!r} was erased; use another account_id")
    if back := sorted(set(contacts_named(request)) & set(erased)):
        said = f"contact {', '.join(map(str, back))} of {account_id!r} was erased"
        raise Refusal(ERASED_PERSON, f"{said}; leave them out, or name whoever follows under another contact_id")
