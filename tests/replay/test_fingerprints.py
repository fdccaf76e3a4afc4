"""The order of a workflow's commands, as a fingerprint in a file: it changes only when somebody means it to.

A recorded history replays as long as what it went through is done as it was. These tell besides that a record was replaced, and that
new journeys and cases go another way than before, behind a patch too: then record a history that shows it, and say so in the file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from temporalio.bridge.proto.workflow_activation import WorkflowActivationJob
from temporalio.bridge.proto.workflow_commands import WorkflowCommand
from temporalio.client import WorkflowHistory

from tests import on_file
from tests.conftest import Servers
from tests.driver.in_memory.run import Run
from tests.e2e.outages import Outside
from tests.living_in_memory import InMemory
from tests.replay.record import HISTORIES, first_half_year
from tests.replay.record_batches import BATCHES
from tests.replay.record_cases import CASES, kept_promises

KEPT = Path(__file__).with_name("fingerprints.json")
BEGINS = datetime(2027, 3, 1, 9, tzinfo=UTC)


def fingerprint(commands: Sequence[str]) -> str:
    """How many commands there are, and a digest of their order."""
    return f"{len(commands)} {hashlib.sha256(chr(10).join(commands).encode()).hexdigest()[:16]}"


def recorded(path: Path) -> Iterator[str]:
    """The commands that a history came from, with the types of activities."""
    history = WorkflowHistory.from_json(path.stem, path.read_text(encoding="utf-8"))
    for event in history.events:
        if event.HasField("activity_task_scheduled_event_attributes"):
            yield f"activity {event.activity_task_scheduled_event_attributes.activity_type.name}"
        for kind in (
            "timer_started",
            "timer_canceled",
            "marker_recorded",
            "signal_external_workflow_execution_initiated",
        ):
            if event.HasField(f"{kind}_event_attributes"):  # type: ignore[arg-type]
                yield kind
        for kind in ("completed", "failed", "continued_as_new"):
            if event.HasField(f"workflow_execution_{kind}_event_attributes"):  # type: ignore[arg-type]
                yield kind


@pytest.mark.parametrize(
    "path",
    [path for folder in (HISTORIES, CASES, BATCHES) for path in sorted(folder.glob("*.json"))],
    ids=lambda path: f"{path.parent.name}/{path.stem}",
)
def test_a_record_is_the_one_that_was_made(path: Path, pytestconfig: pytest.Config) -> None:
    name = f"{path.parent.name}/{path.stem}"
    on_file.holds(pytestconfig, KEPT, name, fingerprint(list(recorded(path))))


@pytest.mark.parametrize("story", ["journey", "case"])
async def test_what_begins_today_goes_the_way_on_file(
    in_memory: tuple[Servers, InMemory], monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config, story: str
) -> None:
    servers, memory = in_memory
    commands: dict[str, list[str]] = {}
    activate = Run.activate

    async def noted(run: Run, at: datetime, jobs: Sequence[WorkflowActivationJob]) -> Sequence[WorkflowCommand]:
        given = await activate(run, at, jobs)
        commands.setdefault(run.workflow_id, []).extend(map(words, given))
        return given

    monkeypatch.setattr(Run, "activate", noted)
    with memory.it_is(BEGINS):
        if story == "journey":
            world = cast(Outside, SimpleNamespace(servers=servers, client=servers.client))
            workflow_id = f"journey-{await first_half_year(world)}"
        else:
            workflow_id = f"case-{await kept_promises(servers)}"
    await memory.forget_all()
    found = commands[workflow_id]
    on_file.holds(pytestconfig, KEPT, f"new {story}", fingerprint(found), "\n".join(found))


def words(command: Any) -> str:
    """A command by its kind; an activity with its type."""
    kind = command.WhichOneof("variant")
    return f"activity {command.schedule_activity.activity_type}" if kind == "schedule_activity" else str(kind)
