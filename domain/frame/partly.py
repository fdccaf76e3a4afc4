"""Reading a customer of whom something cannot be read: what can be is used, the rest is named."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from domain.frame.customer import Customer
from domain.frame.unreadable import Unreadable, UnreadableError, why_not
from domain.kernel.zones import is_zone

_IDS = {
    "contacts": ("contact", "contact_id"),
    "contracts": ("contract", "contract_id"),
    "assets": ("asset", "asset_id"),
    "tasks": ("task", "name"),
    "usage": ("usage", "product"),
    "offers": ("offer", "offer_id"),
    "surveys": ("survey", "survey_id"),
    "efforts": ("survey", "survey_id"),
    "references": ("question for a reference", "reference_id"),
    "health": ("health score", "at"),
    "purchases": ("order", "order_id"),
    "orders": ("order", "order_id"),
    "changes": ("change of people", "at"),
}
"""What an entry of each list is called, and which of its fields names it."""


def read_customer(found: dict[str, Any]) -> Customer:
    """The customer in what the tables gave, without the entries that cannot be read; those are in `unreadable`.

    Raises UnreadableError if the account or its people cannot be read: nothing can be decided then.
    """
    facts, unreadable = dict(found), []
    for name, (kind, id_field) in _IDS.items():
        (model,) = get_args(Customer.model_fields[name].annotation)
        kept = []
        for entry in facts.get(name) or []:
            if (wrong := _wrong(model, entry)) is None:
                kept.append(entry)
            else:
                unreadable.append(_named(kind, entry, id_field, wrong))
        facts[name] = kept
    account_id = str((facts.get("account") or {}).get("account_id"))
    try:
        customer = Customer.model_validate(facts)
    except ValidationError as error:
        raise UnreadableError(Unreadable(kind="account", id=account_id, why=why_not(error))) from error
    return customer.having(unreadable=unreadable)


def with_known_zones(customer: Customer) -> Customer:
    """The customer, contacts in the account's zone whose own is none."""
    if all(is_zone(contact.time_zone) for contact in customer.contacts):
        return customer
    odd = [contact for contact in customer.contacts if not is_zone(contact.time_zone)]
    contacts = [
        contact.having(time_zone=customer.account.time_zone) if contact in odd else contact
        for contact in customer.contacts
    ]
    named = [
        Unreadable(kind="contact", id=contact.contact_id, why=f"no time zone is called {contact.time_zone!r}")
        for contact in odd
    ]
    return customer.having(contacts=contacts, unreadable=[*customer.unreadable, *named])


_Model = TypeVar("_Model", bound=BaseModel)


def read_each(kind: str, id: str, model: type[_Model], entries: Iterable[Any]) -> tuple[list[_Model], list[Unreadable]]:
    """The entries that can be read, and what is wrong with the others; each is called `kind` of `id`."""
    readable: list[_Model] = []
    broken: list[Unreadable] = []
    for entry in entries:
        try:
            readable.append(model.model_validate(entry))
        except ValidationError as error:
            broken.append(Unreadable(kind=kind, id=id, why=why_not(error)))
    return readable, broken


def _wrong(model: type[BaseModel], entry: Any) -> str | None:
    try:
        model.model_validate(entry)
    except ValidationError as error:
        return why_not(error)
    return None


def _named(kind: str, entry: Any, id_field: str, why: str) -> Unreadable:
    known = entry if isinstance(entry, dict) else {}
    contract = known.get("contract_id") if kind == "asset" else None
    return Unreadable(kind=kind, id=str(known.get(id_field)), why=why, contract_id=contract)
