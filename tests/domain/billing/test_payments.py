"""Payments, decided: partly, over, twice, in another currency, back again; whatever comes, no amount is made or lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.billing.payments import BookedPayment, OwedInvoice, PaymentFacts, book
from domain.billing.requests import BookPayment, PaymentKind
from domain.billing.writes import KeepPayment, OweInvoice, SettleInvoice
from domain.frame.decision import Decision, OpenStaffTask
from domain.kernel.refusals import Refusal
from tests.domain.contracts.world import World

SITUATION = World(auto_renew=False).situation()
INVOICES = (
    OwedInvoice("I-1", 1, "EUR", Decimal(100), Decimal(0), Decimal(0), False),
    OwedInvoice("I-2", 2, "EUR", Decimal(50), Decimal(20), Decimal(0), False),
    OwedInvoice("I-3", 3, "EUR", Decimal(70), Decimal(0), Decimal(0), False),
)


def _facts(invoices: Sequence[OwedInvoice] = INVOICES, **given: Any) -> PaymentFacts:
    usual: dict[str, Any] = {"before": None, "of": None, "named": None, "finance": None}
    return PaymentFacts(**{**usual, "invoices": invoices, **given})


def _booked(amount: str, facts: PaymentFacts, **more: Any) -> Decision:
    document = {"payment_id": "p-1", "amount": amount, "currency": "EUR", "by": "bank", **more}
    return book(SITUATION, BookPayment.model_validate(document), facts)


def _parts(decision: Decision) -> dict[str, Decimal]:
    (kept,) = (write for write in decision.writes if isinstance(write, KeepPayment))
    return dict(kept.parts)


def _settled(decision: Decision) -> list[str]:
    return [write.invoice_id for write in decision.writes if isinstance(write, SettleInvoice)]


def test_without_a_name_the_oldest_is_settled_first_and_a_credit_counts() -> None:
    decision = _booked("120", _facts())
    assert _parts(decision) == {"I-1": Decimal(100), "I-2": Decimal(20)}
    assert _settled(decision) == ["I-1"]
    assert decision.line.title == "120.00 EUR came in: invoice 1 is paid, invoice 2 is owed 10.00 EUR still"


def test_what_is_too_much_stays_and_finance_is_asked() -> None:
    decision = _booked("130", _facts(named=INVOICES[0], invoices=INVOICES[:1], finance="s-9"))
    assert (_parts(decision), _settled(decision)) == ({"I-1": Decimal(100)}, ["I-1"])
    (task,) = (write for write in decision.writes if isinstance(write, OpenStaffTask))
    assert (task.to, task.reason) == ("s-9", "30.00 EUR of payment p-1 are owed for nothing")
    assert (decision.outcome.answer or {})["over"] == {"amount": "30", "currency": "EUR"}


@pytest.mark.parametrize(
    ("amount", "more", "facts", "type", "field"),
    [
        ("10", {"number": 9}, _facts(), "UnknownInvoice", ""),
        ("10", {"currency": "USD", "number": 1}, _facts(named=INVOICES[0]), "InvalidRequest", "currency"),
        ("10.001", {}, _facts(), "InvalidRequest", "amount"),
        ("10", {"on": "2999-01-01"}, _facts(), "InvalidRequest", "on"),
        ("10", {"kind": "refund", "of": "p-0"}, _facts(), "UnknownPayment", ""),
        ("10", {"kind": "refund", "number": 1}, _facts(named=INVOICES[0]), "InvalidRequest", "amount"),
    ],
)
def test_what_cannot_be_booked_is_refused_by_field(
    amount: str, more: dict[str, Any], facts: PaymentFacts, type: str, field: str
) -> None:
    with pytest.raises(Refusal) as refused:
        _booked(amount, facts, **more)
    assert refused.value.type == type
    assert [problem.field for problem in refused.value.problems] == ([field] if field else [])


def test_told_again_it_changes_nothing_and_another_under_its_id_is_refused() -> None:
    before = BookedPayment("p-1", PaymentKind.PAYMENT, Decimal(10), "EUR", None, {})
    assert _booked("10", _facts(before=before)).writes == []
    with pytest.raises(Refusal, match=r"on record as a payment of 10\.00 EUR"):
        _booked("11", _facts(before=before))


@given(
    paid=st.integers(1, 400),
    back=st.lists(st.tuples(st.integers(1, 400), st.sampled_from(["refund", "chargeback"])), max_size=4),
)
def test_what_goes_back_is_what_came_in_and_is_owed_again(paid: int, back: list[tuple[int, str]]) -> None:
    parts = _parts(_booked(str(paid), _facts()))
    sums = {one.invoice_id: parts.get(one.invoice_id, Decimal(0)) for one in INVOICES}
    gone, given_back = dict[str, Decimal](), Decimal(0)
    for number, (amount, kind) in enumerate(back):
        of = BookedPayment("p-1", PaymentKind.PAYMENT, Decimal(paid), "EUR", None, parts, given_back, dict(gone))
        invoices = [
            replace(one, paid=sums[one.invoice_id], settled=one.total - one.credited == sums[one.invoice_id])
            for one in INVOICES
            if one.invoice_id in parts
        ]
        asked = {"kind": kind, "of": "p-1", "payment_id": f"b-{number}"}
        if amount > paid - given_back:
            with pytest.raises(Refusal, match="is more than"):
                _booked(str(amount), _facts(invoices, of=of), **asked)
            continue
        decision = _booked(str(amount), _facts(invoices, of=of), **asked)
        given_back += amount
        for id, part in _parts(decision).items():
            gone[id] = gone.get(id, Decimal(0)) + part
            sums[id] += part
        owed = {write.invoice_id for write in decision.writes if isinstance(write, OweInvoice)}
        assert owed == {one.invoice_id for one in invoices if one.settled and sums[one.invoice_id] < one.paid}
        free = max(Decimal(paid) - sum(parts.values()) - given_back, Decimal(0))
        assert sum(sums.values()) + free == paid - given_back
        assert min(sums.values()) >= 0
