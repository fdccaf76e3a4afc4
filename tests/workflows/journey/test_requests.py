"""What people ask of a journey: what its stage allows, once, also after a rollover, and refused with a reason otherwise."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import WithStartWorkflowOperation, WorkflowExecutionStatus, WorkflowUpdateFailedError
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError

from activities.kernel.clock import present
from domain.journey.registry import JOURNEY
from domain.kernel.refusals import Refusal
from tests.builders import goods_order, order
from tests.conftest import Servers
from tests.e2e.lives import (
    account_of,
    at_rest,
    attention_of,
    ended,
    onboard,
    place,
    report_usage,
    rows_at_rest,
    rows_of,
    run_id,
    settled,
    steps_of,
    until,
)


async def begun(servers: Servers, **start: Any) -> tuple[dict[str, Any], str]:
    """A new customer's order and account, a minute after the order, with its mails out."""
    document = order()
    account = account_of(document)
    await place(servers.temporal, document, start=start or None)
    await servers.client.fast_forward(account, timedelta(minutes=1))
    await settled(servers.pool, account)
    return document, account


REFUSED: list[tuple[str, dict[str, Any], str, str]] = [
    ("complete_task", {"task": "party"}, "NotAllowed", "kickoff (onboarding:"),
    ("complete_task", {"task": "kickoff", "order_id": "SO-0"}, "NotAllowed", "open tasks: none"),
    ("complete_task", {}, "InvalidRequest", "task: is missing"),
    ("complete_task", {"task": "kickoff", "note": "x"}, "InvalidRequest", "note: is not a field"),
    ("complete_task", {"task": "party", "request_id": "r-1"}, "NotAllowed", "kickoff (onboarding:"),
    ("answer_renewal", {"contract_id": "K-0", "decision": "accept"}, "NotAllowed", "contracts with one: K-"),
    ("answer_renewal", {"contract_id": "K-0", "decision": "maybe"}, "InvalidRequest", "decision: "),
    ("answer_renewal", {"contract_id": "K-0", "decision": "decline"}, "InvalidRequest", "needs its reason"),
    ("answer_offer", {"offer_id": "offer-1", "decision": "accept"}, "NotAllowed", "open offers: none"),
    ("answer_survey", {"survey_id": "nps-1", "score": 7}, "NotAllowed", "sent: none"),
    ("answer_survey", {"survey_id": "nps-1", "score": 11}, "InvalidRequest", "score: "),
    ("answer_survey", {"survey_id": "nps-1", "score": 7.5}, "InvalidRequest", "score: "),
    ("pause", {"reason": ""}, "InvalidRequest", "reason: "),
    ("pause", {"reason": "holiday", "until": "2020-01-01T00:00:00Z"}, "InvalidRequest", "until: "),
    ("pause", {"reason": "holiday", "until": "2027-01-01T00:00:00"}, "InvalidRequest", "with its offset"),
    ("resume", {}, "NotAllowed", "not paused"),
    ("close_journey", {}, "InvalidRequest", "reason: is missing"),
]


@pytest.mark.engine
async def test_what_the_stage_does_not_allow_is_refused_and_nothing_is_written(servers: Servers) -> None:
    _, account = await begun(servers)
    before = await rows_at_rest(servers.temporal, servers.pool, account)
    for update, request, type, says in REFUSED:
        with pytest.raises(Refusal) as refused:
            await servers.client.ask(account, update, request)
        assert refused.value.type == type, (update, request, str(refused.value))
        assert says in str(refused.value), (update, request)
    assert await rows_of(servers.pool, account) == before
    assert await attention_of(servers.temporal, account) == []


async def test_what_is_asked_of_an_account_without_an_accepted_order_is_refused_by_that_name(servers: Servers) -> None:
    for update, request in (
        ("pause", {"reason": "x"}),
        ("amend_assets", {"assets": [{"asset_id": "A", "add": 1}]}),
        ("request_quote", {"quote_id": "Q-1", "lines": [{"kind": "cancel", "line_id": "1", "asset_id": "A"}]}),
        ("place_hold", {"reason": "x"}),
    ):
        start: WithStartWorkflowOperation[Any, Any] = WithStartWorkflowOperation(
            "CustomerJourney",
            id=f"journey-A-none-{update}",
            task_queue=servers.settings.task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await servers.temporal.execute_update_with_start_workflow(update, request, start_workflow_operation=start)
        assert isinstance(refused.value.cause, ApplicationError)
        assert refused.value.cause.type == "UnknownAccount", (update, str(refused.value.cause))


async def test_a_renewal_is_answered_once_and_an_answer_too_late_is_refused(servers: Servers) -> None:
    document, account = await begun(servers)
    contract = document["contracts"][0]["contract_id"]
    accept = {"contract_id": contract, "decision": "accept"}
    await servers.client.fast_forward(account, timedelta(days=330))
    answer = await servers.client.ask(account, "answer_renewal", accept)
    assert answer["status"] == "renewed"
    for decision in ("accept", "decline"):
        with pytest.raises(Refusal, match="accepted already; it waits for no answer"):
            await servers.client.ask(account, "answer_renewal", {**accept, "decision": decision, "reason": "price"})
    assert await servers.pool.fetchval("select count(*) from contract_term where contract_id = $1", contract) == 2


async def test_updates_that_cannot_be_read_are_refused_and_the_journey_goes_on(servers: Servers) -> None:
    _, account = await begun(servers)
    before = await rows_at_rest(servers.temporal, servers.pool, account)
    bad: list[tuple[str, list[Any]]] = [
        ("pause", []),
        ("pause", ["text"]),
        ("pause", [[1]]),
        ("pause", [None]),
        ("pause", [{"reason": "x"}, 1]),
        ("place_order", []),
        ("place_order", ["text"]),
        ("place_order", [{}]),
        ("party", [{}]),
    ]
    for update, arguments in bad:
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await servers.handle(account).execute_update(update, args=arguments)
        assert isinstance(refused.value.cause, ApplicationError)
    assert await rows_of(servers.pool, account) == before
    assert (await servers.client.ask(account, "complete_task", {"task": "kickoff"}))["task"] == "kickoff"


async def test_signals_that_nobody_understands_raise_attention_and_change_nothing(servers: Servers) -> None:
    _, account = await begun(servers)
    before = await rows_at_rest(servers.temporal, servers.pool, account)
    bodies: list[tuple[str, list[Any]]] = [
        ("usage_changed", []),
        ("usage_changed", ["text"]),
        ("usage_changed", [{"id": 1}]),
        ("usage_changed", [{"id": "u-1", "at": "yesterday", "level": "low"}]),
        ("usage_changed", [{}, {}]),
        ("usage_chnged", [{"id": "u-1"}]),
        ("party", []),
    ]
    handle = servers.handle(account)
    for name, arguments in bodies:
        await handle.signal(name, args=arguments)

    async def shown() -> bool:
        return await attention_of(servers.temporal, account) == ["unknown_message"]

    await until(shown, "the journey asks for attention")
    assert "party" in await details_of(handle)
    assert await rows_of(servers.pool, account) == before
    assert (await servers.client.ask(account, "complete_task", {"task": "kickoff"}))["task"] == "kickoff"


async def metadata_of(handle: Any) -> WorkflowMetadata:
    found: WorkflowMetadata = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    return found


async def details_of(handle: Any) -> str:
    return (await metadata_of(handle)).current_details


async def test_every_handler_says_what_it_takes(servers: Servers) -> None:
    document, account = await begun(servers)
    metadata = await metadata_of(servers.handle(account))
    updates = {update.name: update.description for update in metadata.definition.update_definitions}
    assert updates == {name: kind.description for name, kind in JOURNEY.items()}
    signals = {signal.name: signal.description for signal in metadata.definition.signal_definitions}
    assert {"usage_changed", "case_changed"} <= set(signals)
    assert all(len(text) > 20 for text in [*updates.values(), *signals.values()])
    # The briefing names the company, never a person.
    details = metadata.current_details
    assert document["account"]["name"] in details.splitlines()[0]
    assert "kickoff" in details
    for person in (document["contacts"][0], document["account"]["owner"], document["account"]["success_manager"]):
        assert person["name"] not in details
        assert person["email"] not in details


async def test_a_paused_journey_does_nothing_by_itself_and_still_answers(servers: Servers) -> None:
    document, account = await begun(servers)
    paused = await servers.client.ask(account, "pause", {"reason": "the office moves"})
    assert paused == {"paused": True, "until": None}
    await at_rest(servers.temporal, servers.pool, account)
    before = await steps_of(servers.pool, account)
    await servers.client.fast_forward(account, timedelta(days=20))
    assert await steps_of(servers.pool, account) == before
    assert "the office moves" in await details_of(servers.handle(account))
    answer = await servers.client.ask(account, "complete_task", {"task": "kickoff"})
    assert "kickoff" not in answer["open_tasks"]
    now = await servers.client.now(account)
    joined = await servers.client.place_order(goods_order(document, now))
    assert joined.account_id == account
    await servers.client.ask(account, "resume", {})
    await servers.client.fast_forward(account, timedelta(days=14))
    late = set(await steps_of(servers.pool, account)) - set(before)
    onboarding = f"onboarding:{document['order_id']}"
    assert f"{onboarding}/training-invite.1" in late  # it comes after the kickoff, which was late
    assert f"{onboarding}/touch-day_1" not in late  # nobody is asked three weeks later how the first day was
    assert f"{onboarding}/kickoff-invite" not in late  # done meanwhile: not wanted any more


async def test_a_pause_with_an_end_ends_by_itself(servers: Servers) -> None:
    document, account = await begun(servers)
    now = await servers.client.now(account)
    back = now + timedelta(days=12)
    await servers.client.ask(account, "pause", {"reason": "holiday", "until": back.isoformat()})
    await servers.client.fast_forward(account, timedelta(days=11))
    step = f"onboarding:{document['order_id']}/kickoff-remind"
    assert step not in await steps_of(servers.pool, account)
    await servers.client.fast_forward(account, timedelta(days=14))
    rows = {row["key"].split("/", 1)[1]: row["at"] for row in await servers.journal(account)}
    assert rows[step] > back
    resumed = [row for row in await servers.journal(account) if row["kind"] == "resume_journey"]
    assert len(resumed) == 1
    assert abs(resumed[0]["at"] - back) < timedelta(minutes=1)
    assert resumed[0]["detail"]["by"] == "system"


async def test_a_request_sent_again_has_one_effect_and_one_answer_also_after_a_rollover(servers: Servers) -> None:
    _, account = await begun(servers, roll_over_after_events=30)
    began = await run_id(servers.temporal, account)
    request = {"task": "kickoff", "request_id": "crm-77", "evidence": "minutes"}
    first = await servers.client.ask(account, "complete_task", request)
    assert await servers.client.ask(account, "complete_task", request) == first
    await servers.client.fast_forward(account, timedelta(days=40))
    assert await run_id(servers.temporal, account) != began
    assert await servers.client.ask(account, "complete_task", request) == first
    done = await servers.pool.fetch(
        "select completed_at from onboarding_task where account_id = $1 and name = 'kickoff'", account
    )
    assert [row["completed_at"] for row in done] == [
        row["at"] for row in await servers.journal(account) if row["key"].endswith("complete_task:crm-77")
    ]


async def test_the_levers_moved_again_by_an_old_request_stay_where_they_are(servers: Servers) -> None:
    _, account = await begun(servers, roll_over_after_events=30)
    pause = {"reason": "holiday", "request_id": "p-1"}
    for lap in range(2):
        first = await servers.client.ask(account, "pause", pause)
        if lap == 0:
            await servers.client.ask(account, "resume", {"request_id": "r-1"})
            await servers.client.fast_forward(account, timedelta(days=40))
        assert first == {"paused": True, "until": None}
    before = len(await steps_of(servers.pool, account))
    await servers.client.fast_forward(account, timedelta(days=60))
    assert len(await steps_of(servers.pool, account)) > before, "a repeated pause stopped the journey again"
    kinds = [row["kind"] for row in await servers.journal(account)]
    assert kinds.count("pause_journey") == kinds.count("resume_journey") == 1


async def answered_once(servers: Servers, account: str, update: str, request: dict[str, Any]) -> None:
    """A request sent four times at once and again after a rollover gets one answer."""
    answers = await asyncio.gather(*(servers.client.ask(account, update, request) for _ in range(4)))
    began = await run_id(servers.temporal, account)
    await servers.client.fast_forward(account, timedelta(days=62))
    assert await run_id(servers.temporal, account) != began
    answers.append(await servers.client.ask(account, update, request))
    assert all(answer == answers[0] for answer in answers)


@pytest.mark.engine
async def test_a_survey_and_an_offer_are_answered_once(servers: Servers) -> None:
    _, account = await begun(servers, roll_over_after_events=30)
    await servers.client.fast_forward(account, timedelta(days=45))
    await onboard(servers.client, account)
    await report_usage(servers.client, account, users=39)
    await servers.client.fast_forward(account, timedelta(days=7))
    offer = await servers.pool.fetchval("select offer_id from offer where account_id = $1", account)
    await answered_once(servers, account, "answer_offer", {"offer_id": offer, "decision": "accept", "request_id": "o"})
    survey = await servers.pool.fetchval("select survey_id from survey where account_id = $1 and kind = 'nps'", account)
    await answered_once(servers, account, "answer_survey", {"survey_id": survey, "score": 9, "request_id": "s"})
    actions = await servers.pool.fetch(
        "select quantity_change from asset_action a join asset using (asset_id)"
        " where account_id = $1 and category = 'Upsells'",
        account,
    )
    assert [row["quantity_change"] for row in actions] == [9]
    scores = await servers.pool.fetch("select score from survey where account_id = $1 and kind = 'nps'", account)
    assert [row["score"] for row in scores] == [9]


async def test_a_closed_journey_does_nothing_more_and_a_new_order_begins_a_new_one(servers: Servers) -> None:
    document, account = await begun(servers)
    answer = await servers.client.ask(account, "close_journey", {"reason": "bankrupt", "request_id": "c-1"})
    assert answer == {"closed": True}
    assert await ended(servers.temporal, f"journey-{account}") is WorkflowExecutionStatus.COMPLETED
    row = await servers.pool.fetchrow("select closed_at, closed_reason from account where account_id = $1", account)
    assert row is not None
    assert row["closed_at"] is not None
    assert row["closed_reason"] == "bankrupt"
    with pytest.raises(Refusal, match="no open journey"):
        await servers.client.ask(account, "complete_task", {"task": "kickoff"})
    second = order(account)
    await servers.client.place_order(second)
    assert await servers.client.is_running(account)
    # The old request comes again: the new journey does not end.
    assert await servers.client.ask(account, "close_journey", {"reason": "bankrupt", "request_id": "c-1"}) == answer
    assert await servers.client.is_running(account)
    assert await servers.pool.fetchval("select closed_at from account where account_id = $1", account) is None
    # Of the first order nothing is repeated.
    assert (await servers.client.place_order(document)).order_id == document["order_id"]
    await servers.client.fast_forward(account, timedelta(days=1))
    welcomes = [key for key in await steps_of(servers.pool, account) if key.endswith("/welcome")]
    assert welcomes == [f"onboarding:{one['order_id']}/welcome" for one in (document, second)]


async def test_a_closed_journey_begins_again_with_all_that_the_customer_holds(servers: Servers) -> None:
    document = order()
    account = account_of(document)
    await servers.client.place_order(document)
    await servers.client.fast_forward(account, timedelta(days=40))
    await servers.client.ask(account, "close_journey", {"reason": "moved to a partner"})

    async def is_over() -> bool:
        return not await servers.client.is_running(account)

    await until(is_over, "the journey ends")
    waiting = await servers.pool.fetchval(
        "select count(*) from outbox where account_id = $1 and status = 'waiting'", account
    )
    assert waiting == 0
    again = goods_order(document, present())
    await servers.client.place_order(again)
    ends_at = await servers.pool.fetchval(
        "select max(t.ends_at) from contract_term t join contract using (contract_id) where account_id = $1", account
    )
    await servers.client.fast_forward_to(account, ends_at - timedelta(days=10))
    kinds = [row["kind"] for row in await servers.journal(account)]
    assert kinds.count("renewal_notice") == 3
    assert kinds.count("adoption_check_in") >= 5
    assert kinds.count("onboarding_mail") == 1
    assert kinds.count("reorder_check_in") == 1
