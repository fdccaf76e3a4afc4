"""The files for whoever watches: each alert has its entry in the runbook, each query finds what a real worker says of itself.

With `prometheus` and `promtool` on the PATH (Debian's package `prometheus`) they judge as well; without them their own grammar does, by
promql-parser, and every selector is looked up in a scrape.
"""

from __future__ import annotations

import asyncio
import json
import re
import shlex
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import promql_parser as promql
import pytest
import typer
import yaml
from prometheus_client.parser import text_string_to_metric_families
from typer.main import get_command

from activities.journey.figures import note_reconciliation
from activities.kernel.clock import present
from gateway.client import PerennialClient
from gateway.connection import connect
from gateway.figures import Figures
from gateway.inbox_metrics import InboxMetrics
from gateway.metrics import Metrics
from tests.builders import order
from tests.conftest import Servers
from tests.ports import own_ports
from workers.cli import app
from workers.wiring import build_worker

PLACE = Path(__file__).parents[1] / "docs" / "operate"
RULES = [rule for group in yaml.safe_load((PLACE / "alerts.yaml").read_text())["groups"] for rule in group["rules"]]
RUNBOOK = (PLACE / "runbook.md").read_text()
DASHBOARD = json.loads((PLACE / "dashboard.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
QUERIES = [target["expr"].replace("$__rate_interval", "1m") for panel in PANELS for target in panel["targets"]]


def _selectors(expression: Any) -> Iterator[Any]:
    """Every selector of a series in a query."""
    if isinstance(expression, promql.VectorSelector):
        yield expression
    elif isinstance(expression, promql.MatrixSelector):
        yield expression.vector_selector
    elif isinstance(expression, promql.AggregateExpr | promql.ParenExpr | promql.UnaryExpr | promql.SubqueryExpr):
        yield from _selectors(expression.expr)
    elif isinstance(expression, promql.BinaryExpr):
        yield from _selectors(expression.lhs)
        yield from _selectors(expression.rhs)
    elif isinstance(expression, promql.Call):
        for argument in expression.args:
            yield from _selectors(argument)


def _matches(selector: Any, name: str, labels: dict[str, str]) -> bool:
    return name == selector.name and all(_fits(one, labels.get(one.name, "")) for one in selector.matchers.matchers)


def _fits(matcher: Any, value: str) -> bool:
    by_pattern = matcher.op in (promql.MatchOp.Re, promql.MatchOp.NotRe)
    same = re.fullmatch(matcher.value, value) is not None if by_pattern else value == matcher.value
    wanted: bool = matcher.op in (promql.MatchOp.Equal, promql.MatchOp.Re)
    return same is wanted


@asynccontextmanager
async def _measured(servers: Servers) -> AsyncIterator[list[int]]:
    """A worker that has done something for a customer, and an inbox, asked by Prometheus; the ports where they answer."""
    metrics = Metrics("127.0.0.1", 0)
    temporal = await connect(servers.stack.temporal_address, runtime=metrics.runtime)
    settings = servers.settings.model_copy(update={"task_queue": "measured"})
    async with (
        build_worker(temporal, servers.pool, settings),
        metrics.served(Figures(temporal, servers.pool)) as worker,
        InboxMetrics("127.0.0.1", 0).served(lambda: 0) as inbox,
    ):
        document = order()
        await PerennialClient(temporal, servers.pool, task_queue="measured").place_order(document)
        await _case_and_renewal(servers, document["account"]["account_id"])
        yield [worker, inbox]


async def _case_and_renewal(servers: Servers, account: str) -> None:
    """What takes months in a life: a case that is open with a promise, a renewal, a comparison."""
    now = present()
    await servers.pool.execute(
        "insert into service_case (case_id, account_id, subject, channel, impact, urgency, priority, status, status_at, opened_at,"
        " last_activity_at, planned_at, recorded_at) values ($1, $2, '', 'mail', 'low', 'low', 'low', 'open', $3, $3, $3, $3, $3)",
        f"C-{account}",
        account,
        now,
    )
    await servers.pool.execute(
        "insert into case_milestone (case_id, milestone, number, kind, started_at, state) values ($1, 'answer', 1, 'first_response', $2, 'open')",
        f"C-{account}",
        now,
    )
    await servers.pool.execute(
        "insert into contract_term (contract_id, number, start_on, until, starts_at, ends_at, origin, recorded_at)"
        " select contract_id, number + 1, until + 1, until + 365, ends_at, ends_at + interval '1 year', 'accepted', $2"
        " from contract_term join contract using (contract_id) where account_id = $1",
        account,
        now - timedelta(minutes=1),
    )
    async with servers.pool.acquire() as connection:
        await note_reconciliation(connection, now - timedelta(minutes=1), 1, 0, 0, {})


async def _samples(port: int) -> list[tuple[str, dict[str, str]]]:
    async with httpx2.AsyncClient(timeout=15) as http:
        text = (await http.get(f"http://127.0.0.1:{port}/metrics")).text
    return [(one.name, dict(one.labels)) for family in text_string_to_metric_families(text) for one in family.samples]


def test_every_alert_has_its_entry_in_the_runbook_and_says_how_pressing_it_is() -> None:
    headings = set(re.findall(r"^### (\w+)$", RUNBOOK, re.MULTILINE))
    assert {rule["alert"] for rule in RULES} == headings
    for rule in RULES:
        assert rule["labels"]["severity"] in ("page", "ticket"), rule["alert"]
        assert rule["annotations"]["runbook"] == f"docs/operate/runbook.md#{rule['alert'].lower()}"


def test_every_alert_is_tried_on_figures_that_call_for_it_and_on_those_of_a_good_day() -> None:
    tried = yaml.safe_load((PLACE / "alerts.test.yaml").read_text())["tests"]
    fires = {one["alertname"] for test in tried for one in test["alert_rule_test"] if one["exp_alerts"]}
    rests = {one["alertname"] for test in tried for one in test["alert_rule_test"] if not one["exp_alerts"]}
    assert fires == rests == {rule["alert"] for rule in RULES}


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_the_rules_say_what_their_tests_say() -> None:
    for arguments in (["check", "rules", "alerts.yaml"], ["test", "rules", "alerts.test.yaml"]):
        done = subprocess.run(["promtool", *arguments], cwd=PLACE, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.engine
@pytest.mark.damaged
async def test_every_query_finds_what_a_worker_says_of_itself(on_engine: Servers) -> None:
    async with _measured(on_engine) as ports:
        found = [sample for port in ports for sample in await _samples(port)]
    rules = [rule["expr"] for rule in RULES]
    missing = [
        (query, selector.prettify())
        for query in [*QUERIES, *rules]
        for selector in _selectors(promql.parse(query))
        if not any(_matches(selector, name, labels) for name, labels in found)
    ]
    assert missing == []


@pytest.mark.engine
@pytest.mark.damaged
@pytest.mark.skipif(shutil.which("prometheus") is None, reason="Prometheus is not installed")
async def test_prometheus_has_rows_for_every_panel(on_engine: Servers, tmp_path: Path) -> None:
    (listens,) = own_ports(1)
    async with _measured(on_engine) as ports:
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(PLACE / "alerts.yaml")],
            "scrape_configs": [
                {"job_name": "perennial", "static_configs": [{"targets": [f"127.0.0.1:{port}" for port in ports]}]}
            ],
        }
        (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config))
        command = [
            "prometheus",
            f"--config.file={tmp_path / 'prometheus.yml'}",
            f"--storage.tsdb.path={tmp_path / 'series'}",
            f"--web.listen-address=127.0.0.1:{listens}",
        ]
        running = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
        try:
            async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{listens}", timeout=10) as http:
                empty = QUERIES
                for _ in range(40):
                    await asyncio.sleep(1)
                    empty = [query for query in empty if not await _rows(http, query)]
                    if not empty:
                        break
                assert empty == []
                rules = (await http.get("/api/v1/rules")).json()["data"]["groups"]
                assert {one["health"] for group in rules for one in group["rules"]} <= {"ok", "unknown"}
        finally:
            running.terminate()
            await running.wait()


async def _rows(http: httpx2.AsyncClient, query: str) -> list[Any]:
    try:
        answer = await http.get("/api/v1/query", params={"query": query})
    except httpx2.HTTPError:
        return []  # it is not up yet
    rows: list[Any] = answer.json().get("data", {}).get("result", [])
    return rows


def _command(words: list[str]) -> tuple[Any, list[str]]:
    """The command that words name, and the words behind it."""
    found: Any = get_command(app)
    while words and words[0] in getattr(found, "commands", {}):
        found, words = found.commands[words[0]], words[1:]
        found = found.load() if hasattr(found, "load") else found
    return found, words


def _lines(page: Path) -> Iterator[str]:
    """What a page has people type after `perennial`: in a console, or named in a sentence."""
    for named, typed in re.findall(r"`((?:[^`\n]|\n(?!\n))+)`|^ *\$ (.*)$", page.read_text(), re.MULTILINE):
        if found := re.match(
            r"(?:docker compose run --rm worker|uv run perennial|perennial) ([a-z].*)$",
            " ".join((named or typed).split()),
        ):
            yield found[1]


@pytest.mark.parametrize("line", sorted({line for page in PLACE.glob("*.md") for line in _lines(page)}))
def test_commands_of_the_pages_are_taken_as_they_stand(line: str) -> None:
    command, words = _command(shlex.split(line, comments=True))
    if hasattr(command, "commands"):
        assert not words
        return
    try:
        command.make_context("perennial", words)
    except typer.BadParameter as error:
        if not hasattr(error, "param_type"):  # else one is missing: a sentence that names the command alone
            raise


@pytest.mark.parametrize("page", sorted(PLACE.glob("*.md")), ids=lambda page: page.name)
def test_queries_of_the_pages_name_instants(page: Path) -> None:
    for named in re.findall(r"\w+At [<>]=? '([^']*)'", page.read_text()):
        assert named in ("…", "$(date -u +%FT%TZ)") or datetime.fromisoformat(named).tzinfo, f"{page.name}: {named}"


@pytest.mark.parametrize("page", sorted(PLACE.glob("*.md")), ids=lambda page: page.name)
def test_links_within_the_pages_lead_to_a_heading(page: Path) -> None:
    for path, anchor in re.findall(r"\]\(([\w./-]*)#([\w-]+)\)", page.read_text()):
        there = (page.parent / path).read_text() if path else page.read_text()
        headings = {
            re.sub(r"[^\w -]", "", one).strip().lower().replace(" ", "-")
            for one in re.findall(r"^#+ (.*)$", there, re.MULTILINE)
        }
        assert anchor in headings, f"{page.name}: {path}#{anchor}"
