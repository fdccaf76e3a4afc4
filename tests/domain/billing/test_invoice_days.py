"""What a changed contract costs is invoiced on its billing days, whatever was changed and when it was asked for."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from domain.billing.bill import BillLine
from domain.billing.billing import ContractBilling, ContractTerm, Due, settle, terms_of
from domain.contracts import changes
from domain.contracts.requests import RenewAssets
from domain.frame.ownership import POLICY
from domain.orders.order import BillingFrequency
from tests.domain.contracts.world import World

ZONE = "Asia/Tokyo"


def billing_of(world: World, frequency: BillingFrequency) -> ContractBilling:
    """How the world's contract is billed, with all its terms."""
    terms = tuple(ContractTerm(start_on=term.start_on, until=term.until) for term in world.terms[world.contract_id])
    return ContractBilling(contract_id=world.contract_id, billing=frequency, terms=terms)


def invoiced(world: World, asset_id: str, frequency: BillingFrequency, billed: list[BillLine]) -> dict[date, Decimal]:
    """What an asset is invoiced for from now on, by the days on which billing itself looks at it."""
    contract, record = billing_of(world, frequency), world.records[asset_id]
    day: date | None = world.situation().today
    found: dict[date, Decimal] = {}
    billed = list(billed)
    while day is not None:
        settled = settle(Due(record, record, contract, billed), day, ZONE, POLICY)
        if settled.lines:
            found[day] = sum((line.amount for line in settled.lines), Decimal(0))
        billed += settled.lines
        day = settled.next_day
    return found


def sold(world: World, asset_id: str, frequency: BillingFrequency) -> list[BillLine]:
    """The lines of an asset's first term."""
    contract, record = billing_of(world, frequency), world.records[asset_id]
    lines: list[BillLine] = []
    day: date | None = world.contract().term.start_on
    while day is not None:
        settled = settle(Due(record, record if lines else None, contract, lines), day, ZONE, POLICY)
        lines += settled.lines
        day = settled.next_day
    return lines


@pytest.mark.parametrize("ahead", [0, 1, 10])
@pytest.mark.parametrize("frequency", [BillingFrequency.MONTHLY, BillingFrequency.QUARTERLY, BillingFrequency.YEARLY])
def test_a_late_renewal_is_invoiced_from_its_first_day_on_even_if_asked_for_before_it(
    ahead: int, frequency: BillingFrequency
) -> None:
    world = World(auto_renew=False, zone=ZONE)
    billed = sold(world, world.seats, frequency)
    world.pass_by((world.contract().term.until - world.situation().today).days + 10)
    start = world.situation().today + timedelta(days=ahead)
    asked = {"contract_id": world.contract_id, "start": start.isoformat(), "months": 7, "uplift_percent": "0"}
    world.ask(changes.renew, RenewAssets.model_validate(asked))
    monthly = world.records[world.seats].periods[-1].mrr
    assert monthly
    found = invoiced(world, world.seats, frequency, billed)
    assert min(found) == start
    assert sum(found.values()) == 7 * monthly


def test_an_early_renewal_off_the_grid_gives_its_billing_days_to_the_terms_that_follow() -> None:
    days = [date(2027, 1, 30), date(2027, 5, 10), date(2027, 8, 10), date(2029, 2, 10)]
    terms = tuple(ContractTerm(start_on=start, until=until) for start, until in pairwise(days))
    contract = ContractBilling(contract_id="K-1", billing=BillingFrequency.YEARLY, terms=terms)
    periods = terms_of(contract, ZONE).periods(days[0])
    assert periods.after(date(2027, 1, 30)) == date(2027, 5, 10)
    assert periods.after(date(2027, 5, 10)) == periods.after(date(2027, 8, 10)) == date(2028, 5, 10)
    assert periods.after(date(2028, 5, 10)) == date(2029, 5, 10)
