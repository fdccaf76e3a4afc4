"""Every recorded case goes through today's workflow as it did when it was recorded, and a changed one is noticed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from gateway.cases import CASE_WORKFLOW
from gateway.plugin import OWN
from tests.replay.changed_case import CaseSleepsFirst
from tests.replay.record_cases import CASES, STORIES
from tests.replay.test_replay import activities_in, has
from workers.wiring import WORKFLOWS

FILES = sorted(CASES.glob("*.json"))


def history_of(path: Path) -> WorkflowHistory:
    return WorkflowHistory.from_json(f"case-{path.stem}", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
async def test_a_recorded_case_replays(path: Path) -> None:
    history = history_of(path)
    assert history.events[0].workflow_execution_started_event_attributes.workflow_type.name == CASE_WORKFLOW
    replayer = Replayer(workflows=WORKFLOWS, plugins=[OWN])
    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    assert result.replay_failure is None


async def test_a_changed_order_of_commands_is_noticed() -> None:
    replayer = Replayer(workflows=[CaseSleepsFirst], plugins=[OWN])
    result = await replayer.replay_workflow(history_of(FILES[0]), raise_on_replay_failure=False)
    assert isinstance(result.replay_failure, NondeterminismError)


def test_the_records_show_what_matters() -> None:
    assert {path.stem.rsplit("-", 1)[0] for path in FILES} == {story.__name__ for story in STORIES}
    histories = [history_of(path) for path in FILES]
    called = set.union(*map(activities_in, histories))
    requests = (
        "open",
        "respond",
        "note",
        "wait",
        "resume",
        "assign",
        "escalate",
        "de_escalate",
        "prioritise",
        "resolve",
    )
    assert {f"case_{name}" for name in requests} <= called
    assert {"case_merge", "case_cancel", "case_customer_message", "case_answer_csat", "case_identify"} <= called
    assert {
        "case_wake",
        "case_unheard",
        "case_absorbed",
        "deliver_mail",
        "deliver_notice",
        "deliver_together",
    } <= called
    for attributes in (
        "workflow_execution_continued_as_new_event_attributes",
        "workflow_execution_completed_event_attributes",
        "external_workflow_execution_signaled_event_attributes",
        "signal_external_workflow_execution_failed_event_attributes",
        "activity_task_failed_event_attributes",
        "timer_canceled_event_attributes",
    ):
        assert any(has(history, attributes) for history in histories), attributes


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_record_is_small_and_names_no_machine(path: Path) -> None:
    assert path.stat().st_size < 256 * 1024
    text = path.read_text(encoding="utf-8")
    assert json.loads(text)["events"]
    assert "/work/" not in text
    assert '"identity":"' not in text.replace('"identity":"worker"', "")
