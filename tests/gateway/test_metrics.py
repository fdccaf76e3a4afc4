"""What Prometheus reads of a process: figures of the tables, of the engine and of the library, whoever is away."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families
from temporalio import workflow
from temporalio.client import Client

from activities.journey import figures as counting
from activities.journey.figures import NOW, SELDOM, counted, note_reconciliation
from activities.kernel.clock import present
from activities.kernel.pool import Pool, open_pool
from gateway.figures import CONNECTIONS, STATES, Figures
from gateway.metrics import FAMILIES, Metrics
from tests.conftest import Servers
from tests.faults.proxy import LOOPBACK, Pipe, Route
from tests.gateway.api.test_reading import placed
from tests.ports import own_ports
from workers.cli.common import UserError
from workers.cli.measuring import metrics_of
from workers.settings import Settings
from workers.wiring import WORKFLOWS

NOWHERE = "postgresql://nobody@127.0.0.1:1/none"


@asynccontextmanager
async def scraping(temporal: Client, pool: Pool, metrics: Metrics | None = None) -> AsyncIterator[Any]:
    """A function that asks as Prometheus does, and returns the samples: {(name, labels): value}."""
    metrics = metrics or Metrics("127.0.0.1", 0)
    async with metrics.served(Figures(temporal, pool)) as port, httpx2.AsyncClient(timeout=15) as http:

        async def scrape() -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
            answer = await http.get(f"http://127.0.0.1:{port}/metrics")
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
            families = text_string_to_metric_families(answer.text)
            return {
                (one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples
            }

        yield scrape


def of(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return f"perennial_{name}", frozenset(labels.items())


async def _undelivered(servers: Servers, account: str, hours: int) -> None:
    await servers.pool.execute(
        "insert into outbox (delivery_id, account_id, channel, stage, body, created_at) values ($1, $2, 'deliver_mail', '', $3, $4)",
        f"journey:{account}/{uuid4().hex}",
        account,
        {"template": "notice"},
        present() - timedelta(hours=hours),
    )


@pytest.mark.engine
async def test_one_address_has_the_figures_of_the_tables_of_the_engine_and_of_the_library(on_engine: Servers) -> None:
    account = (await placed(on_engine))["account"]["account_id"]
    await _undelivered(on_engine, account, hours=30)
    metrics = Metrics("127.0.0.1", 0)
    temporal = await Client.connect(on_engine.stack.temporal_address, runtime=metrics.runtime)
    async with scraping(temporal, on_engine.pool, metrics) as scrape:
        for _ in range(60):  # the engine's list is some moments behind
            found = await scrape()
            if found[of("journeys", state="running")] >= 1:
                break
            await asyncio.sleep(1)
    assert found[of("up", server="postgresql")] == found[of("up", server="temporal")] == 1
    assert found[of("journeys", state="running")] >= 1
    assert found[of("journeys", state="stuck")] == 0
    assert found[of("deliveries", channel="mail", state="waiting")] >= 1
    assert found[of("deliveries_oldest_seconds", channel="mail")] >= 30 * 3600 - 60
    assert found[of("sales_holds", level="block")] >= 0
    assert any(name == "temporal_request_total" for name, _ in found), sorted({name for name, _ in found})
    assert any(name == "process_cpu_seconds_total" for name, _ in found)
    ids = {account, *(await on_engine.pool.fetchval("select array_agg(staff_id) from staff"))}
    told = {value for name, labels in found if name.startswith("perennial_") for _, value in labels}
    assert not told & ids
    assert await on_engine.pool.execute(
        'delete from outbox where body = \'{"template": "notice"}\' and message_id is null'
    )


async def test_servers_that_are_away_are_figures_and_no_failed_answer(servers: Servers) -> None:
    pool = await open_pool(NOWHERE)
    gone = await Client.connect("127.0.0.1:1", lazy=True)
    async with scraping(gone, pool) as scrape:
        found = await scrape()
    await pool.close()
    assert (found[of("up", server="postgresql")], found[of("up", server="temporal")]) == (0, 0)
    assert of("deliveries", channel="mail", state="waiting") not in found, (
        "none is known, which is not the same as none"
    )


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for long."""
    monkeypatch.setattr("gateway.figures.PATIENCE", 1.0)
    monkeypatch.setattr("gateway.figures.LONGEST", 3.0)


@pytest.mark.engine
@pytest.mark.usefixtures("hasty")
async def test_what_is_slow_to_count_is_late_and_its_server_is_not_away(
    on_engine: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = counting.counted

    async def slowly(connection: Any, what: Any, at: Any) -> Any:
        await asyncio.sleep(1.5 if what is NOW else 0)
        return await before(connection, what, at)

    async def never(*_: Any, **__: Any) -> Any:
        await asyncio.sleep(60)

    monkeypatch.setattr("gateway.figures.counted", slowly)
    temporal = await Client.connect(on_engine.stack.temporal_address)
    monkeypatch.setattr(temporal, "count_workflows", never)
    async with scraping(temporal, on_engine.pool) as scrape:
        first = await scrape()
        await asyncio.sleep(3)
        then = await scrape()
    for found in (first, then):
        assert found[of("up", server="postgresql")] == found[of("up", server="temporal")] == 1
        late = {name: found[of("figures_late", set=name)] for name in ("facts", "seldom", "runs")}
        assert late == {"facts": 1, "seldom": 0, "runs": 1}
        assert of("journeys", state="running") not in found
    waiting = of("deliveries", channel="mail", state="waiting")
    assert waiting not in first
    assert waiting in then, "counted in the end, though nobody waited for it"


@pytest.mark.usefixtures("hasty")
async def test_a_count_that_is_given_up_ends_on_the_server_too(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def endlessly(connection: Any, *_: Any) -> Any:
        await connection.execute("select pg_sleep(600) as never_ends")

    monkeypatch.setattr("gateway.figures.counted", endlessly)
    figures = Figures(await Client.connect("127.0.0.1:1", lazy=True), servers.pool)
    told = await figures.now()
    running = "select count(*) from pg_stat_activity where query like '%as never_ends' and state = 'active'"
    assert told.up["postgresql"]
    assert await servers.pool.fetchval(running) == 2
    for _ in range(100):
        if not await servers.pool.fetchval(running):
            break
        await asyncio.sleep(0.1)
    assert await servers.pool.fetchval(running) == 0
    await figures.end()


class _Mute(Pipe):
    """While its route is silent, one that comes is taken in as well, and told nothing."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not self.route.silent:
            super().connection_made(transport)
            return
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.route.pipes.add(self)


@pytest.mark.usefixtures("hasty")
async def test_a_postgresql_that_says_nothing_is_away_and_keeps_nobody_waiting(servers: Servers) -> None:
    loop = asyncio.get_running_loop()
    told = urlsplit(servers.settings.database_url.get_secret_value())
    assert told.hostname == LOOPBACK
    route = Route("postgres", 0, told.port or 5432)
    listening = await loop.create_server(lambda: _Mute(route), LOOPBACK, 0)
    port = listening.sockets[0].getsockname()[1]
    pool = await open_pool(told._replace(netloc=told.netloc.replace(f":{told.port}", f":{port}")).geturl())
    gone = await Client.connect("127.0.0.1:1", lazy=True)
    metrics = Metrics("127.0.0.1", 0)
    figures = Figures(gone, pool, kept=0)
    try:
        async with metrics.served(figures) as address, httpx2.AsyncClient(timeout=60) as http:

            async def up() -> tuple[bool, float]:
                await asyncio.sleep(0.3)  # what was asked a moment ago is not asked again
                began = loop.time()
                answer = await http.get(f"http://127.0.0.1:{address}/metrics")
                answered = 'perennial_up{server="postgresql"} 1.0' in answer.text
                assert answered or "perennial_staff_tasks{" not in answer.text
                return answered, loop.time() - began

            assert (await up())[0]
            route.silent = True
            for _ in range(3):
                answered, took = await up()
                assert not answered
                assert took < 3
            route.silent = False
            route.cut()
            for _ in range(15):
                if (await up())[0]:
                    break
            assert (await up())[0], "it is asked again once it speaks"
    finally:
        pool.terminate()
        listening.close()


async def test_who_asks_more_often_asks_nobody_else(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    before = counting.counted

    async def counting_calls(connection: Any, what: Any, at: Any) -> Any:
        asked.append(what)
        return await before(connection, what, at)

    monkeypatch.setattr("gateway.figures.counted", counting_calls)
    gone = await Client.connect("127.0.0.1:1", lazy=True)
    figures = Figures(gone, servers.pool)
    await asyncio.gather(*(figures.now() for _ in range(5)))
    assert (asked.count(NOW), asked.count(SELDOM), len(asked)) == (1, 1, 2)


async def test_a_comparison_of_agendas_with_facts_is_a_figure_until_the_next_one(servers: Servers) -> None:
    async with servers.pool.acquire() as connection:
        await note_reconciliation(connection, present() - timedelta(days=2), 10, 3, 3, {"missing": 3})
        await note_reconciliation(connection, present() - timedelta(hours=1), 12, 2, 0, {"missing": 2})
        found = {(one.figure, one.state): one.value for one in await counted(connection, SELDOM, present())}
    assert (found["reconcile_differences", "found"], found["reconcile_differences", "standing"]) == (2, 0)
    assert found["reconcile_customers", ""] == 12
    assert 3500 < found["reconcile_age_seconds", ""] < 3700


@pytest.mark.damaged
async def test_a_renewal_took_from_the_customers_first_word_to_their_yes(servers: Servers) -> None:
    account = (await placed(servers))["account"]["account_id"]
    contract = await servers.pool.fetchval("select contract_id from contract where account_id = $1", account)
    asked = present() - timedelta(hours=6)
    await servers.pool.execute(
        "insert into contract_term (contract_id, number, start_on, until, starts_at, ends_at, origin, recorded_at)"
        " select contract_id, number + 1, until + 1, until + 365, ends_at, ends_at + interval '1 year', 'accepted', $2"
        " from contract_term where contract_id = $1",
        contract,
        present() - timedelta(hours=1),
    )
    await servers.pool.execute(
        "update contract_term set recorded_at = $2 where contract_id = $1 and number = 1", contract, asked
    )
    await servers.pool.execute(
        "insert into journal (account_id, key, at, stage, kind, title, detail) values ($1, $2, $3, '', 'request_renewal', '', $4)",
        account,
        f"journey:{account}/asked",
        asked + timedelta(hours=1),
        {"contract_id": contract},
    )
    longer_ago = "update contract_term set recorded_at = recorded_at - interval '9 years' where contract_id <> $1"
    async with servers.pool.acquire() as connection:
        alone = connection.transaction()
        await alone.start()
        await connection.execute(longer_ago, contract)  # what other customers have renewed
        found = {(one.figure, one.state): one.value for one in await counted(connection, SELDOM, present())}
        await alone.rollback()
    assert found["renewals", "accepted"] == 1
    assert found["renewal_turnaround_seconds", "0.5"] == pytest.approx(4 * 3600, abs=5)


async def test_figures_read_of_the_outbox_what_they_are_about_and_not_all_that_ever_left(servers: Servers) -> None:
    async with servers.pool.acquire() as connection, connection.transaction():
        await connection.execute("set local enable_seqscan = off")
        plan = await connection.fetch(f"explain {NOW.text.replace('$1', 'now()')}")
    assert not [row[0] for row in plan if "Seq Scan on outbox" in row[0]]


async def test_every_figure_has_its_words_and_as_many_values_as_labels(servers: Servers) -> None:
    async with servers.pool.acquire() as connection:
        found = [one for what in (NOW, SELDOM) for one in await counted(connection, what, present())]
    labels = {name: len(labels) for name, (_, labels) in FAMILIES.items()}
    assert [one for one in found if labels.get(one.figure) != sum(map(bool, (one.of, one.state)))] == []


async def test_nobody_is_measured_unless_asked_and_a_port_that_is_taken_is_said(servers: Servers) -> None:
    assert metrics_of(Settings()) is None
    with socket.create_server(("127.0.0.1", 0)) as taken:
        measuring = metrics_of(Settings(metrics_port=taken.getsockname()[1]))
        assert measuring is not None
        with pytest.raises(UserError, match="set PERENNIAL_METRICS_PORT to another one"):
            async with measuring.served(servers.temporal):
                pass


def test_each_kind_of_run_is_seen_that_stands_still() -> None:
    kinds = {workflow._Definition.must_from_class(one).name for one in WORKFLOWS}
    counted = [view.among for (_, state), view in STATES.items() if state == "stuck"]
    assert [kind for kind in kinds if not any(f"WorkflowType = '{kind}'" in among for among in counted)] == []


async def test_a_process_that_is_measured_asks_on_connections_of_its_own_and_ends_them(servers: Servers) -> None:
    (port,) = own_ports(1)
    measuring = metrics_of(servers.settings.model_copy(update={"metrics_port": port}))
    assert measuring is not None
    ours = "select count(*) from pg_stat_activity where datname = current_database()"
    before = await servers.pool.fetchval(ours)
    async with measuring.served(servers.temporal), httpx2.AsyncClient(timeout=15) as http:
        text = (await http.get(f"http://127.0.0.1:{port}/metrics")).text
        assert before < await servers.pool.fetchval(ours) <= before + CONNECTIONS
    assert 'perennial_up{server="postgresql"} 1.0' in text
    assert 'perennial_figures_late{set="facts"} 0.0' in text
    for _ in range(50):
        if await servers.pool.fetchval(ours) <= before:
            break
        await asyncio.sleep(0.1)
    assert await servers.pool.fetchval(ours) <= before
