"""A database, or the engine's, that came back from a copy of before."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock
from zoneinfo import ZoneInfo

import pytest
from temporalio.client import WorkflowExecutionStatus

from activities.kernel.clock import present
from gateway.cases import CaseClient
from gateway.client import PerennialClient
from gateway.histories import remember
from gateway.reconciling import Reconciler
from tests.agendas import apart
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.copies import back_from_before, number_of
from tests.e2e.lives import account_of, settled, until
from tests.e2e.outages import outside
from tests.own_database import own_database
from tests.workflows.journey.test_reconciling import begin, invoices, reconciler
from workers.redoing import Redo
from workers.wiring import build_activities

TOKYO = ZoneInfo("Asia/Tokyo")

pytestmark = pytest.mark.engine  # journeys that the server has lost


@pytest.mark.damaged
async def test_a_journey_from_a_copy_of_before_is_brought_to_the_latest_instant_on_record(servers: Servers) -> None:
    document = order()
    account = account_of(document)
    await servers.client.place_order(document)
    later = await servers.client.now(account) + timedelta(days=40)
    await servers.pool.execute(
        "insert into effect (key, account_id, run, as_of, outcome) values ($1, $2, '', $3, '{}')",
        f"journey:{account}/adoption/done-after-the-copy",
        account,
        later,
    )
    answer = await servers.client.reconcile(account)
    assert datetime.fromisoformat(answer["as_of"]) == later
    assert await servers.client.now(account) >= later


@asynccontextmanager
async def lost(
    servers: Servers, monkeypatch: pytest.MonkeyPatch, account: str
) -> AsyncIterator[tuple[Servers, Callable[[], Reconciler]]]:
    """A database that knows nothing of this customer, nor of anybody else, and who brings back what it lacks of theirs."""
    async with own_database(servers.stack, f"redone_{account[-6:]}") as own:
        client, cases = PerennialClient(servers.temporal, own.pool), CaseClient(servers.temporal, own.pool)
        redo = Redo(build_activities(own.pool, servers.settings, servers.temporal))
        unknown = "select 1 from account where account_id = $1"

        def again() -> Reconciler:
            found = Reconciler(client, cases, own.pool, redo)

            async def not_on_record() -> list[str]:
                return [] if await own.pool.fetchval(unknown, account) else [account]

            monkeypatch.setattr(found, "_not_on_record", not_on_record)  # and nobody else's
            monkeypatch.setattr(found, "_cases_not_on_record", AsyncMock(return_value={}))
            return found

        yield replace(servers, pool=own.pool, client=client), again


async def quoted(servers: Servers) -> tuple[str, str, dict[str, str]]:
    """A customer with a quote by a price book of their own: the customer, the quote and the price."""
    _, account = await begin(servers, 10)
    price = {"product": "SEATS", "price": "900", "per": "month", "currency": "JPY", "valid_from": "2020-01-01"}
    price["book"] = f"book-{account}"
    await servers.client.publish_prices(price, as_of=present())
    line = {"kind": "sale", "line_id": "1", "product": "SEATS", "quantity": 4, "months": 12}
    asked: dict[str, Any] = {
        "quote_id": f"Q-{account}",
        "lines": [line],
        "price_book": price["book"],
        "by": "S-1",
        "request_id": "q-1",
    }
    await servers.client.ask(account, "request_quote", asked)
    return account, asked["quote_id"], price


KNOWN = "select key, as_of from effect where account_id = $1 and key not like '%/settled' order by key"
TASKS = "select stage, name, status, completed_at from onboarding_task where account_id = $1 order by stage, name"
MESSAGES = (
    "select delivery_id, status, settled_at from outbox"
    " where account_id = $1 and channel in ('deliver_mail', 'deliver_notice') order by delivery_id"
)


async def test_what_a_database_has_lost_is_done_again_before_any_journey_is_asked(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    document, account = await begin(servers)
    async with lost(servers, monkeypatch, account) as (theirs, again):
        first = again()
        assert [one async for one in first.redo()] == [(account, 1)]
        assert first.paused == [account]
        (key,) = [row["key"] for row in await theirs.pool.fetch(KNOWN, account)]
        assert key == f"journey:{account}/order:{document['order_id']}", (
            "what was told of them is taken again from here on"
        )
        rest = again()
        ((_, done),) = [one async for one in rest.redo()]
        assert (rest.paused, rest.waiting, rest.left) == ([], {}, [])
        known = await servers.pool.fetch(KNOWN, account)
        assert [*await theirs.pool.fetch(KNOWN, account)] == known
        assert 10 < done <= len(known)
        assert [*await theirs.pool.fetch(TASKS, account)] == await servers.pool.fetch(TASKS, account)
        assert [*await theirs.pool.fetch(MESSAGES, account)] == await servers.pool.fetch(MESSAGES, account)
        assert await invoices(theirs, account) == await invoices(servers, account)
        assert [one async for one in again().redo()] == []


async def test_what_waits_for_prices_keeps_all_that_came_after_it_waiting(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    account, quote_id, price = await quoted(servers)
    await servers.client.ask(account, "accept_quote", {"quote_id": quote_id, "by": "P-1", "request_id": "q-2"})
    await servers.client.fast_forward(account, timedelta(days=40))
    await settled(servers.pool, account)
    async with lost(servers, monkeypatch, account) as (theirs, again):
        assert [one async for one in again().redo()] == [(account, 1)]
        stops = again()
        assert len([one async for one in stops.redo()]) == 1
        (why,) = stops.waiting.values()
        assert why.startswith("request_quote q-1 was done on "), why
        assert "cannot be done again yet" in why
        assert not await theirs.pool.fetchval("select count(*) from quote where account_id = $1", account)
        assert [one async for one in again().redo()] == []
        await theirs.client.publish_prices(price, as_of=present())
        rest = again()
        assert len([one async for one in rest.redo()]) == 1
        assert (rest.waiting, rest.left) == ({}, [])
        assert [*await theirs.pool.fetch(KNOWN, account)] == await servers.pool.fetch(KNOWN, account)
        assert await invoices(theirs, account) == await invoices(servers, account)


async def test_what_cannot_be_brought_is_left_out_where_that_is_asked_for(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    account, *_ = await quoted(servers)
    await servers.client.fast_forward(account, timedelta(days=10))
    await settled(servers.pool, account)
    async with lost(servers, monkeypatch, account) as (theirs, again):
        out = again()
        assert sum([done async for _, done in out.redo(leave_out=True)]) > 5
        assert (out.paused, out.waiting, out.left) == ([], {}, [account])
        missing = {row["key"] for row in await servers.pool.fetch(KNOWN, account)}
        missing -= {row["key"] for row in await theirs.pool.fetch(KNOWN, account)}
        assert f"journey:{account}/request_quote:q-1" in missing


async def test_what_had_begun_to_leave_may_have_arrived(
    servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with outside(servers, tmp_path) as world:
        await world.mail_goes_down()
        account = account_of(document := order())
        await world.client.place_order(document)
        rows = "select delivery_id, begun_at from outbox where account_id = $1 and status = 'waiting' and channel = 'deliver_mail'"

        async def is_tried() -> bool:
            found = (await remember(servers.temporal, account)).begun
            return {row["delivery_id"] for row in await servers.pool.fetch(rows, account)} <= found.keys() != set()

        await until(is_tried, "the mails are on their way")
        async with lost(servers, monkeypatch, account) as (theirs, again):
            for _ in range(2):
                assert [one async for one in again().redo()]
            waiting = await theirs.pool.fetch(rows, account)
            assert waiting
            assert all(row["begun_at"] is not None for row in waiting)
            assert not any(row["begun_at"] for row in await servers.pool.fetch(rows, account)), (
                "where nothing is lost it is known"
            )
        await world.mail_comes_up()


@pytest.mark.damaged
async def test_an_order_sent_again_to_a_journey_from_a_copy_of_before_begins_nothing_anew(servers: Servers) -> None:
    _, account = await begin(servers, 5)
    more = order(account)
    await servers.client.place_order(more)
    taken = await number_of(servers.temporal, f"journey-{account}", "place_order")
    await servers.client.fast_forward(account, timedelta(days=30))
    await settled(servers.pool, account)
    lived = await servers.client.now(account)
    await back_from_before(servers.temporal, f"journey-{account}", taken)
    await reconciler(servers).look(account, mend=True)
    await servers.client.fast_forward_to(account, lived)
    assert await apart(servers, account) == []
    first = await anext(aiter(servers.handle(account).fetch_history_events()))
    run = first.workflow_execution_started_event_attributes.original_execution_run_id
    key = f"journey:{account}/order:{more['order_id']}"
    assert await servers.pool.fetchval("select run from effect where key = $1", key) == run, "as from a copy"
    before = [row["key"] for row in await servers.journal(account)]
    await servers.client.place_order(more)
    assert await apart(servers, account) == []
    after = [row["key"] for row in await servers.journal(account)]
    assert [key for key in after if "/service/review-" not in key] == [
        key for key in before if "/service/review-" not in key
    ], "but for a look at what holds sales back"


@pytest.mark.damaged
async def test_a_request_sent_again_to_a_journey_that_has_forgotten_it_brings_nothing_back(servers: Servers) -> None:
    """What is over of a quote stays so, though none of its steps was ever done: it was declined."""
    account, quote_id, price = await quoted(servers)
    taken = await number_of(servers.temporal, f"journey-{account}", "request_quote")
    line = {"kind": "sale", "line_id": "1", "product": "SEATS", "quantity": 4, "months": 12}
    asked = {"quote_id": quote_id, "lines": [line], "price_book": price["book"], "by": "S-1", "request_id": "q-1"}
    await servers.client.ask(account, "decline_quote", {"quote_id": quote_id, "by": "P-1", "request_id": "q-2"})
    await settled(servers.pool, account)
    await back_from_before(servers.temporal, f"journey-{account}", taken)
    await reconciler(servers).look(account, mend=True)
    assert await apart(servers, account) == []
    before = await servers.journal(account)
    assert (await servers.client.ask(account, "request_quote", asked))["quote_id"] == quote_id
    assert await apart(servers, account) == []
    running = await servers.client.agenda_of(account)
    assert running is not None
    assert f"quote:{quote_id}" not in running.stages
    done = {row["key"] for row in await servers.journal(account)} - {row["key"] for row in before}
    assert all("reconcile:after-q-1" in key for key in done), done


@pytest.mark.damaged
@pytest.mark.parametrize("how", ["mended", "asked again"])
async def test_a_journey_that_was_closed_and_is_from_a_copy_of_before_closes_again(servers: Servers, how: str) -> None:
    _, account = await begin(servers)
    close = {"reason": "They moved away", "by": "S-1", "request_id": "c-1"}
    await servers.client.ask(account, "close_journey", close)
    closed = await number_of(servers.temporal, f"journey-{account}", "close_journey")
    await settled(servers.pool, account)
    await back_from_before(servers.temporal, f"journey-{account}", closed)
    if how == "mended":
        looked = await reconciler(servers).look(account, mend=True)
        assert looked.left == []
    else:
        assert await servers.client.ask(account, "close_journey", close) == {"closed": True}

    async def is_over() -> bool:
        return (await servers.handle(account).describe()).status is WorkflowExecutionStatus.COMPLETED

    await until(is_over, "the journey is over")


@pytest.mark.damaged
async def test_what_operators_find_a_journey_by_is_mended_with_it(servers: Servers) -> None:
    """Whose customer it is, and what needs a person."""
    _, account = await begin(servers, 10)
    early = await servers.client.agenda_of(account)
    assert early is not None
    assert early.attention
    await servers.client.ask(account, "change_account", {"owner": "S-2", "by": "S-1", "request_id": "a-1"})
    changed = await number_of(servers.temporal, f"journey-{account}", "change_account")
    kickoff = {"task": "kickoff", "evidence": "we met", "by": "S-1", "request_id": "t-1"}
    await servers.client.ask(account, "complete_task", kickoff)
    await servers.client.fast_forward(account, timedelta(days=5))
    await settled(servers.pool, account)
    late, lived = await servers.client.agenda_of(account), await servers.client.now(account)
    assert late is not None
    assert late.attention is not None
    await back_from_before(servers.temporal, f"journey-{account}", changed)
    looked = await reconciler(servers).look(account, mend=True)
    found = [one.says for one in looked.found]
    assert "the journey shows owner S-1, and ought to show S-2" in found
    (over,) = early.attention.keys() - late.attention.keys()
    assert f"the journey shows that {over} needs a person, and nothing on record says so" in found
    assert looked.left == []
    await servers.client.fast_forward_to(account, lived)
    running = await servers.client.agenda_of(account)
    assert running is not None
    assert running.account == late.account
    assert running.attention == late.attention


@pytest.mark.damaged
async def test_what_was_set_aside_is_taken_up_again_by_whoever_asks_a_journey_that_has_forgotten_it(
    servers: Servers,
) -> None:
    _, account = await begin(servers)
    zone = "update account set time_zone = $2 where account_id = $1"
    await servers.pool.execute(zone, account, "Nowhere/City")
    await servers.client.fast_forward(account, timedelta(days=30))

    async def parked() -> list[str]:
        running = await servers.client.agenda_of(account)
        assert running is not None
        return [step.key for step in running.parked]

    aside = await parked()
    assert aside
    await servers.pool.execute(zone, account, "Asia/Tokyo")
    resume = {"by": "S-1", "request_id": "r-1"}
    first = await servers.client.ask(account, "resume", resume)
    resumed = await number_of(servers.temporal, f"journey-{account}", "resume")
    await settled(servers.pool, account)
    assert await parked() == []
    await back_from_before(servers.temporal, f"journey-{account}", resumed)
    assert await parked() == aside
    assert await servers.client.ask(account, "resume", resume) == first
    assert await parked() == []
    assert await apart(servers, account) == []


async def test_what_waited_for_its_hour_waits_again_until_it_was_sent(
    servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mails that waited for their server until it was night leave in the morning."""
    status = (
        "select delivery_id, status from outbox where account_id = $1 and channel = 'deliver_mail' order by delivery_id"
    )
    async with outside(servers, tmp_path) as world:
        account = account_of(document := order())
        await world.client.place_order(document)
        await world.client.fast_forward(account, timedelta(days=1))
        await settled(servers.pool, account)
        await world.mail_goes_down()
        in_days = await world.client.now(account) + timedelta(days=5)
        await world.client.fast_forward_to(account, in_days.astimezone(TOKYO).replace(hour=2, minute=0))
        await world.mail_comes_up()
        await world.client.ask(account, "retry_deliveries", {})

        async def is_held() -> bool:
            return "held" in {row["status"] for row in await servers.pool.fetch(status, account)}

        await until(is_held, "a mail waits for its hour")
        await world.client.fast_forward(account, timedelta(days=20))
        await settled(servers.pool, account)
        assert any(act for _, act in (await remember(servers.temporal, account)).held)
        async with lost(servers, monkeypatch, account) as (theirs, again):
            for _ in range(2):
                assert [one async for one in again().redo()]
            assert [*await theirs.pool.fetch(KNOWN, account)] == await servers.pool.fetch(KNOWN, account)
            assert [*await theirs.pool.fetch(status, account)] == await servers.pool.fetch(status, account)
            held = "select key from journal where account_id = $1 and kind = 'service_held' order by key"
            assert len(await theirs.pool.fetch(held, account)) == len(await servers.pool.fetch(held, account)) > 0
