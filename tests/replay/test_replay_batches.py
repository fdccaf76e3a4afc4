"""Every recorded batch goes through today's workflow as it did when it was recorded."""

from __future__ import annotations

from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.worker import Replayer

from domain.frame.batches import Batch
from gateway.plugin import OWN
from tests.replay.record_batches import BATCHES
from workers.wiring import WORKFLOWS


@pytest.mark.parametrize("path", sorted(BATCHES.glob("*.json")), ids=lambda path: path.stem)
async def test_a_recorded_batch_replays(path: Path) -> None:
    history = WorkflowHistory.from_json(path.stem, path.read_text(encoding="utf-8"))
    assert history.events[0].workflow_execution_started_event_attributes.workflow_type.name == "Batch"
    replayer = Replayer(workflows=WORKFLOWS, plugins=[OWN])
    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    assert result.replay_failure is None


def test_each_batch_is_recorded() -> None:
    assert {path.stem.rsplit("-", 1)[0] for path in BATCHES.glob("*.json")} >= {batch.value for batch in Batch}
