"""What can be asked about payments: one entry each."""

from __future__ import annotations

from domain.billing import payments
from domain.billing.requests import BookPayment, NotePayment
from domain.frame.request_kinds import PROGRAMS, Asker, RequestKind
from domain.frame.situation import NO_HOLDINGS

ENTRIES = (
    RequestKind(
        "note_payment",
        NotePayment,
        payments.note,
        "Word of a payment",
        asked_by=PROGRAMS | Asker.FINANCE,
        example='{"number": 3, "status": "overdue", "on": "2027-03-12", "by": "ledger"}',
        needs=NO_HOLDINGS,
    ),
    RequestKind(
        "book_payment",
        BookPayment,
        payments.book,
        "A payment",
        asked_by=PROGRAMS | Asker.FINANCE,
        example='{"payment_id": "pi_3Nx", "amount": "2400.00", "currency": "EUR", "number": 3, "on": "2027-03-12", "by": "bank"}',
        needs=NO_HOLDINGS,
    ),
)
