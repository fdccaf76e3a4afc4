"""What an asset has cost so far is rounded once: however often it is changed or handed over, money is neither made nor lost."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from domain.assets.ledger import Ledger, total_amount
from domain.assets.move import transfer
from domain.assets.operations import apply
from domain.assets.requests import CancelAsset, ChangePrice, ChangeQuantity, Generate, Line, Renew, Transfer
from domain.assets.worth import exact_cost
from domain.billing.bill import BillLine
from domain.billing.billing import ContractBilling, ContractTerm, Due, settle, terms_of
from domain.frame.ownership import POLICY
from domain.kernel.calendar import add_months, start_of_day
from domain.kernel.money import by_one_month, rounding_of
from domain.orders.order import BillingFrequency
from tests.domain.assets.builders import OTHER, X, Y, asset

ZONE = "Europe/Berlin"
STARTS = st.one_of(
    st.dates(date(2027, 1, 1), date(2029, 12, 31)),
    st.sampled_from([date(2028, 1, 31), date(2028, 2, 29), date(2027, 12, 30), date(2027, 8, 28)]),
)
CURRENCIES = st.sampled_from(["JPY", "EUR", "BHD"])


@st.composite
def prices(draw: st.DrawFn, currency: str) -> Decimal:
    """A price at the minor unit, or one that a price by the year was divided into."""
    price = Decimal(draw(st.integers(1, 99_999))).scaleb(-rounding_of(currency).decimals)
    return by_one_month(price, 12) if draw(st.booleans()) else price


def at(day: date) -> datetime:
    return start_of_day(day, ZONE)


def sold(start: date, months: int, units: int, price: Decimal, currency: str) -> Ledger:
    line = Line(start=at(start), end=at(add_months(start, months)), quantity=units, unit_price=price)
    made = asset(currency=currency, time_zone=ZONE)
    return apply(Ledger(policy=POLICY), Generate(request_id="sale", asset=made, lines=(line,)))


class Life:
    """An asset that is billed on every day on which something falls due or changes."""

    def __init__(self, ledger: Ledger, start: date, months: int, billing: BillingFrequency, first: date) -> None:
        self.ledger, self.record = ledger, ledger.record(X)
        term = ContractTerm(start_on=start, until=add_months(start, months))
        self.contract = ContractBilling(contract_id="K", billing=billing, terms=(term,))
        self.billed: list[BillLine] = []
        self.next_day: date | None = None
        self.settle(first, None)

    def settle(self, today: date, before: object) -> tuple[BillLine, ...]:
        known = self.record if before is None else before
        due = Due(self.record, None if before is None else known, self.contract, self.billed)  # type: ignore[arg-type]
        made = settle(due, today, ZONE, POLICY)
        self.billed += made.lines
        self.next_day = made.next_day
        return tuple(made.lines)

    def until(self, day: date) -> None:
        while self.next_day is not None and self.next_day <= day:
            self.settle(self.next_day, self.record)

    @property
    def total(self) -> Decimal:
        return sum((line.amount for line in self.billed), Decimal(0))


@given(data=st.data(), start=STARTS, months=st.integers(1, 14), currency=CURRENCIES)
def test_however_often_it_is_changed_an_asset_costs_its_exact_sum_rounded_once(
    data: st.DataObject, start: date, months: int, currency: str
) -> None:
    ledger = sold(start, months, data.draw(st.integers(1, 9)), data.draw(prices(currency)), currency)
    life = Life(ledger, start, months, data.draw(st.sampled_from(BillingFrequency)), start)
    last = (add_months(start, months) - start).days - 1
    for number, after in enumerate(sorted(data.draw(st.sets(st.integers(1, max(1, last)), max_size=12)))):
        day = start + timedelta(days=min(after, last))
        life.until(day)
        common = {"request_id": f"r{number}", "asset_id": X, "effective": at(day), "recorded_at": at(day)}
        held = life.record.periods[-1].quantity
        delta = data.draw(st.integers(-held, 5))
        if delta:
            price = data.draw(st.none() | prices(currency)) if delta > 0 else None
            life.ledger = apply(life.ledger, ChangeQuantity(**common, delta=delta, unit_price=price))
        elif held:
            life.ledger = apply(life.ledger, ChangePrice(**common, unit_price=data.draw(prices(currency))))
        before, life.record = life.record, life.ledger.record(X)
        lines = life.settle(day, before)
        if delta > 0:
            assert all(line.amount > 0 for line in lines), lines
    life.until(date.max)
    exact = exact_cost(life.record, POLICY)
    assert exact is not None
    assert life.total == total_amount(life.record.periods) == rounding_of(currency).apply(exact)


@given(start=STARTS, months=st.integers(1, 13), terms=st.integers(1, 6), currency=CURRENCIES, data=st.data())
def test_so_many_terms_cost_so_many_times_their_months(
    start: date, months: int, terms: int, currency: str, data: st.DataObject
) -> None:
    price = data.draw(prices(currency))
    ledger = sold(start, months, 3, price, currency)
    for number in range(terms):
        ledger = apply(ledger, Renew(request_id=f"r{number}", asset_id=X, months=months))
    one = exact_cost(sold(start, months, 3, price, currency).record(X), POLICY)
    assert one is not None
    assert exact_cost(ledger.record(X), POLICY) == one * (terms + 1)
    assert ledger.record(X).end == at(add_months(start, months * (terms + 1)))


@given(
    data=st.data(),
    start=STARTS,
    months=st.integers(1, 26),
    billing=st.sampled_from(BillingFrequency),
    currency=CURRENCIES,
    units=st.integers(1, 9),
)
def test_what_one_gives_the_other_gets_on_the_day_and_in_all(
    data: st.DataObject, start: date, months: int, billing: BillingFrequency, currency: str, units: int
) -> None:
    ledger = sold(start, months, units, data.draw(prices(currency)), currency)
    life = Life(ledger, start, months, billing, start)
    last = (add_months(start, months) - start).days - 1
    days = sorted(data.draw(st.lists(st.integers(1, max(1, last)), min_size=2, max_size=2)))
    first, second = (start + timedelta(days=min(day, last)) for day in days)
    life.until(first)
    more = ChangeQuantity(request_id="more", asset_id=X, effective=at(first), recorded_at=at(first), delta=1)
    life.ledger = apply(life.ledger, more)
    before, life.record = life.record, life.ledger.record(X)
    life.settle(first, before)
    life.until(second)
    as_one = exact_cost(life.record, POLICY)
    assert as_one is not None
    end = add_months(start, months)
    asked = Transfer(
        request_id="t",
        recorded_at=at(second),
        asset_id=X,
        to_asset_id=Y,
        to_account_id=OTHER,
        effective=at(second),
        quantity=data.draw(st.integers(1, units + 1)),
        paid_until=at(min(end, terms_of(life.contract, ZONE).periods(start).after(second))),
    )
    life.ledger = transfer(life.ledger, asked)
    before, life.record = life.record, life.ledger.record(X)
    given_back = sum((line.amount for line in life.settle(second, before)), Decimal(0))
    taken = life.ledger.record(Y)
    assert life.record.actions[-1].amount_change == -(taken.actions[0].amount_change or 0)
    theirs = ContractBilling(
        contract_id="K-2",
        billing=billing,
        terms=(ContractTerm(start_on=second, until=end),),
        anchor_day=start.day,
        billed_from=start,
    )
    charged = settle(Due(taken, None, theirs, []), second, ZONE, POLICY)
    assert sum((line.amount for line in charged.lines), Decimal(0)) == -given_back
    assert charged.next_day is None or charged.next_day == terms_of(life.contract, ZONE).periods(start).after(second)
    billed, day = list(charged.lines), charged.next_day
    while day is not None:
        later = settle(Due(taken, taken, theirs, billed), day, ZONE, POLICY)
        billed += later.lines
        day = later.next_day
    life.until(date.max)
    in_all = life.total + sum((line.amount for line in billed), Decimal(0))
    assert in_all == rounding_of(currency).apply(as_one)


def test_a_cancelled_asset_is_credited_to_the_last_minor_unit() -> None:
    start = date(2027, 3, 1)
    ledger = sold(start, 12, 7, by_one_month(Decimal(100), 12), "EUR")
    life = Life(ledger, start, 12, BillingFrequency.MONTHLY, start)
    life.until(date(2027, 6, 15))
    stop = CancelAsset(request_id="c", asset_id=X, effective=at(start), recorded_at=at(date(2027, 6, 15)))
    life.ledger = apply(life.ledger, stop)
    before, life.record = life.record, life.ledger.record(X)
    life.settle(date(2027, 6, 15), before)
    assert life.total == 0
    assert Fraction(life.total) == 0
