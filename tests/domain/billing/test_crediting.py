"""What a credit memo takes from charges: never more than is left of them, with the tax of their invoices."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from domain.billing.billing import Credit, CreditLine
from domain.billing.crediting import CreditedFor, Source, by_key, of_charges, of_schedules, set_off
from domain.billing.documents import DocumentLine
from domain.billing.line_parts import Why
from domain.kernel.tax import Taxed

ON = date(2027, 3, 1)
TARGET = CreditedFor(
    "EUR", "once", order_id="SO-1", line_id="1", quantity=4, unit_price=Decimal(30), tax_rates=(Decimal(19),)
)


def charge(left: str, invoice_id: str | None = None) -> Source:
    rates = (Decimal(19),) if invoice_id else ()
    return Source(Decimal(left), rates=rates, invoice_id=invoice_id)


def credit(amount: str, *, quantity: int | None = None, with_tax: bool = False) -> Credit:
    line = CreditLine(
        key="c-1",
        amount=Decimal(amount),
        description="Till",
        order_id="SO-1",
        line_id="1",
        quantity=quantity,
        with_tax=with_tax,
    )
    return Credit(key="c", currency="EUR", reason="goodwill", lines=(line,))


def given(wanted: Credit, *sources: Source, taxes: dict[str, list[Taxed]] | None = None) -> list[tuple[str, Decimal]]:
    memo = of_charges(wanted, [(line, TARGET) for line in wanted.lines], {TARGET: sources}, taxes or {}, ON)
    return [(line.key or "", line.amount) for line, _ in memo.lines] if memo else []


def test_a_credit_takes_from_charge_after_charge_and_no_more_than_is_left_of_them() -> None:
    assert given(credit("50"), charge("30"), charge("40")) == [("c-1", Decimal(30)), ("c-1~1", Decimal(20))]
    assert given(credit("90"), charge("30"), charge("40")) == [("c-1", Decimal(30)), ("c-1~1", Decimal(40))]
    assert given(credit("5"), charge("0")) == []
    assert by_key(given(credit("50"), charge("30"), charge("40"))) == {"c-1": Decimal(50)}


def test_what_is_left_of_a_charge_is_not_changed_by_deciding() -> None:
    source = charge("30")
    assert given(credit("20"), source) == given(credit("20"), source) == [("c-1", Decimal(20))]


@pytest.mark.parametrize(("with_tax", "net", "tax"), [(False, "50.00", "9.50"), (True, "42.02", "7.98")])
def test_the_tax_of_the_invoice_is_given_back_on_top_or_within(*, with_tax: bool, net: str, tax: str) -> None:
    wanted, left = credit("50", with_tax=with_tax), charge("100", "INV-1")
    taxes = {"INV-1": [Taxed(rate=Decimal(19), net=Decimal(100), tax=Decimal(19))]}
    memo = of_charges(wanted, [(wanted.lines[0], TARGET)], {TARGET: [left]}, taxes, ON)
    assert memo is not None
    assert (memo.net, memo.taxes) == (Decimal(net), (Taxed(rate=Decimal(19), net=Decimal(net), tax=Decimal(tax)),))
    assert memo.taken == {("INV-1", Decimal(19)): (Decimal(net), Decimal(tax))}


def test_a_unit_has_a_price_only_where_it_multiplies_out() -> None:
    for amount, quantity, price in (("50", 4, Decimal("12.5")), ("50", 3, None)):
        memo = of_charges(
            wanted := credit(amount, quantity=quantity), [(wanted.lines[0], TARGET)], {TARGET: [charge("99")]}, {}, ON
        )
        assert memo is not None
        assert [(line.unit_price, line.why) for line, _ in memo.lines] == [(price, None if price else Why.AGREED)]


def line(amount: str) -> DocumentLine:
    return DocumentLine(
        "credit", "Seats", ON, Decimal(amount), scheduled=Decimal(amount), asset_id="A", lot=1, period=ON
    )


def test_a_schedule_gives_back_from_the_invoices_that_charged_its_period() -> None:
    other = Source(Decimal(99), lot=1, period=date(2027, 2, 1), invoice_id="INV-1")
    ours = [
        Source(Decimal(part), lot=1, period=ON, invoice_id=invoice)
        for part, invoice in (("30", "INV-3"), ("5", "INV-2"))
    ]
    memo = of_schedules("EUR", "not owned", [line("33")], {"A": [other, *ours]}, {})
    assert [(one.amount, one.scheduled, source.invoice_id) for one, source in memo.lines] == [
        (Decimal(30), Decimal(33), "INV-3"),
        (Decimal(3), Decimal(0), "INV-2"),
    ]


def test_what_no_charge_has_is_left_to_the_table_to_refuse() -> None:
    memo = of_schedules("EUR", "not owned", [line("33")], {}, {})
    assert [(one.amount, source.invoice_id) for one, source in memo.lines] == [(Decimal(33), None)]


def test_a_credit_that_names_no_invoice_is_taken_from_what_there_is_of_its_period() -> None:
    owing, charged = Source(Decimal(-10), 1, ON), Source(Decimal(30), 1, ON, invoice_id="INV-1")
    elsewhere = Source(Decimal(30), 1, date(2027, 2, 1))
    set_off([owing, elsewhere, charged])
    assert [owing.left, elsewhere.left, charged.left] == [Decimal(0), Decimal(30), Decimal(20)]


def test_an_order_says_what_a_purchase_cost_where_no_invoice_does() -> None:
    assert (TARGET.as_ordered().left, TARGET.as_ordered().rates) == (Decimal(120), (Decimal(19),))
