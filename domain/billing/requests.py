"""What can be asked about payments."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from domain.frame.health_facts import PaymentStatus
from domain.kernel.money import CurrencyCode
from domain.kernel.requests import Request


class PaymentKind(StrEnum):
    """Which way money went, and why."""

    PAYMENT = "payment"
    REFUND = "refund"
    """we gave it back"""
    CHARGEBACK = "chargeback"
    """the customer's bank took it back"""


PaymentRef = Annotated[str, StringConstraints(pattern=r"^[\w.:-]{1,80}$")]


class BookPayment(Request):
    """Money of the customer came in, or went back. `payment_id` is its id where it comes from: told again, it is the same payment.

    A payment settles the invoice that is named, by its `number` or as `invoice` by its whole id, or else whatever is owed in its currency,
    the oldest first; what is too much stays with the customer, and finance hears of it. A refund or a chargeback says `of` which payment it
    is, or of which invoice; what is owed then is owed again. `on` is the day, today by default.
    """

    payment_id: PaymentRef
    amount: Annotated[Decimal, Field(gt=0, le=Decimal("1e12"), decimal_places=6)]
    currency: CurrencyCode
    kind: PaymentKind = PaymentKind.PAYMENT
    number: Annotated[int, Field(ge=1)] | None = None
    invoice: Annotated[str, StringConstraints(min_length=1, max_length=120)] | None = None
    of: PaymentRef | None = None
    on: date | None = None

    @model_validator(mode="after")
    def _says_of_what(self) -> Self:
        if self.number is not None and self.invoice is not None:
            raise ValueError("give number or invoice, not both")
        if self.kind is PaymentKind.PAYMENT and self.of is not None:
            raise ValueError("a payment is of no other payment; leave `of` out, or say kind refund or chargeback")
        if self.kind is not PaymentKind.PAYMENT and self.of is None and self.number is None and self.invoice is None:
            raise ValueError("say of which payment it is, by `of`, or of which invoice")
        return self


class NotePayment(Request):
    """The ledger that takes payments tells of an invoice: it is overdue, or paid. `number` is the customer's own, as on the invoice;
    `on` the day since which it is overdue, or on which it was paid, today by default."""

    number: Annotated[int, Field(ge=1)]
    status: PaymentStatus
    on: date | None = None
