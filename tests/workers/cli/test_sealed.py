"""A stack whose payloads are sealed: its engine's files name nobody, its people read everything, and the doctor sees who sends in the clear."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiosmtplib
import pytest
from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowUpdateFailedError,
    WorkflowUpdateHandle,
    WorkflowUpdateStage,
)
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import ApplicationError
from temporalio.worker import Replayer

from domain.kernel.ids import journey_id
from domain.kernel.refusals import Refusal
from gateway.cases import CaseClient
from gateway.in_the_clear import in_the_clear
from gateway.payloads.packing import Packing
from gateway.payloads.sealing import DEMANDED, KEYS
from gateway.plugin import PerennialPlugin, own_plugin
from tests.builders import order
from tests.cases import case
from tests.e2e.lives import until
from tests.gateway.mail.post import SERVICE, written
from workers.cli.stack import Up, stack_up
from workers.wiring import WORKFLOWS

KEY = f"2026a:{base64.b64encode(bytes(32)).decode()}"
COMPANY, RENAMED, PERSON, MAIL = (
    "Zwiebelfisch & Sohn",
    "Quastenflosser AG",
    "Ottokar Nebelhorn",
    "nebelhorn@zwiebelfisch.example",
)
PHONE, SUBJECT, BODY, NOTE = (
    "+49 221 4567890",
    "Rauchmelder im Serverraum piept",
    "Seit Mittwoch blinkt es violett",
    "Gartenzwerg im Foyer",
)
PLANTED = (
    COMPANY,
    RENAMED,
    PERSON,
    MAIL,
    PHONE,
    "4567890",
    SUBJECT,
    BODY,
    NOTE,
    "Rauchmelder",
    "violett",
    "Gartenzwerg",
)


def _planted() -> dict[str, Any]:
    document = order()
    document["account"]["name"] = COMPANY
    document["contacts"][0] |= {"name": PERSON, "email": MAIL, "phone": PHONE}
    return document


def _said(folder: Path, least: int = 100_000) -> Iterator[str]:
    """Which planted words the engine's files hold, however a string is kept there."""
    files = [file.read_bytes() for file in sorted(folder.glob("temporal.db*"))]
    assert sum(map(len, files)) > least
    for word in PLANTED:
        coded = base64.b64encode(word.encode()).rstrip(b"=")[:-1]
        if any(one in file for file in files for one in (word.encode(), json.dumps(word).encode(), coded)):
            yield word


async def _lived(up: Up, document: dict[str, Any]) -> None:
    account = document["account"]["account_id"]
    await up.client.place_order(document)
    await up.client.fast_forward(account, timedelta(days=40))
    await up.client.ask(account, "complete_task", {"task": "kickoff", "evidence": NOTE})
    with pytest.raises(Refusal, match="Gartenzwerg"):
        await up.client.ask(account, "complete_task", {"task": NOTE, "evidence": PERSON})
    again = order(account)
    again["account"]["name"] = RENAMED
    await up.client.place_order(again)
    cases = CaseClient(up.client.temporal, up.pool)
    opened = await cases.open_case(case(document, subject=SUBJECT, body=BODY))
    await cases.fast_forward(opened.case_id, timedelta(days=1))
    async with aiosmtplib.SMTP(hostname=up.stack.smtp_host, port=up.stack.smtp_port) as smtp:
        await smtp.sendmail(MAIL, [SERVICE], written(MAIL, SUBJECT, BODY).as_bytes())

    async def has_come() -> bool:
        return bool(await up.pool.fetchval("select count(*) from inbox_message where status <> 'new'"))

    await until(has_come, "the mail is looked at")


async def test_the_engines_files_name_nobody_and_whoever_has_the_key_reads_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TEMPORAL_ADDRESS", raising=False)
    monkeypatch.setenv(KEYS, KEY)
    async with stack_up(tmp_path / "stack", keep=False, quiet=True) as up:
        document = _planted()
        await _lived(up, document)
        workflow_id = journey_id(document["account"]["account_id"])
        temporal = up.client.temporal
        handle = temporal.get_workflow_handle(workflow_id)
        described = await handle.describe()
        assert await described.memo() == {"account": COMPANY}
        attributes = described.typed_search_attributes
        assert {pair.key.name: pair.value for pair in attributes}["Account"] == document["account"]["account_id"]
        assert list(_said(tmp_path / "stack" / "temporal")) == []
        found = await in_the_clear(temporal)
        assert found is not None
        assert (found.looked_at, found.payloads) == (2, 0)
        replayed = await Replayer(workflows=WORKFLOWS, plugins=[own_plugin()]).replay_workflow(
            await handle.fetch_history()
        )
        assert replayed.replay_failure is None

        other = order()
        await _in_the_clear(up, other)
        found = await in_the_clear(temporal)
        assert found is not None
        assert (found.payloads, found.named) == (1, (journey_id(other["account"]["account_id"]),))


async def test_where_sealing_is_demanded_an_order_in_the_clear_is_refused_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TEMPORAL_ADDRESS", raising=False)
    monkeypatch.setenv(KEYS, KEY)
    monkeypatch.setenv(DEMANDED, "true")
    async with stack_up(tmp_path / "stack", keep=False, quiet=True) as up:
        document = _planted()
        account = document["account"]["account_id"]
        asked = await _asked_in_the_clear(up, document)
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await asked.result()
        assert isinstance(refused.value.cause, ApplicationError)
        assert refused.value.cause.type == "NotSealed"
        assert list(_said(tmp_path / "stack" / "temporal", least=1)) == []
        assert await up.pool.fetchval("select count(*) from sales_order") == 0
        # The same order, sealed, begins the journey; then a request in the clear is refused as well.
        await up.client.place_order(document)
        for plugins in ([], [PerennialPlugin(codec=Packing())]):  # what is only packed is read by anybody
            bare = await Client.connect(up.running.temporal_address, plugins=plugins)
            with pytest.raises(WorkflowUpdateFailedError):
                await bare.get_workflow_handle(journey_id(account)).execute_update(
                    "complete_task", {"task": "kickoff", "evidence": NOTE}
                )
        await up.client.ask(account, "complete_task", {"task": "kickoff", "evidence": "all were there"})
        found = await in_the_clear(up.client.temporal)
        assert found is not None
        assert found.payloads == 0


async def _asked_in_the_clear(up: Up, document: dict[str, Any]) -> WorkflowUpdateHandle[Any]:
    """Somebody without the key places an order."""
    bare = await Client.connect(up.running.temporal_address)
    start: WithStartWorkflowOperation[object, object] = WithStartWorkflowOperation(
        "CustomerJourney",
        id=journey_id(document["account"]["account_id"]),
        task_queue="perennial",
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
    )
    return await bare.start_update_with_start_workflow(
        "place_order", document, wait_for_stage=WorkflowUpdateStage.ACCEPTED, start_workflow_operation=start
    )


async def _in_the_clear(up: Up, document: dict[str, Any]) -> None:
    """Somebody without the key places an order: it is taken."""
    assert (await _asked_in_the_clear(up, document)).id
    query = "select count(*) from sales_order where order_id = $1"

    async def is_there() -> bool:
        return bool(await up.pool.fetchval(query, document["order_id"]))

    await until(is_there, "the order is placed")
