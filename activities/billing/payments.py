"""What is on record around a payment that is told."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from activities.frame.unit_of_work import Activities, StepKind, UnitOfWork
from activities.kernel.pool import Connection
from activities.kernel.queries import Query, Value
from domain.billing import dunning
from domain.billing.dunning import DunningFacts, OverdueInvoice, Reminded
from domain.billing.payments import BookedPayment, OwedInvoice, PaymentFacts
from domain.billing.requests import BookPayment, NotePayment, PaymentKind
from domain.frame.situation import SERVICE, Situation
from domain.frame.state import Step

_OWED = (
    "select i.invoice_id, i.number, i.currency, i.total, credited_of(i) as credited, paid_of(i) as paid,"
    " coalesce(y.status = 'paid', false) as settled"
    " from invoice i left join invoice_payment y using (invoice_id)"
)
_named = Query(f"{_OWED} where i.account_id = $1 and (i.number = $2 or i.invoice_id = $3)")
_unsettled = Query(
    f"{_OWED} where i.account_id = $1 and i.currency = $2 and i.total > 0 and y.status is distinct from 'paid' order by i.number"
)
_of_payment = Query(
    f"{_OWED} where i.invoice_id in (select invoice_id from payment_part where account_id = $1 and payment_id = $2)"
    " order by i.number"
)
_parts = Query(
    "select invoice_id, sum(amount) as amount from payment_part where account_id = $1 and payment_id = any($2) group by invoice_id"
)
_back = Query("select payment_id, amount from payment where account_id = $1 and of_payment = $2 order by payment_id")
_issued_on = Value[date | None]("select issued_on from invoice where invoice_id = $1")
_overdue = Query(
    "select o.* from (select i.invoice_id, i.number, i.issued_on, y.day as since, i.currency,"
    "  i.total - credited_of(i) - paid_of(i) as owed from invoice_payment y join invoice i using (invoice_id)"
    "  where y.account_id = $1 and y.status = 'overdue') o where o.owed > 0 order by o.since, o.number"
)
_reminded = Query(
    "select rung, day, invoices from dunning_reminder where account_id = $1 order by reminder_id desc limit 1"
)
_finance = Value[str | None](
    "select a.staff_id from staff_access a join staff s using (staff_id)"
    " where 'finance' = any(a.roles) and s.left_at is null order by a.granted_at, a.staff_id limit 1"
)


async def _booked(connection: Connection, account_id: str, payment_id: str | None) -> BookedPayment | None:
    """A payment as it is on record, with what of it went back; null if there is none."""
    row = payment_id and await connection.fetchrow(
        "select kind, amount, currency, of_payment from payment where account_id = $1 and payment_id = $2",
        account_id,
        payment_id,
    )
    if not row or payment_id is None:
        return None
    back = await _back(connection, account_id, payment_id)
    return BookedPayment(
        payment_id,
        PaymentKind(row["kind"]),
        row["amount"],
        row["currency"],
        row["of_payment"],
        await _amounts(connection, account_id, [payment_id]),
        sum((one["amount"] for one in back), Decimal(0)),
        await _amounts(connection, account_id, [one["payment_id"] for one in back]),
    )


async def _amounts(connection: Connection, account_id: str, payment_ids: list[str]) -> dict[str, Decimal]:
    return {row["invoice_id"]: row["amount"] for row in await _parts(connection, account_id, payment_ids)}


async def _around(work: UnitOfWork, _: Situation, request: BookPayment) -> tuple[PaymentFacts]:
    """What a payment is decided on; the account is held, so that none of it moves meanwhile."""
    connection, account_id = work.connection, work.unit.account_id
    named = None
    if request.number is not None or request.invoice is not None:
        rows = await _named(connection, account_id, request.number, request.invoice)
        named = OwedInvoice(**rows[0]) if rows else None
    of = await _booked(connection, account_id, request.of)
    if named is not None:
        invoices = [named]
    elif of is not None:
        invoices = [OwedInvoice(**row) for row in await _of_payment(connection, account_id, of.payment_id)]
    else:
        invoices = [OwedInvoice(**row) for row in await _unsettled(connection, account_id, request.currency)]
    before = await _booked(connection, account_id, request.payment_id)
    known = await dunning_facts(connection, account_id)
    return (PaymentFacts(before, of, named, invoices, known.finance, known),)


async def _noted(
    work: UnitOfWork, _: Situation, request: NotePayment
) -> tuple[OwedInvoice | None, date | None, DunningFacts]:
    """The invoice that is told of, the day on which it was issued, and what is overdue."""
    connection, account_id = work.connection, work.unit.account_id
    rows = await _named(connection, account_id, request.number, None)
    issued_on = await _issued_on(connection, rows[0]["invoice_id"]) if rows else None
    return (
        OwedInvoice(**rows[0]) if rows else None,
        issued_on,
        await dunning_facts(connection, account_id),
    )


async def _reminding(work: UnitOfWork, _: Situation, __: Step) -> tuple[DunningFacts]:
    return (await dunning_facts(work.connection, work.unit.account_id),)


async def dunning_facts(connection: Connection, account_id: str) -> DunningFacts:
    """What is overdue, how often the customer was reminded of it, and who looks after money."""
    overdue = [OverdueInvoice(**row) for row in await _overdue(connection, account_id)]
    last = await _reminded(connection, account_id)
    known = Reminded(last[0]["rung"], last[0]["day"], frozenset(last[0]["invoices"])) if last else None
    return DunningFacts(overdue, known, await _finance(connection))


class PaymentKeeping(Activities):
    """What is looked up for payments."""

    looks = {"book_payment": _around, "note_payment": _noted}
    steps = {dunning.KIND: StepKind(dunning.remind, SERVICE, look=_reminding)}
