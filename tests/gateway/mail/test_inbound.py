"""Mail that comes in, over real SMTP into the mailbox of the stack, to cases, contacts and the queue."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

import pytest

from activities.mail import inbox as inbox_store
from domain.kernel.refusals import Refusal
from domain.mail.routing import CASES_A_DAY
from tests.e2e.lives import account_of
from tests.gateway.mail.post import DOMAIN, OWN, SERVICE, Post, contact_of, report_about, written


@pytest.mark.engine
async def test_a_japanese_mail_opens_a_case_that_is_answered_in_japanese(post: Post) -> None:
    account = await post.customer(email=f"misaki@{uuid.uuid4().hex[:8]}.capricorn.example")
    sender = contact_of(account)
    body = "お世話になっております。\nレジ①が動きません。"
    raw = (
        f"From: =?ISO-2022-JP?B?GyRCJF8kNSQtGyhC?= <{sender}>\r\nTo: {SERVICE}\r\n"
        f"Subject: =?ISO-2022-JP?B?GyRCJWwlOBsoQg==?=\r\nMessage-ID: <{uuid.uuid4()}@capricorn.example>\r\n"
        "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=ISO-2022-JP\r\nContent-Transfer-Encoding: 7bit\r\n\r\n"
    ).encode()
    row = await post.delivered(raw + body.replace("①", "1").encode("iso-2022-jp"))
    assert (row["status"], row["account_id"], row["contact_id"]) == ("matched", account["account"]["account_id"], "P-1")
    assert (row["subject"], row["sender_name"]) == ("レジ", "みさき")
    case = await post.cases.case(row["case_id"])
    assert case is not None
    assert (case.subject, case.contact.language) == ("レジ", "ja")
    assert await post.messages(row["case_id"], "inbound") == [body.replace("①", "1")]
    await post.answered(sender, "case_opened")
    [mail] = [mail for mail in post.servers.mails_to(sender) if row["case_id"] in mail.subject]
    assert mail.language == "ja"


# Threads


async def test_an_answer_joins_its_case_by_its_headers(post: Post) -> None:
    account = await post.customer()
    sender = contact_of(account)
    opened = await post.delivered(written(sender))
    acknowledgement = await post.answered(sender, "case_opened")
    answer = written(
        sender, "Re: something else", "It works again.\n\n> We have it", In_Reply_To=acknowledgement["message_id"]
    )
    row = await post.delivered(answer)
    assert (row["status"], row["case_id"]) == ("matched", opened["case_id"])
    assert await post.messages(opened["case_id"], "inbound") == [
        "Nothing works since nine.",
        "It works again.\n\n[quoted: 1 line]",
    ]
    assert await post.cases_of(account) == [opened["case_id"]]


async def test_an_answer_joins_its_case_by_its_address_or_its_subject(post: Post) -> None:
    account = await post.customer()
    sender = contact_of(account)
    case_id = (await post.delivered(written(sender)))["case_id"]
    by_address = await post.delivered(written(sender, "No thread", "one"), to=f"case+{case_id}@{DOMAIN}")
    by_subject = await post.delivered(written(sender, f"AW: Terminal is down [{case_id}]", "two"))
    assert (by_address["case_id"], by_subject["case_id"]) == (case_id, case_id)
    assert (await post.messages(case_id, "inbound"))[1:] == ["one", "two"]


async def test_an_answer_reopens_a_resolved_case(post: Post) -> None:
    account = await post.customer()
    sender = contact_of(account)
    case_id = (await post.delivered(written(sender)))["case_id"]
    await post.resolved(case_id)
    row = await post.delivered(written(sender, f"Re: [{case_id}]", "Not at all."))
    assert row["case_id"] == case_id
    assert await post.status(case_id) == "open"


async def test_an_answer_to_a_case_of_long_ago_opens_a_linked_one(post: Post) -> None:
    account = await post.customer()
    sender = contact_of(account)
    case_id = (await post.delivered(written(sender)))["case_id"]
    await post.resolved(case_id)
    await post.cases.fast_forward(case_id, timedelta(days=60))
    assert await post.status(case_id) == "closed"
    await post.servers.client.fast_forward(account["account"]["account_id"], timedelta(days=60))
    row = await post.delivered(written(sender, f"Re: [{case_id}]", "Again."))
    assert row["case_id"] != case_id
    linked = await post.cases.case(row["case_id"])
    assert linked is not None
    assert linked.follows_id == case_id
    assert await post.messages(row["case_id"], "inbound") == ["Again."]


async def test_an_answer_to_a_journey_opens_a_case_and_is_told_to_the_owner(post: Post) -> None:
    account = await post.customer()
    sender = contact_of(account)
    welcome = await post.answered(sender, "welcome")
    answer = written(sender, "Re: Welcome", "Who installs it?", References=welcome["message_id"])
    # It goes to the success manager, whom the mail named; the inbox hears of it as it answers a mail of ours.
    row = await post.delivered(answer, to="sam@seller.example", sender=sender)
    assert row["status"] == "matched"
    account_id = account["account"]["account_id"]
    assert await post.cases_of(account) == [row["case_id"]]
    [line] = [line for line in await post.servers.journal(account_id) if line["kind"] == "mail_answered"]
    assert line["title"] == f"山本 葵 (main contact) answered the welcome mail: case {row['case_id']}"
    notices = await post.servers.pool.fetch(
        "select body from outbox where account_id = $1 and channel = 'deliver_notice' and delivery_id like '%note_mail%'",
        account_id,
    )
    assert [(n["body"]["to_email"], n["body"]["title"]) for n in notices] == [
        ("olga@seller.example", "山本 葵 (main contact) answered the welcome mail")
    ]


async def test_mail_between_others_is_none_of_ours(post: Post) -> None:
    account = await post.customer()
    private = written(contact_of(account))
    inbox_id = await post.send(private, to="sam@seller.example", sender=contact_of(account))
    sent_by_us = await post.send(written(OWN), to=contact_of(account), sender=OWN)
    assert await post.row(inbox_id) is None
    assert await post.row(sent_by_us) is None


# Machines


async def test_a_storm_of_automatic_answers_is_recorded_and_answered_by_nothing(post: Post) -> None:
    account = await post.customer()
    sender = contact_of(account)
    case_id = (await post.delivered(written(sender)))["case_id"]
    acknowledgement = await post.answered(sender, "case_opened")
    before = await post.sent(account_of(account))
    for number in range(100):
        away = written(
            sender, f"Out of office {number}", Auto_Submitted="auto-replied", In_Reply_To=acknowledgement["message_id"]
        )
        await post.send(away, to=OWN)
    assert await post.inbox.settle_new() == 100
    async with post.servers.pool.acquire() as connection:
        beside = await inbox_store.mails_of_case(connection, case_id)
    assert {(row["status"], row["reason"]) for row in beside} == {("automatic", "Auto-Submitted: auto-replied")}
    assert len(beside) == 100
    assert await post.sent(account_of(account)) == before
    assert await post.cases_of(account) == [case_id]
    assert await post.messages(case_id, "inbound") == ["Nothing works since nine."]


async def test_a_busy_customer_is_never_cut_off_and_no_two_machines_talk_for_ever(post: Post) -> None:
    account = await post.customer()
    sender = contact_of(account)
    for number in range(CASES_A_DAY + 5):
        await post.send(written(sender, f"Matter {number}"))
    await post.inbox.settle_new()
    assert len(await post.cases_of(account)) == CASES_A_DAY + 5
    acknowledged = (
        "select count(*) from outbox where account_id = $1 and body->>'template' = 'case_opened'"
        " and channel = 'deliver_mail'"
    )
    assert await post.servers.pool.fetchval(acknowledged, account["account"]["account_id"]) == CASES_A_DAY


async def test_a_machine_is_stopped_by_its_number_of_cases(post: Post) -> None:
    account = await post.customer()
    sender = contact_of(account)
    for number in range(CASES_A_DAY + 5):
        await post.send(written(sender, f"Ticket {number} received", X_Auto_Response_Suppress="All"))
    await post.inbox.settle_new()
    rows = await post.servers.pool.fetch("select status, reason from inbox_message where sender = $1", sender)
    assert len(await post.cases_of(account)) == CASES_A_DAY
    assert [row["reason"] for row in rows if row["status"] == "unknown"] == [
        f"{CASES_A_DAY} cases came from this address within a day"
    ] * 5


async def test_our_own_mail_that_comes_back_is_not_answered(post: Post) -> None:
    account = await post.customer()
    sender = contact_of(account)
    welcome = await post.answered(sender, "welcome")
    returned = written(sender)
    returned.replace_header("Message-ID", welcome["message_id"])
    row = await post.delivered(returned)
    assert (row["status"], row["reason"]) == ("automatic", "our own mail came back")
    assert await post.cases_of(account) == []


async def test_a_mail_that_comes_back_flags_its_contact_and_tells_the_owner(post: Post) -> None:
    account = await post.customer()
    sender, account_id = contact_of(account), account["account"]["account_id"]
    welcome = await post.answered(sender, "welcome")
    elsewhere = await post.delivered(report_about(welcome["message_id"], "boss@customer.example"), to=OWN, sender="")
    assert elsewhere["status"] == "automatic"
    flagged = "select rejected_reason from contact where account_id = $1"
    assert await post.servers.pool.fetchval(flagged, account_id) is None
    row = await post.delivered(report_about(welcome["message_id"], sender), to=OWN, sender="")
    assert (row["status"], row["account_id"]) == ("automatic", account_id)
    assert (row["machine"], row["done"]) == ("delivery report", "the address of contact P-1 counts as refused")
    assert (elsewhere["machine"], elsewhere["done"]) == ("delivery report", "")
    assert await post.servers.pool.fetchval(flagged, account_id) == "not delivered: 5.1.1 550 no such user"
    [line] = [line for line in await post.servers.journal(account_id) if line["kind"] == "mail_bounced"]
    assert line["title"] == "The welcome mail to 山本 葵 (main contact) came back"
    notice = await post.servers.pool.fetchval(
        "select body->>'to_email' from outbox where account_id = $1 and channel = 'deliver_notice'"
        " and delivery_id like '%note_mail%'",
        account_id,
    )
    assert notice == "olga@seller.example"
    assert await post.cases_of(account) == []


async def test_a_report_that_names_no_mail_waits_for_a_person_and_mutes_nobody(post: Post) -> None:
    account = await post.customer()
    sender, account_id = contact_of(account), account["account"]["account_id"]
    await post.answered(sender, "welcome")
    row = await post.delivered(report_about("", sender), to=OWN, sender="")
    assert (row["status"], row["account_id"]) == ("unknown", account_id)
    assert f"a delivery report about {sender}, to whom we wrote lately, names no mail of ours" in row["reason"]
    flagged = "select rejected_at from contact where account_id = $1"
    assert await post.servers.pool.fetchval(flagged, account_id) is None
    for harmless in (
        report_about("", sender, "4.2.2"),
        report_about("", f"x{sender}"),
        report_about("<1@mx.example>", sender),
    ):
        assert (await post.delivered(harmless, to=OWN, sender=""))["status"] == "automatic"


# Who writes


async def test_unknown_senders_wait_for_a_person(post: Post) -> None:
    stranger = f"x@{uuid.uuid4().hex[:8]}.example"
    row = await post.delivered(written(stranger, "Do you sell beans?"))
    assert (row["status"], row["reason"], row["case_id"]) == ("unknown", "nobody knows the address", None)
    account = await post.customer()
    case_id = await post.inbox.assign(row["inbox_id"][:20], account_id=account["account"]["account_id"], by="S-2")
    after = await post.row(row["inbox_id"])
    assert (after["status"], after["case_id"], after["settled_by"]) == ("matched", case_id, "S-2")
    case = await post.cases.case(case_id)
    assert case is not None
    assert (case.subject, case.contact.email) == ("Do you sell beans?", stranger)
    with pytest.raises(Refusal, match="was taken in already"):
        await post.inbox.assign(row["inbox_id"], account_id=account["account"]["account_id"])
    # From then on the sender is known within the case.
    answer = await post.delivered(written(stranger, f"Re: [{case_id}]", "Thank you."))
    assert (answer["status"], answer["case_id"]) == ("matched", case_id)


async def test_strangers_do_not_write_into_cases_until_a_person_lets_them(post: Post) -> None:
    account, other = await post.customer(), await post.customer()
    case_id = (await post.delivered(written(contact_of(account))))["case_id"]
    row = await post.delivered(written(contact_of(other), f"[{case_id}]", "Me too."))
    assert (row["status"], row["case_id"]) == ("unknown", case_id)
    assert await post.cases_of(other) == []
    assert await post.messages(case_id, "inbound") == ["Nothing works since nine."]
    assert await post.inbox.assign(row["inbox_id"], case_id=case_id) == case_id
    assert (await post.messages(case_id, "inbound"))[1:] == ["Me too."]


async def test_colleagues_are_known_by_their_domain_unless_two_customers_have_it(post: Post) -> None:
    domain = f"{uuid.uuid4().hex[:8]}.example"
    account = await post.customer(email=f"aoi@{domain}")
    row = await post.delivered(written(f"colleague@{domain}"))
    assert (row["status"], row["account_id"], row["contact_id"]) == ("matched", account["account"]["account_id"], None)
    case = await post.cases.case(row["case_id"])
    assert case is not None
    assert case.contact.email == f"colleague@{domain}"
    other = await post.customer(email=f"ken@{domain}")
    ambiguous = await post.delivered(written(f"third@{domain}"))
    assert ambiguous["status"] == "unknown"
    assert ambiguous["reason"].startswith("several customers could have sent it: ")
    exact = await post.delivered(written(f"Ken@{domain.upper()}"))
    assert (exact["status"], exact["account_id"]) == ("matched", other["account"]["account_id"])


async def test_discarded_mails_are_kept(post: Post) -> None:
    row = await post.delivered(written(f"x@{uuid.uuid4().hex[:8]}.example"))
    await post.inbox.discard(row["inbox_id"], "spam", by="S-2")
    after = await post.row(row["inbox_id"])
    assert (after["status"], after["reason"]) == ("discarded", "spam")
    assert after["raw"]
    with pytest.raises(Refusal) as refused:
        await post.inbox.discard("m-none", "spam")
    assert refused.value.type == "UnknownMail"


# Wishes


async def test_who_wants_no_optional_mails_gets_contractual_ones_alone(post: Post) -> None:
    account = await post.customer()
    sender, account_id = contact_of(account), account["account"]["account_id"]
    welcome = await post.answered(sender, "welcome")
    forged = await post.delivered(written("x@nowhere.example", f"unsubscribe {account_id}/P-1"), to=OWN)
    assert forged["status"] == "unknown"
    wish = written(sender, f"unsubscribe {welcome['body']['unsubscribe']}", "")
    row = await post.delivered(wish, to=OWN)
    assert (row["status"], row["case_id"], row["contact_id"]) == ("matched", None, "P-1")
    assert await post.servers.pool.fetchval("select unsubscribed_at from contact where account_id = $1", account_id)
    await post.servers.client.fast_forward(account_id, timedelta(days=8))
    await post.servers.client.ask(account_id, "complete_task", {"task": "kickoff"})  # the training comes after it
    await post.servers.client.fast_forward(account_id, timedelta(days=372))
    journal = await post.servers.journal(account_id)
    assert [line["title"] for line in journal if line["kind"] == "mail_unsubscribed"] == [
        "山本 葵 (main contact) wants no optional mails any more"
    ]
    unsent = [line["title"] for line in journal if line["kind"] == "mail_unwanted"]
    assert "The check-in was not sent: 山本 葵 (main contact) wants no optional mails" in unsent
    assert "Training: invitation was not sent" in [line["title"] for line in journal]
    assert not [line["title"] for line in journal if re.search("(invitation|help is) on its way", line["title"])]
    since = await post.servers.pool.fetch(
        "select body->>'unsubscribe' as token, body->>'template' as template from outbox"
        " where account_id = $1 and channel = 'deliver_mail' and created_at > $2",
        account_id,
        welcome["created_at"] + timedelta(days=1),
    )
    assert {mail["token"] for mail in since} == {None}
    assert "renewal_notice" in {mail["template"] for mail in since}


# Once, and never lost


async def test_who_wants_no_automatic_answer_gets_a_case_and_none(post: Post) -> None:
    account = await post.customer()
    sender = contact_of(account)
    row = await post.delivered(written(sender, X_Auto_Response_Suppress="DR, OOF, AutoReply"))
    assert row["status"] == "matched"
    assert await post.status(row["case_id"]) in ("new", "open")
    acknowledged = "select count(*) from outbox where body->>'template' = 'case_opened' and delivery_id like $1"
    assert await post.servers.pool.fetchval(acknowledged, f"case:{row['case_id']}%") == 0
    heard = await post.delivered(written(sender, "Another matter"))
    assert await post.servers.pool.fetchval(acknowledged, f"case:{heard['case_id']}%") == 1
