"""No units are a quantity, not a cancellation: the contract goes on to the end of its term, and ends there if nothing was added."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.contracts import changes, renewal_answers
from domain.contracts.requests import AmendAssets, AnswerRenewal, CancelAssets
from domain.kernel.refusals import Refusal
from tests.domain.contracts.world import World


def emptied(*, auto_renew: bool = True) -> World:
    """A contract all of whose units were taken away after twenty days."""
    world = World(auto_renew=auto_renew)
    world.pass_by(20)
    lines = [{"asset_id": id, "remove": world.records[id].periods[-1].quantity} for id in (world.seats, world.care)]
    world.ask(changes.amend, AmendAssets.model_validate({"assets": lines}))
    return world


def to_the_end(world: World) -> None:
    world.pass_by((world.contract().term.until - world.situation().today).days + 1)


@pytest.mark.parametrize("ahead", [0, 30])
def test_units_added_again_are_renewed_with_their_contract(ahead: int) -> None:
    world = emptied()
    assert world.contract().status == "active"
    world.pass_by(40)
    asked: dict[str, object] = {"assets": [{"asset_id": world.seats, "add": 4, "unit_price": "50"}]}
    if ahead:
        asked["effective"] = (world.situation().today + timedelta(days=ahead)).isoformat()
    world.ask(changes.amend, AmendAssets.model_validate(asked))
    to_the_end(world)
    assert (world.contract().status, world.contract().term.number) == ("active", 2)
    assert world.records[world.seats].end == world.contract().term.ends_at
    assert world.records[world.seats].periods[-1].quantity == 4
    assert world.records[world.care].end == world.terms[world.contract_id][0].ends_at


@pytest.mark.parametrize("auto_renew", [True, False])
def test_a_contract_without_units_ends_with_its_term_and_nobody_is_asked_to_renew_it(auto_renew: bool) -> None:
    world = emptied(auto_renew=auto_renew)
    end = world.contract().term.ends_at
    to_the_end(world)
    assert (world.contract().status, world.contract().term.number) == ("ended", 1)
    assert world.contract().term.ends_at == end
    assert world.state.stages == {}


def test_a_contract_without_units_cannot_be_renewed_and_can_be_cancelled() -> None:
    world = emptied()
    answer = AnswerRenewal.model_validate({"contract_id": world.contract_id, "decision": "accept"})
    with pytest.raises(Refusal, match="add units first"):
        renewal_answers.answer(world.situation(), answer)
    world.ask(changes.cancel, CancelAssets.model_validate({"contract_id": world.contract_id}))
    assert world.contract().status == "ended"
