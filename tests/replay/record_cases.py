"""Records the histories that the replay tests hold each new version of the case's workflow against.

    python -m tests.replay.record_cases

As `tests.replay.record` does for journeys; the files are in `tests/replay/cases`.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from temporalio.common import WorkflowIDConflictPolicy

from activities.kernel.pool import open_pool
from domain.kernel.ids import case_workflow_id
from domain.kernel.refusals import Refusal
from gateway.cases import CASE_WORKFLOW, CaseClient
from gateway.client import PerennialClient
from gateway.connection import connect
from tests.cases import case, customer, staffed
from tests.conftest import Servers
from tests.replay.record import write_histories
from workers.embedded.stack import EmbeddedStack
from workers.migrating import migrate
from workers.settings import Settings
from workers.wiring import build_worker
from workflows.visibility import SEARCH_ATTRIBUTES

CASES = Path(__file__).parent / "cases"


def _client(servers: Servers) -> CaseClient:
    return CaseClient(servers.temporal, servers.pool)


async def kept_promises(servers: Servers) -> str:
    """Opened, answered, waiting with reminders, resumed, resolved, reopened, resolved, surveyed, closed, rated."""
    client, document = _client(servers), await customer(servers, segment="enterprise")
    team = await staffed(servers, "AG-1")
    opened = await client.open_case(case(document, team=team))
    case_id = opened.case_id
    await client.ask(case_id, "respond", {"body": "Which model?", "by": "AG-1"})
    await client.ask(case_id, "note", {"body": "Probably the cable.", "by": "AG-1"})
    await client.ask(case_id, "wait", {"reason": "the model", "by": "AG-1"})
    await client.fast_forward(case_id, timedelta(days=3))
    await client.customer_message(case_id, {"body": "A T-1000."})
    await client.ask(case_id, "resolve", {"code": "fixed", "text": "A new cable.", "by": "AG-1"})
    await client.customer_message(case_id, {"body": "Still down."})
    await client.ask(case_id, "resolve", {"code": "replaced", "text": "A new till.", "by": "AG-1"})
    await client.fast_forward(case_id, timedelta(days=3))
    await client.ask(case_id, "answer_csat", {"score": 2})
    await client.fast_forward(case_id, timedelta(days=4))
    return case_id


async def broken_promises(servers: Servers) -> str:
    """Warnings, violations, the flag, late evidence, another priority and owner, refusals, and a journey that is closed."""
    client, document = _client(servers), await customer(servers, segment="enterprise")
    account = document["account"]["account_id"]
    team = await staffed(servers, "AG-2", "AG-3")
    opened = await client.open_case(case(document, team=team, impact="high", urgency="high"))
    case_id = opened.case_id
    await client.fast_forward(case_id, timedelta(hours=13))
    early = (opened.opened_at + timedelta(minutes=20)).isoformat()
    await client.ask(case_id, "respond", {"body": "Called.", "channel": "phone", "at": early, "by": "AG-2"})
    try:
        await client.ask(case_id, "close", {"by": "AG-2"})
    except Refusal:
        await client.ask(case_id, "de_escalate", {"reason": "a spare one works", "by": "AG-2"})
    await client.ask(case_id, "prioritise", {"impact": "low", "urgency": "low", "by": "AG-2"})
    await client.ask(case_id, "assign", {"owner": "AG-3", "by": "AG-2"})
    await client.ask(case_id, "escalate", {"reason": "again", "by": "AG-3"})
    await servers.client.ask(account, "close_journey", {"reason": "gone"})
    await client.ask(case_id, "cancel", {"by_customer": True, "by": "AG-3"})
    await client.fast_forward(case_id, timedelta(minutes=1))
    return case_id


async def merged(servers: Servers) -> str:
    """A case of somebody unknown who is found out, and that goes up in another one."""
    client, document = _client(servers), await customer(servers)
    team = await staffed(servers, "AG-4")
    other = await client.open_case(case(document, team=team))
    unknown = case(document, contact={"name": "Ann", "email": "ann@customer.example"}, team=team)
    del unknown["account_id"]
    opened = await client.open_case(unknown)
    await client.ask(opened.case_id, "identify", {"account_id": document["account"]["account_id"], "by": "AG-4"})
    await client.ask(opened.case_id, "wait", {"reason": "parts", "waiting_for": "internal", "by": "AG-4"})
    await client.ask(opened.case_id, "resume", {"by": "AG-4"})
    await client.ask(opened.case_id, "merge", {"into": other.case_id, "by": "AG-4"})
    await client.fast_forward(other.case_id, timedelta(minutes=1))
    return opened.case_id


async def rollovers(servers: Servers) -> str:
    """Several runs."""
    client, document = _client(servers), await customer(servers, segment="enterprise")
    asked = case(document, team=await staffed(servers, "AG-5"))
    await servers.temporal.start_workflow(
        CASE_WORKFLOW,
        {"roll_over_after_events": 60},
        id=case_workflow_id(asked["case_id"]),
        task_queue=servers.settings.task_queue,
        id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
    )
    await client.open_case(asked)
    for _ in range(4):
        await client.ask(asked["case_id"], "wait", {"reason": "parts", "by": "AG-5"})
        await client.fast_forward(asked["case_id"], timedelta(days=1))
        await client.ask(asked["case_id"], "resume", {"by": "AG-5"})
    return str(asked["case_id"])


async def _merge(servers: Servers, agent: str) -> tuple[str, str]:
    """A case that waits for its customer, and the one in which they answered, which goes up in the first."""
    client, document = _client(servers), await customer(servers, segment="enterprise")
    team = await staffed(servers, agent)
    first, second = [await client.open_case(case(document, team=team)) for _ in range(2)]
    await client.ask(first.case_id, "wait", {"reason": "the model", "by": agent})
    await client.ask(second.case_id, "merge", {"into": first.case_id, "by": agent})
    await client.fast_forward(first.case_id, timedelta(hours=3))
    await client.ask(first.case_id, "respond", {"body": "Thank you.", "by": agent})
    return first.case_id, second.case_id


async def absorbing(servers: Servers) -> str:
    """A case that takes over the answer that is owed in another one."""
    first, _ = await _merge(servers, "AG-6")
    return first


async def taken_along(servers: Servers) -> str:
    """A case that goes up in another one, which hears of it."""
    _, second = await _merge(servers, "AG-7")
    return second


async def told_together(servers: Servers) -> str:
    """Warnings and violations of one instant, of which customer and several of our people are told at once."""
    client, document = _client(servers), await customer(servers, segment="enterprise")
    team = await staffed(servers, "AG-8", "AG-9")
    opened = await client.open_case(case(document, team=team, impact="high", urgency="high"))
    await client.fast_forward(opened.case_id, timedelta(hours=13))
    await client.ask(opened.case_id, "cancel", {"by_customer": True, "by": "AG-8"})
    return opened.case_id


STORIES: tuple[Callable[[Servers], Awaitable[str]], ...] = (
    kept_promises,
    broken_promises,
    merged,
    rollovers,
    absorbing,
    taken_along,
    told_together,
)


@asynccontextmanager
async def recording(folder: Path) -> AsyncIterator[Servers]:
    """A stack of its own with a worker."""
    async with EmbeddedStack(folder / "stack", SEARCH_ATTRIBUTES, keep=False) as stack:
        await migrate(stack.postgres_dsn)
        temporal, pool = await connect(stack.temporal_address), await open_pool(stack.postgres_dsn)
        settings = Settings.model_validate(
            {"database_url": stack.postgres_dsn, "smtp_host": stack.smtp_host, "smtp_port": stack.smtp_port}
        )
        async with build_worker(temporal, pool, settings):
            yield Servers(stack, temporal, pool, settings, PerennialClient(temporal, pool))
        await pool.close()


async def record(folder: Path) -> None:
    """Writes the histories of the stories that have none yet."""
    CASES.mkdir(exist_ok=True)
    async with recording(folder) as servers:
        for story in [story for story in STORIES if not (CASES / f"{story.__name__}-1.json").exists()]:
            case_id = await story(servers)
            await asyncio.sleep(2)  # the server's list of workflows follows a moment later
            await write_histories(servers.temporal, case_workflow_id(case_id), CASES, story.__name__)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="perennial-record-cases-") as place:
        asyncio.run(record(Path(place)))
