"""What goes wrong around a case: messages that come late, ids that nobody can send, people who do not exist."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from domain.kernel.ids import case_workflow_id
from domain.kernel.refusals import Refusal
from gateway.cases import CASE_WORKFLOW, CaseClient
from tests.cases import case, case_client, customer, staffed
from tests.conftest import Servers
from tests.e2e.copies import back_from_before, number_of
from tests.e2e.lives import until
from tests.e2e.outages import outside
from tests.workflows.service.case_rows import ENTERPRISE, kinds, promise, row_of
from workers.redoing import Redo
from workers.wiring import build_activities


async def sent(servers: Servers, case_id: str) -> list[str]:
    """The messages of a case's outbox that are not sent."""
    rows = await servers.pool.fetch(
        "select delivery_id from outbox where stage = $1 and status <> 'sent' and channel = 'deliver_mail'",
        f"service:{case_id}",
    )
    return [row["delivery_id"] for row in rows]


async def bodies(servers: Servers, case_id: str) -> list[str]:
    rows = await servers.pool.fetch(
        "select body from case_message where case_id = $1 and direction = 'inbound' order by number", case_id
    )
    return [row["body"] for row in rows]


async def test_a_message_from_before_the_resolution_reopens_the_case_with_its_clock(servers: Servers) -> None:
    client = case_client(servers)
    document = await customer(servers, **ENTERPRISE)
    team = await staffed(servers, "AG-31")
    opened = await client.open_case(case(document, team=team, impact="high", urgency="high"))
    await client.fast_forward(opened.case_id, timedelta(minutes=20))
    await client.ask(opened.case_id, "resolve", {"code": "fixed", "text": "Restarted it.", "by": "AG-31"})
    await client.fast_forward(opened.case_id, timedelta(minutes=20))
    written = (opened.opened_at + timedelta(minutes=5)).isoformat()
    answer = await client.customer_message(
        opened.case_id, {"body": "And the other till?", "channel": "web", "at": written}
    )
    assert (answer["effect"], answer["status"]) == ("reopens", "open")
    resolution, following = [await promise(servers, opened.case_id, name) for name in ("resolution", "next_response")]
    assert (resolution["state"], resolution["completed_at"], following["state"]) == ("open", None, "open")
    await client.fast_forward(opened.case_id, timedelta(hours=30))
    assert (await promise(servers, opened.case_id, "resolution"))["violated_at"] is not None


async def test_a_message_older_than_its_case_joins_it(servers: Servers) -> None:
    client = case_client(servers)
    opened = await client.open_case(case(await customer(servers)))
    earlier = (opened.opened_at - timedelta(hours=3)).isoformat()
    await client.ask(opened.case_id, "customer_message", {"body": "The first mail.", "at": earlier})
    assert await servers.pool.fetchval(
        "select at from case_event where case_id = $1 and kind = 'customer_message'", opened.case_id
    ) == opened.opened_at  # fmt: skip


async def test_another_text_under_the_same_message_id_is_kept(servers: Servers) -> None:
    client = case_client(servers)
    asked = case(await customer(servers))
    opened = await client.open_case(asked)
    same = {"body": asked["body"], "message_id": asked["message_id"]}
    assert (await client.ask(opened.case_id, "customer_message", same))["known"]
    for _ in range(2):
        await client.ask(opened.case_id, "customer_message", {**same, "body": "I forgot the photo."})
    assert await bodies(servers, opened.case_id) == [asked["body"], "I forgot the photo."]


@pytest.mark.parametrize(
    "message_id", ["<ü-{}@customer.example>", "<{}" + "a" * 925 + "@customer.example>", "no-brackets-{}"]
)
async def test_a_message_id_that_no_server_takes_holds_back_no_answer(servers: Servers, message_id: str) -> None:
    client = case_client(servers)
    document = await customer(servers)
    subject = "Till\r\nBcc: eve@evil.example\n\n### Closed <b>& =?utf-8?q?done?="
    opened = await client.open_case(case(document, message_id=message_id.format(uuid4()), subject=subject))
    await client.ask(opened.case_id, "respond", {"body": "We look into it.", "by": "AG-31"})

    async def all_left() -> bool:
        return not await sent(servers, opened.case_id)

    await until(all_left, "every mail has left")
    [reply] = [
        mail
        for mail in servers.mails_to(document["contacts"][0]["email"])
        if opened.case_id in mail.subject and mail.subject.startswith("Re: ")
    ]
    assert reply.subject.startswith("Re: Till Bcc: eve@evil.example ### Closed <b>& = ?utf-8?q?done?=")
    assert reply.recipients == (document["contacts"][0]["email"],)
    assert "\n### Closed" not in await client.briefing(opened.case_id)


async def test_a_mail_answers_when_it_leaves_and_only_if_it_can_leave(servers: Servers) -> None:
    client = case_client(servers)
    document = await customer(servers, **ENTERPRISE)
    team = await staffed(servers, "AG-32")
    opened = await client.open_case(case(document, team=team, impact="high", urgency="high"))
    await client.fast_forward(opened.case_id, timedelta(hours=2))
    claimed = (opened.opened_at + timedelta(minutes=5)).isoformat()
    await client.ask(opened.case_id, "respond", {"body": "Hello.", "by": "AG-32", "at": claimed})
    assert (await promise(servers, opened.case_id, "first_response"))["state"] == "missed"

    caller = {"name": "Ann", "phone": "+81 3 1234"}
    by_phone = await client.open_case(
        {"case_id": f"C-{uuid4().hex[:12]}", "subject": "Till", "contact": caller, "team": team}
    )
    with pytest.raises(Refusal, match="no working mail address"):
        await client.ask(by_phone.case_id, "respond", {"body": "Hello.", "by": "AG-32"})
    assert (await promise(servers, by_phone.case_id, "first_response"))["completed_at"] is None
    await client.ask(by_phone.case_id, "respond", {"body": "Hello.", "by": "AG-32", "channel": "phone"})
    assert (await promise(servers, by_phone.case_id, "first_response"))["completed_at"] is not None


async def test_two_unknown_callers_are_two_customers(servers: Servers) -> None:
    client = case_client(servers)
    ids = [f"C-{uuid4().hex[:12]}" for _ in range(3)]
    for case_id, phone in zip(ids, ("+81 3 1", "+81 3 2", "+81 3 2"), strict=True):
        await client.open_case({"case_id": case_id, "subject": "Till", "contact": {"phone": phone}})
    with pytest.raises(Refusal, match="different customers"):
        await client.ask(ids[0], "merge", {"into": ids[1], "by": "AG-32"})
    assert (await client.ask(ids[2], "merge", {"into": ids[1], "by": "AG-32"}))["into"] == ids[1]


async def test_the_version_of_a_case_that_absorbed_another_can_be_named(servers: Servers) -> None:
    client = case_client(servers)
    document = await customer(servers)
    one, two = [await client.open_case(case(document)) for _ in range(2)]
    await client.ask(one.case_id, "merge", {"into": two.case_id, "by": "AG-32"})
    version = (await row_of(servers, two.case_id))["version"]
    await client.ask(two.case_id, "note", {"body": "Read.", "by": "AG-32", "expected_version": version})
    with pytest.raises(Refusal, match="read it again"):
        await client.ask(two.case_id, "note", {"body": "Read.", "by": "AG-32", "expected_version": version - 1})


async def test_nobody_unknown_owns_a_case(servers: Servers) -> None:
    client = case_client(servers)
    document = await customer(servers)
    team = await staffed(servers, f"AG-{uuid4().hex[:6]}", case_limit=1)
    with pytest.raises(Refusal) as refused:
        await client.open_case(case(document, team=team, owner="AG-404"))
    assert refused.value.problems[0].field == "owner"
    with pytest.raises(Refusal) as refused:
        await client.open_case(case(document, team="no-such-team"))
    assert refused.value.problems[0].field == "team"
    await client.open_case(case(document, team=team))
    opened = await client.open_case(case(document, team=team))
    assert opened.owner is None
    await client.ask(opened.case_id, "respond", {"body": "Hello.", "by": "chat-window"})
    row = await row_of(servers, opened.case_id)
    assert (row["owner_id"], row["status"]) == (None, "new")


async def test_a_case_is_part_of_no_other_customers(servers: Servers) -> None:
    client = case_client(servers)
    foreign = await client.open_case(case(await customer(servers)))
    document = await customer(servers)
    for field in ("parent", "follows"):
        with pytest.raises(Refusal) as refused:
            await client.open_case(case(document, **{field: foreign.case_id}))
        assert refused.value.problems[0].problem == f"case '{foreign.case_id}' is another customer's"


async def test_a_wait_ends_when_it_was_meant_to_even_if_nobody_was_there(servers: Servers) -> None:
    """The worker was away when the wait ended; what comes in first does not prolong it."""
    document = await customer(servers, **ENTERPRISE)
    team = await staffed(servers, "AG-33")
    client = case_client(servers)
    opened = await client.open_case(case(document, team=team))
    ends = await client.now(opened.case_id) + timedelta(hours=1)
    wait = {"reason": "parts", "waiting_for": "third_party", "by": "AG-33", "until": ends.isoformat()}
    await client.ask(opened.case_id, "wait", wait)
    # As if an hour had gone by without a worker: the wait of the facts is over, the timer has not rung.
    past = ends - timedelta(hours=1) + timedelta(milliseconds=1)
    await servers.pool.execute("update service_case set resume_at = $2 where case_id = $1", opened.case_id, past)
    await client.ask(opened.case_id, "note", {"body": "The parts are here.", "by": "AG-33"})
    row = await row_of(servers, opened.case_id)
    assert (row["status"], row["status_at"]) == ("open", past)
    assert (await kinds(servers, opened.case_id))[-2:] == ["resumed", "note"]


async def test_somebody_unknown_is_found_out_at_their_own_time(servers: Servers) -> None:
    client = case_client(servers)
    document = await customer(servers)
    account = document["account"]["account_id"]
    await servers.client.fast_forward(account, timedelta(days=30))
    case_id = f"C-{uuid4().hex[:12]}"
    await client.open_case({"case_id": case_id, "subject": "Till", "contact": {"email": "q@somewhere.example"}})
    await client.ask(case_id, "identify", {"account_id": account, "by": "AG-1"})
    lines = await servers.journal(account)
    [opened] = [line for line in lines if line["kind"] == "case_opened"]
    assert opened["at"] >= max(line["at"] for line in lines) - timedelta(seconds=2)


async def test_a_late_answer_to_a_case_of_long_ago_counts_from_when_it_came(servers: Servers) -> None:
    client = case_client(servers)
    document = await customer(servers, **ENTERPRISE)
    account = document["account"]["account_id"]
    team = await staffed(servers, "AG-34")
    opened = await client.open_case(case(document, team=team))
    await client.ask(opened.case_id, "resolve", {"code": "fixed", "text": "Done.", "by": "AG-34"})
    await servers.client.fast_forward(account, timedelta(days=20))
    came = await servers.client.now(account) - timedelta(hours=2)
    message = {"body": "Again.", "message_id": f"<{uuid4()}@customer.example>", "at": came.isoformat()}
    first = await client.customer_message(opened.case_id, message)
    assert first["opened"]
    assert (await row_of(servers, first["case_id"]))["opened_at"] == came
    again = await client.customer_message(opened.case_id, {key: message[key] for key in ("body", "message_id")})
    assert (again["case_id"], again["opened"]) == (first["case_id"], True)
    other = await client.customer_message(opened.case_id, {**message, "body": "And the printer."})
    assert other["case_id"] != first["case_id"]


@pytest.mark.engine
async def test_many_messages_at_once_roll_the_case_over_and_none_is_lost(servers: Servers) -> None:
    client, asked = case_client(servers), case(await customer(servers))
    case_id, workflow_id = asked["case_id"], case_workflow_id(asked["case_id"])
    await servers.temporal.start_workflow(
        CASE_WORKFLOW, {"roll_over_after_events": 60}, id=workflow_id, task_queue=servers.settings.task_queue
    )
    await client.open_case(asked)

    async def write(number: int) -> dict[str, Any]:
        return await client.ask(case_id, "customer_message", {"body": f"{number} {'y' * 2000}", "channel": "web"})

    for batch in range(4):
        answers = await asyncio.gather(*(write(10 * batch + n) for n in range(10)))
        assert {answer["effect"] for answer in answers} == {"continues"}
    assert len({body.split()[0] for body in (await bodies(servers, case_id))[1:]}) == 40
    handle = servers.temporal.get_workflow_handle(workflow_id)
    events = (await handle.fetch_history()).events
    began = events[0].workflow_execution_started_event_attributes
    assert began.continued_execution_run_id
    assert len(events[0].SerializeToString()) < 4_000


@pytest.mark.engine
async def test_a_dead_mail_server_keeps_no_case_from_going_on_and_ending(servers: Servers, tmp_path: Any) -> None:
    document = await customer(servers, **ENTERPRISE)
    team = await staffed(servers, "AG-35")
    async with outside(servers, tmp_path) as world:
        client = CaseClient(servers.temporal, servers.pool, task_queue=world.task_queue)
        await world.mail_goes_down()
        opened = await client.open_case(case(document, team=team, impact="high", urgency="high"))
        await client.ask(opened.case_id, "respond", {"body": "Hello.", "by": "AG-35"})
        await client.ask(opened.case_id, "resolve", {"code": "fixed", "text": "Done.", "by": "AG-35"})
        await client.fast_forward(opened.case_id, timedelta(days=9))
        row = await row_of(servers, opened.case_id)
        assert (row["status"], row["next_action_at"]) == ("closed", None)
        await world.mail_comes_up()
        await client.fast_forward(opened.case_id, timedelta(days=4))
        await servers.temporal.get_workflow_handle(f"case-{opened.case_id}").result()
    assert await sent(servers, opened.case_id) == []
    titles = [row["title"] for row in await servers.journal(document["account"]["account_id"])]
    assert "The confirmation of a request left late, written anew by what is so now" in titles
    assert await servers.pool.fetchval(
        "select body->'context'->'answer_by' from outbox where delivery_id = $1",
        f"case:{opened.case_id}/opened#opened",
    ) is None, "no day that is over is promised"  # fmt: skip


async def test_a_message_that_crosses_a_merge_follows_it(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    client = case_client(servers)
    document = await customer(servers)
    one, two = [await client.open_case(case(document)) for _ in range(2)]
    leads_to = client.leads_to
    asked: list[str] = []

    async def merged_meanwhile(case_id: str) -> str:
        found = await leads_to(case_id)
        if not asked:
            await client.ask(one.case_id, "merge", {"into": two.case_id, "by": "AG-32"})
        asked.append(case_id)
        return found

    monkeypatch.setattr(client, "leads_to", merged_meanwhile)
    answer = await client.customer_message(one.case_id, {"body": "More of it.", "channel": "web"})
    assert (answer["case_id"], answer["effect"]) == (two.case_id, "continues")
    assert (await bodies(servers, two.case_id))[-1] == "More of it."


@pytest.mark.engine
@pytest.mark.damaged
async def test_a_case_from_a_copy_of_before_takes_nothing_back_that_happened_after_it(servers: Servers) -> None:
    client = case_client(servers)
    opened = await client.open_case(case(await customer(servers)))
    name = case_workflow_id(opened.case_id)
    first = await number_of(servers.temporal, name, "open_case")
    await client.fast_forward(opened.case_id, timedelta(days=20))
    late = await promise(servers, opened.case_id, "first_response")
    assert late["violated_at"] is not None
    await back_from_before(servers.temporal, name, first + 6)
    await client.ask(opened.case_id, "retry", {"by": "doctor"})
    assert await promise(servers, opened.case_id, "first_response") == late
    assert "reversed" not in await kinds(servers, opened.case_id)


@pytest.mark.engine
@pytest.mark.damaged
async def test_a_request_sent_again_to_a_case_that_has_forgotten_it_says_how_the_case_stands(servers: Servers) -> None:
    client = case_client(servers)
    opened = await client.open_case(case(await customer(servers)))
    name = case_workflow_id(opened.case_id)
    reply = {"body": "Have you tried it off and on?", "by": "AG-31", "channel": "phone", "request_id": "r-1"}
    await client.ask(opened.case_id, "respond", reply)
    await client.ask(opened.case_id, "resolve", {"code": "fixed", "text": "Off and on.", "by": "AG-31"})
    resolved = await client.agenda_of(opened.case_id)
    assert resolved is not None
    await back_from_before(servers.temporal, name, await number_of(servers.temporal, name, "respond"))
    forgotten = await client.agenda_of(opened.case_id)
    assert forgotten is not None
    assert forgotten.status != resolved.status
    await client.ask(opened.case_id, "respond", reply)
    running = await client.agenda_of(opened.case_id)
    assert running is not None
    assert (running.status, running.next_at) == (resolved.status, resolved.next_at)


@pytest.mark.engine
async def test_what_the_database_has_lost_of_a_case_is_done_again_as_of_then(servers: Servers) -> None:
    client = case_client(servers)
    document = await customer(servers)
    opened = await client.open_case(case(document))
    then = opened.opened_at + timedelta(minutes=3)
    await client.fast_forward(opened.case_id, timedelta(days=20))
    assert (await promise(servers, opened.case_id, "first_response"))["violated_at"] is not None
    redo = Redo(build_activities(servers.pool, servers.settings, servers.temporal))
    given = {"body": "Hello.", "by": "AG-31", "channel": "phone"}
    call = {"case_id": opened.case_id, "request_id": "lost", "body": given, "as_of": then.isoformat()}
    await redo("case_respond", call, f"case:{opened.case_id}/case_respond:lost", timedelta(0))
    assert (await promise(servers, opened.case_id, "first_response"))["completed_at"] == then
