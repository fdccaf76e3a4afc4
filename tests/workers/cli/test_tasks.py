"""`perennial task …`: what our people have to do is looked up and acted on; what is wrong is said, and nothing is lost."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.conftest import Servers
from tests.workers.cli.running import Ended, perennial
from tests.workflows.service_side import onboarded, report_full_use


async def task(servers: Servers, folder: Path, *arguments: str, by: str | None = "S-2") -> Ended:
    return await perennial(
        *("task", *arguments),
        dsn=servers.stack.postgres_dsn,
        folder=folder,
        width=240,
        environment={
            "TEMPORAL_ADDRESS": servers.stack.temporal_address,
            **({"PERENNIAL_STAFF": by} if by is not None else {}),
        },
    )


async def listed(servers: Servers, folder: Path, *arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((await task(servers, folder, "list", *arguments, "--json")).out)
    return found


async def test_a_task_is_found_acted_on_and_tells_its_history(servers: Servers, tmp_path: Path) -> None:
    _, account = await onboarded(servers)
    await report_full_use(servers, account, users=8)
    await servers.client.fast_forward(
        account, timedelta(days=13)
    )  # its task is late, and the next step of help is still to come
    await servers.client.ask(
        account, "retry_deliveries", {}
    )  # whatever is asked puts on record how far the moved clock is
    (row,) = await listed(servers, tmp_path, "--mine", "S-2", "--account", account)
    assert (row["key"], row["state"], row["late"], row["owner"]) == ("adoption/help", "open", True, "S-2")
    assert [one["task_id"] for one in await listed(servers, tmp_path, "--mine", "--account", account)] == [
        row["task_id"]
    ]
    assert await listed(servers, tmp_path, "--owner", "S-1", "--account", account) == []
    table = (await task(servers, tmp_path, "list", "--late", "--account", account)).out
    assert row["task_id"] in table
    assert " late " in table

    today = (await servers.client.now(account)).date()
    for arguments, says in (
        (("done", "0123456789abcdef", "well"), "UnknownTask: there is no task '0123456789abcdef'"),
        (("snooze", row["task_id"], str(today)), "is not from tomorrow to"),
        (("snooze", row["task_id"], "one day"), "until"),
        (("hand-over", row["task_id"], "S-99"), "'S-99' is none of our people"),
        (("list", "--owner", "S-99"), "'S-99' is none of our people"),
    ):
        refused = await task(servers, tmp_path, *arguments)
        assert refused.code == 1, arguments
        assert says in " ".join(refused.err.split())
    unnamed = await task(servers, tmp_path, "done", row["task_id"], "well", by=None)
    assert (unnamed.code, "say who does it" in unnamed.err) == (1, True)

    until = today + timedelta(days=12)
    rests = await task(servers, tmp_path, "snooze", row["task_id"], str(until), "--reason", "they move house")
    assert (rests.code, f"{row['task_id']} rests until" in rests.out) == (0, True)
    assert await listed(servers, tmp_path, "--late", "--account", account) == []
    gone = await task(servers, tmp_path, "hand-over", row["task_id"], "S-1")
    assert (gone.code, gone.out.strip().endswith("it is S-1's.")) == (0, True)
    ended = await task(servers, tmp_path, "done", row["task_id"], "they train", by="S-1")
    assert (ended.code, ended.out.strip()) == (0, f"{row['task_id']} is done; it is S-1's.")
    assert await listed(servers, tmp_path, "--account", account) == []
    shown = json.loads((await task(servers, tmp_path, "show", row["task_id"], "--json")).out)
    assert (shown["state"], shown["outcome"], shown["ended_by"]) == ("done", "they train", "S-1")
    assert [one["kind"] for one in shown["history"]] == [
        "snooze_staff_task",
        "hand_over_staff_task",
        "finish_staff_task",
    ]
    page = (await task(servers, tmp_path, "show", row["task_id"])).out
    assert "They use little of what they pay for" in page
    again = await task(servers, tmp_path, "reopen", row["task_id"], "they have not", by="S-1")
    assert (again.code, " is open, due on 20" in again.out) == (0, True)
    everything = {
        one["task_id"]: one["state"] for one in await listed(servers, tmp_path, "--all", "--account", account)
    }
    log = "select actor, operation, outcome, reason from audit_entry where subject = $1 and door = 'cli' order by audit_id"
    acts = [tuple(entry) for entry in await servers.pool.fetch(log, f"account/{account}") if entry["outcome"] == "done"]
    assert acts == [
        ("staff:S-2", "snooze_staff_task", "done", "they move house"),
        ("staff:S-2", "hand_over_staff_task", "done", ""),
        ("staff:S-1", "finish_staff_task", "done", "they train"),
        ("staff:S-1", "reopen_staff_task", "done", "they have not"),
    ]
    assert everything.pop(row["task_id"]) == "open"
    assert set(everything.values()) == {"done"}
