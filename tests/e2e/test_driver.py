"""Random customers for half a minute; `python -m tests.driver` is the long run."""

from __future__ import annotations

from random import Random

import pytest

from tests.driver import case_requests, journey_requests
from tests.driver.running import drive, requests, rules
from tests.driver.spoiling import spoilt
from tests.driver.tally import Tally


@pytest.mark.slow("driver")
async def test_random_customers_break_nothing() -> None:
    """Every rule of the tables holds, no step fails, nothing is set aside, a third of what is asked is refused, and every agenda
    follows from the facts."""
    table, wrong = await drive(0.4, seed=20261128, scale=0)
    assert wrong == [], table


def test_every_request_that_there_is_can_be_made() -> None:
    made = [*journey_requests.MAKERS, *journey_requests.APART, *(f"case.{name}" for name in case_requests.MAKERS)]
    assert sorted(requests()) == sorted(made)
    assert len(made) > 50


def test_a_run_that_reached_too_little_says_what() -> None:
    tally = Tally()
    tally.accepted.update({"pause": 30, "resume": 19})
    tally.refused["pause"] = 10
    found = "\n".join(tally.shortcomings(["pause", "resume"], ["renewal_notice"], 1))
    assert "only 10 of 59 requests were refused" in found
    assert "resume was accepted 19 times; at least 20" in found
    assert "pause was" not in found
    assert "the step renewal_notice was never reached" in found


def test_the_rules_are_many_and_the_same_seed_spoils_the_same() -> None:
    assert len(rules()) > 25
    request = {"assets": [{"asset_id": "A", "add": 3}], "effective": "2027-01-01"}
    ways = [spoilt(request, Random(seed)) for seed in range(50)]
    assert ways == [spoilt(request, Random(seed)) for seed in range(50)]
    assert sum(one != request for one in ways) >= 45
    assert request == {"assets": [{"asset_id": "A", "add": 3}], "effective": "2027-01-01"}
