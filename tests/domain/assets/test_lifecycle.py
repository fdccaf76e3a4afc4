"""Renewal, rollback, transfer and swap: what they do to the timeline, and what they refuse by name."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from domain.assets.errors import AssetError
from domain.assets.ledger import Ledger, lock
from domain.assets.model import Category, RenewalPricing
from domain.assets.move import transfer_in, transfer_out
from domain.assets.operations import apply_together
from domain.assets.requests import (
    CancelAsset,
    ChangeFields,
    ChangeQuantity,
    Renew,
    Rollback,
    Swap,
    SwapKind,
    Transfer,
)
from tests.domain.assets.builders import OTHER, X, Y, ask, asset, make, mrrs, on, ramp, refused, rows, sold


class TestRenew:
    def test_on_time_for_the_assets_own_term(self) -> None:
        ledger = ask(Renew, sold(renewal_months=12), recorded_at="2026-11-01")
        assert rows(ledger.assets[X])[-1] == ("2027-01-01", "2028-01-01", 10)
        assert ledger.assets[X].actions[-1].quantity_change == 10

    def test_the_contract_fills_in_for_the_asset(self) -> None:
        assert refused(Renew, sold()) == "renewal_term_missing"
        assert ask(Renew, sold(), contract_months=6).assets[X].end == on("2027-07-01")

    def test_early_replaces_what_was_scheduled(self) -> None:
        ledger = ask(ChangeQuantity, sold(), effective="2026-09-01", delta=3)
        ledger = ask(Renew, ledger, start="2026-05-01", end="2027-05-01")
        assert rows(ledger.assets[X]) == [("2026-01-01", "2026-05-01", 10), ("2026-05-01", "2027-05-01", 10)]

    def test_late_after_a_gap(self) -> None:
        ledger = ask(Renew, sold(), start="2027-03-01", months=12, recorded_at="2027-02-20")
        assert rows(ledger.assets[X])[1:] == [("2027-01-01", "2027-03-01", 0), ("2027-03-01", "2028-03-01", 10)]

    def test_each_lot_at_its_own_price_with_the_uplift(self) -> None:
        ledger = ask(ChangeQuantity, sold(), effective="2026-06-01", delta=5, unit_price=Decimal(20))
        raised = ask(Renew, ledger, months=12, uplift_percent=Decimal("4.5"))
        assert mrrs(raised.assets[X])[-1] == Decimal("10.45") * 10 + Decimal("20.90") * 5
        reduced = ask(ChangeQuantity, raised, effective="2027-02-01", delta=-5)
        assert mrrs(reduced.assets[X])[-1] == Decimal("104.50")

    @pytest.mark.parametrize(("price", "expected"), [(None, 300), (Decimal(11), 165)])
    def test_all_lots_at_the_last_price_or_a_given_one(self, price: Decimal | None, expected: int) -> None:
        ledger = sold(renewal_pricing=RenewalPricing.LAST_TRANSACTION)
        ledger = ask(ChangeQuantity, ledger, effective="2026-06-01", delta=5, unit_price=Decimal(20))
        ledger = ask(Renew, ledger, months=12, unit_price=price)
        assert mrrs(ledger.assets[X])[-1] == expected

    def test_cut_into_segments(self) -> None:
        ledger = ask(Renew, sold(), months=30, segment_months=12)
        starts = [start for start, _, _ in rows(ledger.assets[X])]
        assert starts == ["2026-01-01", "2027-01-01", "2028-01-01", "2029-01-01"]
        assert refused(Renew, sold(), months=13, segment_months=1) == "segments_not_valid"

    def test_refused(self) -> None:
        renewed = ask(Renew, sold(), months=12, recorded_at="2026-06-01")
        assert refused(Renew, renewed, months=12, recorded_at="2026-07-01") == "future_renewal_exists"
        assert ask(Renew, renewed, months=12, recorded_at="2027-07-01").assets[X].end == on("2029-01-01")
        assert refused(Renew, sold(renewal_pricing="list_price"), months=12) == "price_missing"
        assert refused(Renew, sold(end=None, selling_model="evergreen"), months=12) == "restricted"
        assert refused(Renew, sold(selling_model="usage"), start="2026-05-01", months=12) == "restricted"
        assert refused(Renew, sold(), start="2026-05-01", end="2026-05-01") == "end_before_start"
        assert refused(Renew, sold(), start="2025-05-01", months=12) == "before_asset_start"

    def test_a_renewal_that_was_replaced_blocks_no_other(self) -> None:
        ledger = ask(Renew, sold(), months=12, recorded_at="2026-06-01")
        ledger = ask(Renew, ledger, start="2026-09-01", months=3)
        assert ask(Renew, ledger, months=12, recorded_at="2026-10-01").assets[X].end == on("2027-12-01")


class TestRollback:
    def test_walks_back_one_transaction_at_a_time(self) -> None:
        first = sold()
        second = ask(ChangeQuantity, first, effective="2026-07-01", delta=5)
        third = ask(Renew, second, months=12)
        once = ask(Rollback, third, recorded_at="2026-03-01")
        assert once.assets[X].periods == second.assets[X].periods
        twice = ask(Rollback, once, recorded_at="2026-03-01")
        assert twice.assets[X].periods == first.assets[X].periods
        assert len(twice.assets[X].actions) == 5
        assert refused(Rollback, twice, recorded_at="2025-03-01") == "rollback_not_eligible"
        assert [action.quantity_change for action in twice.assets[X].actions] == [10, 5, 15, -15, -5]

    def test_on_its_day_is_too_late(self) -> None:
        ledger = ask(ChangeQuantity, sold(), effective="2026-07-01", delta=5)
        assert refused(Rollback, ledger, recorded_at="2026-07-01") == "rollback_too_late"
        assert len(ask(Rollback, ledger, recorded_at="2026-06-30").assets[X].periods) == 1

    @pytest.mark.parametrize("facts", [{"ramped": True}, {"selling_model": "usage"}])
    def test_not_for_ramps_and_usage(self, facts: dict[str, Any]) -> None:
        ledger = ask(ChangeQuantity, ramp(**facts), effective="2027-07-01", delta=5)
        assert refused(Rollback, ledger) == "rollback_not_eligible"

    def test_undoes_all_assets_of_a_transaction_or_none(self) -> None:
        both = sold(asset_id=Y, ledger=sold())
        changes = [
            make(ChangeQuantity, "together", asset_id=asset_id, effective="2026-07-01", delta=5) for asset_id in (X, Y)
        ]
        changed = apply_together(both, changes)
        undone = ask(Rollback, changed, recorded_at="2026-03-01")
        assert [undone.assets[key].periods == both.assets[key].periods for key in (X, Y)] == [True, True]
        moved_on = ask(ChangeQuantity, changed, asset_id=Y, effective="2026-08-01", delta=1)
        assert refused(Rollback, moved_on, recorded_at="2026-03-01") == "rollback_not_eligible"


class TestTransfer:
    TO: dict[str, Any] = {"to_asset_id": Y, "to_account_id": OTHER}

    def test_the_target_gets_lots_prices_and_attributes(self) -> None:
        ledger = ask(ChangeQuantity, sold(), effective="2026-07-01", delta=5, unit_price=Decimal(20))
        ledger = ask(ChangeFields, ledger, effective="2026-09-01", attributes={"entity": "DE"})
        ledger = ask(Transfer, ledger, **self.TO, effective="2026-04-01", quantity=7)
        source, target = ledger.assets[X], ledger.assets[Y]
        assert target.asset.account_id == OTHER
        assert rows(target) == [
            ("2026-04-01", "2026-07-01", 7),
            ("2026-07-01", "2026-09-01", 7),
            ("2026-09-01", "2027-01-01", 7),
        ]
        assert mrrs(target) == [70, 120, 120]
        assert mrrs(source) == [100, 30, 80, 80]
        assert target.periods[-1].attributes == {"entity": "DE"}
        assert [record.actions[-1].subtype for record in (source, target)] == ["TransferFrom", "TransferTo"]

    def test_at_most_the_least_future_quantity(self) -> None:
        ledger = ask(ChangeQuantity, sold(), effective="2026-07-01", delta=-6)
        too_many = {"effective": "2026-04-01", "quantity": 5}
        assert refused(Transfer, ledger, **self.TO, **too_many) == "transfer_exceeds_minimum_quantity"
        ledger = ask(Transfer, ledger, **self.TO, effective="2026-04-01")
        assert [quantity for _, _, quantity in rows(ledger.assets[Y])] == [4, 4]

    def test_two_halves_in_two_ledgers_each_once(self) -> None:
        request = make(Transfer, "move", **self.TO, effective="2026-04-01", quantity=4)
        assert isinstance(request, Transfer)
        ours, conveyed = transfer_out(lock(sold(), X, request.request_id), request)
        assert conveyed is not None
        assert transfer_out(ours, request) == (ours, None)
        theirs = transfer_in(Ledger(), conveyed)
        assert transfer_in(theirs, conveyed) is theirs
        assert rows(ours.assets[X])[-1][2] + rows(theirs.assets[Y])[-1][2] == 10
        assert conveyed.model_validate_json(conveyed.model_dump_json()) == conveyed

    def test_refused(self) -> None:
        assert refused(Transfer, sold(), **self.TO, effective="2027-01-01") == "asset_expired"
        assert refused(Transfer, sold(ramped=True), **self.TO, effective="2026-04-01") == "restricted"
        both = sold(asset_id=Y, ledger=sold())
        assert refused(Transfer, both, **self.TO, effective="2026-04-01") == "asset_exists"


class TestSwap:
    @pytest.mark.parametrize(
        ("kind", "category", "subtypes"),
        [
            (SwapKind.SWAP, Category.SWAPS, ("SwapOut", "SwapIn")),
            (SwapKind.UPGRADE, Category.UPGRADES, ("UpgradeFrom", "UpgradeTo")),
            (SwapKind.DOWNGRADE, Category.DOWNGRADES, ("DowngradeFrom", "DowngradeTo")),
        ],
    )
    def test_the_new_product_inherits_the_timeline(
        self, kind: SwapKind, category: Category, subtypes: tuple[str, str]
    ) -> None:
        ledger = ask(ChangeQuantity, sold(), effective="2026-07-01", delta=5)
        ledger = ask(
            Swap, ledger, to_asset=asset(Y, product="suite"), effective="2026-04-01", unit_price=Decimal(30), kind=kind
        )
        assert [quantity for _, _, quantity in rows(ledger.assets[X])] == [10, 0, 0]
        assert mrrs(ledger.assets[Y]) == [300, 450]
        legs = [ledger.assets[key].actions[-1] for key in (X, Y)]
        assert [leg.category for leg in legs] == [category, category]
        assert tuple(leg.subtype for leg in legs) == subtypes
        assert refused(Rollback, ledger) == "rollback_not_eligible"

    def test_a_part_goes_newest_first(self) -> None:
        ledger = ask(ChangeQuantity, sold(), effective="2026-02-01", delta=5, unit_price=Decimal(20))
        ledger = ask(Swap, ledger, to_asset=asset(Y), effective="2026-04-01", unit_price=Decimal(30), quantity=6)
        assert mrrs(ledger.assets[X]) == [100, 200, 90]
        assert mrrs(ledger.assets[Y]) == [180]

    def test_refused(self) -> None:
        swap = {"effective": "2026-04-01", "unit_price": Decimal(30)}
        assert refused(Swap, sold(), to_asset=asset(Y, currency="USD"), **swap) == "price_book_differs"
        assert refused(Swap, sold(), to_asset=asset(Y), **swap, quantity=11) == "over_reduction"
        assert refused(Swap, sold(quantity=0), to_asset=asset(Y), **swap) == "over_reduction"
        assert refused(Swap, sold(), to_asset=asset(Y, ramped=True), **swap) == "restricted"


class TestTogether:
    def test_all_or_none(self) -> None:
        both = sold(asset_id=Y, ledger=sold())
        changes = [
            make(ChangeQuantity, "t", effective="2026-03-01", delta=-1),
            make(ChangeQuantity, "t", asset_id=Y, effective="2026-03-01", delta=-11),
        ]
        stored = both.model_dump_json()
        with pytest.raises(AssetError) as caught:
            apply_together(both, changes)
        assert caught.value.code == "over_reduction"
        assert both.model_dump_json() == stored

    def test_limits(self) -> None:
        ledger = sold(asset_id=Y, price_book="gold", ledger=sold())
        change = make(ChangeQuantity, "t", effective="2026-03-01", delta=1)
        moves = [
            make(Transfer, "t", to_asset_id=f"y{n}", to_account_id=OTHER, effective="2026-03-01") for n in range(51)
        ]
        for requests, code in (
            ([change, change], "transaction_not_valid"),
            ([change, make(CancelAsset, "t", asset_id=Y, effective="2026-03-01")], "mixed_price_books"),
            (moves, "too_many_transfer_lines"),
            ([change] * 1001, "transaction_not_valid"),
        ):
            with pytest.raises(AssetError) as caught:
                apply_together(ledger, requests)
            assert caught.value.code == code
