"""What reaches another account only after it was over is on record there from its first day on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.contracts.replanning import replan
from domain.contracts.writes import BeginTerm, OpenContract, SetContractStatus
from tests.domain.contracts.world import World


@pytest.mark.parametrize("renewed", [True, False])
def test_a_contract_that_is_over_when_it_comes_has_all_its_terms(renewed: bool) -> None:
    world = World(auto_renew=False)
    contract = world.contract()
    latest = contract.term
    if renewed:
        later = {"number": 2, "start_on": latest.until, "starts_at": latest.ends_at}
        later |= {"until": latest.until + timedelta(days=90), "ends_at": latest.ends_at + timedelta(days=90)}
        latest = latest.having(**later)
    taken = contract.having(contract_id="K-9", term=latest, previous=contract.term if renewed else None)
    world.now = latest.ends_at + timedelta(days=30)
    opened = replan(world.situation(), world.records, touched=(), opened=[taken])
    terms = [w.contract.term.number for w in opened.writes if isinstance(w, OpenContract)]
    terms += [w.number for w in opened.writes if isinstance(w, BeginTerm)]
    assert terms == ([1, 2] if renewed else [1])
    assert [w.status for w in opened.writes if isinstance(w, SetContractStatus)] == ["ended"]
    assert opened.outcome.plan == []
