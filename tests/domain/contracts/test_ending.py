"""The end of a contract: what waits for an answer waits no more."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from domain.contracts.ending import end_contract
from domain.frame.success_facts import OfferFacts
from domain.success.writes import SettleOffer
from tests.domain.contracts.world import World


@pytest.mark.parametrize(("status", "covered", "settled"), [("open", True, 1), ("open", False, 0), ("declined", True, 0)])  # fmt: skip
def test_offers_for_what_a_contract_covered_are_over_with_it(status: str, covered: bool, settled: int) -> None:
    world = World(auto_renew=False)
    situation, contract = world.situation(), world.contract()
    offer = OfferFacts(
        offer_id="O-1",
        asset_id=world.seats if covered else "elsewhere",
        add=5,
        unit_price=Decimal(100),
        status=status,
        offered_at=world.now,
        expires_at=world.now + timedelta(days=30),
    )
    customer = situation.customer.having(offers=[offer])
    decision = end_contract(replace(situation, customer=customer), contract, contract.stage, "declined")
    assert len([write for write in decision.writes if isinstance(write, SettleOffer)]) == settled
