"""`perennial journey ask`: requests with parts, from the line and from a file."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.asset_life import Life
from tests.conftest import Servers
from tests.e2e.lives import settled, until
from tests.workers.cli.running import Ended, perennial


async def ask(servers: Servers, folder: Path, *arguments: str) -> Ended:
    return await perennial(
        "journey",
        "ask",
        *arguments,
        dsn=servers.stack.postgres_dsn,
        folder=folder,
        environment={"TEMPORAL_ADDRESS": servers.stack.temporal_address},
    )


async def test_a_request_with_parts_comes_from_the_line_or_a_file(servers: Servers, tmp_path: Path) -> None:
    life = await Life.begin(servers)
    more = json.dumps([{"asset_id": life.seats, "add": 10}])
    done = await ask(servers, tmp_path, life.account, "amend_assets", f"assets={more}", "request_id=r-1")
    assert (done.code, json.loads(done.out)["assets"][0]["quantity"]) == (0, 50)
    (tmp_path / "fewer.json").write_text(json.dumps({"assets": [{"asset_id": life.seats, "remove": 4}]}))
    done = await ask(servers, tmp_path, life.account, "amend_assets", "@fewer.json", "request_id=r-2")
    assert (done.code, json.loads(done.out)["assets"][0]["quantity"]) == (0, 46)
    by = await servers.pool.fetch(
        "select detail->>'by' as by from journal where account_id = $1 and kind = 'amend_assets'", life.account
    )
    assert {row["by"] for row in by} == {"cli"}


async def test_what_cannot_be_read_is_said(servers: Servers, tmp_path: Path) -> None:
    (tmp_path / "list.json").write_text("[]")
    for argument, said in (
        ("assets=[{", "assets is no JSON"),
        ("@none.json", "none.json cannot be read"),
        ("@list.json", "must be a JSON object"),
        ("assets", "is no field"),
    ):
        done = await ask(servers, tmp_path, "A-0", "amend_assets", argument)
        assert done.code != 0
        assert said in " ".join(done.err.split())


async def test_the_list_shows_what_runs_and_with_all_what_has_ended(servers: Servers, tmp_path: Path) -> None:
    life = await Life.begin(servers, days=1)
    address = servers.stack.temporal_address

    async def listed(*more: str) -> dict[str, str]:
        query = f"AccountId = '{life.account}'"
        arguments = ("journey", "list", "--query", query, "--json", *more)
        found = await perennial(
            *arguments, dsn=servers.stack.postgres_dsn, folder=tmp_path, environment={"TEMPORAL_ADDRESS": address}
        )
        return {row["AccountId"]: row.get("status", "") for row in json.loads(found.out)}

    async def shown(*more: str, **expected: str) -> None:
        async def so() -> bool:
            return await listed(*more) == expected

        await until(so, f"{more} shows {expected}")

    await shown(**{life.account: ""})
    await shown("--all", **{life.account: "running"})
    await life.ask("close_journey", reason="out of business")
    await shown()
    await shown("--all", **{life.account: "completed"})


async def test_a_pause_ends_at_an_instant_however_its_offset_is_written(servers: Servers, tmp_path: Path) -> None:
    life = await Life.begin(servers)
    dsn, environment = servers.stack.postgres_dsn, {"TEMPORAL_ADDRESS": servers.stack.temporal_address}
    for instant in ("2199-03-31T09:00:00+09:00", "2199-03-31T00:00:00Z"):
        done = await perennial(
            "journey",
            "pause",
            life.account,
            "holidays",
            "--until",
            instant,
            dsn=dsn,
            folder=tmp_path,
            environment=environment,
        )
        assert done.code == 0, done.err
        assert await servers.client.ask(life.account, "resume", {})
    done = await perennial(
        "journey",
        "pause",
        life.account,
        "holidays",
        "--until",
        "2199-03-31",
        dsn=dsn,
        folder=tmp_path,
        environment=environment,
    )
    assert done.code != 0
    assert "offset" in done.err


async def test_a_journey_is_shown_with_where_each_of_its_messages_stands(servers: Servers, tmp_path: Path) -> None:
    life = await Life.begin(servers, days=1)
    await settled(servers.pool, life.account)
    environment = {"TEMPORAL_ADDRESS": servers.stack.temporal_address}
    dsn = servers.stack.postgres_dsn
    shown = await perennial("journey", "show", life.account, dsn=dsn, folder=tmp_path, environment=environment)
    assert "welcome mail to 山本 葵 (main contact): sent " in shown.out
    shown = await perennial(
        "journey", "show", life.account, "--json", dsn=dsn, folder=tmp_path, environment=environment
    )
    journal = json.loads(shown.out)["journal"]
    (welcome,) = [one for line in journal for one in line["messages"] if one["what"] == "welcome"]
    assert (welcome["to"], welcome["status"]) == ("P-1", "sent")


async def test_a_contract_is_asked_about_by_the_number_that_mails_give_it(servers: Servers, tmp_path: Path) -> None:
    contract = f"framework.agreement.{uuid.uuid4().hex[:12]}"
    life = await Life.begin(servers, days=1, contract_id=contract)
    unknown = await ask(servers, tmp_path, life.account, "request_renewal", "contract_id=K-1")
    assert (unknown.code, "K-1" in unknown.err) == (1, True)
    await life.ask("request_renewal", contract_id=contract)
    done = await ask(servers, tmp_path, life.account, "answer_renewal", "contract_id=k-1", "decision=accept")
    assert (done.code, json.loads(done.out)["contract_id"]) == (0, contract)
    assert f"k-1 is contract {contract}" in " ".join(done.err.split())
    dsn, environment = servers.stack.postgres_dsn, {"TEMPORAL_ADDRESS": servers.stack.temporal_address}
    show = ("journey", "show", life.account)
    shown = await perennial(*show, dsn=dsn, folder=tmp_path, environment=environment)
    assert f"In mails: {contract} (K-1)" in shown.out
    shown = await perennial(*show, "--json", dsn=dsn, folder=tmp_path, environment=environment)
    assert json.loads(shown.out)["short_numbers"] == {"K-1": contract}


@pytest.mark.engine
async def test_lists_have_names_and_say_whom_they_find_by_the_names_of_companies(
    servers: Servers, tmp_path: Path
) -> None:
    life = await Life.begin(servers, days=1)
    await life.ask("pause", reason="they move house")
    company = await servers.pool.fetchval("select name from account where account_id = $1", life.account)

    async def said(*arguments: str) -> Any:
        address = {"TEMPORAL_ADDRESS": servers.stack.temporal_address}
        done = await perennial(
            *arguments, "--json", dsn=servers.stack.postgres_dsn, folder=tmp_path, environment=address
        )
        return json.loads(done.out)

    async def found() -> bool:
        rows = {row["journey"]: row for row in await said("journey", "list", "--view", "paused")}
        return bool(rows.get(f"journey-{life.account}", {}).get("company") == company)

    await until(found, "the list of paused journeys names the company")
    views = {one["view"]: one for one in await said("journey", "views")}
    assert views["paused"]["count"] >= 1
    assert views["stuck"]["query"].startswith(
        "TemporalReportedProblems IS NOT NULL AND WorkflowType = 'CustomerJourney'"
    )
    owner = await servers.pool.fetchval("select owner_id from account where account_id = $1", life.account)
    theirs = {one["view"]: one for one in await said("journey", "views", "--owner", owner)}
    assert theirs["paused"]["count"] >= 1
    assert theirs["cases"]["query"].startswith(f"Owner = '{owner}' AND WorkflowType = 'ServiceCase'")
    nobody = {one["view"]: one["count"] for one in await said("journey", "views", "--owner", "s-nobody")}
    assert nobody == dict.fromkeys(nobody, 0)
    page = (Path(__file__).parents[3] / "docs" / "operate.md").read_text()
    assert not [name for name in views if f"| `{name}` |" not in page]
