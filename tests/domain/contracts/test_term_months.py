"""What joins a term in the middle of a month costs what the same units would cost if they were there already."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from domain.assets.model import AssetRecord
from domain.assets.worth import exact_cost
from domain.billing.billing import ContractBilling, ContractTerm, Due, settle
from domain.contracts import changes
from domain.contracts.requests import AmendAssets, RenewAssets, SwapAssets
from domain.frame.ownership import POLICY
from domain.orders.order import BillingFrequency
from tests.domain.contracts.world import World

ZONE = "Asia/Tokyo"


def invoiced(world: World, record: AssetRecord, billing: BillingFrequency) -> list[Decimal]:
    """What is invoiced from today to the end of the term, each time that something falls due."""
    term = world.contract().term
    contract = ContractBilling(
        contract_id=world.contract_id,
        billing=billing,
        terms=(ContractTerm(start_on=term.start_on, until=term.until),),
    )
    due = Due(record, None, contract, [])
    day, found = world.situation().today, []
    while True:
        settled = settle(due, day, ZONE, POLICY)
        found.append(sum((line.amount for line in settled.lines), Decimal(0)))
        due = Due(record, record, contract, [*due.billed, *settled.lines])
        if settled.next_day is None:
            return found
        day = settled.next_day


def test_an_add_on_in_the_middle_of_a_month_costs_what_an_upsell_does() -> None:
    world = World(auto_renew=True, zone=ZONE)
    start = world.contract().term.start_on
    world.pass_by((start.replace(day=18) - world.situation().today).days)
    line = {"contract_id": world.contract_id, "product": "PRO", "quantity": 5, "unit_price": "2000", "asset_id": "ADD"}
    upsell = {"asset_id": world.seats, "add": 5, "unit_price": "2000"}
    world.ask(changes.amend, AmendAssets.model_validate({"add_ons": [line], "assets": [upsell]}))
    added, seats = world.records["ADD"], world.records[world.seats]
    assert added.actions[-1].product_amount_change == seats.actions[-1].product_amount_change
    monthly = invoiced(world, added, BillingFrequency.MONTHLY)
    assert monthly[1:] == [Decimal(10000)] * 11
    assert sum(monthly) == added.periods[0].amount


def test_an_even_swap_in_the_middle_of_a_month_costs_nothing() -> None:
    world = World(auto_renew=True, zone=ZONE)
    world.pass_by(80)
    line = {"asset_id": world.seats, "to_product": "PRO", "unit_price": "1200", "to_asset_id": "NEW"}
    world.ask(changes.swap, SwapAssets.model_validate({"assets": [line]}))
    gone, come = (world.records[asset_id].actions[-1].product_amount_change for asset_id in (world.seats, "NEW"))
    assert come is not None
    assert gone == -come


def test_an_add_on_costs_what_an_upsell_does_even_if_a_renewal_off_the_months_is_agreed_ahead() -> None:
    world = World(auto_renew=True, zone=ZONE)
    world.pass_by(40)
    first = world.contract().term.start_on + timedelta(days=70)
    asked = {"contract_id": world.contract_id, "start": first.isoformat(), "months": 12, "uplift_percent": "0"}
    world.ask(changes.renew, RenewAssets.model_validate(asked))
    before = exact_cost(world.records[world.seats], POLICY)
    world.pass_by(5)
    line = {"contract_id": world.contract_id, "product": "PRO", "quantity": 5, "unit_price": "2000", "asset_id": "ADD"}
    upsell = {"asset_id": world.seats, "add": 5, "unit_price": "2000"}
    world.ask(changes.amend, AmendAssets.model_validate({"add_ons": [line], "assets": [upsell]}))
    after, added = (exact_cost(world.records[asset_id], POLICY) for asset_id in (world.seats, "ADD"))
    assert before is not None
    assert after is not None
    assert added == after - before
