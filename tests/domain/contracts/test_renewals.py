"""What a renewal costs: as it was told, lot by lot, whether prices are by the month or by the year."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.contracts import changes
from domain.contracts.renewal_quote import assets_of_next_term, quote_renewal
from domain.contracts.renewal_status import RenewalStatus
from domain.contracts.requests import AmendAssets, RenewAssets, SwapAssets
from domain.contracts.requoting import requote
from domain.contracts.writes import QuoteRenewal
from domain.frame.agreed import agreed_price
from domain.kernel.money import rounding_of
from domain.kernel.refusals import Refusal
from domain.orders.order import PricePer
from tests.domain.contracts.test_histories import ACTS, ZONES, Act
from tests.domain.contracts.world import World
from tests.properties import examples


@examples(150)
@given(ZONES, st.lists(ACTS, min_size=2, max_size=8))
def test_what_is_told_of_the_next_term_is_what_the_ledger_books(zone: str, acts: list[Act]) -> None:
    world = World(auto_renew=True, zone=zone)
    for act in acts:
        try:
            act(world)
        except Refusal:
            continue
        contract, situation = world.contract(), world.situation()
        if contract.status != "active" or contract.term.starts_at > world.now:
            continue
        quote = quote_renewal(situation, contract)
        booked = [change.after.actions[-1].amount_change for _, change in assets_of_next_term(situation, contract)]
        rounding = rounding_of(quote.currency)
        assert quote.total == sum((rounding.apply(amount) for amount in booked if amount), Decimal(0))
        assert quote.total == sum((Decimal(line["amount"]["amount"]) for line in quote.lines), Decimal(0))


def with_two_yearly_prices() -> World:
    """Care at 60,000 a year, and another unit of it that was had for 50,000."""
    world = World(auto_renew=True)
    line = {"asset_id": world.care, "add": 1, "unit_price": "50000"}
    world.pass_by(20)
    world.ask(changes.amend, AmendAssets.model_validate({"assets": [line], "effective": "2027-01-01"}))
    return world


def prices(world: World) -> list[Decimal]:
    """The yearly prices of the latest term's lots."""
    action = world.records[world.care].actions[-1]
    found = (row.unit_price for row in action.sources if row.quantity > 0)
    return [agreed_price(price, PricePer.YEAR) for price in found if price is not None]


def test_a_cheap_unit_bought_later_does_not_make_all_cheap() -> None:
    world = with_two_yearly_prices()
    lines = [line for line in quote_renewal(world.situation(), world.contract()).lines if line["per"] == "year"]
    assert [(line["unit_price"]["amount"], line["amount"]["amount"]) for line in lines] == [
        ("60000", "60000"),
        ("50000", "50000"),
    ]
    world.pass_by(400)
    assert prices(world) == [Decimal(60000), Decimal(50000)]


def test_a_yearly_price_is_raised_as_such_lot_by_lot() -> None:
    world = with_two_yearly_prices()
    world.ask(changes.renew, RenewAssets.model_validate({"contract_id": world.contract_id, "uplift_percent": "3.337"}))
    assert prices(world) == [Decimal(62002), Decimal(51669)]


def test_a_price_that_is_given_is_not_raised() -> None:
    world = with_two_yearly_prices()
    line = {"asset_id": world.care, "price": "70000"}
    world.ask(changes.renew, RenewAssets.model_validate({"assets": [line], "uplift_percent": "10"}))
    assert prices(world) == [Decimal(70000)]


CPI = {
    "region": "JP",
    "rates": [{"valid_from": "2026-01-01", "percent": "2.5"}, {"valid_from": "2027-06-01", "percent": "3"}],
}


@pytest.mark.parametrize(
    ("more", "price"),
    [
        ({}, Decimal("61800")),
        ({"on": "2027-05-31"}, Decimal("61500")),
        ({"spread_percent": "2"}, Decimal("63000")),
        ({"spread_percent": "2", "combination": "compound"}, Decimal("63036")),
    ],
)
def test_a_renewal_by_an_index_takes_the_rate_of_its_day(more: dict[str, Any], price: Decimal) -> None:
    world = World(auto_renew=True)
    index = {**CPI, **more}
    world.ask(changes.renew, RenewAssets.model_validate({"contract_id": world.contract_id, "index": index}))
    assert prices(world) == [price]


def test_without_a_rate_for_the_day_nothing_is_renewed() -> None:
    world = World(auto_renew=True)
    index = {**CPI, "on": "2025-12-31"}
    before = world.records
    with pytest.raises(Refusal) as told:
        world.ask(changes.renew, RenewAssets.model_validate({"contract_id": world.contract_id, "index": index}))
    assert told.value.type == "NoIndexRate"
    assert world.records == before
    with pytest.raises(ValueError, match="not both"):
        RenewAssets.model_validate({"contract_id": "K-1", "index": CPI, "uplift_percent": "3"})


@pytest.mark.parametrize("swaps", [0, 2])
@pytest.mark.parametrize("first", ["2027-03-01", "2027-03-11", "2027-03-30"])
def test_an_early_renewal_lists_whole_months_at_their_price_whatever_it_cuts_short(first: str, swaps: int) -> None:
    world = World(auto_renew=True)
    world.pass_by(30)
    held = world.seats
    for number, price in enumerate(["1999", "1333"][:swaps]):
        line = {"asset_id": held, "to_product": "PRO", "unit_price": price, "to_asset_id": f"NEW-{number}"}
        world.ask(changes.swap, SwapAssets.model_validate({"assets": [line]}))
        held = f"NEW-{number}"
    more = {"asset_id": held, "add": 3, "unit_price": "777"}
    world.ask(changes.amend, AmendAssets.model_validate({"assets": [more]}))
    asked = RenewAssets.model_validate({"contract_id": world.contract_id, "start": first, "months": 12})
    decision = changes.renew(world.desk(), asked)
    [quote] = [write for write in decision.writes if isinstance(write, QuoteRenewal)]
    monthly = 40 * {0: 1200, 2: 1333}[swaps] + 3 * 777
    assert quote.total == 12 * monthly + 60_000
    assert sum(Decimal(line["amount"]["amount"]) for line in quote.lines) == quote.total


def test_a_renewal_that_is_quoted_anew_is_shown_as_quoted() -> None:
    """Even if the quote before was asked for, and a notice without one came since."""
    world = World(auto_renew=True)
    world.pass_by(320)
    contract = world.contract()
    anew = requote(world.situation(), {contract.contract_id: Decimal(1)})
    assert anew is not None
    stage = anew.outcome.stages[contract.stage]
    assert stage is not None
    assert (stage.status, stage.until) == (RenewalStatus.QUOTED, contract.term.ends_at)
    assert requote(world.situation(), {}) is None
