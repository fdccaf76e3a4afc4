"""Journeys that were lost, terminated or spoiled, brought back to what follows from the facts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from activities.journey.agenda_facts import load_facts
from activities.kernel.clock import present
from activities.playbooks import FOLDER, read_playbooks
from domain.journey.agenda import Running
from domain.journey.planning import agenda
from domain.kernel.refusals import Refusal
from gateway.cases import CaseClient
from gateway.reconciling import Looked, Reconciler
from tests.agendas import apart
from tests.builders import goods_order, order
from tests.conftest import Servers
from tests.e2e.lives import account_of, ended, onboard, settled, until
from workers.feeds.assets import import_assets
from workers.redoing import Redo
from workers.wiring import build_activities

pytestmark = pytest.mark.engine  # journeys that the server has lost


def reconciler(servers: Servers) -> Reconciler:
    redo = Redo(build_activities(servers.pool, servers.settings, servers.temporal))
    return Reconciler(servers.client, CaseClient(servers.temporal, servers.pool), servers.pool, redo)


async def terminate(servers: Servers, account: str) -> None:
    await servers.handle(account).terminate("lost")
    await ended(servers.temporal, f"journey-{account}")


async def begin(servers: Servers, days: int = 45, **contract: Any) -> tuple[dict[str, Any], str]:
    document = order()
    document["contracts"][0].update({"billing": "quarterly", "auto_renew": True, **contract})
    account = account_of(document)
    await servers.client.place_order(document)
    await servers.client.fast_forward(account, timedelta(days=days))
    await settled(servers.pool, account)
    return document, account


async def invoices(servers: Servers, account: str) -> list[tuple[str, str]]:
    """Days and totals of all invoices."""
    rows = await servers.pool.fetch(
        "select issued_on, total from invoice where account_id = $1 order by number", account
    )
    return [(str(row["issued_on"]), str(row["total"])) for row in rows]


async def terms(servers: Servers, account: str) -> list[tuple[int, str, str]]:
    rows = await servers.pool.fetch(
        "select t.number, t.start_on, t.origin from contract c join contract_term t using (contract_id)"
        " where c.account_id = $1 order by t.number",
        account,
    )
    return [(row["number"], str(row["start_on"]), row["origin"]) for row in rows]


async def mails(servers: Servers, account: str) -> list[tuple[str, str]]:
    """Templates with the local days on which they were written."""
    rows = await servers.pool.fetch(
        "select body->>'template' as template, (created_at at time zone 'Asia/Tokyo')::date as day from outbox"
        " where account_id = $1 and channel = 'deliver_mail' order by 2, 1",
        account,
    )
    return [(row["template"], str(row["day"])) for row in rows]


async def whole(servers: Servers, account: str, until: datetime) -> dict[str, Sequence[Any]]:
    """A customer's life until an instant, as it reads afterwards."""
    await servers.client.fast_forward_to(account, until)
    await settled(servers.pool, account)
    return {
        "invoices": await invoices(servers, account),
        "terms": await terms(servers, account),
        "mails": await mails(servers, account),
    }


async def test_a_terminated_journey_is_mended_and_its_contracts_live_on_as_those_of_its_twin(servers: Servers) -> None:
    _, calm = await begin(servers)
    _, account = await begin(servers)
    later = await servers.client.now(calm) + timedelta(days=420)
    await terminate(servers, account)
    looked = await reconciler(servers).look(account)
    assert [one.kind.value for one in looked.found] == ["not_running"]
    assert "looked after by nobody" in looked.found[0].says
    mended = await reconciler(servers).look(account, mend=True)
    assert mended.left == []
    assert await whole(servers, account, later) == await whole(servers, calm, later)
    assert len(await invoices(servers, account)) >= 5
    assert [term[0] for term in await terms(servers, account)] == [1, 2]


async def test_an_order_after_a_termination_brings_back_all_that_the_customer_holds(servers: Servers) -> None:
    _, calm = await begin(servers)
    document, account = await begin(servers)
    later = await servers.client.now(calm) + timedelta(days=420)
    await terminate(servers, account)
    now = await servers.client.now(account)
    again = goods_order(document, now)
    await servers.client.place_order(again)
    assert await apart(servers, account) == []
    lived, twin = await whole(servers, account, later), await whole(servers, calm, later)
    assert lived["terms"] == twin["terms"]
    paid = [invoice for invoice in lived["invoices"] if invoice in twin["invoices"]]
    assert paid == twin["invoices"]
    assert len(lived["invoices"]) == len(twin["invoices"]) + 1  # the goods


async def test_an_order_sent_again_begins_a_lost_journey_and_no_other(servers: Servers) -> None:
    document, account = await begin(servers, 5)
    first = await servers.client.place_order(document)
    await terminate(servers, account)
    assert await servers.client.place_order(document) == first
    assert await servers.client.is_running(account)
    assert await apart(servers, account) == []
    await servers.client.ask(account, "close_journey", {"reason": "moved to a partner"})
    await ended(servers.temporal, f"journey-{account}")
    assert await servers.client.place_order(document) == first

    async def over() -> bool:
        return not await servers.client.is_running(account)

    await until(over, "nothing is left to be looked after")


async def test_what_was_spoiled_is_named_and_mended(servers: Servers) -> None:
    document, account = await begin(servers)
    await servers.pool.execute(
        "update contract_term set ends_at = ends_at + interval '31 days', until = until + 31, moves = moves + 1"
        " where contract_id = $1",
        document["contracts"][0]["contract_id"],
    )
    looked = await reconciler(servers).look(account)
    kinds = {one.kind.value for one in looked.found}
    assert {"step_missing", "step_unwanted", "stage_other"} <= kinds
    assert any("nothing calls for it" in one.says for one in looked.found)
    mended = await reconciler(servers).look(account, mend=True)
    assert (len(mended.found), mended.left) == (len(looked.found), [])
    lines = await servers.pool.fetch("select title from journal where account_id = $1 and kind = 'reconciled'", account)
    assert [row["title"] for row in lines] == [
        f"Agenda brought to what follows from the facts: {len(looked.found)} differences"
    ]


async def test_an_agenda_that_follows_from_the_facts_is_left_alone(servers: Servers) -> None:
    _, account = await begin(servers)
    handle = servers.handle(account)
    before = await handle.query("agenda", result_type=Running)
    answer = await servers.client.reconcile(account)
    after = await handle.query("agenda", result_type=Running)
    assert answer["differences"] == []
    assert (after.steps, after.stages) == (before.steps, before.stages)
    async with servers.pool.acquire() as connection:
        facts = await load_facts(connection, account, after.now)
    assert facts is not None
    found = agenda(facts)
    assert sorted(found.steps) == sorted(step.key for step in after.steps)
    assert found.stages == after.stages


async def test_nobody_is_begun_anew_who_is_not_known_or_was_closed(servers: Servers) -> None:
    with pytest.raises(Refusal) as unknown:
        await servers.client.reconcile("nobody-at-all")
    assert unknown.value.type == "UnknownAccount"
    _, account = await begin(servers, 3)
    await servers.client.ask(account, "close_journey", {"reason": "moved to a partner"})
    await ended(servers.temporal, f"journey-{account}")
    with pytest.raises(Refusal) as closed:
        await servers.client.reconcile(account)
    assert closed.value.type == "JourneyClosed"
    assert await reconciler(servers).look(account, mend=True) == Looked(account, [])


async def test_a_case_that_does_not_run_is_named_and_taken_up_again(servers: Servers) -> None:
    _, account = await begin(servers, 5)
    cases = CaseClient(servers.temporal, servers.pool)
    case_id = f"lost-{account}"
    await cases.open_case({"case_id": case_id, "account_id": account, "subject": "Till is down", "urgency": "high"})
    await asyncio.sleep(0.5)
    assert (await reconciler(servers).look(account)).found == []
    handle = servers.temporal.get_workflow_handle(f"case-{case_id}")
    await handle.terminate("lost")
    await ended(servers.temporal, f"case-{case_id}")
    looked = await reconciler(servers).look(account)
    assert [one.says for one in looked.found] == [f"case {case_id} is open, and does not run"]
    mended = await reconciler(servers).look(account, mend=True)
    assert mended.left == []
    running = await cases.agenda_of(case_id)
    due = await servers.pool.fetchval("select next_action_at from service_case where case_id = $1", case_id)
    assert running is not None
    assert running.next_at == due


async def test_what_a_case_that_is_over_wrote_is_carried_or_booked_as_sent(servers: Servers) -> None:
    """A message that the histories show as sent is booked as sent; one that they do not know of leaves now."""
    _, account = await begin(servers, 5)
    cases = CaseClient(servers.temporal, servers.pool)
    case_id = f"over-{account}"
    await cases.open_case({"case_id": case_id, "account_id": account, "subject": "Till is down", "urgency": "high"})
    await cases.ask(case_id, "cancel", {"reason": "opened twice", "by": "s-7"})
    await ended(servers.temporal, f"case-{case_id}")
    sent = await servers.pool.fetch(
        "select delivery_id, settled_at from outbox where stage = $1 and status = 'sent'", f"service:{case_id}"
    )
    assert sent
    await servers.pool.execute(
        "update outbox set status = 'waiting', settled_at = null, message_id = null where stage = $1",
        f"service:{case_id}",
    )
    lost = f"case:{case_id}/nobody-knows"
    await servers.pool.execute(
        "insert into outbox (delivery_id, account_id, channel, stage, contact_id, staff_id, body, created_at)"
        " select $2, account_id, channel, stage, contact_id, staff_id, body, created_at from outbox where delivery_id = $1",
        sent[0]["delivery_id"],
        lost,
    )
    looked = await reconciler(servers).look(account)
    assert {one.about for one in looked.found} == {lost, *(row["delivery_id"] for row in sent)}
    assert (await reconciler(servers).look(account, mend=True)).left == []
    await ended(servers.temporal, f"case-{case_id}")  # what was on its way has left by then
    rows = await servers.pool.fetch("select * from outbox where stage = $1", f"service:{case_id}")
    assert {row["status"] for row in rows} == {"sent"}
    assert {row["delivery_id"] for row in rows if row["reason"] is None} == {lost}
    at = {row["delivery_id"]: row["settled_at"] for row in rows}
    assert all(at[row["delivery_id"]] == row["settled_at"] for row in sent)


async def test_an_onboarding_that_was_open_goes_on(servers: Servers) -> None:
    """Its tasks, invitations and reminders come as if the journey had always run."""
    _, calm = await begin(servers, 2)
    _, account = await begin(servers, 2)
    await terminate(servers, account)
    assert (await reconciler(servers).look(account, mend=True)).left == []
    # The one that was brought back is at the last instant that is known of it, hours before the other.
    later = await servers.client.now(calm) + timedelta(days=30)
    for one in (calm, account):
        await servers.client.fast_forward_to(one, later)
        await onboard(servers.client, one)
        await settled(servers.pool, one)
    assert await mails(servers, account) == await mails(servers, calm)


async def forget(servers: Servers, account: str, request: str) -> None:
    """The database knows no more of a request than before it was made."""
    for table in ("journal", "effect"):
        await servers.pool.execute(f"delete from {table} where key = $1", f"journey:{account}/{request}")


async def test_what_the_database_has_lost_is_known_by_what_the_journey_did_last(servers: Servers) -> None:
    """Even where the agenda is as it was."""
    _, account = await begin(servers, 5)
    await servers.client.ask(account, "retry_deliveries", {"request_id": "r-1"})
    key = f"journey:{account}/retry_deliveries:r-1"
    at = await servers.pool.fetchval("select as_of from effect where key = $1", key)
    await forget(servers, account, "retry_deliveries:r-1")
    looked = await reconciler(servers).look(account)
    assert [(one.kind.value, one.about) for one in looked.found] == [("request_lost", key)]
    mended = await reconciler(servers).look(account, mend=True)
    assert mended.left == []
    assert await servers.pool.fetchval("select as_of from effect where key = $1", key) == at


async def test_what_cannot_be_done_again_is_left_to_a_person_with_its_words(servers: Servers) -> None:
    _, account = await begin(servers, 5)
    hold = {"request_id": "h-1", "reason": "their office moves", "level": "warn", "by": "S-2"}
    await servers.client.ask(account, "place_hold", hold)
    lift = {"request_id": "l-1", "hold_id": await _hold_of(servers, account), "reason": "they have moved", "by": "S-2"}
    await servers.client.ask(account, "lift_hold", lift)
    await servers.client.ask(account, "retry_deliveries", {"request_id": "r-2"})
    await forget(servers, account, "lift_hold:l-1")  # there is no hold any more that could be lifted
    await forget(servers, account, "retry_deliveries:r-2")
    doctor = reconciler(servers)
    waiting = await doctor.look(account, mend=True)
    assert waiting.left is None
    given_up = await doctor.look(account, mend=True, give_up=True)
    assert given_up.left is not None
    (left,) = given_up.left
    assert left.kind.value == "request_lost"
    assert "it could not be done again" in left.says
    assert "they have moved" in left.says
    assert await servers.pool.fetchval(
        "select count(*) from effect where key = $1", f"journey:{account}/retry_deliveries:r-2"
    )


async def _hold_of(servers: Servers, account: str) -> str:
    return str(await servers.pool.fetchval("select hold_id from sales_hold where account_id = $1", account))


async def anniversary(servers: Servers, account: str) -> str:
    """The day of the anniversary that the journey waits for."""
    running = await servers.handle(account).query("agenda", result_type=Running)
    (step,) = [step for step in running.steps if step.kind == "relationship_anniversary"]
    return str(step.on)


async def test_an_order_of_the_past_moves_the_anniversary_to_its_own_day(servers: Servers) -> None:
    document, account = await begin(servers, 3)
    now = await servers.client.now(account)
    came = now - timedelta(days=200)
    await servers.client.import_order(goods_order(document, came))
    until = (came + timedelta(days=365)).date()
    assert abs((until - date.fromisoformat(await anniversary(servers, account))).days) <= 1
    assert await apart(servers, account) == []


async def test_assets_from_elsewhere_move_the_anniversary_too(servers: Servers, tmp_path: Path) -> None:
    """They show that the customer has been with us for longer than was known."""
    _, account = await begin(servers, 3)
    begun = (await servers.client.now(account)).date().replace(day=1) - timedelta(days=150)
    term = {"start": begun.isoformat(), "end": (begun + timedelta(days=700)).isoformat()}
    asset = {
        "asset_id": f"IA-{account}",
        "account_id": account,
        "product": "SEATS",
        "currency": "JPY",
        "contract": {"contract_id": f"IK-{account}", "term": term},
        "periods": [{**term, "quantity": 5, "unit_price": "900"}],
    }
    file = tmp_path / "assets.jsonl"
    file.write_text(json.dumps(asset) + "\n")
    report = await import_assets(
        servers.client, servers.pool, read_playbooks(FOLDER), file, rejects=tmp_path / "rejects"
    )
    assert report.imported == 1
    assert abs((date.fromisoformat(await anniversary(servers, account)) - begun).days - 365) <= 1
    assert await apart(servers, account) == []


async def test_what_was_moved_in_a_life_that_was_closed_is_planned_anew_in_the_next(servers: Servers) -> None:
    document, account = await begin(servers, 3)
    day = date.fromisoformat(await anniversary(servers, account))
    step = {"step": f"relationship/anniversary-{day.year}", "day": (day - timedelta(days=20)).isoformat()}
    await servers.client.ask(account, "reschedule_step", step)
    assert abs((date.fromisoformat(await anniversary(servers, account)) - day).days) > 10
    await servers.client.ask(account, "close_journey", {"reason": "moved to a partner"})
    await ended(servers.temporal, f"journey-{account}")
    await servers.client.place_order(goods_order(document, present()))
    assert await anniversary(servers, account) == str(day)
    assert await apart(servers, account) == []
