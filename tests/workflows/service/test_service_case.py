"""A case on the real engine: what was promised, what is kept, and what the customer and our own people hear."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from email import message_from_bytes

import pytest

from activities.kernel.clock import present
from domain.kernel.refusals import Refusal
from tests.cases import case, case_client, customer, staffed
from tests.conftest import Servers
from tests.workflows.service.case_rows import ENTERPRISE, kinds, promise, row_of, templates


async def test_what_an_agent_writes_bears_the_name_of_that_agent(servers: Servers) -> None:
    """Whoever has the case may be somebody else; what we send of our own accord is theirs."""
    client = case_client(servers)
    document = await customer(servers)
    team = await staffed(servers, "AG-HAS", "AG-WRITES")
    opened = await client.open_case(case(document, team=team, owner="AG-HAS"))
    await client.ask(opened.case_id, "respond", {"body": "Which model?", "by": "AG-WRITES"})
    await client.ask(opened.case_id, "resolve", {"code": "fixed", "text": "A new cable.", "by": "AG-WRITES"})
    await client.fast_forward(opened.case_id, timedelta(hours=3))
    rows = await servers.pool.fetch(
        "select body->>'template' as template, body->'context'->>'sender_name' as name from outbox"
        " where stage = $1 and channel = 'deliver_mail' order by created_at",
        f"service:{opened.case_id}",
    )
    assert {row["template"]: row["name"] for row in rows} == {
        "case_opened": "Agent AG-HAS",
        "case_reply": "Agent AG-WRITES",
        "case_resolved": "Agent AG-WRITES",
        "case_survey": "Agent AG-HAS",
    }


@pytest.mark.engine
async def test_what_is_not_allowed_names_what_is_and_two_at_once_are_told(servers: Servers) -> None:
    client = case_client(servers)
    document = await customer(servers)
    team = await staffed(servers, "AG-6")
    opened = await client.open_case(case(document, team=team))
    with pytest.raises(Refusal, match=r"cannot become closed; it can become waiting_customer.*resolved") as refused:
        await client.ask(opened.case_id, "close", {"by": "AG-6"})
    assert refused.value.type == "TransitionNotAllowed"
    with pytest.raises(Refusal, match="resolution code"):
        await client.ask(opened.case_id, "resolve", {"by": "AG-6"})
    version = (await row_of(servers, opened.case_id))["version"]
    both = [
        client.ask(opened.case_id, "wait", {"reason": "parts", "by": agent, "expected_version": version})
        for agent in ("AG-6", "AG-7")
    ]
    outcomes = await asyncio.gather(*both, return_exceptions=True)
    refusals = [one for one in outcomes if isinstance(one, Refusal)]
    assert [one.type for one in refusals] == ["StaleCase"]
    assert len(outcomes) == 2
    assert (await kinds(servers, opened.case_id)).count("waiting") == 1
    with pytest.raises(Refusal, match="none of our people"):
        await client.ask(opened.case_id, "assign", {"owner": "AG-404", "by": "AG-6"})
    future = {"body": "x", "by": "AG-6", "at": "2199-01-01T00:00:00Z"}
    with pytest.raises(Refusal, match="must lie between"):
        await client.ask(opened.case_id, "respond", future)


async def test_a_merged_case_hands_its_customer_on_and_circles_are_refused(servers: Servers) -> None:
    client = case_client(servers)
    document = await customer(servers)
    team = await staffed(servers, "AG-8")
    one, two = [await client.open_case(case(document, team=team)) for _ in range(2)]
    with pytest.raises(Refusal, match="circle") as refused:
        await client.ask(one.case_id, "merge", {"into": one.case_id, "by": "AG-8"})
    assert refused.value.type == "MergeRefused"
    other = await client.open_case(case(await customer(servers), team=team))
    with pytest.raises(Refusal, match="different customers"):
        await client.ask(one.case_id, "merge", {"into": other.case_id, "by": "AG-8"})
    await client.ask(one.case_id, "merge", {"into": two.case_id, "by": "AG-8"})
    with pytest.raises(Refusal, match="circle"):
        await client.ask(two.case_id, "merge", {"into": one.case_id, "by": "AG-8"})
    answer = await client.customer_message(one.case_id, {"body": "More of it.", "channel": "web"})
    assert answer["case_id"] == two.case_id
    assert (await kinds(servers, two.case_id))[-2:] == ["absorbed", "customer_message"]
    merged = await row_of(servers, one.case_id)
    assert (merged["status"], merged["merged_into"], merged["next_action_at"]) == ("merged", two.case_id, None)
    assert (await promise(servers, one.case_id, "resolution"))["state"] == "stopped"


async def test_mails_are_in_the_customers_language_and_keep_their_thread(servers: Servers) -> None:
    client = case_client(servers)
    document = await customer(servers)
    team = await staffed(servers, "AG-9")
    asked = case(document, team=team, subject="レジが動きません")
    opened = await client.open_case(asked)
    await client.ask(opened.case_id, "respond", {"body": "機種名をお知らせください。", "by": "AG-9"})
    await client.fast_forward(opened.case_id, timedelta(minutes=1))
    mails = [mail for mail in servers.mails_to(document["contacts"][0]["email"]) if opened.case_id in mail.subject]
    assert [mail.subject for mail in mails] == [
        f"【InfintraBytes】お問い合わせを受け付けました（{opened.case_id}）：レジが動きません",
        f"Re: レジが動きません（{opened.case_id}）",
    ]
    messages = [message_from_bytes(servers.stack.mailbox.raw(mail.id)) for mail in mails]
    assert [message["In-Reply-To"] for message in messages] == [asked["message_id"]] * 2
    assert messages[1]["References"].split() == [asked["message_id"], messages[0]["Message-ID"]]
    assert [message["Auto-Submitted"] for message in messages] == ["auto-generated", None]
    addresses = [message["Reply-To"] for message in messages]
    assert all(re.fullmatch(r"reply\+[a-z2-7]{48}@perennial\.example", address) for address in addresses)
    assert addresses[0] != addresses[1]
    kept = "select case_id from case_message where message_id = $1"
    assert await servers.pool.fetchval(kept, messages[1]["Message-ID"]) == opened.case_id


@pytest.mark.engine
async def test_a_case_lives_without_a_journey_that_hears_of_it(servers: Servers) -> None:
    client = case_client(servers)
    document = await customer(servers)
    account = document["account"]["account_id"]
    await servers.client.ask(account, "close_journey", {"reason": "moved away"})
    await servers.handle(account).result()
    opened = await client.open_case(case(document))
    await client.fast_forward(opened.case_id, timedelta(minutes=1))
    assert "case_unheard" in [row["kind"] for row in await servers.journal(account)]
    assert (await row_of(servers, opened.case_id))["status"] == "new"


async def test_somebody_unknown_is_served_and_found_out(servers: Servers) -> None:
    client = case_client(servers)
    document = await customer(servers)
    unknown = case(document, account_id=None, contact={"name": "Ann", "email": document["contacts"][0]["email"]})
    opened = await client.open_case({key: value for key, value in unknown.items() if value is not None})
    assert opened.account_id is None
    await client.fast_forward(opened.case_id, timedelta(minutes=1))
    assert await templates(servers, opened.case_id) == ["case_opened"]
    account = document["account"]["account_id"]
    await client.ask(opened.case_id, "identify", {"account_id": account, "by": "AG-1"})
    row = await row_of(servers, opened.case_id)
    assert (row["account_id"], row["contact_id"]) == (account, "P-1")
    assert "case_opened" in [line["kind"] for line in await servers.journal(account)]


@pytest.mark.engine
async def test_a_late_message_reopens_a_closed_case_and_a_very_late_one_opens_another(servers: Servers) -> None:
    client = case_client(servers)
    document = await customer(servers, **ENTERPRISE)
    account = document["account"]["account_id"]
    team = await staffed(servers, "AG-10")
    one, two = [await client.open_case(case(document, team=team)) for _ in range(2)]
    for opened in (one, two):
        await client.ask(opened.case_id, "resolve", {"code": "fixed", "text": "Done.", "by": "AG-10"})
    await servers.client.fast_forward(account, timedelta(days=9))
    handle = servers.temporal.get_workflow_handle(f"case-{one.case_id}")
    await handle.result()
    message = {"body": "Again.", "channel": "web", "message_id": f"<late-{one.case_id}@customer.example>"}
    answer = await client.customer_message(one.case_id, message)
    assert (answer["effect"], answer["status"]) == ("reopens", "open")
    now = await servers.client.now(account)
    reopened = await servers.pool.fetchval("select status_at from service_case where case_id = $1", one.case_id)
    assert abs(reopened - now) < timedelta(minutes=1)
    assert (await client.customer_message(one.case_id, message))["known"]
    await servers.client.fast_forward(account, timedelta(days=9))
    late = {"body": "And again.", "channel": "web", "message_id": f"<late-{two.case_id}@customer.example>"}
    answer = await client.customer_message(two.case_id, late)
    assert answer["opened"]
    linked = await row_of(servers, answer["case_id"])
    assert (linked["follows_id"], linked["account_id"], linked["status"]) == (
        two.case_id,
        account,
        "open" if linked["owner_id"] else "new",
    )
    assert (await client.customer_message(two.case_id, late))["case_id"] == answer["case_id"]


async def test_the_same_case_again_gets_its_first_answer_and_other_content_is_refused(servers: Servers) -> None:
    client = case_client(servers)
    document = await customer(servers)
    asked = case(document)
    first = await client.open_case(asked)
    assert await client.open_case(asked) == first
    with pytest.raises(Refusal, match="other content") as refused:
        await client.open_case({**asked, "subject": "Something else"})
    assert refused.value.type == "CaseConflict"
    with pytest.raises(Refusal, match="no account"):
        await client.open_case(case(document, account_id="nobody"))
    with pytest.raises(Refusal, match="there is no case"):
        await client.ask("C-none", "respond", {"body": "x"})
    assert await kinds(servers, first.case_id) == ["created"]


async def test_journey_and_cases_move_in_step(servers: Servers) -> None:
    client = case_client(servers)
    document = await customer(servers)
    account = document["account"]["account_id"]
    team = await staffed(servers, "AG-11")
    await servers.client.fast_forward(account, timedelta(days=30))
    ahead = await servers.client.now(account)
    one, two = [await client.open_case(case(document, team=team)) for _ in range(2)]
    assert abs(one.opened_at - ahead) < timedelta(minutes=1)
    await client.ask(two.case_id, "respond", {"body": "We look into it.", "by": "AG-11"})
    await servers.client.fast_forward(account, timedelta(days=20))
    assert abs(await client.now(one.case_id) - await servers.client.now(account)) < timedelta(seconds=5)
    rows = await servers.pool.fetch(
        "select max(at) over (order by journal_id) - at as late from journal where account_id = $1", account
    )
    assert max(row["late"] for row in rows) <= timedelta(seconds=2)
    assert {"case_violated", "case_escalated"} <= {row["kind"] for row in await servers.journal(account)}


async def test_cases_go_to_whoever_is_least_busy_and_wait_for_a_shift(servers: Servers) -> None:
    client = case_client(servers)
    document = await customer(servers, **ENTERPRISE)
    n = f"{present():%H%M%S%f}"
    team = await staffed(servers, f"AX-{n}", f"AY-{n}", case_limit=2)
    owners = [(await client.open_case(case(document, team=team))).owner for _ in range(5)]
    assert sorted(owners, key=str) == [f"AX-{n}", f"AX-{n}", f"AY-{n}", f"AY-{n}", None]
    assert owners[0] != owners[1]
    nights = await staffed(servers, f"AZ-{n}", shift="office-jp")
    opened = await client.open_case(case(document, team=nights, impact="low", urgency="low"))
    await client.fast_forward(opened.case_id, timedelta(days=6))
    row = await row_of(servers, opened.case_id)
    assert (row["owner_id"], row["status"]) == (f"AZ-{n}", "open")


async def test_no_thread_gets_more_than_three_automatic_mails_a_day(servers: Servers) -> None:
    client = case_client(servers)
    document = await customer(servers, **ENTERPRISE)
    team = await staffed(servers, "AG-13")
    opened = await client.open_case(case(document, team=team))
    for _ in range(4):
        await client.ask(opened.case_id, "resolve", {"code": "fixed", "text": "Restarted.", "by": "AG-13"})
        await client.ask(opened.case_id, "reopen", {"reason": "still down", "by": "AG-13"})
    # What somebody did is told each time; of what the case sends by itself it is enough for one day.
    assert await templates(servers, opened.case_id) == ["case_opened", *["case_resolved"] * 4]
    await client.ask(opened.case_id, "resolve", {"code": "fixed", "text": "A new one.", "by": "AG-13"})
    await client.fast_forward(opened.case_id, timedelta(hours=12))
    assert "case_survey" not in await templates(servers, opened.case_id)
    await client.ask(opened.case_id, "reopen", {"reason": "still down", "by": "AG-13"})
    kept = {"body": "I am out of office.", "automatic": True, "channel": "mail"}
    answer = await client.customer_message(opened.case_id, kept)
    assert (answer["effect"], answer["status"]) == ("kept", "open")
    assert await promise(servers, opened.case_id, "next_response") is None
