"""A customer's year, foreseen on a copy: what comes, by the real rules, while nobody is touched."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psutil
import pytest

from activities.journey.copying import Schema
from domain.journey.horizon import Horizon
from domain.kernel.refusals import Refusal
from domain.success.usage import UsageRow
from tests.builders import order
from tests.cases import case, case_client, customer, staffed
from tests.conftest import Servers
from tests.e2e.killing import command_environment
from tests.e2e.lives import until
from tests.workers.cli.running import beside
from workers.cli.common import UserError
from workers.cli.foresee import read_horizon, show_foresight
from workers.cli.plans import show_plan
from workers.foresight.servers import PREFIX, sweep

pytestmark = pytest.mark.engine


async def checksums(servers: Servers, account_id: str) -> dict[str, str]:
    """A figure for each table's rows of a customer, and for what all customers share."""
    async with servers.pool.acquire() as connection:
        schema, found = await Schema.read(connection), {}
        for name in schema.tables:
            query, asks = schema.selection(name)
            said = f"select md5(coalesce(string_agg(r::text, '|' order by r::text), '')) from ({query}) r"
            found[name] = await connection.fetchval(said, *([account_id] if asks else []))
    return found


async def history_length(servers: Servers, account_id: str) -> tuple[str, int]:
    """The run of a journey, and of how many events its history is."""
    description = await servers.handle(account_id).describe()
    return description.run_id, description.history_length


@pytest.fixture
def here(servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands find the stack."""
    beside(servers, tmp_path)
    monkeypatch.chdir(tmp_path)
    for name in ("TEMPORAL_ADDRESS", "PERENNIAL_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)
    # Nothing of these may be reached: a copy that tried would never come to its end.
    monkeypatch.setenv("PERENNIAL_PROVISIONING_URL", "http://127.0.0.1:9/provision")
    monkeypatch.setenv("PERENNIAL_SMTP_START_TLS", "true")
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "default")
    # Of workers beside each other: a copy has one, and no build that waits for the work.
    monkeypatch.setenv("PERENNIAL_VERSIONING", "auto-upgrade")
    monkeypatch.setenv("PERENNIAL_QUEUES_APART", "deliveries,batches")
    monkeypatch.setenv("PERENNIAL_WORKS_ON", "batches")
    monkeypatch.setenv("PERENNIAL_MAILS_PER_SECOND", "0.01")


async def settled(servers: Servers, account_id: str) -> None:
    """Once nothing is on its way."""

    async def nothing_waits() -> bool:
        query = "select count(*) from outbox where account_id = $1 and status = 'waiting'"
        return not await servers.pool.fetchval(query, account_id)

    await until(nothing_waits, "all messages leave")


def put_off(found: dict[str, Any]) -> set[str]:
    """The steps that something disturbed: those put off so that mails keep their distance."""
    keys = (step["step"] for step in found["steps"] if step["kind"] == "put_off")
    return {key.removeprefix("reschedule_pace:").partition("@")[0] for key in keys}


async def test_a_year_is_foreseen_as_it_is_planned_and_nobody_is_touched(
    servers: Servers, here: None, capsys: pytest.CaptureFixture[str]
) -> None:
    document = order()
    document["contracts"][0]["auto_renew"] = True
    document["contracts"][0]["term"]["months"] = 6
    account_id, address = document["account"]["account_id"], document["contacts"][0]["email"]
    await servers.client.place_order(document)
    days = [datetime.fromisoformat(document["activated_at"]).date() - timedelta(days=n) for n in range(1, 29)]
    await servers.client.record_usage(
        [UsageRow(account_id=account_id, product="SEATS", day=day, active_users=30) for day in days]
    )
    await settled(servers, account_id)
    before = await checksums(servers, account_id), await history_length(servers, account_id)
    mails = len(servers.stack.mailbox.list())

    await show_plan(account_id, Horizon(months=12), as_json=True)
    plan = json.loads(capsys.readouterr().out)
    await show_foresight(account_id, "12m", as_json=True)
    found = json.loads(capsys.readouterr().out)

    assert (await checksums(servers, account_id), await history_length(servers, account_id)) == before
    assert len(servers.stack.mailbox.list()) == mails
    assert not list(Path(tempfile.gettempdir()).glob(f"{PREFIX}{os.getpid()}-*"))
    # What the pure plan says and nothing disturbs comes on its day.
    came = {step["step"]: step["on"] for step in found["steps"]}
    planned = {step["step"]: step["on"] for step in plan["steps"] if step["at"] < found["until"]}
    disturbed = put_off(found)
    assert len(planned) > 20
    assert {key: on for key, on in planned.items() if key not in disturbed and came.get(key) != on} == {}
    assert disturbed <= set(came)
    # Mails, invoices, the renewal and what people are asked to do, by customer's day.
    subjects = {mail["template"]: mail["subject"] for mail in found["mails"] if mail["status"] == "sent"}
    assert {mail["to"] for mail in found["mails"]} == {address}
    assert "自動更新" in subjects["renewal_notice"]
    assert [renewal["term"] for renewal in found["renewals"]] == [2]
    assert [(one["kind"], one["total"], one["issued_on"] < found["until"]) for one in found["documents"]][:1] == [
        ("invoice", "318000", True)
    ]
    assert any("late" in task["says"] for task in found["tasks"])
    bands = [change["band"] for change in found["health"]]
    assert bands  # usage goes on as it was, so that a score is known all year
    assert "unknown" not in bands
    assert sum(month["mails"] for month in found["months"]) == len(found["mails"])
    assert found["waits"] == []


@pytest.mark.parametrize(
    ("text", "until_"),
    [("12m", "2027-11-30"), ("3m", "2027-02-28"), ("90d", "2027-02-28"), ("2w", "2026-12-14"), ("1y", "2027-11-30")],
)
def test_a_horizon_goes_by_the_customers_calendar(text: str, until_: str) -> None:
    now = datetime.fromisoformat("2026-11-29T23:00:00Z")  # the 30th in Tokyo
    assert f"{read_horizon(text, now, 'Asia/Tokyo').astimezone(ZoneInfo('Asia/Tokyo')):%Y-%m-%d}" == until_


@pytest.mark.parametrize("text", ["", "12", "0m", "-3m", "12 months", "6y", "99999d", "1h"])
def test_what_is_no_horizon_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="12m"):
        read_horizon(text, datetime.fromisoformat("2026-11-29T23:00:00Z"), "Asia/Tokyo")


async def test_nothing_is_foreseen_for_whom_nobody_knows_or_whose_journey_is_closed(
    servers: Servers, here: None
) -> None:
    with pytest.raises(Refusal, match="not on record; place its first order"):
        await show_foresight("nobody-here", "12m", as_json=True)
    document = order()
    account_id = document["account"]["account_id"]
    await servers.client.place_order(document)
    await servers.client.ask(account_id, "close_journey", {"reason": "they left", "by": "S-1"})
    with pytest.raises(Refusal, match="was closed") as refused:
        await show_foresight(account_id, "12m", as_json=True)
    assert refused.value.type == "JourneyClosed"


@pytest.mark.slow("years")
async def test_a_customer_with_a_case_and_a_pause_is_foreseen_too(
    servers: Servers, here: None, capsys: pytest.CaptureFixture[str]
) -> None:
    await staffed(servers, "S-9")
    document = await customer(servers)
    account_id = document["account"]["account_id"]
    opened = await case_client(servers).open_case(case(document, impact="high", urgency="high"))
    await settled(servers, account_id)

    await show_foresight(account_id, "90d", as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert any(opened.case_id in sentence for sentence in found["assumed"])
    assert [(one["id"], one["status"]) for one in found["cases"]] == [(opened.case_id, "new")]
    assert any(step["step"].startswith(f"case:{opened.case_id}/") for step in found["steps"])  # its promises are broken
    assert any(opened.case_id in (notice["subject"] or "") for notice in found["notices"])
    optional = [mail for mail in found["mails"] if mail["template"] == "touch_day_1"]
    assert [mail["status"] for mail in optional] != ["sent"]  # sales is held back while service owes something

    until_ = datetime.fromisoformat(document["activated_at"]) + timedelta(days=20)
    request = {"reason": "they move house", "until": until_.isoformat(), "by": "S-1"}
    await servers.client.ask(account_id, "pause", request)
    await show_foresight(account_id, "30d", as_json=True)
    found = json.loads(capsys.readouterr().out)
    assert any("they move house" in sentence for sentence in found["assumed"])
    ours = [step for step in found["steps"] if not step["step"].startswith("case:")]
    assert ours
    assert all(step["at"] >= until_.isoformat()[:10] for step in ours)


@pytest.mark.slow("kill")
async def test_a_copy_whose_owner_is_killed_leaves_nothing(tmp_path: Path) -> None:
    own = (
        "import asyncio, sys\n"
        "from workers.foresight.servers import own_servers\n"
        "async def hold():\n"
        "    async with own_servers(lambda line: None) as stack:\n"
        "        print(stack.data_dir, stack.postgres.home, stack.postgres.pid, stack.temporal.pid, flush=True)\n"
        "        await asyncio.sleep(600)\n"
        "asyncio.run(hold())\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", own, stdout=asyncio.subprocess.PIPE, env=command_environment(), cwd=tmp_path
    )
    assert process.stdout is not None
    folder, home, *pids = (await process.stdout.readline()).decode().split()
    assert Path(folder).is_dir()
    process.kill()
    await process.wait()

    async def is_gone() -> bool:
        left = [Path(folder).exists(), Path(home).exists(), *(psutil.pid_exists(int(pid)) for pid in pids)]
        return not any(left)

    await until(is_gone, "the guard ends the servers and removes what they kept", 30)


async def test_what_no_guard_could_remove_goes_before_the_next_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ended = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
    await ended.wait()
    left, owned = (tmp_path / f"{PREFIX}{pid}-x" for pid in (ended.pid, os.getpid()))
    for folder in (left, owned, tmp_path / "other"):
        (folder / "postgres").mkdir(parents=True)
    await sweep()
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([owned.name, "other"])
