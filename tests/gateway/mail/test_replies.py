"""Replies to what our mails ask, over real SMTP: what is clear is done and confirmed, anything else reaches a person."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any

import pytest

from activities.kernel.clock import present
from domain.kernel.calendar import local_instant
from tests.agendas import apart
from tests.e2e.lives import settled
from tests.gateway.mail.post import OWN, Post, contact_of, written
from tests.workflows.service_side import FIRST_ASKED


async def reply(post: Post, mail: Any, sender: str, text: str) -> Any:
    """The customer's reply to a mail of ours, as mail programs write it; its row in the inbox."""
    body = f"{text}\n\nOn Monday, InfintraBytes <{OWN}> wrote:\n> Please reply to this mail."
    answer = written(sender, f"Re: {mail['body']['template']}", body, In_Reply_To=mail["message_id"])
    return await post.delivered(answer, to=OWN, sender=sender)


async def with_quote(post: Post) -> tuple[dict[str, Any], str, Any]:
    """A customer with an open quote: the order, the quote's id, its mail."""
    account = await post.customer()
    account_id = account["account"]["account_id"]
    quote_id = f"Q-{account_id[2:].replace('-', '')}7"
    start = (present() + timedelta(days=20)).date().isoformat()
    line = {"kind": "sale", "line_id": "1", "product": "SEATS", "quantity": 5, "start": start, "months": 12}
    await post.servers.client.ask(account_id, "request_quote", {"quote_id": quote_id, "lines": [line], "role": "sales"})
    return account, quote_id, await post.answered(contact_of(account), "quote_presented")


async def state_of(post: Post, quote_id: str) -> str:
    return str(await post.servers.pool.fetchval("select state from quote where quote_id = $1", quote_id))


@pytest.mark.engine
async def test_a_quote_is_accepted_by_a_reply(post: Post) -> None:
    account, quote_id, mail = await with_quote(post)
    row = await reply(post, mail, contact_of(account), f"Yes, we accept {quote_id.lower()}. Thank you!")
    assert (row["status"], row["reason"], row["case_id"]) == ("matched", f"accept quote {quote_id}", None)
    assert await state_of(post, quote_id) == "accepted"
    again = await reply(post, mail, contact_of(account), "Yes please")
    assert (again["status"], again["case_id"], await state_of(post, quote_id)) == ("matched", None, "accepted")
    late = await reply(post, mail, contact_of(account), "No thanks.")
    assert (late["status"], await state_of(post, quote_id)) == ("failed", "accepted")  # a person looks at it
    assert late["reason"].startswith(f"decline quote {quote_id}: ")


async def test_a_quote_is_declined_by_its_number_in_a_mail_of_its_own(post: Post) -> None:
    account, quote_id, _ = await with_quote(post)
    row = await post.delivered(written(contact_of(account), "Your quote", f"We decline {quote_id}."))
    assert (row["status"], row["reason"]) == ("matched", f"decline quote {quote_id}")
    assert await state_of(post, quote_id) == "declined"
    log = "select actor, door, operation, outcome, reason <> '' from audit_entry where subject = $1 and door = 'inbox'"
    (entry,) = await post.servers.pool.fetch(log, f"account/{account['account']['account_id']}")
    contact = f"contact:{account['contacts'][0]['contact_id']}"
    assert tuple(entry) == (contact, "inbox", "decline_quote", "done", True)


@pytest.mark.parametrize(
    "text", ["Yes, but only three seats.", "承知しました", "We accept Q-99999", "Can you do 10 % less?"]
)
async def test_what_is_not_clear_reaches_a_person_and_changes_nothing(post: Post, text: str) -> None:
    account, quote_id, mail = await with_quote(post)
    row = await reply(post, mail, contact_of(account), text)
    assert row["status"] == "matched"
    assert await post.messages(row["case_id"], "inbound") == [f"{text}\n\n[quoted: 2 lines]"]
    assert await state_of(post, quote_id) == "presented"


async def test_who_has_no_say_changes_no_contract(post: Post) -> None:
    account, quote_id, mail = await with_quote(post)
    domain = contact_of(account).partition("@")[2]
    row = await reply(post, mail, f"intern@{domain}", "Yes, we accept.")
    assert (row["status"], row["reason"]) == (
        "unknown",
        f"it would accept quote {quote_id}, but the mail that it answers went to somebody else",
    )
    admin = {"contact_id": "P-2", "name": "Ken", "email": f"ken@{domain}", "role": "admin"}
    await post.servers.client.ask(account["account"]["account_id"], "change_contacts", {"add": [admin]})
    row = await post.delivered(written(f"ken@{domain}", "Your quote", f"We accept {quote_id}."))
    assert row["status"] == "unknown"
    assert row["reason"].startswith(f"it would accept quote {quote_id}, but its sender is no contact")
    stranger = await post.customer()
    await reply(post, mail, contact_of(stranger), "Yes, we accept.")
    assert await state_of(post, quote_id) == "presented"


async def test_a_renewal_is_answered_by_a_reply(post: Post) -> None:
    account = await post.customer()
    account_id, contract = account["account"]["account_id"], account["contracts"][0]["contract_id"]
    await post.servers.client.fast_forward(account_id, timedelta(days=320))
    notices = await post.servers.pool.fetch(
        "select * from outbox where account_id = $1 and body->>'template' = 'renewal_notice' order by created_at",
        account_id,
    )
    row = await reply(post, notices[-1], contact_of(account), "はい、更新をお願いいたします。")
    assert (row["status"], row["reason"]) == ("matched", f"accept renewal {contract}")
    await post.answered(contact_of(account), "renewal_confirmed")


async def test_other_terms_in_a_reply_become_a_version_that_the_next_yes_renews_by(post: Post) -> None:
    account = await post.customer()
    account_id, contract = account["account"]["account_id"], account["contracts"][0]["contract_id"]
    await post.servers.client.fast_forward(account_id, timedelta(days=320))
    first = await left(post, account_id, "renewal_notice")
    row = await reply(post, first, contact_of(account), "24ヶ月で更新をお願いします。")
    assert (row["status"], row["reason"]) == ("matched", f"have contract {contract} for 24 months")
    await settled(post.servers.pool, account_id)
    second = await left(post, account_id, "renewal_notice")
    assert second["body"]["context"]["quote"]["version"] == 2
    # A yes to the mail of before is to what is not offered any more.
    row = await reply(post, first, contact_of(account), "はい、更新をお願いいたします。")
    assert (row["status"], "version 2 is offered by now" in row["reason"]) == ("failed", True)
    row = await reply(post, second, contact_of(account), "はい、更新をお願いいたします。")
    assert (row["status"], row["reason"]) == ("matched", f"accept renewal {contract}")
    months = "select extract(year from age(until, start_on)) from contract_term where contract_id = $1 and number = 2"
    assert await post.servers.pool.fetchval(months, contract) == 2


async def test_terms_that_are_not_offered_are_a_case_of_a_persons(post: Post) -> None:
    account = await post.customer()
    account_id = account["account"]["account_id"]
    await post.servers.client.fast_forward(account_id, timedelta(days=320))
    notice = await left(post, account_id, "renewal_notice")
    row = await reply(post, notice, contact_of(account), "Please renew for 7 months.")
    assert row["status"] == "matched"
    assert "7 months are not offered; choose 12 or 24 or 36" in row["reason"]
    assert await post.messages(row["case_id"], "inbound")


async def left(post: Post, account_id: str, template: str) -> Any:
    """The latest mail of that template to an account."""
    query = "select * from outbox where account_id = $1 and body->>'template' = $2 and status = 'sent'"
    rows = await post.servers.pool.fetch(f"{query} order by settled_at", account_id, template)
    return rows[-1]


async def test_a_yes_on_the_last_day_on_which_everything_runs_renews(post: Post) -> None:
    """The mail that a term is over says what going on costs; until the end of the day that it names a yes is enough."""
    account = await post.customer()
    account_id, contract = account["account"]["account_id"], account["contracts"][0]["contract_id"]
    ends_at = await post.servers.pool.fetchval("select ends_at from contract_term where contract_id = $1", contract)
    await post.servers.client.fast_forward_to(account_id, ends_at + timedelta(days=6))
    mail = await left(post, account_id, "renewal_grace")
    until = date.fromisoformat(mail["body"]["context"]["grace_until"])
    last = local_instant(until, "Asia/Tokyo", time(23, 30))
    await post.servers.client.fast_forward_to(account_id, last)
    row = await reply(post, mail, contact_of(account), "はい、更新をお願いいたします。")
    assert (row["status"], row["reason"]) == ("matched", f"accept renewal {contract}")
    said = (await post.answered(contact_of(account), "renewal_confirmed"))["body"]["context"]
    assert said["total"] == mail["body"]["context"]["quote"]["total"]


async def test_who_asks_for_a_renewal_in_grace_hears_what_is_so(post: Post) -> None:
    account = await post.customer()
    account_id, contract = account["account"]["account_id"], account["contracts"][0]["contract_id"]
    ends_at = await post.servers.pool.fetchval("select ends_at from contract_term where contract_id = $1", contract)
    await post.servers.client.fast_forward_to(account_id, ends_at + timedelta(days=6))
    first = (await left(post, account_id, "renewal_grace"))["body"]["context"]
    await post.servers.client.ask(account_id, "request_renewal", {"contract_id": contract, "by": "S-1"})
    await settled(post.servers.pool, account_id)
    said = (await left(post, account_id, "renewal_grace"))["body"]["context"]
    assert (said["asked"], said["grace_until"]) == (True, first["grace_until"])
    assert said["quote"]["total"] == first["quote"]["total"]
    assert await apart(post.servers, account_id) == []


async def test_who_declined_may_change_their_mind_by_a_reply(post: Post) -> None:
    account = await post.customer()
    account_id, contract = account["account"]["account_id"], account["contracts"][0]["contract_id"]
    await post.servers.client.fast_forward(account_id, timedelta(days=320))
    decline = {"contract_id": contract, "decision": "decline", "reason": "price", "by": "S-1"}
    await post.servers.client.ask(account_id, "answer_renewal", decline)
    declined = await post.answered(contact_of(account), "renewal_declined")
    row = await reply(post, declined, contact_of(account), "The price was too high.")
    assert row["reason"] != f"have contract {contract} renewed"
    row = await reply(post, declined, contact_of(account), "We have changed our mind, please renew it after all.")
    assert (row["status"], row["reason"]) == ("matched", f"have contract {contract} renewed")
    await settled(post.servers.pool, account_id)
    assert await apart(post.servers, account_id) == []
    offer = await left(post, account_id, "renewal_notice")
    assert offer["body"]["context"]["auto_renew"] is False
    row = await reply(post, offer, contact_of(account), "Yes, we accept.")
    assert (row["status"], row["reason"]) == ("matched", f"accept renewal {contract}")
    await post.answered(contact_of(account), "renewal_confirmed")


async def test_a_score_is_recorded_and_reopens_nothing(post: Post) -> None:
    account = await post.customer()
    sender = contact_of(account)
    case_id = (await post.delivered(written(sender)))["case_id"]
    await post.resolved(case_id)
    await post.cases.fast_forward(case_id, timedelta(days=3))
    survey = await post.answered(sender, "case_survey")
    before = await post.status(case_id)
    row = await reply(post, survey, sender, "4/5 - quick help, thanks!")
    assert (row["status"], row["case_id"], row["reason"]) == ("matched", case_id, "answer the survey with 4")
    assert await post.status(case_id) == before
    kept = await post.servers.pool.fetchrow("select score, comment from case_survey where case_id = $1", case_id)
    assert kept is not None
    assert (kept["score"], kept["comment"]) == (4, "4/5 - quick help, thanks!")
    assert await post.messages(case_id, "inbound") == ["Nothing works since nine."]


@pytest.mark.parametrize("text", ["unsubscribe", "配信停止をお願いします"])
async def test_whoever_unsubscribes_is_heeded_and_gets_a_confirmation(post: Post, text: str) -> None:
    account = await post.customer()
    sender = contact_of(account)
    welcome = await post.answered(sender, "welcome")
    row = await reply(post, welcome, sender, text)
    assert (row["status"], row["contact_id"], row["case_id"]) == ("matched", "P-1", None)
    assert await post.servers.pool.fetchval(
        "select unsubscribed_at is not null from contact where account_id = $1 and contact_id = 'P-1'",
        row["account_id"],
    )
    await post.answered(sender, "opted_out")


async def test_a_wish_to_renew_becomes_a_quote_that_waits_for_one_yes(post: Post) -> None:
    account = await post.customer()
    account_id, contract = account["account"]["account_id"], account["contracts"][0]["contract_id"]
    sender = contact_of(account)
    row = await post.delivered(written(sender, "Renewal", "Please renew our Workspace.\n\nBest regards\nAoi"))
    assert (row["status"], row["case_id"], row["reason"]) == ("matched", None, f"have contract {contract} renewed")
    quote = await post.answered(sender, "renewal_notice")
    assert quote["body"]["context"]["quote"]["quote_id"]
    terms = "select count(*) from contract_term where contract_id = $1"
    assert await post.servers.pool.fetchval(terms, contract) == 1
    row = await reply(post, quote, sender, f"Yes, we accept {quote['body']['context']['quote']['quote_id']}.")
    assert (row["status"], row["reason"]) == ("matched", f"accept renewal {contract}")
    await post.answered(sender, "renewal_confirmed")
    assert await post.servers.pool.fetchval(terms, contract) == 2
    late = await post.delivered(written(sender, "Renewal", "Please renew our Workspace once more."))
    assert late["account_id"] == account_id


async def test_a_score_in_reply_to_a_check_in_or_to_news_of_go_live_is_recorded(post: Post) -> None:
    account = await post.customer()
    account_id, sender = account["account"]["account_id"], contact_of(account)
    weekday = await post.servers.client.now(account_id) + timedelta(days=5)
    while weekday.weekday() != 2:
        weekday += timedelta(days=1)
    await post.servers.client.fast_forward_to(account_id, weekday.replace(hour=2))  # eleven o'clock in Tokyo
    for task in ("kickoff", "training", "first_value", "go_live"):
        await post.servers.client.ask(account_id, "complete_task", {"task": task})
    live, effort = await post.survey_with(sender, "go_live")
    assert effort["body"]["context"]["question_kind"] == "ces"
    await reply(post, live, sender, "6")
    await post.servers.client.fast_forward(account_id, FIRST_ASKED)
    message, survey = await post.survey_with(sender, "check_in")
    assert survey["body"]["context"]["question_kind"] == "nps"
    row = await reply(post, message, sender, "9 - everything just works")
    assert (row["status"], row["case_id"], row["reason"]) == ("matched", None, "answer the survey with 9")
    rows = await post.servers.pool.fetch(
        "select kind, score, comment from survey where account_id = $1 order by kind", account_id
    )
    assert [tuple(one) for one in rows] == [("ces", 6, ""), ("nps", 9, "9 - everything just works")]
    other = await reply(post, message, sender, "Could you show 2 of us the reports on Tuesday at 10?")
    assert (other["status"], other["reason"]) == ("matched", "")
    assert other["case_id"] is not None, "what is no score is for a person"
