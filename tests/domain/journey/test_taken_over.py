"""Orders that are taken over when what they sold is over already."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.journey import activation
from domain.journey.sale import sale_of
from domain.orders.order import read_order
from domain.success.writes import OpenOnboardingTask
from tests.builders import order
from tests.domain.contracts.world import World


@pytest.mark.parametrize(("months", "asked"), [(1, False), (12, True)])
def test_nobody_is_onboarded_for_what_has_ended(months: int, asked: bool) -> None:
    world = World(auto_renew=False)
    sold_at = world.now - timedelta(days=35)
    document = order(activated_at=sold_at.isoformat(), lines=[])
    document["contracts"][0]["term"] = {"start": sold_at.date().isoformat(), "months": months}
    placed = read_order(document)
    sale = sale_of(placed, {product.code: product for product in placed.products})
    customer = world.customer.having(contracts=[*world.customer.contracts, *sale.contracts])
    situation = replace(world.situation(), customer=customer, imported=True)
    decision = activation.accept(situation, placed, sale, first=False, opening=False, goods=False)
    opened = [w for w in decision.writes if isinstance(w, OpenOnboardingTask) and w.status == "open"]
    planned = [step for step in decision.outcome.plan if step.stage.startswith("onboarding:")]
    assert (bool(opened), bool(planned), bool(decision.outcome.stages)) == (asked, asked, asked)
