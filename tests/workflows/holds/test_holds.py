"""Sales held back while service owes something: what waits, what passes, what goes out afterwards, and who may say otherwise."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from domain.kernel.refusals import Refusal
from gateway.both_sides import see_sales, see_service
from tests.agendas import apart
from tests.cases import case, case_client, staffed
from tests.conftest import Servers
from tests.e2e.lives import settled, until
from tests.workflows.service_side import (
    COOL_DOWN,
    FIRST_ASKED,
    live_holds,
    onboarded,
    open_case,
    report_full_use,
    resolve_case,
    sent_to_customer,
    shows,
    tell,
)


@pytest.mark.engine
async def test_an_offer_waits_while_a_case_burns_and_goes_out_after_it(servers: Servers) -> None:
    document, account = await onboarded(servers)
    case = await open_case(servers, account)
    assert await live_holds(servers, account) == [("block", "pressing_case")]
    await shows(servers, account, "hold")
    briefing = await servers.client.briefing(account)
    assert re.search(rf"`{case}` urgent, open · open since \w+ [\d: -]+ \w+ · no owner yet", briefing)
    assert "sales is held back" in briefing
    await report_full_use(servers, account)
    await servers.client.fast_forward(account, timedelta(days=5))
    assert not await servers.pool.fetchval("select count(*) from offer where account_id = $1", account)
    assert await servers.pool.fetchval("select count(*) from held_step where account_id = $1", account) == 1
    resolved_at = await resolve_case(servers, account, case)
    assert await live_holds(servers, account) == [("block", "cooling_down")]
    assert not await servers.pool.fetchval("select count(*) from offer where account_id = $1", account)
    await servers.client.fast_forward(account, COOL_DOWN)
    offer = await servers.pool.fetchrow("select * from offer where account_id = $1", account)
    assert offer is not None
    assert offer["offered_at"] >= resolved_at + timedelta(days=3)
    await settled(servers.pool, account)
    assert "upsell_offer" in await sent_to_customer(servers, account)
    assert await live_holds(servers, account) == []
    await shows(servers, account, "hold", shown=False)
    assert not await servers.pool.fetchval("select count(*) from held_step where account_id = $1", account)
    assert "Open cases" not in await servers.client.briefing(account)
    notices = [m.subject for m in servers.mails_to("olga@seller.example") if document["account"]["name"] in m.subject]
    assert notices


async def test_a_good_rating_ends_the_cool_down_and_a_reopening_blocks_again(servers: Servers) -> None:
    _, account = await onboarded(servers)
    case = await open_case(servers, account)
    await resolve_case(servers, account, case)
    assert await live_holds(servers, account) == [("block", "cooling_down")]
    at = await servers.client.now(account)
    await servers.pool.execute(
        "update service_case set status = 'open', resolved_at = null, status_at = $2, reopen_count = 1 where case_id = $1",
        case,
        at,
    )
    await tell(servers, account, case, "reopened")
    assert await live_holds(servers, account) == [("block", "pressing_case")]
    await resolve_case(servers, account, case, rating=5)
    assert await live_holds(servers, account) == []


@pytest.mark.parametrize(
    ("status", "after"), [("waiting_customer", ("warn", "quiet_case")), ("open", ("block", "pressing_case"))]
)
async def test_only_a_customer_who_is_silent_makes_a_case_quiet(
    servers: Servers, status: str, after: tuple[str, str]
) -> None:
    _, account = await onboarded(servers)
    case = await open_case(servers, account)
    await servers.pool.execute("update service_case set status = $2 where case_id = $1", case, status)
    await tell(servers, account, case, "waits")
    await servers.client.fast_forward(account, timedelta(days=29))
    assert [level for level, _ in await live_holds(servers, account)] == ["block"]
    await servers.client.fast_forward(account, timedelta(days=2))
    assert await live_holds(servers, account) == [after]


async def test_the_owner_is_reminded_of_a_case_that_is_left_alone_and_of_what_ends_it(servers: Servers) -> None:
    _, account = await onboarded(servers)
    case = await open_case(servers, account)
    await report_full_use(servers, account)
    told = (
        "select body->'lines' from outbox where account_id = $1 and channel = 'deliver_notice' and body->>'title' = $2"
    )

    async def reminders() -> list[list[str]]:
        rows = await servers.pool.fetch(
            f"{told} order by created_at", account, f"Sales is still held back by case {case}"
        )
        return [row[0] for row in rows]

    opened = await servers.client.now(account)
    await servers.client.fast_forward(account, timedelta(days=4))
    assert await reminders() == []
    assert await apart(servers, account) == []
    await servers.client.fast_forward_to(account, opened + timedelta(days=14))
    [lines] = await reminders()
    assert any(line.startswith("What waits meanwhile: offer of more seats") for line in lines)
    assert any(line.startswith("That ends 3 business days after the case is resolved") for line in lines)
    assert await apart(servers, account) == []
    await servers.client.fast_forward_to(account, opened + timedelta(days=30))
    assert len(await reminders()) == 2
    await servers.pool.execute("update service_case set status = 'waiting_customer' where case_id = $1", case)
    await tell(servers, account, case, "waits")
    await servers.client.fast_forward_to(account, opened + timedelta(days=50))
    assert len(await reminders()) == 2, "it is up to the customer"


@pytest.mark.parametrize(("days", "ends"), [(6, "sent"), (18, "withdrawn")])
async def test_a_mail_that_was_decided_waits_where_it_would_leave(servers: Servers, days: int, ends: str) -> None:
    """Help is offered because few seats are used; the task is there at once, the mail when it may go and is still of use."""
    document, account = await onboarded(servers)
    case = await open_case(servers, account)
    await report_full_use(servers, account, users=8)
    await servers.client.fast_forward(account, timedelta(days=days))
    mail = "select * from outbox where account_id = $1 and body->>'template' = 'outreach'"
    held = await servers.pool.fetch(mail, account)
    assert [row["status"] for row in held] == ["held"]
    assert case in held[0]["reason"]
    assert "offer of help" in await servers.client.briefing(account)
    assert await servers.pool.fetchval(
        "select count(*) from staff_task where account_id = $1 and key = 'adoption/help' and closed_at is null", account
    )
    await resolve_case(servers, account, case)
    await servers.client.fast_forward(account, COOL_DOWN)
    await settled(servers.pool, account)
    rows = await servers.pool.fetch(mail, account)
    assert [row["status"] for row in rows] == [ends]
    arrived = [m for m in servers.mails_to(document["contacts"][0]["email"]) if m.message_id == rows[0]["message_id"]]
    assert len(arrived) == (1 if ends == "sent" else 0)
    titles = [row["title"] for row in await servers.journal(account) if "offer of help" in row["title"]]
    assert [title for title in titles if title.startswith("Held back: offer of help; ") and case in title]
    assert titles[-1].startswith("On its way after it was held back" if ends == "sent" else "Dropped: offer of help")


@pytest.mark.parametrize(("users", "says"), [(12, 12), (30, None)])
async def test_what_was_held_back_says_what_is_so_when_it_leaves(
    servers: Servers, users: int, says: int | None
) -> None:
    _, account = await onboarded(servers)
    case = await open_case(servers, account)
    await report_full_use(servers, account, users=8)
    await servers.client.fast_forward(account, timedelta(days=4))
    mail = "select status, body from outbox where account_id = $1 and body->>'template' = 'outreach'"
    row: Any = await servers.pool.fetchrow(mail, account)
    assert (row["status"], row["body"]["context"]["active_users"]) == ("held", 8)
    await report_full_use(servers, account, users)
    await resolve_case(servers, account, case, rating=5)
    await servers.client.fast_forward(account, timedelta(days=8))
    await settled(servers.pool, account)
    row = await servers.pool.fetchrow(mail, account)
    titles = [one["title"] for one in await servers.journal(account)]
    if says is None:
        assert row["status"] == "withdrawn"
        assert "Dropped: offer of help; it is not so any more" in titles
    else:
        assert (row["status"], row["body"]["context"]["active_users"]) == ("sent", says)
        assert "On its way after it was held back: offer of help, written anew by what is so now" in titles


async def test_a_warning_pauses_automatic_mails_and_contractual_ones_pass(servers: Servers) -> None:
    _, account = await onboarded(servers)
    case = await open_case(servers, account, priority="low")
    assert await live_holds(servers, account) == [("warn", "open_case")]
    before = await sent_to_customer(servers, account)
    await servers.client.fast_forward(account, timedelta(days=40))
    await settled(servers.pool, account)
    after = await sent_to_customer(servers, account)
    assert set(after[len(before) :]) <= {"renewal_notice"}
    answer = await servers.client.ask(account, "acknowledge_hold", {"by": "S-1"})
    assert answer["acknowledged"] == [case]
    assert await servers.pool.fetchval(
        "select count(*) from hold_acknowledgement where account_id = $1 and by = 'S-1' and source = $2", account, case
    )


@pytest.mark.damaged
async def test_a_contracts_notice_passes_a_block_and_its_quote_waits_for_a_manager(servers: Servers) -> None:
    document, account = await onboarded(servers)
    contract = document["contracts"][0]["contract_id"]
    ends_at = await servers.pool.fetchval("select max(ends_at) from contract_term where contract_id = $1", contract)
    await servers.client.fast_forward_to(
        account, ends_at - timedelta(days=62)
    )  # the quote comes 60 days before the end
    await servers.pool.execute(
        "insert into service_team (team, name, manager_id) values ('first', 'First line', 'S-2') on conflict do nothing"
    )
    case = await open_case(servers, account, escalated=True, team="first", owner="S-1")
    await servers.pool.execute(
        "update service_case set last_activity_at = opened_at + interval '80 days' where case_id = $1", case
    )
    # The quote comes 30 days before the end, or after the holidays that lie there.
    await servers.client.fast_forward_to(account, ends_at - timedelta(days=22))
    await settled(servers.pool, account)
    quotes = "select count(*) from renewal_quote where contract_id = $1"
    assert not await servers.pool.fetchval(quotes, contract)
    assert (await sent_to_customer(servers, account)).count("renewal_notice") >= 2
    await shows(servers, account, "renewal_held")
    task = await servers.pool.fetchrow(
        "select staff_id, closed_at from staff_task where account_id = $1 and key = $2",
        account,
        f"renewal-hold/{contract}",
    )
    assert task is not None
    assert (task["staff_id"], task["closed_at"]) == ("S-2", None)
    with pytest.raises(Refusal, match="only the owner of case"):
        await servers.client.ask(account, "release_for_renewal", {"by": "S-9", "case_id": case})
    released = {"by": "S-2", "role": "service_manager", "case_id": case, "reason": "talked to them"}
    assert await servers.client.ask(account, "release_for_renewal", released) == {"case_id": case, "released": True}
    await servers.client.fast_forward(account, timedelta(days=5))  # on the next morning on which people work
    await until(lambda: servers.pool.fetchval(quotes, contract), "the withheld quote is made")
    assert await servers.pool.fetchval(
        "select count(*) from staff_task where account_id = $1 and key = $2 and closed_at is not null",
        account,
        f"renewal-hold/{contract}",
    )
    event = await servers.pool.fetchrow("select * from case_event where case_id = $1 and kind = 'custom'", case)
    assert event is not None
    assert event["detail"]["name"] == "renewal_released"
    await settled(servers.pool, account)
    await shows(servers, account, "renewal_held", shown=False)
    # A block is still there for everything else.
    assert ("block", "escalated") in await live_holds(servers, account)


async def test_both_sides_see_the_other_and_whoever_saw_a_case_hears_that_it_is_over(servers: Servers) -> None:
    document, account = await onboarded(servers)
    case = await open_case(servers, account, product="TERMINAL")
    at = await servers.client.now(account)
    await servers.pool.execute(
        "insert into case_message (case_id, number, direction, channel, body, at) values ($1, 1, 'inbound', 'mail', $2, $3)",
        case,
        "It does not start, again",
        at,
    )
    for sequence, visibility in ((1, "internal"), (2, "shared")):
        await servers.pool.execute(
            "insert into case_event (case_id, sequence, at, recorded_at, kind, by, detail, visibility)"
            " values ($1, $2, $3, $3, 'note', 'S-2', $4, $5)",
            case,
            sequence,
            at,
            {"body": f"a note that is {visibility}"},
            visibility,
        )
    seen = await see_service(servers.pool, account, "S-1", at)
    assert (seen.level, [hold.source for hold in seen.holds]) == ("block", [case])
    assert [(one["case_id"], one["customer_wrote"]["text"]) for one in seen.cases] == [
        (case, "It does not start, again")
    ]
    assert [note["detail"]["body"] for note in seen.cases[0]["notes"]] == ["a note that is shared"]
    other = await see_sales(servers.pool, account, at)
    assert [one["contract_id"] for one in other.renewals] == [document["contracts"][0]["contract_id"]]
    assert {one["product"] for one in other.purchases} == {"SEATS", "CARE", "TERMINAL"}
    assert (await see_service(servers.pool, account, "nobody-here", at)).cases == seen.cases
    await resolve_case(servers, account, case, rating=4)
    told = "select staff_id from outbox where account_id = $1 and body->>'title' like $2"
    rows = await servers.pool.fetch(told, account, f"Case {case} is resolved")
    assert [row["staff_id"] for row in rows] == ["S-1"]
    await tell(servers, account, case, "closed")
    assert len(await servers.pool.fetch(told, account, f"Case {case} is %")) == 1


async def test_a_discount_that_bad_service_earned_is_proposed_and_never_taken_off(servers: Servers) -> None:
    document, account = await onboarded(servers)
    contract = document["contracts"][0]["contract_id"]
    case = await open_case(servers, account)
    at = await servers.client.now(account)
    await servers.pool.execute(
        "insert into case_milestone (case_id, milestone, number, kind, started_at, violated_at, state)"
        " values ($1, 'resolution', 1, 'resolution', $2, $2, 'missed')",
        case,
        at,
    )
    await resolve_case(servers, account, case, rating=1)
    ends_at = await servers.pool.fetchval("select max(ends_at) from contract_term where contract_id = $1", contract)
    await servers.client.fast_forward_to(account, ends_at - timedelta(days=50))
    line = await servers.pool.fetchrow(
        "select title, detail from journal where account_id = $1 and kind = 'renewal_discount'", account
    )
    assert line is not None
    assert line["title"] == f"Consider 4 % off the renewal of {contract}"
    assert line["detail"]["why"] == [f"resolved later than promised: {case}", f"rated badly: {case}"]
    total = await servers.pool.fetchval("select total from renewal_quote where contract_id = $1", contract)
    assert total == 40 * 1200 * 12 + 60000


async def test_an_unhappy_answer_holds_automatic_mails_until_somebody_followed_it_up(servers: Servers) -> None:
    _, account = await onboarded(servers)
    await servers.client.fast_forward(account, FIRST_ASKED)
    survey = await servers.pool.fetchval("select survey_id from survey where account_id = $1 and kind = 'nps'", account)
    await servers.client.ask(account, "answer_survey", {"survey_id": survey, "score": 3})
    await servers.client.fast_forward(account, timedelta(minutes=1))
    assert await live_holds(servers, account) == [("warn", "detractor")]
    await servers.client.ask(account, "acknowledge_hold", {"by": "S-2", "source": survey})
    await servers.client.fast_forward(account, timedelta(minutes=1))
    assert await live_holds(servers, account) == []
    with pytest.raises(Refusal, match="nothing holds sales back"):
        await servers.client.ask(account, "acknowledge_hold", {"by": "S-2"})


async def test_the_rep_is_held_back_while_a_real_case_burns_and_let_go_after_it(servers: Servers) -> None:
    """Case and journey are two workflows: the one tells the other, and their clocks are moved in step."""
    document, account = await onboarded(servers)
    client = case_client(servers)
    team = await staffed(servers, f"AG-{account}")
    opened = await client.open_case(case(document, team=team, impact="high", urgency="high"))
    await shows(servers, account, "hold")
    assert f"`{opened.case_id}` urgent" in await servers.client.briefing(account)
    assert "**Sales** sales is held back: pressing case" in await client.briefing(opened.case_id)
    await report_full_use(servers, account)
    await servers.client.fast_forward(account, timedelta(hours=2))
    assert not await servers.pool.fetchval("select count(*) from offer where account_id = $1", account)
    asked = {"by": "S-1", "role": "service_manager", "reason": "they asked for a call", "hours": 1}
    assert (await servers.client.ask(account, "override_hold", asked))["cases"] == [opened.case_id]
    await client.ask(opened.case_id, "respond", {"body": "We are on it.", "by": f"AG-{account}"})
    await client.ask(opened.case_id, "resolve", {"code": "fixed", "text": "A new cable.", "by": f"AG-{account}"})
    kinds = await servers.pool.fetch("select kind from case_event where case_id = $1 order by sequence", opened.case_id)
    assert [row["kind"] for row in kinds if row["kind"] != "mail_held"][-2:] == ["agent_message", "resolved"]
    assert "sales may go on from" in await client.briefing(opened.case_id)
    await servers.client.fast_forward(account, COOL_DOWN)
    await shows(servers, account, "hold", shown=False)
    assert await servers.pool.fetchval("select count(*) from offer where account_id = $1", account) == 1
    await servers.client.fast_forward(account, timedelta(days=14))  # holidays keep the case open for longer
    assert "**Sales**" not in await client.briefing(opened.case_id)
