"""Random histories: whatever is asked of a ledger, in whatever order, its invariants hold.

`PERENNIAL_HISTORIES` sets how many histories are tried, for instance 10000.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from domain.assets.errors import AssetError, LedgerCorruptError
from domain.assets.invariants import held_at, violations
from domain.assets.ledger import Ledger, period_at
from domain.assets.model import AssetRecord, SellingModel, Subtype
from domain.assets.operations import AnyRequest, apply
from domain.assets.requests import (
    CancelAsset,
    ChangeEnd,
    ChangeFields,
    ChangePrice,
    ChangeQuantity,
    ChangeStart,
    Generate,
    Line,
    Renew,
    Rollback,
    Swap,
    Tail,
    Transfer,
)
from domain.assets.worth import LedgerPolicy
from tests.domain.assets.builders import X, asset, day, sold
from tests.domain.assets.whole_ledgers import ledger_violations
from tests.properties import examples

HISTORIES = 300
DAYS = 800
PROBES = [day(number) for number in range(-30, 2000, 17)]

# Mostly inside the first sale's term, so that most requests are carried out.
offsets = st.integers(60, 400) | st.integers(-20, DAYS)
prices = st.sampled_from([Decimal("10"), Decimal("7.35"), Decimal("0"), Decimal("99.99"), None])
some_prices = st.sampled_from([Decimal("12"), Decimal("8.01"), Decimal("0.5")])
quantities = st.integers(0, 20)
policies = st.builds(LedgerPolicy, allow_backdate=st.booleans())
KINDS = [
    "more",
    "less",
    "less",
    "price",
    "fields",
    "start",
    "end",
    "cancel",
    "renew",
    "transfer",
    "swap",
    "undo",
    "undo",
]


@st.composite
def sales(draw: st.DrawFn) -> Generate:
    model = draw(st.sampled_from([SellingModel.TERMED, SellingModel.TERMED, SellingModel.EVERGREEN]))
    lines = []
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, 100))
        end = (
            None if model is SellingModel.EVERGREEN else day(start + draw(st.integers(200, 500) | st.integers(1, 400)))
        )
        lines.append(Line(start=day(start), end=end, quantity=draw(quantities), unit_price=draw(prices)))
    return Generate(request_id="sale", asset=asset(selling_model=model), lines=tuple(lines))


@st.composite
def requests(draw: st.DrawFn, number: int, known: list[str]) -> AnyRequest:
    """A request on one of the known assets; many of them will be refused."""
    offset = draw(offsets)
    effective = day(offset)
    common: dict[str, Any] = {
        "request_id": f"r{number}",
        "asset_id": draw(st.sampled_from(known)),
        "recorded_at": draw(st.none() | st.integers(1, 90).map(lambda days: day(offset - days)) | offsets.map(day)),
    }
    fresh = f"a{number}"
    kind = draw(st.sampled_from(KINDS))
    match kind:
        case "more":
            delta, price = draw(st.integers(1, 10)), draw(st.none() | some_prices)
            return ChangeQuantity(**common, effective=effective, delta=delta, unit_price=price)
        case "less":
            return ChangeQuantity(**common, effective=effective, delta=-draw(st.integers(1, 12)))
        case "price":
            return ChangePrice(**common, effective=effective, unit_price=draw(some_prices))
        case "fields":
            values = {draw(st.sampled_from("pq")): draw(st.sampled_from("123"))}
            price = draw(st.none() | some_prices)
            return ChangeFields(**common, effective=effective, attributes=values, unit_price=price)
        case "start":
            return ChangeStart(**common, new_start=effective)
        case "end":
            return ChangeEnd(**common, effective=effective, new_end=day(draw(st.integers(0, 2 * DAYS))))
        case "cancel":
            return CancelAsset(**common, effective=effective, tail=draw(st.sampled_from(Tail)))
        case "renew":
            return Renew(
                **common,
                start=draw(st.none() | st.just(effective)),
                months=draw(st.integers(1, 14)),
                segment_months=draw(st.none() | st.integers(2, 6)),
                uplift_percent=draw(st.sampled_from([Decimal(0), Decimal("3.5")])),
            )
        case "transfer":
            quantity = draw(st.none() | st.integers(1, 5))
            to = {"to_asset_id": fresh, "to_account_id": "other"}
            return Transfer(**common, **to, effective=effective, quantity=quantity)
        case "swap":
            quantity, price = draw(st.none() | st.integers(1, 5)), draw(some_prices)
            model = draw(st.sampled_from([SellingModel.TERMED, SellingModel.EVERGREEN]))
            target = asset(fresh, selling_model=model)
            return Swap(**common, to_asset=target, effective=effective, quantity=quantity, unit_price=price)
        case _:
            return Rollback(**common)


def quantity_at(record: AssetRecord, number: int) -> int:
    period = period_at(record.periods, PROBES[number])
    return period.quantity if period else 0


def everywhere(ledger: Ledger) -> list[int]:
    return [sum(quantity_at(record, probe) for record in ledger.assets.values()) for probe in range(len(PROBES))]


def check_effect(before: Ledger, request: AnyRequest, after: Ledger) -> None:
    """What the kind of request promises, seen from outside."""
    if isinstance(request, Generate):
        return
    old, new = before.assets[request.asset_id], after.assets[request.asset_id]
    assert new.actions[: len(old.actions)] == old.actions
    if isinstance(request, ChangeQuantity) and request.delta is not None:
        for number, probe in enumerate(PROBES):
            inside = probe >= request.effective and (old.end is None or probe < old.end)
            assert quantity_at(new, number) == quantity_at(old, number) + (request.delta if inside else 0)
    if isinstance(request, ChangePrice | ChangeFields):
        assert everywhere(after) == everywhere(before)
    if isinstance(request, Transfer):
        assert everywhere(after) == everywhere(before)
        given_away, received = new.actions[-1], after.assets[request.to_asset_id].actions[0]
        assert given_away.quantity_change + received.quantity_change == 0
    if isinstance(request, CancelAsset):
        assert all(quantity_at(new, n) == 0 for n, probe in enumerate(PROBES) if probe >= request.effective)


def check_rollback(before: Ledger, after: Ledger, past: dict[tuple[str, int], AssetRecord]) -> None:
    """An undone action leaves the periods of before it, at all instants."""
    for asset_id, record in after.assets.items():
        last = record.actions[-1]
        if record != before.assets.get(asset_id) and last.subtype is Subtype.ROLLBACK and last.undoes is not None:
            assert record.periods == past[asset_id, last.undoes].periods


@pytest.mark.timeout(1800)  # ten thousand histories take minutes
@examples(HISTORIES)
@given(sale=sales(), policy=policies, data=st.data())
def test_every_history_keeps_the_invariants(sale: Generate, policy: LedgerPolicy, data: st.DataObject) -> None:
    ledger = apply(Ledger(policy=policy), sale)
    assert ledger_violations(ledger) == {}
    # The record as it was before each action.
    past: dict[tuple[str, int], AssetRecord] = {}
    for number in range(data.draw(st.integers(3, 9))):
        request = data.draw(requests(number, list(ledger.assets)))
        stored = ledger.model_dump_json()
        try:
            after = apply(ledger, request)
        except LedgerCorruptError:
            raise
        except AssetError as refused:
            event(f"{type(request).__name__}: {refused.code}")
            assert ledger.model_dump_json() == stored
            continue
        event(f"{type(request).__name__}: done")
        assert ledger.model_dump_json() == stored
        assert ledger_violations(after) == {}
        for asset_id, record in ledger.assets.items():
            past[asset_id, len(record.actions) + 1] = record
        check_effect(ledger, request, after)
        check_rollback(ledger, after, past)
        assert apply(after, request) == after
        ledger = after
    assert Ledger.model_validate_json(ledger.model_dump_json()) == ledger


@examples(HISTORIES // 10)
@given(quantity=st.integers(1, 30), cuts=st.lists(st.integers(1, 364), min_size=1, max_size=6, unique=True))
def test_amounts_are_not_changed_by_cuts(quantity: int, cuts: list[int]) -> None:
    """However a period is cut, its parts add up to its amount."""
    ledger = sold(quantity=quantity, price="10.00")
    total = ledger.assets[X].periods[0].amount
    assert total == 120 * quantity
    for number, cut in enumerate(cuts):
        request = ChangePrice(request_id=f"p{number}", asset_id=X, effective=day(cut), unit_price=Decimal("10.00"))
        ledger = apply(ledger, request)
    assert sum(period.amount or Decimal(0) for period in ledger.assets[X].periods) == total
    assert ledger_violations(ledger) == {}


def test_a_damaged_history_is_seen() -> None:
    """The checks can fail: each kind of damage is reported."""
    request = ChangeQuantity(request_id="up", asset_id=X, effective=day(31), delta=5)
    ledger = apply(sold(), request)
    record = ledger.assets[X]
    assert violations(record, ledger.policy) == []

    first, second = record.periods
    for period in (
        second.having(quantity=16),
        second.having(start=second.start + timedelta(days=1)),
        second.having(amount=Decimal(1)),
    ):
        assert violations(record.having(periods=(first, period)), ledger.policy)
    assert violations(record.having(periods=(first,)), ledger.policy)

    sale, upsell = record.actions
    stolen = upsell.sources[0].having(quantity=-11)
    thief = upsell.having(sources=(stolen,))
    assert violations(record.having(actions=(sale, thief)), ledger.policy)


def test_held_at_counts_rows_that_hold() -> None:
    record = sold(quantity=3).assets[X]
    sources = record.actions[0].sources
    assert held_at(sources, day(0)) == {1: (3, Decimal("10.00"))}
    assert held_at(sources, day(-1)) == {}
    assert held_at(sources, day(365)) == {}


def test_reductions_take_the_newest_lot_first() -> None:
    ledger = sold(price="10")
    ledger = apply(
        ledger,
        ChangeQuantity(request_id="up", asset_id=X, effective=day(31), delta=10, unit_price=Decimal(1)),
    )
    ledger = apply(ledger, ChangeQuantity(request_id="down", asset_id=X, effective=day(59), delta=-10))
    assert ledger.assets[X].periods[-1].mrr == 100
