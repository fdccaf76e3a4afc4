"""What is on record around a payment that is told."""

from __future__ import annotations

from decimal import Decimal

from activities.frame.unit_of_work import Activities, UnitOfWork
from activities.kernel.pool import Connection
from activities.kernel.queries import Query, Value
from domain.billing.payments import BookedPayment, OwedInvoice, PaymentFacts
from domain.billing.requests import BookPayment, PaymentKind
from domain.frame.situation import Situation

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
    return (PaymentFacts(before, of, named, invoices, await _finance(connection)),)


class PaymentKeeping(Activities):
    """What is looked up for payments."""

    looks = {"book_payment": _around}
