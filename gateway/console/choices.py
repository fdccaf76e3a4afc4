"""What a form offers in place of an id to be typed: the customer's own assets, contracts, people, cases, orders and quotes, and products."""

from __future__ import annotations

from typing import Any

from activities.journey import choices
from activities.kernel.pool import Connection
from gateway.console.language import Words
from gateway.views.pages import LONGEST
from gateway.views.relations import contacts_page
from gateway.views.whose import Whose

MOST = 200
"""Of more nobody chooses: the id is typed."""
Known = dict[str, list[tuple[str, str]]]
"""Ids by the name of the question or its path, each with what it is called."""
_NEW = ("add_ons.asset_id", "new_contract.contract_id", "contacts.contact_id")
"""What is given an id there is not on record yet."""


async def choices_of(connection: Connection, of: Whose, t: Words, update: str) -> Known:
    """What can be chosen from where this is asked of a customer."""
    assets = [(one["id"], asset_said(t, one)) for one in await choices.own_assets(connection, of.account_id, of.now)]
    contracts = [(one["id"], contract_said(t, one)) for one in await choices.own_contracts(connection, of.account_id)]
    contacts = await contacts_page(connection, of, None, LONGEST)
    cases = [
        (one["id"], f"{one['subject']} ({one['id']})") for one in await choices.own_cases(connection, of.account_id)
    ]
    products = [(one["id"], f"{one['name']} ({one['id']})") for one in await choices.products(connection)]
    found: Known = {
        "asset_id": assets,
        "contract_id": contracts,
        "contact_id": [(one.contact_id, one.name) for one in contacts.items],
        "case_id": cases,
        "product": products,
        "to_product": products,
    }
    if update != "accept_quote":  # where it is the id of an order that is still to come
        orders = await choices.own_orders(connection, of.account_id)
        found["order_id"] = [(one["id"], f"{one['id']} ({t.day(one['activated_on'])})") for one in orders]
    if update != "request_quote":
        quotes = await choices.open_quotes_of(connection, of.account_id)
        found["quote_id"] = [(one["id"], _quote_said(t, of, one)) for one in quotes]
    if update == "merge":
        found["into"] = cases
    return found | {path: [] for path in _NEW}


def asset_said(t: Words, asset: dict[str, Any]) -> str:
    """An asset in a list."""
    return f"{asset['product']} × {t.number(asset['quantity'])} ({asset['id']})"


def contract_said(t: Words, contract: dict[str, Any]) -> str:
    """A contract in a list: what is sold by it, and until when."""
    standing = t(f"contract.{contract['status']}")
    until = "" if contract["open_ended"] or not contract["last_day"] else f" – {t.day(contract['last_day'])}"
    return f"{contract['products'] or contract['id']}{until} ({contract['id']}, {standing})"


def _quote_said(t: Words, of: Whose, quote: dict[str, Any]) -> str:
    return f"{quote['id']}, {t('documents.version', n=quote['version'])} – {t.day(quote['valid_until'], of.time_zone)}"
