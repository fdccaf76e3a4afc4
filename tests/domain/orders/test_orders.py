"""The order document: what is refused, how it is said, and when two orders are the same."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import pytest
from babel.numbers import get_currency_precision, list_currencies
from hypothesis import given
from hypothesis import strategies as st

from domain.kernel.money import MINOR_UNITS, CurrencyMismatchError, Money
from domain.kernel.refusals import Refusal
from domain.orders.order import read_order
from tests.builders import order


def changed(path: str, value: Any) -> dict[str, Any]:
    """An order with one value replaced; `...` removes it."""
    document = order()
    place: Any = document
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in parents:
        place = place[part]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return document


@pytest.mark.parametrize(
    ("path", "value", "field", "says"),
    [
        ("currency", "YEN", "currency", "ISO 4217"),
        ("account.time_zone", "Asia/Toky", "account.time_zone", "IANA"),
        ("account.country", "Japan", "account.country", "ISO 3166"),
        ("account.country", "UK", "account.country", "unknown country 'UK'"),
        ("account.country", "el", "account.country", "such as JP, DE or GB"),
        ("contacts", [], "contacts", "at least 1"),
        ("contacts.0.email", "aoi at tea", "contacts[0].email", "no mail address"),
        ("contacts.0.email", ..., "contacts[0].email", "is missing"),
        ("contracts.0.lines.0.quantity", 2.5, "contracts[0].lines[0].quantity", "whole number"),
        ("contracts.0.lines.0.quantity", -3, "contracts[0].lines[0].quantity", "at least 1"),
        ("contracts.0.lines.0.quantity", "7", "contracts[0].lines[0].quantity", "whole number"),
        ("contracts.0.lines.0.unit_price", "-1", "contracts[0].lines[0].unit_price", "at least 0"),
        ("contracts.0.lines.0.unit_price", "many", "contracts[0].lines[0].unit_price", "decimal number"),
        ("contracts.0.term", {"start": "2027-04-01", "end": "2027-03-01"}, "contracts[0].term", "before it starts"),
        ("contracts.0.term", {"start": "2027-04-01"}, "contracts[0].term", "either end"),
        ("contracts.0.colour", "red", "contracts[0].colour", "not a field"),
        ("activated_at", "2027-04-01T09:00:00", "activated_at", "offset"),
        ("activated_at", "2027-04-01T24:00:00Z", "activated_at", "must be an instant that there is"),
        ("activated_at", "2027-13-01T09:00:00Z", "activated_at", "must be an instant that there is"),
        ("activated_at", None, "activated_at", "must be an instant that there is"),
        (
            "contracts.0.term",
            {"start": "2027-02-29", "months": 1},
            "contracts[0].term.start",
            "must be a date that there is",
        ),
        ("contracts.0.lines.0.unit_price", "0.1234567", "contracts[0].lines[0].unit_price", "6 digits after the point"),
        ("lines.0.per", "month", "lines[0]", "paid once"),
        ("lines.0.line_id", "1", "the whole document", "used twice"),
        ("account.account_id", "aoi@tea.example", "account.account_id", "identifier"),
    ],
)
def test_a_wrong_field_is_named_with_what_would_be_right(path: str, value: Any, field: str, says: str) -> None:
    with pytest.raises(Refusal) as refused:
        read_order(changed(path, value))
    assert [problem.field for problem in refused.value.problems] == [field]
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        ([("2027-01-01", 50)], "steps come one after the other, after 2027-01-01 and up to 2027-12-31"),
        ([("2028-01-01", 50)], "step on 2028-01-01"),
        ([("2027-06-01", 50), ("2027-04-01", 60)], "after 2027-06-01"),
        ([("2027-04-01", 40)], "the step on 2027-04-01 changes nothing"),
        ([("2027-04-01", 0)], "at least 1"),
        ([], "at least 1"),
        ([(f"2027-{month:02}-{day}", month + day) for month in range(1, 7) for day in (10, 20)], "at most 11"),
    ],
)
def test_a_ramp_goes_forward_within_its_term(steps: list[tuple[str, int]], says: str) -> None:
    document = order()
    document["contracts"][0]["term"] = {"start": "2027-01-01", "months": 12}
    document["contracts"][0]["lines"][0]["ramp"] = [{"start": day, "quantity": units} for day, units in steps]
    with pytest.raises(Refusal, match="cannot be accepted") as refused:
        read_order(document)
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("usage", "says"),
    [
        ({"unit": "calls"}, "give either unit_price"),
        ({"unit": "calls", "unit_price": "1", "tiers": [{"unit_price": "1"}]}, "give either unit_price"),
        ({"unit": "calls", "tiers": [{"up_to": 10, "unit_price": "1"}]}, "the last tier has none"),
        ({"unit": "calls", "tiers": [{"unit_price": "1"}, {"unit_price": "2"}]}, "up_to rises from tier to tier"),
        (
            {
                "unit": "calls",
                "tiers": [{"up_to": 9, "unit_price": "1"}, {"up_to": 9, "unit_price": "1"}, {"unit_price": "2"}],
            },
            "up_to rises from tier to tier",
        ),
        ({"unit": "calls", "unit_price": "-1"}, "at least 0"),
        ({"unit": "calls", "unit_price": "1", "granted": -1}, "at least 0"),
        ({"unit": "", "unit_price": "1"}, "at least 1"),
        ({"unit_price": "1"}, "unit"),
    ],
)
def test_how_use_is_charged_is_whole(usage: dict[str, Any], says: str) -> None:
    document = order()
    document["contracts"][0]["lines"][0]["usage"] = usage
    with pytest.raises(Refusal, match="cannot be accepted") as refused:
        read_order(document)
    assert says in str(refused.value)


def test_the_digest_is_of_the_content_not_of_its_spelling() -> None:
    document = order()
    other = copy.deepcopy(document)
    other["contracts"][0]["lines"][0]["unit_price"] = "1200.00"
    other["activated_at"] = document["activated_at"].replace("+00:00", "Z")
    assert read_order(document).digest() == read_order(other).digest()
    other["contracts"][0]["lines"][0]["unit_price"] = "1200.01"
    assert read_order(document).digest() != read_order(other).digest()


def test_minor_units_are_those_of_iso_4217() -> None:
    """Babel's data is CLDR's, which gives some currencies fewer digits than ISO 4217 where cash is rounded."""
    rounded_for_cash = {
        code
        for code, digits in MINOR_UNITS.items()
        if code in list_currencies() and get_currency_precision(code) != digits
    }
    assert {"JPY", "EUR", "USD", "KWD", "CHF", "GBP"}.isdisjoint(rounded_for_cash)
    assert len(rounded_for_cash) < 25


def test_currencies_are_those_of_iso_4217() -> None:
    assert {code: MINOR_UNITS.get(code) for code in ("JPY", "EUR", "XCG", "BHD", "IQD", "CLF", "XAU", "XTS", "EURO")} == {
        "JPY": 0, "EUR": 2, "XCG": 2, "BHD": 3, "IQD": 3, "CLF": 4, "XAU": None, "XTS": None, "EURO": None,
    }  # fmt: skip


@pytest.mark.parametrize(("currency", "last"), [("ANG", "2025-06-30"), ("BGN", "2026-01-31")])
def test_nothing_is_sold_in_a_currency_that_was_withdrawn(currency: str, last: str) -> None:
    document = order()
    document["currency"] = currency
    document["activated_at"] = f"{last}T12:00:00+00:00"
    assert read_order(document).currency == currency
    document["activated_at"] = "2026-02-01T12:00:00+00:00"
    with pytest.raises(Refusal) as refused:
        read_order(document)
    assert [problem.field for problem in refused.value.problems] == ["currency"]
    assert last in str(refused.value)


@given(st.decimals(-(10**9), 10**9, places=4), st.decimals(-(10**9), 10**9, places=4))
def test_money_adds_up_in_one_currency_only(one: Decimal, other: Decimal) -> None:
    a, b = Money(amount=one, currency="EUR"), Money(amount=other, currency="EUR")
    assert (a + b - b).amount == a.amount
    with pytest.raises(CurrencyMismatchError):
        a + Money(amount=other, currency="JPY")
