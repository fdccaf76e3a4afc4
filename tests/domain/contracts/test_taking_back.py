"""What can be taken back before it takes effect, with all that hung on it: cancellations, a declined renewal; and what is added instead."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.contracts import changes, renewal_answers, taking_back
from domain.contracts.requests import AmendAssets, AnswerRenewal, CancelAssets, RenewAssets, RollBack
from domain.contracts.telling import takes_effect
from domain.kernel.refusals import Refusal
from tests.domain.contracts.test_histories import check
from tests.domain.contracts.world import World


def cancel(world: World, effective: str, **what: object) -> None:
    document = {**(what or {"contract_id": world.contract_id}), "effective": effective}
    world.ask(changes.cancel, CancelAssets.model_validate(document))


def roll_back(world: World, asset_id: str | None = None) -> None:
    world.ask(taking_back.roll_back, RollBack.model_validate({"asset_id": asset_id or world.seats}))


def answer(world: World, decision: str) -> None:
    document = {"contract_id": world.contract_id, "decision": decision, "reason": "they said so"}
    world.apply(renewal_answers.answer(world.situation(), AnswerRenewal.model_validate(document)))


def ahead(world: World) -> list[tuple[str, str, object]]:
    """What is planned for the contract, without the numbers that steps get when a term's dates were changed."""
    of_contract = (step for step in world.state.agenda if step.stage.startswith("renewal:"))
    return [(step.kind, step.name.partition(".")[0], step.at) for step in of_contract]


def in_days(world: World, days: int) -> str:
    return (world.situation().today + timedelta(days=days)).isoformat()


def snapshot(world: World) -> object:
    contract = world.contract()
    terms = [term and term.having(moves=0) for term in (contract.previous, contract.term)]
    periods = {asset: record.periods for asset, record in world.records.items()}
    stages = {name: stage for name, stage in world.state.stages.items() if not name.startswith("onboarding")}
    return ahead(world), stages, contract.status, terms, periods


@pytest.mark.parametrize("auto_renew", [True, False])
@pytest.mark.parametrize("day", [None, 100])
def test_a_cancelled_contract_is_as_before_once_the_cancellation_is_taken_back(
    auto_renew: bool, day: int | None
) -> None:
    world = World(auto_renew=auto_renew)
    world.pass_by(20)
    before = snapshot(world)
    cancel(world, "period_end" if day is None else in_days(world, day))
    assert world.contract().status == "declined"
    world.pass_by(10)
    roll_back(world, world.care)
    assert snapshot(world) == before
    world.pass_by(350)
    assert world.contract().status == ("active" if auto_renew else "grace")
    assert world.contract().term.number == (2 if auto_renew else 1)
    check(world)


@pytest.mark.parametrize("auto_renew", [True, False])
def test_a_contract_that_was_cancelled_ends_so_and_not_as_declined(auto_renew: bool) -> None:
    cancelled, declined = World(auto_renew=auto_renew), World(auto_renew=auto_renew)
    cancelled.pass_by(20)
    cancel(cancelled, in_days(cancelled, 90))
    declined.pass_by(300)
    answer(declined, "decline")
    for world in (cancelled, declined):
        world.pass_by(100)
    assert (cancelled.contract().status, cancelled.contract().status_reason) == ("ended", "nothing of it is left")
    assert (declined.contract().status, declined.contract().status_reason) == ("ended", "declined")


def test_one_of_two_that_were_cancelled_apart_keeps_the_contract() -> None:
    world = World(auto_renew=True)
    world.pass_by(20)
    for asset_id in (world.seats, world.care):
        cancel(world, "period_end", assets=[{"asset_id": asset_id}])
    assert world.contract().status == "declined"
    roll_back(world)
    assert world.contract().status == "active"
    world.pass_by(400)
    assert world.contract().term.number == 2
    assert not world.records[world.seats].cancelled
    assert world.records[world.care].cancelled


@pytest.mark.parametrize("when", ["period_end", "100"])
def test_a_next_term_that_was_sold_before_is_there_again(when: str) -> None:
    world = World(auto_renew=True)
    world.pass_by(20)
    world.ask(changes.renew, RenewAssets.model_validate({"contract_id": world.contract_id, "months": 12}))
    before = snapshot(world)
    cancel(world, when if when == "period_end" else in_days(world, int(when)))
    roll_back(world)
    assert snapshot(world) == before
    check(world)


def test_a_customer_who_declined_before_has_declined_still() -> None:
    world = World(auto_renew=True)
    world.pass_by(20)
    answer(world, "decline")
    before = snapshot(world)
    cancel(world, in_days(world, 50))
    roll_back(world)
    assert snapshot(world) == before
    answer(world, "accept")
    assert (world.contract().status, world.contract().term.number) == ("active", 2)
    check(world)


def test_a_decline_is_taken_back_until_the_term_ends() -> None:
    declined, accepted = World(auto_renew=True), World(auto_renew=True)
    for world in (declined, accepted):
        world.pass_by(300)
    answer(declined, "decline")
    answer(declined, "accept")
    answer(accepted, "accept")
    assert ahead(declined) == ahead(accepted)
    for world in (declined, accepted):
        assert [stage.status for name, stage in world.state.stages.items() if name.startswith("renewal")] == [
            "accepted"
        ]
        assert (world.contract().status, world.contract().term.number) == ("active", 2)
    late = World(auto_renew=True)
    late.pass_by(300)
    answer(late, "decline")
    late.pass_by(70)
    with pytest.raises(Refusal, match="order"):
        answer(late, "accept")


def test_every_refusal_names_the_way_that_is_open() -> None:
    world = World(auto_renew=True)
    world.pass_by(20)
    with pytest.raises(Refusal, match="cancel_assets"):
        roll_back(world)
    cancel(world, "period_end")
    more = AmendAssets.model_validate({"assets": [{"asset_id": world.seats, "add": 1}]})
    with pytest.raises(Refusal, match="rollback"):
        world.ask(changes.amend, more)
    with pytest.raises(Refusal, match="rollback"):
        answer(world, "accept")
    with pytest.raises(Refusal, match="rollback"):
        world.ask(changes.renew, RenewAssets.model_validate({"contract_id": world.contract_id}))
    roll_back(world)
    cancel(world, "now", assets=[{"asset_id": world.seats}])
    with pytest.raises(Refusal, match="sell it anew"):
        roll_back(world)
    answer(world, "decline")
    with pytest.raises(Refusal, match="accept takes that back"):
        answer(world, "decline")


@pytest.mark.parametrize("again", ["by itself", "accepted"])
def test_a_renewal_that_was_taken_back_can_be_sold_again(again: str) -> None:
    world = World(auto_renew=True)
    world.pass_by(300)
    answer(world, "accept")
    sold = world.records[world.seats].periods
    roll_back(world)
    if again == "accepted":
        answer(world, "accept")
    else:
        world.pass_by(70)
    assert world.contract().term.number == 2
    assert world.records[world.seats].periods == sold


def add_on(world: World) -> None:
    line = {"contract_id": world.contract_id, "asset_id": "more", "product": "PRO", "quantity": 6, "unit_price": "7"}
    world.ask(changes.amend, AmendAssets.model_validate({"add_ons": [line]}))


@pytest.mark.parametrize("auto_renew", [True, False])
@pytest.mark.parametrize("reduced", [False, True])
def test_what_is_added_to_a_contract_that_runs_out_keeps_it_alive(auto_renew: bool, reduced: bool) -> None:
    world = World(auto_renew=auto_renew)
    world.pass_by(20)
    cancel(world, "period_end", assets=[{"asset_id": world.seats}])
    if reduced:
        cancel(world, in_days(world, 40), assets=[{"asset_id": world.care}])
    else:
        cancel(world, "period_end", assets=[{"asset_id": world.care}])
    assert world.contract().status == "declined"
    world.pass_by(3)
    add_on(world)
    assert (world.contract().status, world.contract().status_reason) == ("active", "")
    end = world.contract().term.ends_at
    world.pass_by((world.contract().term.until - world.situation().today).days - 1)
    if not auto_renew:
        answer(world, "accept")
    world.pass_by(2)
    assert (world.contract().status, world.contract().term.number) == ("active", 2)
    assert world.records["more"].end == world.contract().term.ends_at > end
    assert world.records[world.seats].end == end


def test_what_is_added_after_the_customer_declined_ends_with_the_contract() -> None:
    world = World(auto_renew=False)
    world.pass_by(20)
    answer(world, "decline")
    world.pass_by(3)
    add_on(world)
    assert world.contract().status == "declined"
    world.pass_by((world.contract().term.until - world.situation().today).days + 1)
    assert world.contract().status == "ended"


def test_what_was_given_up_before_it_began_takes_no_effect() -> None:
    world = World(auto_renew=True)
    world.pass_by(20)
    line = {"contract_id": world.contract_id, "asset_id": "more", "product": "PRO", "quantity": 6, "unit_price": "7"}
    document = {"add_ons": [line], "effective": in_days(world, 30)}
    world.ask(changes.amend, AmendAssets.model_validate(document))
    [step] = [step for step in world.state.agenda if step.kind == "amendment_effective"]
    request_id = step.stage.split(":", 1)[1]
    assert takes_effect(world.records, world.customer, request_id, step.at)
    cancel(world, in_days(world, 30), assets=[{"asset_id": "more"}])
    assert takes_effect(world.records, world.customer, request_id, step.at) == []


def renew(world: World, **what: object) -> None:
    world.ask(changes.renew, RenewAssets.model_validate(what))


def prices(world: World, asset_id: str) -> list[str]:
    """The unit prices by the month of what an asset sells in its last period."""
    record = world.records[asset_id]
    last = record.periods[-1]
    return sorted(
        f"{row.unit_price:.2f}"
        for action in record.active
        for row in action.sources
        if row.start == last.start and row.quantity > 0
    )


@pytest.mark.parametrize("how", ["accepted", "asked", "early"])
def test_what_was_cancelled_while_its_contract_was_renewed_goes_on_with_it_once_that_is_taken_back(how: str) -> None:
    world = World(auto_renew=False)
    world.pass_by(300)
    end = world.contract().term.ends_at
    cancel(world, "period_end", assets=[{"asset_id": world.care}])
    asked: dict[str, object] = {"contract_id": world.contract_id, "months": 12, "uplift_percent": "10"}
    if how == "accepted":
        answer(world, "accept")
    else:
        renew(world, **asked, **({"start": in_days(world, 1)} if how == "early" else {}))
    term = world.contract().term
    assert world.records[world.seats].end == term.ends_at
    world.pass_by(2)
    decision = taking_back.roll_back(world.desk(), RollBack.model_validate({"asset_id": world.care}))
    (mail,) = decision.mails
    assert [row["change"] for row in mail.context["changes"]] == ["rolled_back", "renewed"]
    world.apply(decision)
    care = world.records[world.care]
    assert (care.end, care.last.effective) == (term.ends_at, end), "from its own end to the contract's"
    assert prices(world, world.care) == ["5000.00" if how == "accepted" else "5500.00"], "as the others"
    assert world.contract().term == term
    assert [line.title for line in (decision.line, *decision.more_lines)][1].startswith("Care: 1 unit renewed from")
    world.pass_by(200)
    assert (world.contract().status, world.records[world.care].periods[-1].quantity) == ("active", 1)
    check(world)


def test_a_renewal_at_prices_of_each_asset_leaves_what_was_cancelled_cancelled() -> None:
    """Nobody has agreed on a price for it."""
    world = World(auto_renew=False)
    world.pass_by(300)
    cancel(world, "period_end", assets=[{"asset_id": world.care}])
    renew(world, assets=[{"asset_id": world.seats, "price": "1100"}])
    before = snapshot(world)
    with pytest.raises(Refusal, match="at prices agreed for each asset, and none for this one; sell it anew"):
        roll_back(world, world.care)
    assert snapshot(world) == before
    roll_back(world, world.seats)
    roll_back(world, world.care)
    assert not world.records[world.care].cancelled, "once nothing is renewed it goes on as before"


def test_what_was_to_end_sooner_ends_so_whatever_was_renewed_meanwhile() -> None:
    world = World(auto_renew=False)
    world.pass_by(250)
    sooner = {"assets": [{"asset_id": world.care, "end": in_days(world, 80)}]}
    world.ask(changes.amend, AmendAssets.model_validate(sooner))
    end = world.records[world.care].end
    cancel(world, in_days(world, 40), assets=[{"asset_id": world.care}])
    renew(world, contract_id=world.contract_id)
    roll_back(world, world.care)
    assert world.records[world.care].end == end
