"""Histories from outside: what other systems know is followed to the same states, what we exported comes back equal."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.assets.errors import AssetError, HistoryError
from domain.assets.invariants import violations
from domain.assets.ledger import Ledger, period_at
from domain.assets.model import AssetRecord, SellingModel
from domain.assets.operations import apply
from domain.assets.other_histories import KnownPeriod, check_exported, follow, monthly_price
from domain.assets.presets import PRORATION_PRESETS
from domain.assets.requests import Generate
from domain.frame.ownership import POLICY
from domain.journey.installed_base import read_asset, take_over
from domain.orders.order import PricePer
from tests.domain.assets.builders import asset, day, on, sold
from tests.domain.assets.test_invariants import requests, sales
from tests.properties import examples

EXAMPLES = 60


def exported(record: AssetRecord, per: PricePer = PricePer.MONTH) -> str:
    """The document by which another installation takes a record over."""
    given = {
        "asset_id": record.asset.asset_id,
        "account_id": record.asset.account_id,
        "product": record.asset.product,
        "currency": record.asset.currency,
        "contract_id": record.asset.contract_id,
        "per": per.value,
        "ledger": record.model_dump(mode="json"),
    }
    return json.dumps(given)


@examples(EXAMPLES)
@given(sale=sales(), data=st.data())
def test_what_our_ledger_exports_is_imported_equal(sale: Generate, data: st.DataObject) -> None:
    ledger = apply(Ledger(policy=POLICY), sale)
    for number in range(data.draw(st.integers(0, 8))):
        try:
            ledger = apply(ledger, data.draw(requests(number, list(ledger.assets))))
        except AssetError:
            continue
    for record in ledger.assets.values():
        document = read_asset(json.loads(exported(record)))
        taken = take_over(document, "Licence", "UTC", datetime(2026, 6, 1, tzinfo=UTC))
        assert taken.change.before is None
        assert taken.change.after == record
        assert (taken.asset.start, taken.asset.end) == (record.start, record.end)


prices = st.sampled_from([Decimal("10"), Decimal("7.35"), Decimal("99.99"), Decimal("0.5")])


@st.composite
def histories(draw: st.DrawFn) -> list[KnownPeriod]:
    """Periods that follow one another, with units, prices, attributes and renewals of all kinds."""
    lengths = draw(st.lists(st.integers(1, 400), min_size=1, max_size=8))
    starts = [0, *accumulate(lengths)]
    found: list[KnownPeriod] = []
    colour = "red"
    for number, (start, end) in enumerate(pairwise(starts)):
        colour = draw(st.sampled_from(["red", "green", colour]))
        found.append(
            KnownPeriod(
                start=day(start),
                end=day(end),
                quantity=draw(st.integers(0, 30)),
                unit_price=draw(prices),
                renewal=number > 0 and found[-1].quantity > 0 and draw(st.booleans()),
                attributes={"colour": colour},
            )
        )
    if draw(st.booleans()) and not any(period.renewal for period in found):
        found[-1] = replace(found[-1], end=None)
    return found


@examples(EXAMPLES * 2)
@given(known=histories())
def test_a_known_history_is_followed_to_the_same_states(known: list[KnownPeriod]) -> None:
    open_end = known[-1].end is None
    made = asset(selling_model=SellingModel.EVERGREEN if open_end else SellingModel.TERMED)
    record = follow(made, known, POLICY)
    assert violations(record, POLICY) == []
    for period in known:
        states = [p for p in record.periods if p.start >= period.start and (period.end is None or p.start < period.end)]
        state = period_at(record.periods, period.start)
        assert state is not None
        for found in (state, *states):
            assert found.quantity == period.quantity
            assert found.mrr == (period.unit_price or 0) * period.quantity
            assert found.attributes == period.attributes
    assert (record.start, record.end) == (known[0].start, known[-1].end)
    renewals = [period.start for period in known if period.renewal]
    assert [action.effective for action in record.actions if action.category == "Renewals"] == renewals


def test_damage_to_an_exported_record_is_refused() -> None:
    record = sold().assets[asset().asset_id]
    check_exported(record, POLICY)
    period = record.periods[0].having(amount=Decimal(1))
    with pytest.raises(HistoryError, match="stored"):
        check_exported(record.having(periods=(period,)), POLICY)
    with pytest.raises(HistoryError, match="no action"):
        check_exported(record.having(actions=()), POLICY)
    other = json.loads(exported(record)) | {"currency": "USD"}
    with pytest.raises(HistoryError, match="currency is 'USD' in the document and 'EUR' in its ledger"):
        take_over(read_asset(other), "", "UTC", day(0))


@pytest.mark.parametrize(
    ("policy", "amount"),
    [("actual_days", "150.00"), ("touched_periods", "200.00"), ("full_price", "200.00"), ("actual_over_30", "150.00")],
)
def test_amounts_are_compared_by_the_policy_that_made_them(policy: str, amount: str) -> None:
    """1 January to 14 February at 100.00 a month: one month and 14 of 28 days, 45 days over 30, or two touched months."""
    known = KnownPeriod(on("2026-01-01"), on("2026-02-15"), 1, Decimal("100.00"), amount=Decimal(amount))
    amounts = PRORATION_PRESETS[policy]
    follow(asset(), [known], POLICY, amounts)
    with pytest.raises(HistoryError, match="the policy makes"):
        follow(asset(), [replace(known, amount=Decimal("1.00"))], POLICY, amounts)


def test_a_yearly_price_by_the_month_is_exact_or_as_good_as() -> None:
    assert monthly_price(Decimal("120"), 12) == 10
    assert monthly_price(Decimal("99"), 12) == Decimal("8.25")
    third = monthly_price(Decimal("100"), 12)
    assert abs(third * 12 - 100) < Decimal("1e-10")
    assert third.as_tuple().exponent == -12
