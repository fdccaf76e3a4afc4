"""Why something was done is said by a command: the rule, the playbook, the facts of then, and whoever asked."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from domain.journey.horizon import Horizon
from domain.kernel.refusals import Refusal
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of, onboard, settled
from tests.workflows.success.test_plays import follow, play
from workers.cli import explanations, plans


@pytest.fixture
def beside(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> Servers:
    """Commands of this process look at the servers of the test."""

    @asynccontextmanager
    async def connections() -> AsyncIterator[Servers]:
        yield servers

    for module in (explanations, plans):
        monkeypatch.setattr(module, "connections", connections)
    return servers


async def explained(account: str, step: str | None, said: pytest.CaptureFixture[str]) -> dict[str, Any]:
    said.readouterr()
    await explanations.show_explanation(account, step, as_json=True)
    found: dict[str, Any] = json.loads(said.readouterr().out)
    return found


async def test_from_anything_to_its_reason(beside: Servers, capsys: pytest.CaptureFixture[str]) -> None:
    document = order()
    account, contract = account_of(document), document["contracts"][0]["contract_id"]
    await beside.client.place_order(document)
    first = (
        f"standard {await beside.pool.fetchval('select playbook_version from account where account_id = $1', account)}"
    )
    await follow(beside, account, play("call", "go_live", 3, when="arr > 5.0 && !blocked", task={"title": "Call them"}))
    await beside.client.fast_forward(account, timedelta(days=45))
    await onboard(beside.client, account)
    await beside.client.fast_forward(account, timedelta(days=300))
    await settled(beside.pool, account)

    notice = await explained(account, "notice-60", capsys)
    assert notice["key"] == f"renewal:{contract}:1/notice-60"
    assert notice["why"].startswith(f"60 days before the last day of {contract}")
    assert (notice["by"], notice["planned_by"]["key"]) == (None, f"renewal:{contract}:1/notice-90")
    [mail] = [one for one in notice["messages"] if one["template"] == "renewal_notice"]
    assert notice["facts"]["said in renewal_notice"]["contract_id"] == contract
    assert (await explained(account, "renewal_notice", capsys))["key"].startswith(f"renewal:{contract}:1/notice-")
    assert mail["status"] == "sent"

    called = await explained(account, "play:call", capsys)
    assert called["playbook"] == (await beside.pool.fetchval(
        "select segment || ' ' || playbook_version from account where account_id = $1", account
    ))  # fmt: skip
    assert called["why"] == "play call: 3 days after go live, if arr > 5.0 && !blocked"
    assert called["facts"]["facts"] == {"arr": 636000.0, "blocked": False}
    assert [task["title"] for task in called["tasks"]] == ["Call them"]
    assert (await explained(account, called["tasks"][0]["key"], capsys))["key"] == called["key"]

    invoice = await beside.pool.fetchval(
        "select invoice_id from invoice where account_id = $1 order by number limit 1", account
    )
    billed = await explained(account, invoice, capsys)
    assert invoice in [one["id"] for one in billed["documents"]]

    asked = await explained(account, "change_account", capsys)
    assert (asked["by"], asked["why"]) == (
        "Olga Owner (S-1)",
        "it was asked: Change of who looks after the customer, and how",
    )
    welcome = await explained(account, f"onboarding:{document['order_id']}/welcome", capsys)
    assert welcome["playbook"] == first, "that of then"
    assert welcome["why"] == "task Welcome, due 0 days after the order"

    coming = await explained(account, "term-end", capsys)
    assert (coming["done"], coming["key"]) == (False, f"renewal:{contract}:1/term-end")
    everything = await explained(account, None, capsys)
    assert everything["next"]
    assert len(everything["latest"]) == 10
    await explanations.show_explanation(account, "notice-60", as_json=False)
    said = capsys.readouterr().out
    assert "asked by: nobody: it came by itself" in said
    with pytest.raises(Refusal, match="is called 'nothing-of-theirs'"):
        await explained(account, "nothing-of-theirs", capsys)


async def test_a_plan_is_a_calendar_and_another_playbook_changes_nothing(
    beside: Servers, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    document = order()
    account = account_of(document)
    await beside.client.place_order(document)
    body = await beside.pool.fetchval("select body from playbook where segment = 'standard' order by version limit 1")
    file = tmp_path / "standard.yaml"
    plays = [play("rich", "contract_end", -40, when="arr > 99999999.0", task={"title": "Meet them"})]
    file.write_text(yaml.safe_dump(body | {"version": 99, "plays": plays}), encoding="utf-8")
    rows = await beside.pool.fetchval("select count(*) from effect where account_id = $1", account)
    horizon = Horizon(months=12)
    await plans.show_plan(account, horizon, as_json=True)
    before = json.loads(capsys.readouterr().out)
    await plans.show_plan(account, horizon, playbook=file, as_json=True)
    after = json.loads(capsys.readouterr().out)
    new = [one for one in after["steps"] if one["step"] not in {step["step"] for step in before["steps"]}]
    assert [(one["kind"], one["to"]) for one in new] == [("play", "success manager")]
    assert new[0]["today"].startswith("its condition does not hold: arr > 99999999.0")
    assert before["playbook"] != after["playbook"] == "standard 99"
    assert all(one["why"] for one in after["steps"])
    assert await beside.pool.fetchval("select count(*) from effect where account_id = $1", account) == rows
    await plans.show_plan(account, horizon, playbook=file, as_json=False)
    shown = " ".join(capsys.readouterr().out.split())
    assert "steps by the playbook standard 99" in shown
    assert "60 days before the last day of" in shown
