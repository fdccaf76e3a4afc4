"""What other systems are told by webhook: which events a decision is, and what each says."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from domain.assets.model import AssetAction, AssetRecord
from domain.assets.writes import AssetChange
from domain.billing.writes import KeepPayment, OweInvoice, RecordPayment, SettleInvoice
from domain.contracts.writes import BeginTerm, SetContractStatus
from domain.frame.customer import ContractStatus
from domain.frame.decision import Decision
from domain.frame.health_facts import PaymentStatus
from domain.kernel.base import Write
from domain.kernel.money import money
from domain.quotes.versions import QuoteState
from domain.quotes.writes import SaveQuote
from domain.service.case import CaseFile, Happened, Recorded


class EventType(StrEnum):
    ORDER_ACTIVATED = "order.activated"
    ASSET_CHANGED = "asset.changed"
    INVOICE_ISSUED = "invoice.issued"
    CREDIT_MEMO_ISSUED = "credit_memo.issued"
    QUOTE_ACCEPTED = "quote.accepted"
    CONTRACT_RENEWED = "contract.renewed"
    CONTRACT_ENDED = "contract.ended"
    PAYMENT_BOOKED = "payment.booked"
    INVOICE_PAID = "invoice.paid"
    INVOICE_OVERDUE = "invoice.overdue"
    INVOICE_OWED = "invoice.owed"
    CASE_OPENED = "case.opened"
    CASE_RESOLVED = "case.resolved"
    CASE_REOPENED = "case.reopened"
    CASE_ESCALATED = "case.escalated"


ACTIVATIONS = frozenset({"order_accepted"})
"""Kinds of decisions that activate an order."""


@dataclass(frozen=True)
class Event:
    """An event: what it is, and its data as JSON values."""

    type: EventType
    data: dict[str, Any]


def message_id(delivery_id: str) -> str:
    """The id of a message, the same at every attempt and without the dots that the signature joins by."""
    return f"msg_{hashlib.sha256(delivery_id.encode()).hexdigest()[:32]}"


def payload(event: Event, account_id: str, at: datetime) -> dict[str, Any]:
    """The body of a message: type, timestamp of the event in the customer's time, data."""
    return {
        "type": event.type.value,
        "timestamp": at.isoformat().replace("+00:00", "Z"),
        "data": {"account_id": account_id, **event.data},
    }


def events_of(
    decision: Decision, kind: str, invoices: Sequence[dict[str, Any]], memos: Sequence[dict[str, Any]]
) -> Iterator[Event]:
    """The events that a decision of a `kind` is, with the documents that were written for it; assets in one event."""
    activates = kind in ACTIVATIONS
    if activates:
        yield Event(EventType.ORDER_ACTIVATED, dict(decision.outcome.answer or {}))
    for write in decision.writes:
        if isinstance(write, SaveQuote) and write.order_id is not None and write.after.state is QuoteState.ACCEPTED:
            yield from _sold(write, (decision.outcome.answer or {}).get("first_invoices", {}))
    changes = [write for write in decision.writes if isinstance(write, AssetChange)]
    if changes and not activates:
        yield Event(EventType.ASSET_CHANGED, {"assets": [told for change in changes for told in _asset(change)]})
    yield from (Event(EventType.INVOICE_ISSUED, document) for document in invoices)
    yield from (Event(EventType.CREDIT_MEMO_ISSUED, document) for document in memos)
    for write in decision.writes:
        if isinstance(write, BeginTerm):
            yield Event(EventType.CONTRACT_RENEWED, _term(write))
        elif isinstance(write, SetContractStatus) and write.status == ContractStatus.ENDED:
            yield Event(EventType.CONTRACT_ENDED, {"contract_id": write.contract_id, "reason": write.reason})
        else:
            yield from _money(write)


_OF_CASES = {
    Happened.CREATED: EventType.CASE_OPENED,
    Happened.RESOLVED: EventType.CASE_RESOLVED,
    Happened.REOPENED: EventType.CASE_REOPENED,
    Happened.ESCALATED: EventType.CASE_ESCALATED,
}


def case_events(case: CaseFile, events: Sequence[Recorded], *, was_known: bool) -> Iterator[Event]:
    """The events that a piece of work on a case is. was_known: its customer was before; of a case of nobody's it is told nothing, and
    that it was opened once it is known whose it is."""
    found = [(_OF_CASES[one.kind], one) for one in events if one.kind in _OF_CASES]
    if not was_known and all(type is not EventType.CASE_OPENED for type, _ in found):
        found = [(EventType.CASE_OPENED, one) for one in events if one.kind is Happened.IDENTIFIED][:1] + found
    about = {
        "case_id": case.case_id,
        "subject": case.subject,
        "priority": case.priority.value,
        "category": case.category,
    }
    for type, one in found:
        reason = {"reason": str(one.detail.get("reason", ""))} if type is EventType.CASE_ESCALATED else {}
        yield Event(type, {**about, "at": one.at.isoformat(), **reason})


def _money(write: Write) -> Iterator[Event]:
    """What was paid, and what is owed."""
    match write:
        case KeepPayment():
            parts = {id: money(amount, write.currency).told() for id, amount in write.parts.items()}
            told = {"payment_id": write.payment_id, "kind": write.kind, "on": write.day.isoformat(), "of": write.of}
            amount = money(write.amount, write.currency).told()
            yield Event(EventType.PAYMENT_BOOKED, {**told, "amount": amount, "invoices": parts})
        case SettleInvoice():
            yield Event(EventType.INVOICE_PAID, {"invoice_id": write.invoice_id, "on": write.day.isoformat()})
        case OweInvoice():
            yield Event(EventType.INVOICE_OWED, {"invoice_id": write.invoice_id})
        case RecordPayment():
            paid = write.status == PaymentStatus.PAID
            type = EventType.INVOICE_PAID if paid else EventType.INVOICE_OVERDUE
            yield Event(type, {"invoice_id": write.invoice_id, "on": write.day.isoformat()})


def _sold(write: SaveQuote, first_invoices: dict[str, str]) -> Iterator[Event]:
    quote = write.after.current
    yield Event(
        EventType.QUOTE_ACCEPTED,
        {
            "quote_id": quote.quote_id,
            "version": quote.version,
            "order_id": write.order_id,
            "amount": money(quote.totals.amount, quote.currency).told(),
        },
    )
    if any(line.kind == "sale" for line in quote.lines):
        told = {"order_id": write.order_id, "quote_id": quote.quote_id, "first_invoices": first_invoices}
        yield Event(EventType.ORDER_ACTIVATED, told)


def _asset(change: AssetChange) -> Iterator[dict[str, Any]]:
    for action in change.new_actions or change.after.actions[-1:]:
        yield _action(change.after, action)


def _action(record: AssetRecord, action: AssetAction) -> dict[str, Any]:
    asset = record.asset
    amounts = {"mrr_change": action.mrr_change, "amount_change": action.amount_change}
    return {
        "asset_id": asset.asset_id,
        "product": asset.product,
        "version": record.version,
        "category": action.category.value,
        "effective": action.effective.isoformat(),
        "quantity_change": action.quantity_change,
        "currency": asset.currency,
        **{name: None if amount is None else format(amount, "f") for name, amount in amounts.items()},
    }


def _term(write: BeginTerm) -> dict[str, Any]:
    return {
        "contract_id": write.contract_id,
        "term": write.number,
        "start": write.start_on.isoformat(),
        "until": write.until.isoformat(),
        "origin": write.origin,
    }
