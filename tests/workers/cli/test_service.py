"""Cases, their figures and a customer's timeline on the command line, as people run it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.conftest import Servers
from tests.workers.cli.running import Ended, perennial

SAMPLE = Path(__file__).parents[2] / "data" / "incident_log_sample.csv"


async def test_a_log_is_imported_reported_on_and_seen_on_the_timeline(servers: Servers, tmp_path: Path) -> None:
    async def run(*arguments: str) -> Ended:
        return await perennial(*arguments, dsn=servers.stack.postgres_dsn, folder=tmp_path)

    imported = await run("import", "cases", str(SAMPLE), "--json")
    assert imported.code == 0, imported.err
    report = json.loads(imported.out)
    assert (report["lines"], report["imported"], report["reasons"]) == (121, 116, {"no_customer": 5})
    assert (tmp_path / "incident_log_sample.rejects.csv").exists()

    period = ("--from", "2016-02-29", "--to", "2017-01-01")
    sla = await run("report", "sla", *period, "--chart", "sla.svg")
    assert sla.code == 0, sla.err
    assert "first response" in sla.out
    assert "2016-02-29" in sla.out
    assert "Who waited longest" in sla.out
    assert (tmp_path / "sla.svg").read_text().startswith("<svg")

    roi = json.loads((await run("report", "roi", *period, "--json")).out)
    assert [one["scenario"]["name"] for one in roi["results"]] == ["cautious", "expected", "optimistic"]
    assert roi["inputs"]["cases_month"]["source"].startswith("own data: ")
    shown = await run("report", "roi", *period)
    assert "where it comes from" in shown.out
    assert "█" in shown.out

    page = json.loads((await run("timeline", "site-143", "--limit", "3", "--json")).out)
    assert len(page["items"]) == 3
    behind = json.loads((await run("timeline", "site-143", "--limit", "3", "--before", page["next"], "--json")).out)
    assert page["items"][-1]["at"] >= behind["items"][0]["at"]
    kept = json.loads((await run("timeline", "site-143", "--kind", "milestone", "--json")).out)
    assert {item["kind"] for item in kept["items"]} == {"milestone"}


async def test_what_cannot_be_reported_is_said_in_a_sentence(servers: Servers, tmp_path: Path) -> None:
    (tmp_path / "inputs.yaml").write_text("inputs: {hourly_costs: 40}\n")
    for arguments, said in (
        (("report", "sla", "--from", "2026-01-02", "--to", "2026-01-01"), "has no day in it"),
        (("report", "roi", "--inputs", "inputs.yaml"), "'hourly_costs' is no input"),
        (("report", "roi", "--inputs", "missing.yaml"), "missing.yaml"),
        (("timeline", "nobody-here"), "'nobody-here' is not on record"),
        (("timeline", "nobody-here", "--before", "x"), "is no cursor"),
    ):
        ended = await perennial(*arguments, dsn=servers.stack.postgres_dsn, folder=tmp_path)
        assert ended.code == 1
        assert said in ended.err
        assert "Traceback" not in ended.err
