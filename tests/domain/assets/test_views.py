"""Reading the ledger, contracts, bundles, and the cost of a rebuild."""

from __future__ import annotations

from decimal import Decimal

import pytest

from domain.assets.bundles import ChildQuantity, Relationship, change_bundle, members
from domain.assets.contract_dates import ContractTerms, cotermed, relate
from domain.assets.errors import AssetError
from domain.assets.ledger import Ledger
from domain.assets.requests import CancelAsset, ChangePrice, ChangeQuantity, Renew
from domain.assets.views import explain_at
from domain.assets.worth import LedgerPolicy
from tests.bench.rebuilding import seconds_to_rebuild
from tests.domain.assets.builders import BUYER, OTHER, X, Y, ask, line, make, on, rows, sold
from tests.domain.assets.totals import state_at, totals_at

CHILD, FIXED = "child", "fixed"
EDGES = [
    Relationship(parent_id=X, child_id=CHILD, child_quantity=ChildQuantity.PROPORTIONAL, ratio=Decimal("1.5")),
    Relationship(parent_id=X, child_id=FIXED),
]


def bundle() -> Ledger:
    ledger = sold(asset_id=CHILD, quantity=15, price="1", ledger=sold())
    return sold(asset_id=FIXED, quantity=1, end=None, selling_model="one_time", ledger=ledger)


def terms(**facts: object) -> ContractTerms:
    given = {"contract_id": "c", "account_id": BUYER, "start": on("2026-01-01"), "end": on("2026-10-01")}
    return ContractTerms.model_validate(given | facts)


def test_state_and_totals_at_an_instant() -> None:
    ledger = ask(ChangeQuantity, sold(), effective="2026-07-01", delta=5)
    ledger = sold(asset_id=Y, account_id=OTHER, quantity=2, price=None, ledger=ledger)
    ledger = sold(asset_id=CHILD, currency="JPY", price="1000", end="2026-03-01", ledger=ledger)
    record = ledger.assets[X]
    before, during = state_at(record, on("2025-12-31")), state_at(record, on("2026-07-01"))
    assert before is None
    assert during is not None
    assert during.quantity == 15
    assert state_at(record, on("2027-01-01")) is None

    totals = totals_at(ledger.assets.values(), on("2026-08-01"))
    assert set(totals) == {"EUR"}
    euro = totals["EUR"]
    assert [euro.assets, euro.quantity, euro.mrr, euro.arr, euro.unpriced] == [2, 17, 150, 1800, 1]
    assert totals_at(ledger.assets.values(), on("2026-02-01"), BUYER)["JPY"].mrr == 10_000
    assert totals_at(ledger.assets.values(), on("2026-02-01"), "nobody") == {}


def test_an_amount_is_explained_by_lots_months_and_rule() -> None:
    policy = LedgerPolicy()
    ledger = ask(ChangeQuantity, sold(), effective="2026-07-01", delta=5, reference="line-7")
    ledger = ask(ChangeQuantity, ledger, effective="2026-07-01", delta=-7)
    why = explain_at(ledger.assets[X], on("2026-08-15"), policy)
    assert why is not None
    assert [(lot.lot, lot.quantity, lot.opened_by, lot.category) for lot in why.lots] == [(1, 8, 1, "Initial Sale")]
    assert [why.quantity, why.mrr, why.months, why.amount] == [8, 80, 6, 480]
    assert "months of the term" in why.rule
    assert explain_at(ledger.assets[X], on("2028-01-01"), policy) is None


def test_what_has_no_end_or_no_month_is_explained_too() -> None:
    open_ended = explain_at(sold(end=None, selling_model="evergreen").assets[X], on("2026-02-01"), LedgerPolicy())
    once = explain_at(sold(end=None, selling_model="one_time").assets[X], on("2026-02-01"), LedgerPolicy())
    assert open_ended is not None
    assert once is not None
    assert (open_ended.amount, open_ended.months) == (None, None)
    assert [once.amount, once.mrr, once.rule] == [100, 0, "units sold x price, once"]


def test_an_asset_and_a_contract_share_their_common_time() -> None:
    related = relate(sold().assets[X], terms(start=on("2026-02-01")))
    assert (related.start, related.end) == (on("2026-02-01"), on("2026-10-01"))
    for facts in ({"account_id": OTHER}, {"start": on("2027-01-01"), "end": on("2028-01-01")}):
        with pytest.raises(AssetError) as caught:
            relate(sold().assets[X], terms(**facts))
        assert caught.value.code == "contract_differs"


def test_lines_end_with_a_contract_that_has_a_common_end() -> None:
    lines = [line("2026-03-01", "2027-03-01", 1)]
    assert cotermed(lines, terms()) == tuple(lines)
    assert cotermed(lines, terms(coterminous=True))[0].end == on("2026-10-01")
    with pytest.raises(AssetError) as caught:
        cotermed(lines, terms(coterminous=True), ramped=True)
    assert caught.value.code == "ramp_with_cotermination"
    with pytest.raises(AssetError) as caught:
        cotermed([line("2026-10-01", "2027-03-01", 1)], terms(coterminous=True))
    assert caught.value.code == "end_before_start"


def test_a_bundle_changes_in_proportion_and_ends_together() -> None:
    more = make(ChangeQuantity, "more", effective="2026-03-01", delta=4, unit_price=Decimal(9))
    assert isinstance(more, ChangeQuantity)
    ledger = change_bundle(bundle(), more, EDGES)
    assert [rows(ledger.assets[key])[-1][2] for key in (X, CHILD, FIXED)] == [14, 21, 1]
    assert [ledger.assets[key].periods[-1].mrr for key in (X, CHILD)] == [136, 21]

    longer = make(Renew, "renew", months=12)
    assert isinstance(longer, Renew)
    ledger = change_bundle(ledger, longer, EDGES)
    assert [ledger.assets[key].end for key in (X, CHILD, FIXED)] == [on("2028-01-01"), on("2028-01-01"), None]

    over = make(CancelAsset, "over", effective="2026-05-01")
    assert isinstance(over, CancelAsset)
    ledger = change_bundle(ledger, over, EDGES)
    assert all(ledger.assets[key].cancelled for key in (X, CHILD, FIXED))


def test_a_bundle_that_cannot_follow_stays_as_it_is() -> None:
    odd = make(ChangeQuantity, "odd", effective="2026-03-01", delta=1)
    assert isinstance(odd, ChangeQuantity)
    with pytest.raises(AssetError, match="whole units"):
        change_bundle(bundle(), odd, EDGES)
    with pytest.raises(AssetError, match="twice"):
        members(X, [*EDGES, Relationship(parent_id=CHILD, child_id=X)])
    with pytest.raises(AssetError, match="200"):
        members(X, [Relationship(parent_id=X, child_id=f"c{number}") for number in range(200)])


def test_children_that_are_over_are_left_alone() -> None:
    ledger = ask(CancelAsset, bundle(), asset_id=CHILD, effective="2026-02-01")
    more = make(ChangeQuantity, "more", effective="2026-03-01", delta=2)
    assert isinstance(more, ChangeQuantity)
    assert change_bundle(ledger, more, EDGES).assets[CHILD] == ledger.assets[CHILD]


def test_prices_change_without_touching_the_past() -> None:
    ledger = ask(ChangePrice, sold(), effective="2026-05-01", unit_price=Decimal(12))
    first, second = ledger.assets[X].periods
    assert [first.amount, second.amount] == [400, 960]


def test_a_thousand_actions_are_rebuilt_in_a_moment() -> None:
    """The benchmark says in how many milliseconds; here the machine may be busy with something else."""
    assert seconds_to_rebuild(1_000) < 2
