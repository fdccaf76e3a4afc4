"""What a line of an invoice says: it multiplies out on a pocket calculator, or says in parts and words why it does not."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from domain.billing.line_parts import ONCE, LinePart, Why, changed, kept, merged, read_parts, stated, turned
from domain.kernel.calendar import add_months
from domain.kernel.money import by_one_month

JAN, FEB, JUL, NEXT = date(2027, 1, 1), date(2027, 2, 1), date(2027, 7, 1), date(2028, 1, 1)
MONTHLY = Decimal("49.00")
DAYS = st.dates(date(2026, 1, 1), date(2029, 12, 31))


def part(start: date, until: date, units: int = 25, price: Decimal = MONTHLY, anchor: int = 1) -> LinePart:
    return LinePart(start, until, units, price, anchor)


def test_whole_months_have_a_unit_price_for_all_of_them() -> None:
    said = stated(Decimal("14700.00"), "EUR", [part(JAN, NEXT)], None)
    assert (said.units, said.unit_price, said.why) == (25, Decimal(588), None)
    assert said.parts[0].told() == {
        "start": "2027-01-01",
        "end": "2027-12-31",
        "quantity": 25,
        "unit_price": "49",
        "per": "month",
        "time": [{"months": 12}],
    }


def test_a_price_by_the_year_is_said_by_the_year() -> None:
    yearly = by_one_month(Decimal(500), 12)
    said = stated(Decimal("5000.00"), "EUR", [part(JAN, NEXT, 10, yearly)], None)
    assert (said.units, said.unit_price) == (10, Decimal(500))
    assert (said.parts[0].told()["unit_price"], said.parts[0].told()["per"]) == ("500", "year")


def test_a_broken_month_says_its_days_and_has_no_unit_price() -> None:
    broken = part(date(2027, 1, 15), date(2027, 3, 10))
    said = stated(Decimal("2235.28"), "EUR", [broken], None)
    assert said.unit_price is None
    assert broken.told()["time"] == [{"days": 17, "of": 31}, {"months": 1}, {"days": 9, "of": 31}]
    assert broken.worth == 25 * 49 * (Fraction(17, 31) + 1 + Fraction(9, 31))


def test_what_is_paid_once_is_of_a_day() -> None:
    said = stated(Decimal(160000), "JPY", [LinePart(JAN, JAN, 2, Decimal(80000), ONCE)], None)
    assert (said.units, said.unit_price) == (2, Decimal(80000))
    assert said.parts[0].told()["time"] == []
    assert said.parts[0].told()["end"] == "2027-01-01"


def test_amounts_that_are_not_their_parts_say_why() -> None:
    parts = [part(JAN, FEB, 3)]
    assert stated(Decimal("147.01"), "EUR", parts, None).why is Why.ROUNDED
    assert stated(Decimal("140.00"), "EUR", parts, None).why is Why.DIFFERENCE
    assert stated(Decimal("140.00"), "EUR", parts, Why.CAPPED).parts == tuple(parts)
    assert stated(Decimal("147.00"), "EUR", parts, None).unit_price == MONTHLY


def test_a_change_is_the_units_that_came_or_went_from_its_day_on() -> None:
    before = [part(JAN, NEXT, 25)]
    fewer = [part(JAN, JUL, 25), part(JUL, NEXT, 20)]
    assert changed(before, fewer) == (part(JUL, NEXT, -5),)
    assert turned(changed(before, fewer)) == (part(JUL, NEXT, 5),)
    dearer = [part(JAN, JUL, 25), part(JUL, NEXT, 25, Decimal("59.00"))]
    assert changed(before, dearer) == (part(JUL, NEXT, 25, Decimal("10.00")),)
    cheaper = [part(JAN, JUL, 25), part(JUL, NEXT, 25, Decimal("40.00"))]
    assert turned(changed(before, cheaper)) == (part(JUL, NEXT, 25, Decimal("9.00")),)
    assert changed(before, []) == (part(JAN, NEXT, -25),)
    assert changed([], before) == tuple(before)
    assert changed(before, before) == ()


@st.composite
def stretches(draw: st.DrawFn) -> list[LinePart]:
    """Parts of one lot: one after the other, by one anchor."""
    days = sorted(draw(st.sets(DAYS, min_size=2, max_size=5)))
    price = st.decimals(0, 900, places=2)
    found = [part(a, b, draw(st.integers(1, 40)), draw(price), 31) for a, b in pairwise(days)]
    return [one for one in found if draw(st.booleans())]


@given(stretches(), stretches())
def test_a_change_is_worth_what_it_makes_of_the_period(before: list[LinePart], after: list[LinePart]) -> None:
    worth = sum((one.worth for one in changed(before, after)), Fraction())
    assert worth == sum((one.worth for one in after), Fraction()) - sum((one.worth for one in before), Fraction())
    assert read_parts(kept(before)) == tuple(before)
    assert sum((one.worth for one in merged(before)), Fraction()) == sum((one.worth for one in before), Fraction())


@given(DAYS, DAYS, st.integers(1, 31))
def test_the_time_of_a_part_is_its_months(start: date, until: date, anchor: int) -> None:
    first, last = sorted((start, until))
    one = part(first, add_months(last, 1), anchor=anchor)
    counted = sum(
        (
            Fraction(piece["months"]) if "months" in piece else Fraction(piece["days"], piece["of"])
            for piece in one.told()["time"]
        ),
        Fraction(),
    )
    assert counted == one.months
