"""Payments as they are kept, and what they make of invoices."""

from __future__ import annotations

from activities.frame.handlers import Handlers, Sql, Writing, inserted, on
from activities.kernel.inserts import Insert, or_update
from domain.billing.writes import KeepPayment, KeepReminder, OweInvoice, RecordPayment, SettleInvoice

_PAYMENT = Insert("payment", "account_id payment_id kind amount currency day at by of_payment=of").of(
    KeepPayment, "account_id"
)
_PART = Insert("payment_part", "account_id payment_id invoice_id amount")


async def _keep(place: Writing, writes: list[KeepPayment]) -> None:
    await _PAYMENT.put(place.connection, writes, account_id=place.account_id)
    parts = [
        (place.account_id, one.payment_id, invoice_id, amount)
        for one in writes
        for invoice_id, amount in one.parts.items()
    ]
    await _PART.add(place.connection, parts)


_SAID = "status day at by"
HANDLERS: Handlers = dict(
    [
        on(KeepPayment, _keep),
        on(
            SettleInvoice,
            inserted(
                "invoice_payment",
                "invoice_id account_id status='paid' day at by",
                or_update("invoice_id", _SAID),
            ),
        ),
        on(
            RecordPayment, inserted("invoice_payment", f"invoice_id account_id {_SAID}", or_update("invoice_id", _SAID))
        ),
        on(
            KeepReminder,
            inserted(
                "dunning_reminder",
                "account_id rung said day at invoices",
                invoices=lambda _, write: list(write.invoices),
            ),
        ),
        on(OweInvoice, Sql("delete from invoice_payment where invoice_id = :invoice_id and account_id = :account_id")),
    ]
)
