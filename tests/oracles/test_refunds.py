from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.claims.errors import AboveLineError, InvalidAmountError, UnpaidInvoiceError
from tests.oracles.dialects.errors import AboveInvoiceError, LineNotFoundError
from tests.oracles.dialects.refunds import (
    CreditableInvoice,
    CreditItem,
    CreditKind,
    RefundLine,
    credit_breakdown,
    left_of_invoice,
)
from tests.properties import examples


def invoice(*amounts: str, rate: str = "20", **more: Any) -> CreditableInvoice:
    lines = [
        RefundLine(id=f"L{number}", amount=Decimal(amount), tax_rates=(Decimal(rate),))
        for number, amount in enumerate(amounts, 1)
    ]
    return CreditableInvoice.model_validate({"currency": "EUR", "lines": lines, "paid": True, **more})


def item(line: str, amount: str) -> CreditItem:
    return CreditItem(line=line, amount=Decimal(amount))


def test_the_parts_that_are_shown_add_up() -> None:
    found = credit_breakdown(invoice("0.10", "0.10", coupons="0.10"), [item("L1", "0.10"), item("L2", "0.05")])
    assert (found.coupons_adjustment, found.subtotal, found.total) == (
        Decimal("0.08"),
        Decimal("0.08"),
        Decimal("0.09"),
    )
    assert (found.tax_residual, found.tax_rounded) == (Decimal("0.01"), Decimal("0.02"))


def test_ties_are_seen_even_where_decimals_do_not_end() -> None:
    found = credit_breakdown(
        invoice("10", "10", "10", rate="0", coupons="15").having(currency="JPY"),
        [item("L1", "3"), item("L2", "0"), item("L3", "0")],
    )
    assert (found.subtotal, found.coupons_adjustment, found.blended_rate) == (Decimal(2), Decimal(2), Decimal(0))


@pytest.mark.parametrize(
    ("items", "more", "error"),
    [
        ([item("L9", "1")], {}, LineNotFoundError),
        ([item("L1", "-1"), item("L9", "1")], {}, LineNotFoundError),
        ([item("L1", "-0.01")], {}, InvalidAmountError),
        ([item("L1", "100.01")], {}, AboveLineError),
        ([item("L1", "60"), item("L1", "60")], {}, AboveLineError),
        ([item("L1", "100"), item("L2", "100")], {"credited": "0.01"}, AboveInvoiceError),
    ],
)
def test_what_cannot_be_credited(items: list[CreditItem], more: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        credit_breakdown(invoice("100", "100", **more), items)


def test_an_unpaid_invoice_is_credited_but_not_refunded() -> None:
    unpaid = invoice("100", paid=False)
    assert credit_breakdown(unpaid, [item("L1", "100")]).total == Decimal(120)
    with pytest.raises(UnpaidInvoiceError, match="credit it instead"):
        credit_breakdown(unpaid, [item("L1", "100")], CreditKind.REFUND)


def test_zero_is_legal_and_has_no_blended_rate() -> None:
    found = credit_breakdown(invoice("100"), [item("L1", "0")])
    assert (found.total, found.blended_rate) == (Decimal(0), None)
    with pytest.raises(AboveInvoiceError, match=r"120\.01 is more than the 120\.00 left"):
        credit_breakdown(invoice("100"), [item("L1", "0")], requested_total=Decimal("120.01"))


cents = st.integers(0, 50_000).map(lambda amount: str(Decimal(amount) / 100))


@examples(100)
@given(st.lists(cents, min_size=1, max_size=4), st.sampled_from(["0", "7", "8.875", "20"]), st.integers(0, 100))
def test_the_whole_invoice_can_always_be_credited_and_no_more(amounts: list[str], rate: str, percent: int) -> None:
    total = sum(map(Decimal, amounts), Decimal(0))
    bill = invoice(*amounts, rate=rate, coupons=str(total * percent / 100))
    found = credit_breakdown(bill, [item(f"L{number}", amount) for number, amount in enumerate(amounts, 1)])
    assert found.total == left_of_invoice(bill)
    assert found.total == found.subtotal + found.tax_residual
    assert left_of_invoice(bill.having(credited=found.total)) == 0
