"""Sale, amendments and cancellation: what they do to the timeline, and what they refuse by name."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from domain.assets.errors import AssetError
from domain.assets.ledger import Ledger, lock, unlock
from domain.assets.model import Category, SellingModel, Subtype
from domain.assets.operations import apply
from domain.assets.requests import (
    CancelAsset,
    ChangeEnd,
    ChangeFields,
    ChangePrice,
    ChangeQuantity,
    ChangeStart,
    Generate,
    Renew,
    Rollback,
    Tail,
)
from domain.assets.worth import LedgerPolicy
from tests.domain.assets.builders import X, Y, ask, asset, line, make, mrrs, on, ramp, refused, rows, sold
from tests.oracles.dialects.detail_lines import detail_lines

YEAR = ("2026-01-01", "2027-01-01")


class TestGenerate:
    def test_lines_that_overlap_add_and_a_gap_is_a_period_of_zero(self) -> None:
        lines = (line("2026-01-01", "2026-07-01", 5), line("2026-04-01", "2026-07-01", 2), line("2026-09-01", None, 1))
        ledger = apply(Ledger(), Generate(request_id="s", asset=asset(), lines=lines))
        assert rows(ledger.assets[X]) == [
            ("2026-01-01", "2026-04-01", 5),
            ("2026-04-01", "2026-07-01", 7),
            ("2026-07-01", "2026-09-01", 0),
            ("2026-09-01", None, 1),
        ]
        assert ledger.assets[X].periods[-1].amount is None

    def test_an_order_is_assetized_once(self) -> None:
        first = Generate(request_id="a", asset=asset(), lines=(line(*YEAR, 1),), order_id="order-1")
        ledger = apply(Ledger(), first)
        again = first.having(request_id="b")
        assert apply(ledger, again) is ledger
        with pytest.raises(AssetError) as caught:
            apply(ledger, again.having(order_id="order-2"))
        assert caught.value.code == "asset_exists"

    def test_a_line_that_ends_before_it_starts_is_refused(self) -> None:
        with pytest.raises(AssetError) as caught:
            sold("2026-02-01", "2026-01-01")
        assert caught.value.code == "end_before_start"

    def test_a_one_time_sale_has_no_mrr_and_counts_once(self) -> None:
        ledger = sold(end=None, quantity=3, price="100", selling_model=SellingModel.ONE_TIME)
        ledger = ask(ChangeQuantity, ledger, effective="2026-03-01", delta=2)
        assert mrrs(ledger.assets[X]) == [0, 0]
        assert [period.amount for period in ledger.assets[X].periods] == [300, 200]
        assert [action.amount_change for action in ledger.assets[X].actions] == [300, 200]


class TestQuantity:
    def test_an_upsell_takes_the_last_price_unless_one_is_given(self) -> None:
        ledger = ask(ChangeQuantity, sold(), effective="2026-03-01", delta=1, unit_price=Decimal(7))
        ledger = ask(ChangeQuantity, ledger, effective="2026-05-01", delta=1)
        assert mrrs(ledger.assets[X]) == [100, 107, 114]
        assert ledger.assets[X].actions[-1].category is Category.UPSELLS

    def test_a_reduction_is_priced_by_the_newest_lots_in_every_period(self) -> None:
        ledger = ask(ChangeQuantity, sold(), effective="2026-07-01", delta=5, unit_price=Decimal(20))
        ledger = ask(ChangeQuantity, ledger, effective="2026-02-01", delta=-7)
        record = ledger.assets[X]
        assert rows(record) == [
            ("2026-01-01", "2026-02-01", 10),
            ("2026-02-01", "2026-07-01", 3),
            ("2026-07-01", "2027-01-01", 8),
        ]
        assert mrrs(record) == [100, 30, 80]
        details = [(str(row.start.date()), row.quantity) for row in detail_lines(record, record.actions[-1])]
        assert details == [("2026-02-01", -7), ("2026-07-01", -5), ("2026-07-01", -2)]

    def test_without_a_term_lots_are_chosen_once(self) -> None:
        ledger = sold(end=None, selling_model=SellingModel.EVERGREEN)
        for effective in ("2026-07-01", "2026-09-01"):
            ledger = ask(ChangeQuantity, ledger, effective=effective, delta=5, unit_price=Decimal(20))
        ledger = ask(ChangeQuantity, ledger, effective="2026-08-01", delta=-7)
        record = ledger.assets[X]
        assert [(row.lot, row.quantity) for row in detail_lines(record, record.actions[-1])] == [(2, -5), (1, -2)]
        assert mrrs(record) == [100, 200, 80, 180]

    def test_without_a_term_a_lot_that_shrinks_later_is_helped_by_others(self) -> None:
        ledger = sold(end=None, selling_model=SellingModel.EVERGREEN)
        ledger = ask(ChangeQuantity, ledger, effective="2026-07-01", delta=5)
        ledger = ask(ChangeQuantity, ledger, effective="2026-09-01", delta=-5)
        ledger = ask(ChangeQuantity, ledger, effective="2026-08-01", delta=-7)
        assert [quantity for _, _, quantity in rows(ledger.assets[X])] == [10, 15, 8, 3]

    def test_reduced_to_zero_is_not_cancelled(self) -> None:
        ledger = ask(ChangeQuantity, sold(), effective="2026-07-01", delta=-10)
        ledger = ask(ChangeQuantity, ledger, effective="2026-09-01", delta=4)
        assert [quantity for _, _, quantity in rows(ledger.assets[X])] == [10, 0, 4]

    def test_a_price_that_must_come_from_the_list_is_asked_for(self) -> None:
        ledger = sold(pricing_source="list_price")
        assert refused(ChangeQuantity, ledger, effective="2026-02-01", delta=1) == "price_missing"


class TestRefusals:
    """What every amendment refuses, shown on a change of quantity."""

    CHANGE: dict[str, Any] = {"effective": "2026-03-01", "delta": -1}

    @pytest.mark.parametrize(
        ("fields", "code"),
        [
            ({"delta": None}, "missing_quantity_change"),
            ({"delta": 0}, "missing_quantity_change"),
            ({"delta": -11}, "over_reduction"),
            ({"effective": "2025-12-31"}, "before_asset_start"),
            ({"effective": "2027-01-01"}, "asset_expired"),
            ({"recorded_at": "2026-03-02"}, "backdate_not_allowed"),
            ({"asset_id": Y}, "unknown_asset"),
            ({"expected_version": 2}, "already_in_flight"),
            ({"price_book": "gold"}, "price_book_differs"),
            ({"currency": "USD"}, "price_book_differs"),
        ],
    )
    def test_by_name(self, fields: dict[str, Any], code: str) -> None:
        assert refused(ChangeQuantity, sold(), **(self.CHANGE | fields)) == code

    def test_backdating_behind_its_switch(self) -> None:
        ledger = sold(ledger=Ledger(policy=LedgerPolicy(allow_backdate=True)))
        ledger = ask(ChangeQuantity, ledger, **self.CHANGE, recorded_at="2026-06-01")
        assert rows(ledger.assets[X])[-1] == ("2026-03-01", "2027-01-01", 9)

    def test_a_future_over_reduction_fails_the_whole(self) -> None:
        ledger = ask(ChangeQuantity, sold(), effective="2026-10-01", delta=-8)
        assert refused(ChangeQuantity, ledger, effective="2026-02-01", delta=-5) == "over_reduction"

    def test_of_two_that_read_the_same_version_one_wins(self) -> None:
        ledger = ask(ChangeQuantity, sold(), **self.CHANGE, expected_version=1)
        assert refused(ChangeQuantity, ledger, **self.CHANGE, expected_version=1) == "already_in_flight"

    def test_a_lock_keeps_others_out_until_it_is_given_back(self) -> None:
        locked = lock(sold(), X, "move")
        assert refused(ChangeQuantity, locked, **self.CHANGE) == "asset_locked"
        with pytest.raises(AssetError, match="move"):
            lock(locked, X, "another")
        assert rows(ask(ChangeQuantity, unlock(locked, X, "move"), **self.CHANGE).assets[X])[1][2] == 9

    @pytest.mark.parametrize("facts", [{"ramped": True}, {"derived_price": True}, {"selling_model": "usage"}])
    def test_nothing_before_a_scheduled_period_of_ramp_usage_or_derived_price(self, facts: dict[str, Any]) -> None:
        for kind, fields in ((ChangeQuantity, {"delta": 1}), (CancelAsset, {})):
            assert refused(kind, ramp(**facts), effective="2026-03-01", **fields) == "restricted"
        assert len(ask(ChangeQuantity, ramp(**facts), effective="2027-03-01", delta=1).assets[X].periods) == 3

    def test_the_same_request_has_one_effect(self) -> None:
        request = make(ChangeQuantity, "once", **self.CHANGE)
        ledger = apply(sold(), request)
        assert apply(ledger, request) is ledger


class TestFieldsAndPrices:
    def test_a_new_price_is_one_lot_that_reductions_meet(self) -> None:
        ledger = ask(ChangeQuantity, sold(), effective="2026-03-01", delta=5)
        ledger = ask(ChangePrice, ledger, effective="2026-06-01", unit_price=Decimal(8))
        assert ledger.assets[X].actions[-1].category is Category.DOWNSELLS
        assert ledger.assets[X].actions[-1].quantity_change == 0
        ledger = ask(ChangeQuantity, ledger, effective="2026-09-01", delta=-1)
        assert mrrs(ledger.assets[X]) == [100, 150, 120, 112]

    def test_new_attributes_override_scheduled_ones(self) -> None:
        ledger = ask(ChangeFields, sold(), effective="2026-09-01", attributes={"billing": "Monthly", "entity": "DE"})
        ledger = ask(ChangeFields, ledger, effective="2026-03-01", attributes={"billing": "Annual"})
        assert [period.attributes for period in ledger.assets[X].periods] == [
            {},
            {"billing": "Annual"},
            {"billing": "Annual", "entity": "DE"},
        ]
        action = ledger.assets[X].actions[-1]
        assert (action.category, action.subtype) == (Category.TERMS_CHANGES, Subtype.FIELD_AMENDMENT)

    def test_an_attribute_that_costs_comes_with_its_price(self) -> None:
        ledger = ask(ChangeFields, sold(), effective="2026-03-01", attributes={"tier": "gold"}, unit_price=Decimal(15))
        assert mrrs(ledger.assets[X]) == [100, 150]
        assert ledger.assets[X].actions[-1].category is Category.UPSELLS

    def test_prices_of_a_ramp_are_fixed(self) -> None:
        ledger = ramp(ramped=True)
        assert refused(ChangePrice, ledger, effective="2027-03-01", unit_price=Decimal(1)) == "restricted"


class TestDates:
    @pytest.mark.parametrize(
        ("new", "expected"),
        [
            ("2026-01-15", [("2026-01-15", "2026-07-01", 10), ("2026-07-01", "2027-01-01", 12)]),
            ("2025-12-01", [("2025-12-01", "2026-07-01", 10), ("2026-07-01", "2027-01-01", 12)]),
        ],
    )
    def test_a_start_moves_and_can_move_back(self, new: str, expected: list[tuple[str, str, int]]) -> None:
        before = ask(ChangeQuantity, sold(), effective="2026-07-01", delta=2)
        ledger = ask(ChangeStart, before, new_start=new, recorded_at="2025-11-01")
        assert rows(ledger.assets[X]) == expected
        assert ledger.assets[X].actions[-1].subtype is Subtype.START_DATE_ADJUSTMENT
        back = ask(ChangeStart, ledger, new_start="2026-01-01", recorded_at="2025-11-02")
        assert back.assets[X].periods == before.assets[X].periods

    @pytest.mark.parametrize(
        ("new", "today"), [("2026-02-01", "2026-01-01"), ("2025-11-01", "2025-11-01"), ("2027-01-01", "2025-11-01")]
    )
    def test_a_start_that_cannot_move(self, new: str, today: str) -> None:
        assert refused(ChangeStart, sold(), new_start=new, recorded_at=today) == "start_date_not_changeable"

    def test_a_longer_and_a_shorter_term(self) -> None:
        longer = ask(ChangeEnd, sold(), effective="2026-06-01", new_end="2027-04-01")
        assert rows(longer.assets[X]) == [("2026-01-01", "2026-06-01", 10), ("2026-06-01", "2027-04-01", 10)]
        assert longer.assets[X].actions[-1].category is Category.UPSELLS
        shorter = ask(ChangeEnd, longer, effective="2026-07-01", new_end="2026-10-01")
        assert shorter.assets[X].end == on("2026-10-01")
        assert shorter.assets[X].actions[-1].category is Category.DOWNSELLS
        again = ask(ChangeEnd, shorter, effective="2026-08-01", new_end="2027-01-01")
        assert rows(again.assets[X])[-1] == ("2026-08-01", "2027-01-01", 10)

    def test_ends_that_cannot_move(self) -> None:
        ledger = ask(ChangeQuantity, sold(), effective="2026-06-01", delta=1)
        later = {"effective": "2026-05-01", "new_end": "2027-06-01"}
        assert refused(ChangeEnd, ledger, **later) == "later_transaction_exists"
        assert refused(ChangeEnd, sold(), effective="2026-05-01", new_end="2026-05-01") == "end_before_start"
        assert refused(ChangeEnd, sold(ramped=True), **later) == "restricted"


class TestCancel:
    def test_ends_the_periods_or_leaves_a_tail_of_zero(self) -> None:
        scheduled = ask(ChangeQuantity, sold(), effective="2026-09-01", delta=3)
        ended = ask(CancelAsset, scheduled, effective="2026-05-01")
        assert rows(ended.assets[X]) == [("2026-01-01", "2026-05-01", 10)]
        tail = ask(CancelAsset, scheduled, effective="2026-05-01", tail=Tail.ZERO_QUANTITY)
        assert rows(tail.assets[X]) == [("2026-01-01", "2026-05-01", 10), ("2026-05-01", "2027-01-01", 0)]
        assert tail.assets[X].actions[-1].quantity_change == -10

    def test_changes_nothing_more_and_can_be_taken_back_until_its_day(self) -> None:
        ledger = ask(CancelAsset, sold(), effective="2026-05-01")
        assert refused(Renew, ledger, months=12) == "asset_cancelled"
        assert refused(ChangeQuantity, ledger, effective="2026-02-01", delta=1) == "asset_cancelled"
        assert refused(Rollback, ledger, recorded_at="2026-05-01") == "rollback_too_late"
        back = ask(Rollback, ledger, recorded_at="2026-04-30")
        assert rows(back.assets[X]) == rows(sold().assets[X])
        assert not back.assets[X].cancelled

    @pytest.mark.parametrize("facts", [{"ramped": True}, {"selling_model": "usage"}])
    def test_of_ramps_and_usage_too(self, facts: dict[str, Any]) -> None:
        before = sold(**facts)
        ledger = ask(CancelAsset, before, effective="2026-05-01")
        assert ask(Rollback, ledger, recorded_at="2026-04-30").assets[X].periods == before.assets[X].periods

    def test_of_what_never_began_counts_at_once(self) -> None:
        ledger = ask(CancelAsset, sold(), effective="2026-01-01", recorded_at="2025-12-01")
        assert refused(Rollback, ledger, recorded_at="2025-12-02") == "rollback_too_late"

    def test_on_the_first_day_leaves_no_period(self) -> None:
        ledger = ask(CancelAsset, sold(), effective="2026-01-01")
        assert ledger.assets[X].periods == ()


def test_steps_on_a_draft_leave_the_ledger_as_it_was() -> None:
    before = sold()
    draft = before.draft()
    apply(draft, CancelAsset(request_id="c", asset_id=X, effective=on("2026-05-01")))
    sold(ledger=draft, asset_id=Y)
    after = draft.settled()
    assert (list(before.assets), before.record(X).cancelled) == ([X], False)
    assert (list(after.assets), after.record(X).cancelled) == ([X, Y], True)
    assert type(after) is Ledger
