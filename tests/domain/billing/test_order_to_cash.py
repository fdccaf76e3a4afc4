"""From an accepted quote to its order, its delivery and its invoices."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.assets.ledger import Ledger
from domain.assets.model import AssetRecord
from domain.assets.operations import apply
from domain.assets.requests import ChangePrice
from domain.billing.bill import BillKind, BillLine, bill
from domain.billing.line_parts import Why
from domain.billing.netting import Key
from domain.billing.periods import BillingTerms
from domain.billing.schedule import schedule
from domain.catalogue.errors import QuoteStateError
from domain.orders.fulfilments import (
    Fulfilment,
    FulfilmentError,
    FulfilmentEvent,
    FulfilmentState,
    FulfilmentStep,
    record_step,
)
from domain.quotes.ordering import SoldOrder, assetize, order_from
from domain.quotes.quote import Quote
from domain.quotes.versions import accept, open_file, present, submit
from tests.domain.quotes.builders import NOW, on, owned, quote, sale, sold

ZERO = Decimal(0)
STEP = FulfilmentStep


def ordered(made: Quote) -> SoldOrder:
    file = present(submit(open_file(made, "rep"), (), NOW, "rep"), NOW, "rep")
    return order_from(accept(file, NOW + timedelta(days=3), "customer"), "o-1")


def test_only_an_accepted_quote_becomes_an_order_which_makes_its_assets_once() -> None:
    made = quote(sale("seats", 10))
    with pytest.raises(QuoteStateError, match="only an accepted quote"):
        order_from(open_file(made, "rep"), "o-1")
    order = ordered(made)
    ledger = assetize(Ledger(), order)
    assert ledger.record(owned()).actions[0].order_id == "o-1"
    assert assetize(ledger, order) == ledger


def fulfilled(*steps: tuple[str, int, str], quantity: int = 10, promised: str | None = None) -> Fulfilment:
    line = Fulfilment(line_id="1", quantity=quantity, promised=on(promised) if promised else None)
    for number, (step, units, day) in enumerate(steps):
        event = FulfilmentEvent(event_id=f"e{number}", at=on(day), step=FulfilmentStep(step), quantity=units)
        line = record_step(line, event)
        assert record_step(line, event) == line
    return line


SHIPPED = ("shipped", 10, "2026-03-02")
PART = ("delivered", 6, "2026-03-05")
REST = ("delivered", 4, "2026-03-09")


@pytest.mark.parametrize(
    ("steps", "state", "in_part"),
    [
        ((), FulfilmentState.ORDERED, False),
        ((("shipped", 4, "2026-03-02"),), FulfilmentState.ORDERED, True),
        ((SHIPPED,), FulfilmentState.SHIPPED, False),
        ((SHIPPED, PART), FulfilmentState.SHIPPED, True),
        ((SHIPPED, PART, REST), FulfilmentState.DELIVERED, False),
        ((SHIPPED, PART, REST, ("installed", 10, "2026-03-12")), FulfilmentState.INSTALLED, False),
        ((SHIPPED, PART, REST, ("returned", 10, "2026-03-12")), FulfilmentState.RETURNED, False),
        ((SHIPPED, PART, REST, ("returned", 1, "2026-03-12")), FulfilmentState.DELIVERED, True),
    ],
)
def test_a_line_is_as_far_as_all_its_units(
    steps: tuple[tuple[str, int, str], ...], state: FulfilmentState, in_part: bool
) -> None:
    line = fulfilled(*steps)
    assert (line.state, line.in_part) == (state, in_part)


@pytest.mark.parametrize(
    "steps",
    [
        (("shipped", 11, "2026-03-02"),),
        (("delivered", 1, "2026-03-02"),),
        (SHIPPED, PART, ("returned", 7, "2026-03-09")),
        (SHIPPED, ("delivered", 1, "2026-03-01")),
    ],
)
def test_no_unit_skips_a_step_or_goes_back_in_time(steps: tuple[tuple[str, int, str], ...]) -> None:
    with pytest.raises(FulfilmentError):
        fulfilled(*steps)


def test_late_units_and_what_delivery_anchors() -> None:
    line = fulfilled(SHIPPED, PART, promised="2026-03-06")
    assert (line.late(on("2026-03-06")), line.late(on("2026-03-07"))) == (0, 4)
    line = fulfilled(SHIPPED, PART, REST, ("returned", 5, "2026-03-20"))


MONTHLY = BillingTerms()
QUARTERLY = BillingTerms(months=3)


def amended(ledger: Ledger, kind: str, quote_id: str, **fields: Any) -> Ledger:
    return sold({"line_id": "c", "kind": kind, "asset_id": owned()} | fields, assets=ledger, quote_id=quote_id)


def record_of(ledger: Ledger) -> AssetRecord:
    return ledger.record(owned())


def goodwill(key: Key, amount: Decimal, on: date) -> BillLine:
    """A credit that the schedule does not know of."""
    lot, period = key
    return BillLine(
        asset_id=owned(),
        lot=lot,
        period=period,
        kind=BillKind.GOODWILL,
        due=on,
        currency="EUR",
        amount=-amount,
        scheduled=ZERO,
        why=Why.AGREED,
    )


def shown(lines: tuple[BillLine, ...]) -> list[tuple[str, int, str, str]]:
    return [(str(line.period), line.lot, line.kind.value, str(line.amount)) for line in lines]


def test_a_term_is_billed_by_its_frequency_in_advance() -> None:
    record = record_of(sold(sale("seats", 10)))
    assert shown(bill(record, QUARTERLY, (), date(2026, 6, 1))) == [
        ("2026-03-01", 1, "charge", "300.00"),
        ("2026-06-01", 1, "charge", "300.00"),
    ]
    first = bill(record, QUARTERLY, (), date(2026, 6, 1))
    assert bill(record, QUARTERLY, first, date(2026, 6, 1)) == ()
    assert sum(cell.amount for cell in schedule(record, MONTHLY, date(2026, 3, 1))) == Decimal(1200)


def test_what_is_rounded_is_the_sum_so_far() -> None:
    record = record_of(sold(sale("vault", 1, months=12, attributes={"region": "eu"})))
    amounts = [cell.amount for cell in schedule(record, MONTHLY, date(2026, 3, 1))]
    assert amounts == [Decimal("8.33"), Decimal("8.34"), Decimal("8.33")] * 4


def test_an_amendment_is_billed_by_compensating_lines() -> None:
    ledger = sold(sale("seats", 10))
    billed = bill(record_of(ledger), QUARTERLY, (), date(2026, 3, 1))
    ledger = amended(ledger, "quantity", "q2", effective=on("2026-05-01"), delta=-4)
    # The quarter was billed for ten; four of them are gone for its last month.
    fewer = bill(record_of(ledger), QUARTERLY, billed, date(2026, 5, 1))
    assert shown(fewer) == [("2026-03-01", 1, "credit", "-40.00")]
    ledger = amended(ledger, "quantity", "q3", effective=on("2026-05-01"), delta=2)
    more = bill(record_of(ledger), QUARTERLY, (*billed, *fewer), date(2026, 5, 1))
    assert shown(more) == [("2026-03-01", 2, "charge", "20.00")]


def test_a_credit_is_capped_by_what_goodwill_left() -> None:
    ledger = sold(sale("seats", 10))
    billed = bill(record_of(ledger), MONTHLY, (), date(2026, 3, 1))
    gift = goodwill(billed[0].key, Decimal(70), date(2026, 3, 2))
    gone = record_of(amended(ledger, "cancel", "q2", effective=on("2026-03-01")))
    lines = bill(gone, MONTHLY, (*billed, gift), date(2026, 3, 2))
    assert shown(lines) == [("2026-03-01", 1, "credit", "-30.00")]
    assert bill(gone, MONTHLY, (*billed, gift, *lines), date(2026, 3, 2)) == ()


def test_what_goodwill_took_of_a_charge_comes_off_what_replaces_it() -> None:
    ledger = sold(sale("seats", 10))
    billed = bill(record_of(ledger), MONTHLY, (), date(2026, 3, 1))
    gift = goodwill(billed[0].key, Decimal(70), date(2026, 3, 2))
    dearer = ChangePrice(request_id="q2", asset_id=owned(), effective=on("2026-03-01"), unit_price=Decimal(12))
    ledger = apply(ledger, dearer)
    lines = bill(record_of(ledger), MONTHLY, (*billed, gift), date(2026, 3, 2))
    # 30 are left of the 100 that were paid: the other 70 come off the 120 that are charged instead.
    assert shown(lines) == [
        ("2026-03-01", 1, "credit", "-30.00"),
        ("2026-03-01", 2, "charge", "120.00"),
        ("2026-03-01", 2, "credit", "-70.00"),
    ]
    assert bill(record_of(ledger), MONTHLY, (*billed, gift, *lines), date(2026, 3, 2)) == ()
    # Of units that were added another credit finds what it misses, but no more than is left for that time.
    ledger = amended(sold(sale("seats", 10)), "quantity", "q2", effective=on("2026-03-01"), delta=2)
    billed = bill(record_of(ledger), MONTHLY, (), date(2026, 3, 1))
    gift = goodwill((2, date(2026, 3, 1)), Decimal(15), date(2026, 3, 2))
    ledger = amended(ledger, "quantity", "q3", effective=on("2026-03-01"), delta=-2)
    lines = bill(record_of(ledger), MONTHLY, (*billed, gift), date(2026, 3, 2))
    assert shown(lines) == [("2026-03-01", 2, "credit", "-5.00"), ("2026-03-01", 1, "credit", "-15.00")]
    assert bill(record_of(ledger), MONTHLY, (*billed, gift, *lines), date(2026, 3, 2)) == ()


def test_evergreen_is_billed_as_it_goes() -> None:
    record = record_of(sold(sale("seats", 2, selling_model="evergreen")))
    assert [line.amount for line in bill(record, MONTHLY, (), date(2026, 5, 15))] == [Decimal(24)] * 3


def test_what_is_paid_once_is_billed_once_and_credited_when_it_is_taken_back() -> None:
    ledger = sold(sale("router", 3))
    billed = bill(record_of(ledger), MONTHLY, (), date(2026, 3, 1))
    assert shown(billed) == [("2026-03-01", 1, "charge", "749.70")]
    ledger = amended(ledger, "quantity", "q2", effective=on("2026-04-01"), delta=-1)
    assert bill(record_of(ledger), MONTHLY, billed, date(2026, 3, 31)) == ()
    assert shown(bill(record_of(ledger), MONTHLY, billed, date(2026, 4, 1))) == [("2026-03-01", 1, "credit", "-249.90")]
