"""What goes wrong in real life: late orders, reports sent twice, pauses over deadlines, addresses that change."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest

from activities.kernel.clock import present
from domain.assets.uplift import raised
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of, onboard, report_usage


async def kinds_of(servers: Servers, account: str) -> list[str]:
    return [row["kind"] for row in await servers.journal(account)]


async def longest_run(servers: Servers, account: str) -> int:
    lengths = []
    async for run in servers.temporal.list_workflows(f"WorkflowId = 'journey-{account}'"):
        lengths.append(
            (await servers.temporal.get_workflow_handle(run.id, run_id=run.run_id).describe()).history_length
        )
    return max(lengths)


async def test_an_order_that_comes_late_loses_none_of_its_promises(servers: Servers) -> None:
    document = order(activated_at=(present() - timedelta(days=25)).isoformat())
    account = account_of(document)
    await servers.client.place_order(document)
    await servers.client.fast_forward(account, timedelta(days=30))
    await servers.client.ask(account, "complete_task", {"task": "kickoff"})
    await servers.client.fast_forward(account, timedelta(days=20))
    for task in ("training", "first_value"):
        await servers.client.ask(account, "complete_task", {"task": task, "evidence": "it works"})
    await servers.client.fast_forward(account, timedelta(days=40))
    kinds = await kinds_of(servers, account)
    for kind in ("onboarding_mail", "onboarding_provisioning", "onboarding_provisioned"):
        assert kinds.count(kind) == 1, kind
    assert kinds.count("onboarding_invite") == 2
    assert kinds.count("onboarding_reminder") == 4
    assert "past" not in kinds


@pytest.mark.parametrize(
    ("trouble", "mended"),
    [
        ("alter role current_user password 'another'", "alter role current_user password '{password}'"),
        ("alter role current_user set default_transaction_read_only to on", "alter role current_user reset all"),
        ("alter database perennial rename to away", "alter database away rename to perennial"),
    ],
    ids=["another password", "a standby that cannot be written", "no such database"],
)
@pytest.mark.engine
async def test_a_database_that_is_not_yet_as_it_should_be_is_waited_for(
    servers: Servers, trouble: str, mended: str
) -> None:
    address = urlsplit(servers.stack.postgres_dsn)
    operator = await asyncpg.connect(address._replace(path="/postgres").geturl())
    throw_out = (
        "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and usename is not null"
    )

    async def now_and_anew(change: str) -> None:
        """Changes something, and whoever was in has to come in again."""
        while True:
            await operator.execute(throw_out)
            with contextlib.suppress(asyncpg.ObjectInUseError):
                await operator.execute(change)
                break
        await operator.execute(throw_out)

    await now_and_anew(trouble)
    try:
        placed = asyncio.create_task(servers.client.place_order(order()))
        finished, _ = await asyncio.wait([placed], timeout=3)
        assert not finished
    finally:
        await now_and_anew(mended.format(password=address.password))
        await operator.close()
    assert len((await placed).assets) == 3


@pytest.mark.engine
async def test_a_report_sent_again_changes_nothing(servers: Servers) -> None:
    document = order()
    account, client = account_of(document), servers.client
    await client.place_order(document)
    await client.fast_forward(account, timedelta(days=45))
    await onboard(client, account)
    await report_usage(client, account, users=8)
    await client.fast_forward(account, timedelta(hours=2))
    await client.fast_forward(account, timedelta(days=28))
    await report_usage(client, account, users=30)
    await client.fast_forward(account, timedelta(hours=2))
    before = await kinds_of(servers, account)
    assert before.count("adoption_recovered") == 1
    handle = servers.handle(account)
    signals = [
        event.workflow_execution_signaled_event_attributes
        async for run in servers.temporal.list_workflows(f"WorkflowId = 'journey-{account}'")
        async for event in servers.temporal.get_workflow_handle(run.id, run_id=run.run_id).fetch_history_events()
        if event.event_type == 26
    ]
    assert signals
    for signal in signals:
        (body,) = await servers.temporal.data_converter.decode(signal.input.payloads)
        await handle.signal("usage_changed", body)
    await client.fast_forward(account, timedelta(minutes=1))  # and no morning comes, at which a day's steps are due
    assert await kinds_of(servers, account) == before
    assert "low_adoption" not in await client.briefing(account)
    assert "steady" not in await client.briefing(account)
    assert "check-ins by cadence" in await client.briefing(account)


@pytest.mark.engine
async def test_many_terms_that_end_together_keep_runs_short(servers: Servers) -> None:
    document = order()
    first = document["contracts"][0]
    document["contracts"] = [
        {**first, "contract_id": f"{first['contract_id']}-{n}", "lines": [{**first["lines"][0], "line_id": f"c{n}"}]}
        for n in range(40)
    ]
    account = account_of(document)
    await servers.client.place_order(document)
    await servers.client.fast_forward(account, timedelta(days=300))
    kinds = await kinds_of(servers, account)
    assert kinds.count("renewal_notice") == 40
    assert await longest_run(servers, account) <= 500


async def test_a_pause_over_the_end_of_a_term_leaves_the_customer_their_grace(servers: Servers) -> None:
    document = order()
    account, contract = account_of(document), str(document["contracts"][0]["contract_id"])
    await servers.client.place_order(document)
    await servers.client.fast_forward(account, timedelta(days=200))
    await servers.client.ask(account, "pause", {"reason": "dispute"})
    await servers.client.fast_forward(account, timedelta(days=210))
    await servers.client.ask(account, "resume", {})
    await servers.client.fast_forward(account, timedelta(days=5))
    row = await servers.pool.fetchrow("select status from contract where contract_id = $1", contract)
    assert row is not None
    assert row["status"] == "grace"
    titles = [line["title"] for line in await servers.journal(account)]
    assert not any("-4" in title for title in titles if title.startswith("Renewal notice"))
    await servers.client.fast_forward(account, timedelta(days=20))
    row = await servers.pool.fetchrow("select status from contract where contract_id = $1", contract)
    assert row is not None
    assert row["status"] == "ended"


async def test_the_contacts_of_the_latest_order_are_written_to(servers: Servers) -> None:
    document = order()
    account = account_of(document)
    await servers.client.place_order(document)
    later: dict[str, Any] = {
        **order(account),
        "contracts": [],
        "activated_at": present().isoformat(),
        "contacts": [{"contact_id": "P-2", "name": "New Contact", "email": f"new-{account}@customer.example"}],
    }
    await servers.client.place_order(later)
    await servers.client.fast_forward(account, timedelta(days=3))
    assert servers.mails_to(f"new-{account}@customer.example")


@pytest.mark.engine
async def test_a_journey_whose_pause_ended_in_another_life_goes_on(servers: Servers) -> None:
    document = order()
    account, client = account_of(document), servers.client
    until = (present() + timedelta(days=20)).replace(microsecond=0).isoformat()
    for n in range(2):
        await client.place_order({**document, "order_id": f"{document['order_id']}-{n}", "contracts": []})
        await client.ask(account, "pause", {"reason": "stocktaking", "until": until})
        await client.fast_forward(account, timedelta(days=30))
        assert await longest_run(servers, account) < 300
        await client.ask(account, "close_journey", {"reason": "rehearsed"})


def test_small_prices_survive_an_uplift() -> None:
    assert raised(Decimal("14.5714"), Decimal(25), "USD") == Decimal("18.21")
    assert raised(Decimal("17.8"), Decimal("2.5"), "EUR") == Decimal("18.25")
    assert raised(Decimal("1360"), Decimal(3), "JPY") == Decimal("1401")
    assert raised(Decimal("19.99"), Decimal(0), "EUR") == Decimal("19.99")
