"""The form of each act: from the model of its request, with the commonest questions first; and the request that is read back. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from domain.frame.request_kinds import RequestKind
from domain.kernel.refusals import Problem
from gateway.console import quote_form
from gateway.console.fields import OURS, Field, arranged, document, fields_of

QUOTE = "request_quote"
OPEN_CASE = "open_case"
_BY_ITSELF = frozenset({"case_id", "account_id", "message_id", "references", "automatic"})
"""What a case has that is opened from the page of its customer, or only by a mail."""
FIRST: Mapping[str, tuple[str, ...]] = {
    "amend_assets": (
        "assets.asset_id",
        "assets.add",
        "assets.remove",
        "assets.price",
        "assets.end",
        "add_ons.contract_id",
        "add_ons.product",
        "add_ons.quantity",
        "add_ons.unit_price",
        "add_ons.per",
        "effective",
        "reason",
    ),
    "renew_assets": ("contract_id", "start", "months", "uplift_percent", "reason"),
    "cancel_assets": ("contract_id", "assets", "effective", "reason"),
    "swap_assets": (
        "assets.asset_id",
        "assets.to_product",
        "assets.quantity",
        "assets.unit_price",
        "assets.per",
        "assets.kind",
        "effective",
        "reason",
    ),
    "transfer_assets": ("to_account", "assets.asset_id", "assets.quantity", "to_contract_id", "effective", "reason"),
    QUOTE: ("lines", "contract_id", "valid_days"),
    OPEN_CASE: ("subject", "body", "channel", "contact_id", "category", "impact", "urgency", "product"),
    "respond": ("body",),
    "note": ("body", "shared"),
    "resolve": ("code", "text"),
    "escalate": ("reason", "to"),
    "claim_price_match": ("order_id", "line_id", "quantity"),
}
"""What is asked at once, where a request could be asked much more."""


def form_of(kind: RequestKind[Any]) -> tuple[Field, ...]:
    """The questions of a request."""
    fields = fields_of(kind.schema(), OURS | _BY_ITSELF) if kind.update == OPEN_CASE else fields_of(kind.schema())
    if kind.update == QUOTE:
        fields = quote_form.rows_of_lines(fields)
    first = FIRST.get(kind.update)
    return arranged(fields, frozenset(first)) if first else fields


def begun(kind: RequestKind[Any], request_id: str) -> dict[str, str]:
    """What is filled in before anybody has: the id of what it makes, which goes by that of the request; and that somebody has called."""
    if kind.update == OPEN_CASE:
        return {"channel": "phone"}
    return {"quote_id": f"Q-{request_id.removeprefix('co-')[:10]}"} if kind.update == QUOTE else {}


def request_of(kind: RequestKind[Any], fields: Sequence[Field], typed: Mapping[str, str], zone: str) -> dict[str, Any]:
    """The request that was filled in."""
    return (quote_form.request_of_rows if kind.update == QUOTE else document)(fields, typed, zone)


def case_to_open(request: Mapping[str, Any], account_id: str, request_id: str) -> dict[str, Any]:
    """The case that was filled in: of the customer, under the id of the request, so that a form that is sent twice opens one."""
    about = {"case_id": f"C-{request_id.removeprefix('co-')[:12]}", "account_id": account_id}
    return {name: value for name, value in request.items() if name != "request_id"} | about


def asked_where(kind: RequestKind[Any], problems: Sequence[Problem]) -> Sequence[Problem]:
    """What is wrong with a request, by the questions of its form."""
    return quote_form.asked_where(problems) if kind.update == QUOTE else problems
