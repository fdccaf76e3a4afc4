"""What a customer's move to another zone or country changes of what is planned."""

from __future__ import annotations

from typing import Any

import pytest

from domain import holding
from domain.account_changes import ChangeAccount, change_account
from domain.journey import Step
from domain.situation import Situation
from tests.domain.amending.world import World


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
    after = before.model_copy(update={"account": before.account.model_copy(update=elsewhere)})
    there = Situation(after, situation.playbook, situation.as_of)
    assert len(holding.after_move(before, there)) == looks
    assert holding.after_move(None, there) == []
