"""Payments: what settles which invoice, what is too much, and what is owed again once money went back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from domain.billing import dunning
from domain.billing.dunning import NOTHING_OVERDUE, DunningFacts, OverdueInvoice
from domain.billing.requests import BookPayment, NotePayment, PaymentKind
from domain.billing.writes import KeepPayment, OweInvoice, RecordPayment, SettleInvoice
from domain.frame.decision import Decision, JournalLine, OpenStaffTask
from domain.frame.health_facts import PaymentStatus
from domain.frame.situation import Situation
from domain.frame.state import Outcome
from domain.kernel.base import Write
from domain.kernel.money import money, rounding_of
from domain.kernel.refusals import INVALID_REQUEST, NOT_ALLOWED, Problem, Refusal

ZERO = Decimal(0)
UNKNOWN_INVOICE = "UnknownInvoice"
UNKNOWN_PAYMENT = "UnknownPayment"
PAYMENT_CONFLICT = "PaymentConflict"
TASKS = "payment"
"""The keys of tasks about payments begin so."""
_AHEAD = timedelta(days=1)
"""A bank's day may have begun where the customer's has not."""


@dataclass(frozen=True)
class OwedInvoice:
    """An invoice and what is known of its payment. `credited`: by credit memos; `paid`: what came in less what went back."""

    invoice_id: str
    number: int
    currency: str
    total: Decimal
    credited: Decimal
    paid: Decimal
    settled: bool
    """somebody has said that it is paid"""

    @property
    def owed(self) -> Decimal:
        """What is still owed; never less than nothing."""
        return max(self.total - self.credited - self.paid, ZERO)


@dataclass(frozen=True)
class BookedPayment:
    """A payment as it is on record: its parts by invoice, and what of it went back since."""

    payment_id: str
    kind: PaymentKind
    amount: Decimal
    currency: str
    of: str | None
    parts: Mapping[str, Decimal]
    back: Decimal = ZERO
    back_parts: Mapping[str, Decimal] | None = None


@dataclass(frozen=True)
class PaymentFacts:
    """What is on record around a payment: `before`, the payment under the same id; `of`, the one that went back; the invoices that it
    may concern, the oldest first; and who of our people looks after money, if anybody was given that role."""

    before: BookedPayment | None
    of: BookedPayment | None
    named: OwedInvoice | None
    invoices: Sequence[OwedInvoice]
    finance: str | None
    dunning: DunningFacts = NOTHING_OVERDUE


def book(situation: Situation, request: BookPayment, facts: PaymentFacts) -> Decision:
    """Books a payment once, whoever tells of it and how often."""
    if facts.before is not None:
        return _again(request, facts.before)
    day = _day_of(situation, request)
    if rounding_of(request.currency).apply(request.amount) != request.amount:
        raise _wrong("amount", f"{request.currency} has no such fractions; give it in whole minor units")
    if (request.number is not None or request.invoice is not None) and facts.named is None:
        said = f"invoice {request.invoice or request.number} was not issued to this customer, or is not yet on record"
        raise Refusal(UNKNOWN_INVOICE, said)
    if facts.named is not None and facts.named.currency != request.currency:
        raise _wrong("currency", f"invoice {facts.named.number} is in {facts.named.currency}; book it in that currency")
    parts = _settled(request, facts) if request.kind is PaymentKind.PAYMENT else _taken_back(request, facts)
    after = {one.invoice_id: _after(one, parts.get(one.invoice_id, ZERO)) for one in facts.invoices}
    touched = [one for one in facts.invoices if one.invoice_id in parts]
    writes: list[Write] = [
        KeepPayment(
            request.payment_id,
            request.kind.value,
            request.amount,
            request.currency,
            day,
            situation.as_of,
            request.by,
            request.of,
            parts,
        )
    ]
    for one in touched:
        if after[one.invoice_id] <= 0 and not one.settled:
            writes.append(SettleInvoice(one.invoice_id, day, situation.as_of, request.by))
        elif after[one.invoice_id] > 0 and one.settled and request.kind is not PaymentKind.PAYMENT:
            writes.append(OweInvoice(one.invoice_id))
    over = request.amount - sum(parts.values(), ZERO) if request.kind is PaymentKind.PAYMENT else ZERO
    writes += _tasks(situation, request, facts, over, [one for one in touched if after[one.invoice_id] > 0])
    numbers = {one.invoice_id: one.number for one in facts.invoices}
    says = " ".join([_headline(request), *_of_invoices(parts, numbers, after, request), *_too_much(over, request)])
    answer = {
        "payment_id": request.payment_id,
        "invoices": [
            {
                "invoice_id": id,
                "number": numbers[id],
                "amount": money(abs(amount), request.currency).told(),
                "owed": money(max(after[id], ZERO), request.currency).told(),
            }
            for id, amount in parts.items()
        ],
        "over": money(over, request.currency).told(),
    }
    decision = Decision(JournalLine(says, kind=f"payment_{request.kind.value}"), Outcome(answer=answer), writes)
    paid = {write.invoice_id for write in writes if isinstance(write, SettleInvoice)}
    return decision + _dunned(situation, facts.dunning, facts.dunning.without(paid))


def note(
    situation: Situation, request: NotePayment, invoice: OwedInvoice | None, issued_on: date | None, known: DunningFacts
) -> Decision:
    """The ledger says that an invoice is overdue, or paid; the next look at health counts it, and reminders begin or end."""
    if invoice is None or issued_on is None:
        raise Refusal(NOT_ALLOWED, f"invoice {request.number} was never issued to this customer")
    on = request.on or situation.today
    if on > situation.today:
        problem = Problem(field="on", problem=f"{on} is still to come; tell of it once it is so")
        raise Refusal(INVALID_REQUEST, "the payment cannot be noted", [problem])
    answer = {"number": request.number, "status": request.status, "on": on.isoformat()}
    overdue = request.status is PaymentStatus.OVERDUE
    if overdue and invoice.owed == 0:
        says = f"Invoice {request.number} is said to be overdue, and nothing is owed on it"
        return Decision(JournalLine(says, kind="skipped"), Outcome(answer={**answer, "status": PaymentStatus.PAID}))
    says = f"Invoice {request.number} is overdue since {on}" if overdue else f"Invoice {request.number} is paid"
    record = RecordPayment(invoice.invoice_id, request.status, on, situation.as_of, request.by)
    told = OverdueInvoice(invoice.invoice_id, invoice.number, issued_on, on, invoice.currency, invoice.owed)
    now = known.having(told) if overdue else known.without({invoice.invoice_id})
    return Decision(JournalLine(says), Outcome(answer=answer), [record]) + _dunned(situation, known, now)


def _dunned(situation: Situation, before: DunningFacts, now: DunningFacts) -> Decision:
    """What comes of it for the reminders, if anything else is overdue than before."""
    were, are = ({(one.invoice_id, one.since) for one in facts.overdue} for facts in (before, now))
    return dunning.changed(situation, now) if were != are else Decision(JournalLine(""))


def _again(request: BookPayment, before: BookedPayment) -> Decision:
    """The same payment changes nothing; another one under its id is refused."""
    same = (before.kind, before.amount, before.currency) == (request.kind, request.amount, request.currency)
    if not same:
        booked = f"{before.kind.value} of {_said(before.amount, before.currency)}"
        raise Refusal(
            PAYMENT_CONFLICT, f"payment {request.payment_id!r} is on record as a {booked}; give this its own id"
        )
    answer = {"payment_id": request.payment_id, "booked_before": True}
    return Decision(JournalLine("", kind="skipped"), Outcome(answer=answer))


def _day_of(situation: Situation, request: BookPayment) -> date:
    on = request.on or situation.today
    if on > situation.today + _AHEAD:
        raise _wrong("on", f"{on} is still to come; tell of it once it is so")
    return min(on, situation.today)


def _settled(request: BookPayment, facts: PaymentFacts) -> dict[str, Decimal]:
    """What of a payment goes to which invoice."""
    left, parts = request.amount, dict[str, Decimal]()
    for one in [facts.named] if facts.named is not None else facts.invoices:
        part = min(left, one.owed) if one.currency == request.currency else ZERO
        if part > 0:
            parts[one.invoice_id] = part
            left -= part
    return parts


def _taken_back(request: BookPayment, facts: PaymentFacts) -> dict[str, Decimal]:
    """Of which invoices money went back: of a payment first what settled nothing, then its latest part."""
    if request.of is not None:
        if facts.of is None:
            raise Refusal(UNKNOWN_PAYMENT, f"payment {request.of!r} is not on record; book it first")
        return _back_of_payment(request, facts.of, facts)
    if facts.named is None or request.amount > facts.named.paid:
        paid = _said(facts.named.paid if facts.named else ZERO, request.currency)
        raise _wrong("amount", f"is more than the {paid} that came in for this invoice")
    return {facts.named.invoice_id: -request.amount}


def _back_of_payment(request: BookPayment, of: BookedPayment, facts: PaymentFacts) -> dict[str, Decimal]:
    if of.currency != request.currency:
        raise _wrong("currency", f"payment {of.payment_id} was in {of.currency}; book it in that currency")
    if request.amount > of.amount - of.back:
        there = _said(of.amount - of.back, of.currency)
        raise _wrong("amount", f"is more than the {there} that are left of payment {of.payment_id}")
    gone = of.back_parts or {}
    left_parts = {id: amount + gone.get(id, ZERO) for id, amount in of.parts.items()}
    free = (of.amount - sum(of.parts.values(), ZERO)) - (of.back + sum(gone.values(), ZERO))
    left, parts = request.amount - min(request.amount, max(free, ZERO)), dict[str, Decimal]()
    for one in reversed(facts.invoices):
        part = min(left, left_parts.get(one.invoice_id, ZERO))
        if part > 0:
            parts[one.invoice_id] = -part
            left -= part
    return parts


def _after(invoice: OwedInvoice, part: Decimal) -> Decimal:
    return invoice.total - invoice.credited - invoice.paid - part


def _tasks(
    situation: Situation, request: BookPayment, facts: PaymentFacts, over: Decimal, owed: Sequence[OwedInvoice]
) -> Iterator[OpenStaffTask]:
    """What a person has to look at: money that nobody asked for, and money that went back though it is still owed."""
    due_at, _ = situation.customer.morning(situation.in_days(1))
    to, key = facts.finance or "owner", f"{TASKS}/{request.payment_id}"
    if over > 0:
        said = f"{_said(over, request.currency)} of payment {request.payment_id} are owed for nothing"
        yield OpenStaffTask(key, f"Settle what was paid too much: {said}", to, due_at, said)
    elif request.kind is not PaymentKind.PAYMENT and owed:
        went = "was taken back by the bank" if request.kind is PaymentKind.CHARGEBACK else "was refunded"
        numbers = ", ".join(str(one.number) for one in owed)
        said = f"{_said(request.amount, request.currency)} {went}, and invoice {numbers} is owed again"
        yield OpenStaffTask(key, f"Talk with the customer: {said}", to, due_at, said)


def _headline(request: BookPayment) -> str:
    said = _said(request.amount, request.currency)
    match request.kind:
        case PaymentKind.PAYMENT:
            return f"{said} came in:"
        case PaymentKind.REFUND:
            return f"{said} went back:"
        case PaymentKind.CHARGEBACK:
            return f"{said} were taken back by the customer's bank:"


def _of_invoices(
    parts: Mapping[str, Decimal], numbers: Mapping[str, int], after: Mapping[str, Decimal], request: BookPayment
) -> Iterator[str]:
    said = []
    for id in parts:
        rest = after[id]
        owed = "is paid" if rest <= 0 else f"is owed {_said(rest, request.currency)} still"
        said.append(f"invoice {numbers[id]} {owed}")
    if said:
        yield ", ".join(said)
    elif request.kind is not PaymentKind.PAYMENT:
        yield "it had settled no invoice"


def _too_much(over: Decimal, request: BookPayment) -> Iterator[str]:
    if over > 0:
        yield f"({_said(over, request.currency)} too much)" if over < request.amount else "nothing is owed for it"


def _said(amount: Decimal, currency: str) -> str:
    return f"{rounding_of(currency).apply(amount):f} {currency}"


def _wrong(field: str, says: str) -> Refusal:
    return Refusal(INVALID_REQUEST, "the payment cannot be booked", [Problem(field=field, problem=says)])
