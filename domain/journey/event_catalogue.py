"""The events that other systems are told of: what each means, the schema of its body, and an example."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from domain.assets.model import Category
from domain.journey.webhooks import EventType


class _Told(BaseModel):
    """What an event says. Receivers leave aside what they do not know: later releases may say more."""

    model_config = ConfigDict(extra="allow")
    account_id: str


class AmountTold(BaseModel):
    """An amount of money; the number is a text, such as "12.50"."""

    amount: str
    currency: str


class OrderActivated(_Told):
    """An order counts from now on: it was placed, or a quote was accepted (`quote_id`). `first_invoices`: by contract, the day on which its
    first period is invoiced."""

    order_id: str
    quote_id: str | None = None
    first_invoices: dict[str, date] = {}


class AssetActionTold(BaseModel):
    """What was done to an asset."""

    asset_id: str
    product: str
    version: int
    category: Category
    effective: date
    quantity_change: int | None
    currency: str
    mrr_change: str | None
    amount_change: str | None


class AssetsChanged(_Told):
    """What a customer owns has changed: added, reduced, renewed, cancelled, swapped or moved."""

    assets: list[AssetActionTold]


class _DocumentTold(_Told):
    net: AmountTold
    taxes: list[dict[str, str]]
    total: AmountTold
    lines: list[dict[str, Any]]


class InvoiceIssued(_DocumentTold):
    """An invoice was written, with its lines before tax."""

    invoice_id: str


class CreditMemoIssued(_DocumentTold):
    """A credit memo was written, with its lines before tax."""

    credit_memo_id: str


class QuoteAccepted(_Told):
    """A quote was accepted; the order that it became."""

    quote_id: str
    version: int
    order_id: str
    amount: AmountTold


class ContractRenewed(_Told):
    """A contract has its next term; `until` is the first day after it."""

    contract_id: str
    term: int
    start: date
    until: date
    origin: str


class ContractEnded(_Told):
    """A contract is over, and why."""

    contract_id: str
    reason: str | None


class PaymentBooked(_Told):
    """Money came in (`payment`) or went back (`refund`, `chargeback`); `invoices`: what of it is of which invoice, negative if it went
    back."""

    payment_id: str
    kind: str
    on: date
    of: str | None
    amount: AmountTold
    invoices: dict[str, AmountTold]


class InvoicePaid(_Told):
    """Nothing is owed on an invoice any more."""

    invoice_id: str
    on: date


class InvoiceOverdue(_Told):
    """An invoice is overdue, since a day."""

    invoice_id: str
    on: date


class InvoiceOwed(_Told):
    """Something is owed again on an invoice that was paid: money went back."""

    invoice_id: str


class _OfCase(_Told):
    case_id: str
    subject: str
    priority: str
    category: str
    at: datetime


class CaseOpened(_OfCase):
    """A customer has a problem. A case of nobody's is told of once it is known whose it is."""


class CaseResolved(_OfCase):
    """A case is solved, as our people see it; the customer's answer may open it again."""


class CaseReopened(_OfCase):
    """A case that was solved is not."""


class CaseEscalated(_OfCase):
    """A case burns, for a reason; one that burns already may be told of once more, for another."""

    reason: str


@dataclass(frozen=True)
class ToldEvent:
    """A kind of event, with an example of its data as JSON."""

    data: type[_Told]
    type: EventType
    example_data: str

    @property
    def says(self) -> str:
        """What it means."""
        return " ".join((self.data.__doc__ or "").split())

    def schema(self) -> dict[str, Any]:
        """The JSON Schema of the whole body."""
        data = self.data.model_json_schema(ref_template="#/properties/data/$defs/{model}")
        return {
            "type": "object",
            "required": ["type", "timestamp", "data"],
            "properties": {
                "type": {"const": self.type.value},
                "timestamp": {"type": "string", "format": "date-time"},
                "data": data,
            },
        }

    def example(self) -> dict[str, Any]:
        """A whole body."""
        data = {"account_id": "capricorn-coffee", **json.loads(self.example_data)}
        return {"type": self.type.value, "timestamp": "2027-03-12T00:00:00Z", "data": data}


_AMOUNTS = (
    '"net": {"amount": "48000", "currency": "JPY"}, "taxes": [{"rate": "10", "net": "48000", "tax": "4800"}],'
    ' "total": {"amount": "52800", "currency": "JPY"}, "lines": [{"kind": "charge", "description": "Workspace", "due": "2027-03-12",'
    ' "amount": "48000", "asset_id": "SO-1.1", "quantity": 40, "unit_price": "1200"}]'
)
_OF_CASE = (
    '"case_id": "C-17", "subject": "Tills are down", "priority": "urgent", "category": "incident",'
    ' "at": "2027-03-12T00:00:00+00:00"'
)
CATALOGUE = (
    ToldEvent(
        OrderActivated, EventType.ORDER_ACTIVATED, '{"order_id": "SO-1", "first_invoices": {"K-1": "2027-03-12"}}'
    ),
    ToldEvent(
        AssetsChanged,
        EventType.ASSET_CHANGED,
        '{"assets": [{"asset_id": "SO-1.1", "product": "SEATS", "version": 2, "category": "Upsells", "effective": "2027-03-12",'
        ' "quantity_change": 10, "currency": "JPY", "mrr_change": "12000", "amount_change": "72000"}]}',
    ),
    ToldEvent(InvoiceIssued, EventType.INVOICE_ISSUED, f'{{"invoice_id": "INV-capricorn-coffee-3", {_AMOUNTS}}}'),
    ToldEvent(
        CreditMemoIssued, EventType.CREDIT_MEMO_ISSUED, f'{{"credit_memo_id": "CM-capricorn-coffee-1", {_AMOUNTS}}}'
    ),
    ToldEvent(
        QuoteAccepted,
        EventType.QUOTE_ACCEPTED,
        '{"quote_id": "Q-7", "version": 1, "order_id": "Q-7", "amount": {"amount": "576000", "currency": "JPY"}}',
    ),
    ToldEvent(
        ContractRenewed,
        EventType.CONTRACT_RENEWED,
        '{"contract_id": "K-1", "term": 2, "start": "2027-12-01", "until": "2028-12-01", "origin": "accepted"}',
    ),
    ToldEvent(ContractEnded, EventType.CONTRACT_ENDED, '{"contract_id": "K-1", "reason": "not renewed"}'),
    ToldEvent(
        PaymentBooked,
        EventType.PAYMENT_BOOKED,
        '{"payment_id": "pi_3Nx", "kind": "payment", "on": "2027-03-12", "of": null, "amount": {"amount": "52800", "currency": "JPY"},'
        ' "invoices": {"INV-capricorn-coffee-3": {"amount": "52800", "currency": "JPY"}}}',
    ),
    ToldEvent(InvoicePaid, EventType.INVOICE_PAID, '{"invoice_id": "INV-capricorn-coffee-3", "on": "2027-03-12"}'),
    ToldEvent(
        InvoiceOverdue, EventType.INVOICE_OVERDUE, '{"invoice_id": "INV-capricorn-coffee-3", "on": "2027-04-12"}'
    ),
    ToldEvent(InvoiceOwed, EventType.INVOICE_OWED, '{"invoice_id": "INV-capricorn-coffee-3"}'),
    ToldEvent(CaseOpened, EventType.CASE_OPENED, f"{{{_OF_CASE}}}"),
    ToldEvent(CaseResolved, EventType.CASE_RESOLVED, f"{{{_OF_CASE}}}"),
    ToldEvent(CaseReopened, EventType.CASE_REOPENED, f"{{{_OF_CASE}}}"),
    ToldEvent(CaseEscalated, EventType.CASE_ESCALATED, f'{{{_OF_CASE}, "reason": "all tills stand still"}}'),
)
"""Every event."""
