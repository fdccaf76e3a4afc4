"""What is asked of a whole contract is asked of all that still counts under it, and of nothing that is over."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.assets.model import SellingModel
from domain.contracts import changes
from domain.contracts.requests import AmendAssets, CancelAssets, RenewAssets, SwapAssets
from domain.kernel.refusals import Refusal
from tests.domain.contracts.world import World


def with_an_asset_that_is_over() -> World:
    world = World(auto_renew=False)
    world.pass_by(20)
    end = (world.contract().term.start_on).replace(day=28).isoformat()
    world.ask(changes.amend, AmendAssets.model_validate({"assets": [{"asset_id": world.care, "end": end}]}))
    world.pass_by(60)
    return world


def test_a_contract_is_cancelled_although_an_asset_of_it_is_over() -> None:
    world = with_an_asset_that_is_over()
    over = world.records[world.care]
    world.ask(
        changes.cancel, CancelAssets.model_validate({"contract_id": world.contract_id, "effective": "period_end"})
    )
    assert world.records[world.seats].cancelled
    assert world.records[world.care] == over
    assert world.contract().status == "declined"


def test_a_renewed_contract_does_not_bring_back_what_was_over() -> None:
    world = with_an_asset_that_is_over()
    over = world.records[world.care]
    world.ask(changes.renew, RenewAssets.model_validate({"contract_id": world.contract_id}))
    assert world.records[world.care] == over
    assert world.contract().term.number == 2


def test_a_contract_in_grace_is_renewed_from_its_end() -> None:
    world = World(auto_renew=False)
    world.pass_by(380)
    assert world.contract().status == "grace"
    end = world.contract().term.ends_at
    world.ask(changes.renew, RenewAssets.model_validate({"contract_id": world.contract_id}))
    assert {world.records[asset].periods[-1].start for asset in (world.seats, world.care)} == {end}


def test_what_has_no_end_is_cancelled_with_its_contract_and_what_was_bought_once_is_kept() -> None:
    world = World(auto_renew=False)
    for asset_id, model in ((world.seats, SellingModel.EVERGREEN), (world.care, SellingModel.ONE_TIME)):
        record = world.records[asset_id]
        action = record.actions[0].having(
            lifecycle_end=None, sources=tuple(row.having(end=None) for row in record.actions[0].sources)
        )
        period = record.periods[0].having(end=None, amount=None)
        asset = record.asset.having(selling_model=model)
        world.records[asset_id] = record.having(asset=asset, actions=(action,), periods=(period,))
    world.pass_by(60)
    world.ask(changes.cancel, CancelAssets.model_validate({"contract_id": world.contract_id}))
    assert world.records[world.seats].cancelled
    assert not world.records[world.care].cancelled


def test_a_contract_that_is_cancelled_now_is_so_with_what_would_have_had_no_units_later() -> None:
    world = World(auto_renew=False)
    world.pass_by(30)
    later = (world.situation().today + timedelta(days=40)).isoformat()
    world.ask(
        changes.amend,
        AmendAssets.model_validate({"assets": [{"asset_id": world.seats, "remove": 40}], "effective": later}),
    )
    world.ask(changes.cancel, CancelAssets.model_validate({"contract_id": world.contract_id}))
    assert world.records[world.seats].cancelled
    assert {world.records[asset].end for asset in (world.seats, world.care)} == {world.now}


def test_a_contract_whose_grace_is_over_is_renewed_from_now_on() -> None:
    world = World(auto_renew=False)
    world.pass_by(420)
    assert world.contract().status == "ended"
    world.ask(changes.renew, RenewAssets.model_validate({"contract_id": world.contract_id, "months": 3}))
    record = world.records[world.seats]
    assert [(period.start, period.quantity) for period in record.periods][1:] == [
        (record.periods[0].end, 0),
        (world.now, 40),
    ]
    assert world.contract().term.starts_at == world.now


def test_what_was_exchanged_or_reduced_to_nothing_is_cancelled_with_its_contract() -> None:
    world = World(auto_renew=False)
    world.pass_by(20)
    out = {"asset_id": world.care, "to_product": "PRO", "unit_price": "9", "to_asset_id": "in"}
    world.ask(changes.swap, SwapAssets.model_validate({"assets": [out]}))
    world.pass_by(20)
    world.ask(changes.cancel, CancelAssets.model_validate({"contract_id": world.contract_id}))
    more = {"asset_id": world.care, "add": 1, "unit_price": "5"}
    with pytest.raises(Refusal, match="sell it anew"):
        world.ask(changes.amend, AmendAssets.model_validate({"assets": [more]}))


def test_a_swap_before_a_contract_begins_leaves_its_beginning_where_it_is() -> None:
    world = World(auto_renew=False, begins_in=30)
    begins = world.contract().term.start_on
    later = (begins + timedelta(days=40)).isoformat()
    for asset_id in (world.seats, world.care):
        out = {"asset_id": asset_id, "to_product": "PRO", "unit_price": "9", "to_asset_id": f"{asset_id}-in"}
        world.ask(changes.swap, SwapAssets.model_validate({"assets": [out], "effective": later}))
    assert world.contract().term.start_on == begins


def test_what_is_added_before_a_contract_begins_that_is_renewed_already_begins_with_it() -> None:
    world = World(auto_renew=False, begins_in=30)
    begins = world.contract().term.starts_at
    world.ask(changes.renew, RenewAssets.model_validate({"contract_id": world.contract_id, "months": 12}))
    more = {"contract_id": world.contract_id, "product": "PRO", "quantity": 2, "unit_price": "9", "asset_id": "more"}
    world.ask(changes.amend, AmendAssets.model_validate({"add_ons": [more]}))
    assert world.records["more"].start == begins
