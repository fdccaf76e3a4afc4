"""What a customer's move to another zone or country changes of what is planned."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.billing.bill import BillLine
from domain.billing.billing import Due
from domain.billing.billing import settle as settled
from domain.contracts.changes import cancel
from domain.contracts.requests import CancelAssets, Named
from domain.frame.ownership import POLICY
from domain.frame.situation import Situation
from domain.frame.state import Step
from domain.holds import holding
from domain.journey.account_changes import ChangeAccount, change_account
from domain.journey.planning import agenda
from domain.orders.order import BillingFrequency
from tests.domain.contracts.world import World
from tests.domain.journey.test_horizons import facts_of

EAST, WEST = "Pacific/Kiritimati", "Pacific/Pago_Pago"


@pytest.fixture
def situation() -> Situation:
    return World(auto_renew=True).situation()


def planned(situation: Situation, **changes: str) -> list[Step]:
    _, decision = change_account(situation, ChangeAccount(request_id="r-1", by="S-1", **changes), {}, None)
    return decision.outcome.plan


def test_what_is_looked_at_on_business_mornings_is_looked_at_anew_in_another_zone(situation: Situation) -> None:
    (look,) = planned(situation, time_zone="Europe/Paris")
    assert (look.kind, look.at) == ("service_review", situation.as_of)


def test_who_stays_where_they_are_is_not_looked_at(situation: Situation) -> None:
    assert planned(situation, language="en") == []
    assert planned(situation, time_zone=situation.customer.account.time_zone) == []


@pytest.mark.parametrize(("elsewhere", "looks"), [({"time_zone": "Asia/Seoul"}, 1), ({"country": "KR"}, 1), ({"name": "Aoi & Co"}, 0)])  # fmt: skip
def test_an_order_from_elsewhere_has_it_looked_at_too(
    situation: Situation, elsewhere: dict[str, Any], looks: int
) -> None:
    before = situation.customer
    after = before.having(account=before.account.having(**elsewhere))
    there = Situation(after, situation.playbook, situation.as_of)
    assert len(holding.after_move(before, there)) == looks
    assert holding.after_move(None, there) == []


def west(situation: Situation) -> Situation:
    moved, _ = change_account(situation, ChangeAccount(request_id="r-2", by="S-1", time_zone=WEST), {}, None)
    return moved


def test_no_day_is_invoiced_by_again_for_who_has_moved_west() -> None:
    """On Kiritimati it is always a later day than on Pago Pago."""
    before = World(auto_renew=True, zone=EAST).situation()
    there = west(before)
    assert there.today < before.today == there.billing_day
    later = replace(there, as_of=there.as_of + timedelta(days=3))
    assert later.billing_day == later.today > before.today
    back, _ = change_account(there, ChangeAccount(request_id="r-3", by="S-1", time_zone=EAST), {}, None)
    assert back.billing_day == before.today


def test_what_was_charged_and_given_back_on_the_day_of_a_move_west_stays_so() -> None:
    world = World(auto_renew=True, zone=EAST)
    world.pass_by(40)
    facts = facts_of(world, BillingFrequency.WHOLE_TERM)
    billed: dict[str, list[BillLine]] = {}

    def settle() -> list[BillLine]:
        """What is invoiced or credited now is on record afterwards."""
        new: list[BillLine] = []
        for asset_id, record in world.situation().records.items():
            lines = billed.setdefault(asset_id, [])
            due = Due(record, record, facts.billing.get(record.asset.contract_id or ""), tuple(lines))
            found = settled(due, world.situation().billing_day, EAST, POLICY).lines
            lines += found
            new += found
        return new

    assert sum(line.amount for line in settle()) > 0
    world.ask(cancel, CancelAssets(assets=(Named(asset_id=world.seats),), by="S-1"))
    assert sum(line.amount for line in settle()) < 0
    assert settle() == []
    there = west(world.situation())
    world.customer = there.customer
    assert settle() == []
    overdue = [
        step
        for step in agenda(replace(facts, situation=world.situation(), now=world.now, billed=billed)).plan()
        if step.kind == "billing_invoice" and step.at <= world.now
    ]
    assert overdue == []
