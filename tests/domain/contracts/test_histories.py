"""Random histories of what can be asked: the ledger keeps its invariants, the agenda agrees with the terms, nothing is done twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.assets.invariants import violations
from domain.contracts import changes, renewal_answers, taking_back
from domain.contracts.requests import AmendAssets, AnswerRenewal, CancelAssets, RenewAssets, RollBack, SwapAssets
from domain.frame.ownership import POLICY
from domain.kernel.refusals import Refusal
from tests.domain.contracts.world import World
from tests.properties import examples

ZONES = st.sampled_from(["Asia/Tokyo", "UTC", "America/New_York"])
Act = Callable[[World], None]


def asset_of(world: World, pick: int) -> str:
    """Some asset of the contract."""
    ids = [asset.asset_id for asset in world.customer.assets_of(world.contract_id)]
    return ids[pick % len(ids)]


def day_in(world: World, days: int) -> str:
    return (world.situation().today + timedelta(days=days)).isoformat()


def amend(kind: str, pick: int, units: int, days: int) -> Act:
    def act(world: World) -> None:
        change: dict[str, object] = {"asset_id": asset_of(world, pick)}
        match kind:
            case "add" | "remove":
                change[kind] = units
            case "price":
                change["price"] = str(units * 100)
            case "fields":
                change["fields"] = {"level": str(units)}
            case "end":
                change["end"] = day_in(world, days)
        effective = {} if kind == "end" else {"effective": day_in(world, days)}
        world.ask(changes.amend, AmendAssets.model_validate({"assets": [change], **effective}))

    return act


def all_end(days: int) -> Act:
    def act(world: World) -> None:
        lines = [
            {"asset_id": asset.asset_id, "end": day_in(world, days)}
            for asset in world.customer.assets_of(world.contract_id)
            if not world.records[asset.asset_id].cancelled
        ]
        if lines:
            world.ask(changes.amend, AmendAssets.model_validate({"assets": lines}))

    return act


def add_on(units: int, days: int) -> Act:
    def act(world: World) -> None:
        line = {"contract_id": world.contract_id, "product": "PRO", "quantity": units, "unit_price": "100"}
        world.ask(changes.amend, AmendAssets.model_validate({"add_ons": [line], "effective": day_in(world, days)}))

    return act


def cancel(whole: bool, pick: int, when: str, days: int) -> Act:
    def act(world: World) -> None:
        what: dict[str, object] = (
            {"contract_id": world.contract_id} if whole else {"assets": [{"asset_id": asset_of(world, pick)}]}
        )
        effective = day_in(world, days) if when == "day" else when
        world.ask(changes.cancel, CancelAssets.model_validate({**what, "effective": effective}))

    return act


def renew(whole: bool, pick: int, start: int | None, months: int | None) -> Act:
    def act(world: World) -> None:
        what: dict[str, object] = (
            {"contract_id": world.contract_id} if whole else {"assets": [{"asset_id": asset_of(world, pick)}]}
        )
        begins = {} if start is None else {"start": day_in(world, start)}
        world.ask(changes.renew, RenewAssets.model_validate({**what, **begins, "months": months}))

    return act


def swap(pick: int, units: int | None, days: int) -> Act:
    def act(world: World) -> None:
        line = {"asset_id": asset_of(world, pick), "to_product": "PRO", "unit_price": "150", "quantity": units}
        world.ask(changes.swap, SwapAssets.model_validate({"assets": [line], "effective": day_in(world, days)}))

    return act


def roll_back(pick: int) -> Act:
    def act(world: World) -> None:
        world.ask(taking_back.roll_back, RollBack.model_validate({"asset_id": asset_of(world, pick)}))

    return act


def answer(decision: str) -> Act:
    def act(world: World) -> None:
        document = {"contract_id": world.contract_id, "decision": decision, "reason": "said so"}
        world.apply(renewal_answers.answer(world.situation(), AnswerRenewal.model_validate(document)))

    return act


def pass_by(days: int) -> Act:
    def act(world: World) -> None:
        world.pass_by(days)

    return act


PICK, UNITS, AHEAD = st.integers(0, 5), st.integers(1, 25), st.integers(0, 400)
ACTS = st.one_of(
    st.builds(pass_by, st.integers(1, 200)),
    st.builds(pass_by, st.integers(1, 200)),
    st.builds(amend, st.sampled_from(["add", "remove", "price", "fields", "end"]), PICK, UNITS, AHEAD),
    st.builds(all_end, AHEAD),
    st.builds(add_on, UNITS, AHEAD),
    st.builds(cancel, st.booleans(), PICK, st.sampled_from(["now", "period_end", "day"]), AHEAD),
    st.builds(renew, st.booleans(), PICK, st.none() | AHEAD, st.none() | st.integers(1, 24)),
    st.builds(swap, PICK, st.none() | UNITS, AHEAD),
    st.builds(roll_back, PICK),
    st.builds(answer, st.sampled_from(["accept", "decline"])),
)


@examples(400)
@given(st.booleans(), ZONES, st.lists(ACTS, min_size=4, max_size=20))
def test_ledger_and_agenda_agree_after_any_history(auto_renew: bool, zone: str, acts: list[Act]) -> None:
    world = World(auto_renew=auto_renew, zone=zone)
    check(world)
    for act in acts:
        before = (world.records, world.customer, world.state)
        try:
            act(world)
        except Refusal:
            assert (world.records, world.customer, world.state) == before
        check(world)


def check(world: World) -> None:
    """Every asset is whole, and the contract's stage waits for exactly what its term says."""
    for record in world.records.values():
        assert violations(record, POLICY) == []
    contract = world.contract()
    renewals = [step for step in world.state.agenda if step.stage.startswith("renewal:")]
    ends = [step for step in renewals if step.kind in ("renewal_term_end", "renewal_grace_end")]
    if contract.status == "ended":
        assert renewals == []
        assert not any(stage.startswith("renewal:") for stage in world.state.stages)
        return
    assert Counter(step.stage for step in ends) == {_open_stage(world): 1}
    assert [stage for stage in world.state.stages if stage.startswith("renewal:")] == [_open_stage(world)]
    (end,) = ends
    assert end.kind == ("renewal_grace_end" if contract.status == "grace" else "renewal_term_end")
    waits = contract.previous is not None and contract.term.starts_at > world.now and contract.status != "grace"
    term = contract.previous if waits and contract.previous else contract.term
    if contract.status != "grace" and term.ends_at > world.now:
        assert end.at == term.ends_at
    living = [r for r in world.records.values() if r.asset.contract_id == contract.contract_id and not r.cancelled]
    if contract.status == "active" and not waits and contract.term.ends_at > world.now:
        assert any(r.end is not None and r.end == contract.term.ends_at for r in living)


def _open_stage(world: World) -> str:
    contract = world.contract()
    stages = [stage for stage in world.state.stages if stage.startswith("renewal:")]
    if contract.previous is not None and contract.term.starts_at > world.now and len(stages) == 1:
        before = f"renewal:{contract.contract_id}:{contract.previous.number}"
        return before if before in stages else contract.stage
    return contract.stage
