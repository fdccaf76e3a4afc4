"""The stack of `perennial up`, with its worker: a mail to the company becomes a case by itself, and its Temporal UI can be read."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import aiosmtplib
import pytest
from playwright.async_api import expect
from temporalio.api.common.v1 import Payload

from domain.kernel.ids import journey_id
from tests.builders import order
from tests.e2e.lives import until
from tests.gateway.console.chromium import chromium, needed
from tests.gateway.mail.post import SERVICE, contact_of, written
from workers.cli.stack import Up, _temporal_environment, stack_up
from workers.embedded.temporal_server import find_program


async def test_a_mail_to_the_company_is_a_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the environment says of workers beside each other: this one is the only one of its engine."""
    monkeypatch.delenv("TEMPORAL_ADDRESS", raising=False)
    monkeypatch.setenv("PERENNIAL_VERSIONING", "pinned")
    monkeypatch.setenv("PERENNIAL_QUEUES_APART", "deliveries")
    monkeypatch.setenv("PERENNIAL_WORKS_ON", "deliveries")
    monkeypatch.setenv("PERENNIAL_MAILS_PER_SECOND", "0.01")
    async with stack_up(tmp_path / "stack", keep=False, quiet=True) as up:
        document = order()
        await up.client.place_order(document)
        sender = contact_of(document)
        async with aiosmtplib.SMTP(hostname=up.stack.smtp_host, port=up.stack.smtp_port) as smtp:
            await smtp.sendmail(sender, [SERVICE], written(sender).as_bytes())
        query = "select status, account_id, case_id from inbox_message where status <> 'new'"

        async def has_come() -> bool:
            return await up.pool.fetchrow(query) is not None

        await until(has_come, "the mail is looked at")
        row = await up.pool.fetchrow(query)
        assert row is not None
        assert (row["status"], row["account_id"]) == ("matched", document["account"]["account_id"])

        async def is_acknowledged() -> bool:
            return any(row["case_id"] in mail.subject for mail in up.stack.mailbox.list())

        await until(is_acknowledged, "the customer hears that it has come")
        # Of three mails two are ours: the welcome and the acknowledgement came by the same server, and opened nothing.
        assert await up.pool.fetchval("select count(*) from inbox_message") == 1
        [acknowledgement] = [mail for mail in up.stack.mailbox.list() if row["case_id"] in mail.subject]
        assert acknowledgement.recipients == (sender,)


@needed
async def test_what_runs_carry_is_packed_and_read_in_the_temporal_ui_and_by_its_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TEMPORAL_ADDRESS", raising=False)
    async with stack_up(tmp_path / "stack", keep=False, quiet=True) as up:
        document = order()
        await up.client.place_order(document)
        workflow_id = journey_id(document["account"]["account_id"])
        said = f"Mail of the task welcome, order {document['order_id']}"
        summaries = [payload async for payload in _summaries(up, workflow_id)]
        assert said in [json.loads(one.data) for one in await _decoded(up, summaries)]
        assert said.encode() not in b"".join(one.data for one in summaries)

        async with chromium() as browser:
            page = await browser.new_page()
            await page.goto(f"{up.running.ui_url}/namespaces/default/workflows/{workflow_id}")
            await expect(page.get_by_text(said).first).to_be_visible(timeout=60_000)

        monkeypatch.setattr("workers.cli.stack.find_running", lambda: up.running)
        shown = await asyncio.create_subprocess_exec(
            *(str(find_program()), "workflow", "show", "--workflow-id", workflow_id, "--detailed"),
            env={**os.environ, **_temporal_environment()},
            stdout=asyncio.subprocess.PIPE,
        )
        history, _ = await asyncio.wait_for(shown.communicate(), 60)
        assert said in history.decode()


async def _summaries(up: Up, workflow_id: str) -> Any:
    async for event in up.client.temporal.get_workflow_handle(workflow_id).fetch_history_events():
        if event.user_metadata.HasField("summary"):
            yield event.user_metadata.summary


async def _decoded(up: Up, payloads: list[Payload]) -> list[Payload]:
    codec = up.client.temporal.data_converter.payload_codec
    assert codec is not None
    return await codec.decode(payloads)
