"""Units that are added without a price: at the price in force while it is, and at what is agreed for later from then on."""

from __future__ import annotations

from decimal import Decimal

from domain.assets.ledger import Ledger
from domain.assets.requests import ChangePrice, ChangeQuantity, Renew
from tests.domain.assets.builders import X, ask, mrrs, refused, rows, sold


def renewed(ledger: Ledger | None = None) -> Ledger:
    """10 units at 10.00 in 2026, sold on at 11.00 for the first three months of 2027."""
    return ask(Renew, ledger or sold(), start="2027-01-01", months=3, uplift_percent=Decimal(10))


def test_units_added_before_a_renewal_begins_cost_the_present_price_and_are_renewed_with_the_rest() -> None:
    record = ask(ChangeQuantity, renewed(), effective="2026-03-01", delta=2).record(X)
    assert rows(record) == [
        ("2026-01-01", "2026-03-01", 10),
        ("2026-03-01", "2027-01-01", 12),
        ("2027-01-01", "2027-04-01", 12),
    ]
    assert mrrs(record) == [Decimal(100), Decimal(120), Decimal(132)]


def test_units_added_before_a_new_price_begins_take_it_on_with_the_rest() -> None:
    ledger = ask(ChangePrice, sold(), effective="2026-06-01", unit_price=Decimal(20))
    record = ask(ChangeQuantity, ledger, effective="2026-03-01", delta=2).record(X)
    assert mrrs(record) == [Decimal(100), Decimal(120), Decimal(240)]


def test_units_added_when_a_new_term_or_price_has_begun_cost_that() -> None:
    assert mrrs(ask(ChangeQuantity, renewed(), effective="2027-02-01", delta=1).record(X))[-1] == Decimal(121)
    ledger = ask(ChangePrice, sold(), effective="2026-06-01", unit_price=Decimal(20))
    assert mrrs(ask(ChangeQuantity, ledger, effective="2026-06-01", delta=1).record(X))[-1] == Decimal(220)


def test_a_later_purchase_or_reduction_does_not_change_the_price_of_units_added_before_it() -> None:
    ledger = ask(ChangeQuantity, sold(), effective="2026-06-01", delta=4, unit_price=Decimal(8))
    record = ask(ChangeQuantity, ledger, effective="2026-03-01", delta=2).record(X)
    assert mrrs(record) == [Decimal(100), Decimal(120), Decimal(152)]
    ledger = ask(ChangeQuantity, sold(), effective="2026-06-01", delta=-4)
    record = ask(ChangeQuantity, ledger, effective="2026-03-01", delta=2).record(X)
    assert mrrs(record) == [Decimal(100), Decimal(120), Decimal(80)]


def test_a_new_price_and_a_renewal_that_are_both_ahead_count_one_after_the_other() -> None:
    ledger = renewed(ask(ChangePrice, sold(), effective="2026-06-01", unit_price=Decimal(20)))
    record = ask(ChangeQuantity, ledger, effective="2026-03-01", delta=1).record(X)
    assert mrrs(record) == [Decimal(100), Decimal(110), Decimal(220), Decimal(242)]


def test_a_new_price_that_an_early_renewal_replaces_counts_no_more() -> None:
    ledger = ask(ChangePrice, sold(), effective="2026-06-01", unit_price=Decimal(20))
    ledger = ask(Renew, ledger, start="2026-05-01", months=12, uplift_percent=Decimal(10))
    record = ask(ChangeQuantity, ledger, effective="2026-03-01", delta=1).record(X)
    assert mrrs(record) == [Decimal(100), Decimal(110), Decimal(121)]


def test_a_price_that_is_given_holds_to_the_end() -> None:
    record = ask(ChangeQuantity, renewed(), effective="2026-03-01", delta=2, unit_price=Decimal(9)).record(X)
    assert mrrs(record) == [Decimal(100), Decimal(118), Decimal(128)]


def test_the_price_that_was_agreed_last_counts_even_if_the_units_that_it_was_agreed_for_are_gone() -> None:
    ledger = ask(ChangeQuantity, sold(), effective="2026-03-01", delta=4, unit_price=Decimal(25))
    ledger = ask(ChangeQuantity, ledger, effective="2026-04-01", delta=-6)
    record = ask(ChangeQuantity, ledger, effective="2026-05-01", delta=1).record(X)
    assert mrrs(record) == [Decimal(100), Decimal(200), Decimal(80), Decimal(105)]


def test_a_new_price_needs_units_and_counts_from_its_day_even_if_they_come_later() -> None:
    ledger = ask(ChangeQuantity, sold(), effective="2026-03-01", delta=-10)
    assert refused(ChangePrice, ledger, effective="2026-04-01", unit_price=Decimal(20)) == "restricted"
    ledger = ask(ChangeQuantity, ledger, effective="2026-08-01", delta=3)
    ledger = ask(ChangePrice, ledger, effective="2026-04-01", unit_price=Decimal(20))
    record = ask(ChangeQuantity, ledger, effective="2026-05-01", delta=1).record(X)
    assert mrrs(record) == [Decimal(100), Decimal(0), Decimal(0), Decimal(20), Decimal(80)]
