"""Every recorded journey goes through today's workflow as it did when it was recorded, and a changed one is noticed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from domain.frame.flight import TOGETHER, Channel
from gateway.client import WORKFLOW
from gateway.plugin import OWN
from tests.replay.changed import SleepsFirst, StepsRenamed
from tests.replay.record import HISTORIES, JOURNEYS
from workers.wiring import WORKFLOWS

FILES = sorted(HISTORIES.glob("*.json"))


def history_of(path: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json(f"recorded-{path.stem}", path.read_text(encoding="utf-8"))


def activities_in(history: WorkflowHistory) -> set[str]:
    return {
        event.activity_task_scheduled_event_attributes.activity_type.name
        for event in history.events
        if event.HasField("activity_task_scheduled_event_attributes")
    }


def has(history: WorkflowHistory, attributes: str) -> bool:
    return any(event.HasField(attributes) for event in history.events)  # type: ignore[arg-type]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
async def test_a_recorded_journey_replays(path: Path) -> None:
    history = history_of(path)
    started = history.events[0].workflow_execution_started_event_attributes
    assert started.workflow_type.name == WORKFLOW
    replayer = Replayer(workflows=WORKFLOWS, plugins=[OWN])
    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    assert result.replay_failure is None


@pytest.mark.parametrize("changed", [SleepsFirst, StepsRenamed])
async def test_a_changed_order_of_commands_is_noticed(changed: type) -> None:
    noticed = 0
    replayer = Replayer(workflows=[changed], plugins=[OWN])
    for path in FILES:
        history = history_of(path)
        did_steps = any(name.startswith(("onboarding_", "reorder_")) for name in activities_in(history))
        if path.stem.endswith("-1") and (did_steps or changed is SleepsFirst):  # a journey from its beginning
            result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
            assert isinstance(result.replay_failure, NondeterminismError), path.stem
            noticed += 1
    assert noticed >= len(JOURNEYS) - 2


def test_the_records_show_what_matters() -> None:
    assert {path.stem.rsplit("-", 1)[0] for path in FILES} == {journey.__name__ for journey in JOURNEYS}
    histories = [history_of(path) for path in FILES]
    called = set.union(*map(activities_in, histories))
    assert {channel.value for channel in Channel} | {TOGETHER} <= called
    assert {"activate_order", "take_over_order", "pause_journey", "resume_journey", "close_journey"} <= called
    assert {"complete_task", "answer_renewal", "answer_offer", "answer_survey", "adoption_usage_review"} <= called
    assert {"request_quote", "approve_quote", "accept_quote", "amend_assets", "transfer_assets"} <= called
    assert {"service_review", "service_hold_lift", "amendment_settled"} <= called
    assert {"renewal_notice", "renewal_term_end", "reorder_lapse", "onboarding_escalation"} <= called
    for attributes in (
        "workflow_execution_continued_as_new_event_attributes",
        "workflow_execution_completed_event_attributes",
        "workflow_execution_signaled_event_attributes",
        "workflow_execution_update_completed_event_attributes",
        "activity_task_failed_event_attributes",
        "timer_canceled_event_attributes",
        "upsert_workflow_search_attributes_event_attributes",
    ):
        assert any(has(history, attributes) for history in histories), attributes


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_record_is_small_and_names_no_machine(path: Path) -> None:
    assert path.stat().st_size < 256 * 1024
    document = json.loads(path.read_text(encoding="utf-8"))
    identities: set[str] = set()
    pending = [document]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            identities |= {str(value["identity"])} if "identity" in value else set()
            pending += value.values()
        elif isinstance(value, list):
            pending += value
    assert identities == {"worker"}
