"""The rhythm of orders: what an order of goods plans anew."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.frame.customer import PurchaseFacts
from domain.journey.activation import begin
from domain.journey.sale import Sale
from domain.success import reorder
from tests.domain.contracts.world import World


@pytest.mark.parametrize(("latest", "moves"), [(-40, True), (0, True), (1, True), (2, False)])
def test_the_rhythm_moves_with_an_order_of_today_though_the_latest_is_of_tomorrow(latest: int, moves: bool) -> None:
    """Who moves west after an order may order again on what is the day before there. What is older moves it in hindsight."""
    situation = World(auto_renew=True).situation()
    days = {"SO-8": situation.in_days(latest - 60), "SO-9": situation.in_days(latest), "SO-10": situation.today}
    purchases = [PurchaseFacts(order_id=order_id, day=day) for order_id, day in days.items()]
    after = replace(situation, customer=situation.customer.having(purchases=purchases))
    outcome, _, _ = begin(after, "SO-10", after.today, Sale([], []), first=False, opening=False, goods=True)
    planned = [step for step in outcome.plan if step.stage == reorder.STAGE]
    assert planned == (reorder.steps_after(after, list(days.values())) if moves else [])
