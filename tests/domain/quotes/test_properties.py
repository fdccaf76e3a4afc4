"""Whatever is quoted: the preview is what acceptance does, lines add up, and no credit is above its charge.

`PERENNIAL_HISTORIES` sets how many histories are tried, for instance 1500.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st

from domain.assets.errors import AssetError
from domain.assets.ledger import Ledger, total_amount
from domain.assets.worth import LedgerPolicy
from domain.billing.bill import BillKind, BillLine, bill
from domain.billing.periods import BillingTerms
from domain.billing.schedule import schedule
from domain.catalogue.errors import QuoteError
from domain.frame.ownership import POLICY
from domain.kernel.money import rounding_of
from domain.quotes.discounts import Discount
from domain.quotes.pricing import confirm
from domain.quotes.quote import Quote
from tests.domain.assets.whole_ledgers import ledger_violations, misfits
from tests.domain.quotes.builders import NOW, on, owned, quote, sale
from tests.oracles.dialects.started_months import StartedMonths
from tests.properties import examples

HISTORIES = 120
START = on("2026-03-01")
CENT = Decimal("0.01")
PRODUCTS: list[dict[str, Any]] = [
    {"product": "seats"},
    {"product": "seats", "attributes": {"edition": "pro"}, "months": 7},
    {"product": "seats", "selling_model": "evergreen"},
    {"product": "vault", "attributes": {"region": "eu"}, "months": 12},
    {"product": "router"},
    {"product": "calls", "months": 12},
    {"product": "office", "choices": [{"option": "cable", "quantity": 2}, {"option": "helpdesk"}]},
]
percents = st.decimals(0, 100, places=2)
discounts = st.lists(percents, max_size=3).map(
    lambda values: tuple(Discount(name=f"d{number}", value=value) for number, value in enumerate(values))
)
days = st.integers(0, 500).map(lambda number: START + timedelta(days=number))
policies = st.sampled_from([LedgerPolicy(), StartedMonths()])


@st.composite
def sales(draw: st.DrawFn) -> list[dict[str, Any]]:
    chosen = draw(st.lists(st.sampled_from(PRODUCTS), min_size=1, max_size=4))
    return [
        sale(quantity=draw(st.integers(1, 60)), code=facts["product"], line_id=f"l{number}") | facts
        for number, facts in enumerate(chosen)
    ]


@st.composite
def changes(draw: st.DrawFn, number: int) -> dict[str, Any]:
    facts: dict[str, Any] = draw(
        st.sampled_from(["more", "less", "cancel", "renew", "swap", "end"]).flatmap(
            lambda kind: {
                "more": st.fixed_dictionaries(
                    {"kind": st.just("quantity"), "effective": days, "delta": st.integers(1, 9)}
                ),
                "less": st.fixed_dictionaries(
                    {"kind": st.just("quantity"), "effective": days, "delta": st.integers(-9, -1)}
                ),
                "cancel": st.fixed_dictionaries({"kind": st.just("cancel"), "effective": days}),
                "renew": st.fixed_dictionaries(
                    {"kind": st.just("renew"), "months": st.just(12), "uplift_percent": percents}
                ),
                "swap": st.fixed_dictionaries(
                    {"kind": st.just("swap"), "effective": days, "to_product": st.just("helpdesk")}
                ),
                "end": st.fixed_dictionaries({"kind": st.just("end"), "effective": days, "new_end": days}),
            }[kind]
        )
    )
    return {"line_id": f"c{number}", "asset_id": owned(f"l{number}")} | facts


@st.composite
def changed_lines(draw: st.DrawFn, count: int) -> list[dict[str, Any]]:
    places = draw(st.sets(st.integers(0, count - 1), min_size=1))
    return [draw(changes(number)) for number in sorted(places)]


def check(made: Quote, before: Ledger) -> Ledger:
    """The ledger after a quote, which must do what the quote says."""
    after = confirm(before, made, NOW)
    assert ledger_violations(after) == {}
    assert misfits(made) == []
    round_ = rounding_of("EUR").apply
    priced = [line for line in made.lines if line.amount is not None]
    assert made.totals.amount == sum((line.amount for line in priced if line.amount), Decimal(0))
    assert made.totals.amount == made.totals.charges + made.totals.credits
    assert made.totals.open_lines == len(made.lines) - len(priced)
    for line in priced:
        parts = sum((part.amount for part in line.parts if part.amount is not None), Decimal(0))
        assert line.adjustment is not None
        assert line.exact_amount == parts + line.adjustment
        assert line.amount == round_(line.exact_amount)
    for asset_id, record in after.assets.items():
        quoted = [line for line in made.lines if line.asset_id == asset_id]
        new = record.actions[len(before.assets[asset_id].actions) if asset_id in before.assets else 0 :]
        assert [line.exact_amount for line in quoted] == [action.amount_change for action in new]
        assert [line.quantity for line in quoted] == [action.quantity_change for action in new]
    return after


@given(data=st.data(), lines=sales(), off=discounts, policy=policies)
@examples(HISTORIES)
def test_a_preview_is_what_acceptance_does(
    data: st.DataObject, lines: list[dict[str, Any]], off: tuple[Discount, ...], policy: LedgerPolicy
) -> None:
    empty = Ledger(policy=policy)
    made = quote(*lines, assets=empty, discounts=off)
    assert quote(*lines, assets=empty, discounts=off) == made
    ledger = check(made, empty)
    for number in range(data.draw(st.integers(1, 3))):
        asked = data.draw(changed_lines(len(lines)))
        before = ledger.model_copy(deep=True)
        try:
            change = quote(*asked, assets=ledger, quote_id=f"q{number + 2}", relationships=made.relationships)
        except (AssetError, QuoteError) as error:
            event(error.code)
        else:
            event("changed")
            assert ledger == before
            ledger = check(change, ledger)


@given(
    data=st.data(),
    facts=st.sampled_from(PRODUCTS[:2] + PRODUCTS[3:5]),
    every=st.sampled_from([1, 3, 12]),
)
@examples(HISTORIES)
def test_what_is_billed_is_what_the_ledger_says_and_no_credit_is_above_its_charge(
    data: st.DataObject, facts: dict[str, Any], every: int
) -> None:
    terms = BillingTerms(months=every)
    ledger = Ledger(policy=POLICY)
    line = sale(quantity=data.draw(st.integers(1, 30)), code=facts["product"], line_id="l0") | facts
    ledger = confirm(ledger, quote(line, assets=ledger, discounts=data.draw(discounts)), NOW)
    billed: list[BillLine] = []
    on_day = START.date()
    for number in range(data.draw(st.integers(1, 4))):
        on_day += timedelta(days=data.draw(st.integers(0, 150)))
        billed += bill(ledger.record(owned("l0")), terms, billed, on_day)
        try:
            change = quote(data.draw(changes(0)), assets=ledger, quote_id=f"q{number + 2}")
        except (AssetError, QuoteError):
            continue
        ledger = confirm(ledger, change, NOW)
    record = ledger.record(owned("l0"))
    end = date(2040, 1, 1)
    billed += bill(record, terms, billed, end)
    assert bill(record, terms, billed, end) == ()
    total = total_amount(record.periods)
    assert total is not None
    scheduled = sum((cell.amount for cell in schedule(record, terms, end)), Decimal(0))
    assert sum((line.amount for line in billed), Decimal(0)) == scheduled
    assert abs(scheduled - total) <= CENT / 2
    left: dict[object, Decimal] = defaultdict(Decimal)
    for each in billed:
        left[each.key] += each.amount
        assert left[each.key] >= 0
        assert (each.amount > 0) == (each.kind is BillKind.CHARGE)
