"""A desk that works by mail, over real SMTP: agents hear what customers answer, and answer from their own mail programs."""

from __future__ import annotations

import email
import email.policy
import uuid
from email.message import EmailMessage
from typing import Any

import pytest

from tests.e2e.lives import until
from tests.gateway.mail.post import DOMAIN, OWN, SERVICE, Post, contact_of, written
from tests.gateway.mail.test_replies import with_quote
from tests.gateway.mail.test_signed import header_of

SAM = "sam@seller.example"


async def with_case(post: Post) -> tuple[str, str]:
    """A case that S-2, Sam, has: the customer's address and the case."""
    account = await post.customer()
    case_id = (await post.delivered(written(contact_of(account))))["case_id"]
    await post.cases.ask(case_id, "assign", {"owner": "S-2", "by": "S-2"})
    return contact_of(account), case_id


async def notices(post: Post, case_id: str) -> list[Any]:
    """What our people were told of a case, oldest first: address, title and the words passed on."""
    rows = await post.servers.pool.fetch(
        "select body->>'to_email' as email, body->>'title' as title, body->>'words' as words, delivery_id from outbox"
        " where channel = 'deliver_notice' and starts_with(delivery_id, $1) order by created_at",
        f"case:{case_id}/",
    )
    return [tuple(row)[:3] for row in rows]


@pytest.mark.engine
async def test_the_agent_behind_a_case_gets_a_copy_of_what_the_customer_answers(post: Post) -> None:
    sender, case_id = await with_case(post)
    await post.delivered(written(sender, f"Re: [{case_id}]", "Still dead.\n\nLook:\n  <b>E42</b>"))
    assert await notices(post, case_id) == [
        (SAM, f"山本 葵 wrote in case {case_id}", "Still dead.\n\nLook:\n  <b>E42</b>")
    ]

    async def has_come() -> bool:
        return any(case_id in mail.subject for mail in post.servers.mails_to(SAM))

    await until(has_come, "the copy reaches the agent")
    [copy] = [mail for mail in post.servers.mails_to(SAM) if case_id in mail.subject]
    raw = post.servers.stack.mailbox.raw(copy.id)
    assert b"Auto-Submitted: auto-generated" in raw


async def test_nobody_gets_a_copy_of_what_they_have_or_of_what_machines_write(post: Post) -> None:
    sender, case_id = await with_case(post)
    with_agent = written(sender, f"Re: [{case_id}]", "You have it yourself.", Cc=f"Sam <{SAM.upper()}>")
    await post.delivered(with_agent)
    await post.delivered(written(sender, f"Re: [{case_id}]", "I am away.", Auto_Submitted="auto-replied"))
    assert (await post.delivered(written(sender, f"Away [{case_id}]", "")))["status"] == "matched"
    away = written(SAM, f"Automatic reply: [{case_id}]", "I am on leave.", Auto_Submitted="auto-replied")
    assert (await post.delivered(away, sender=""))["status"] == "automatic"
    assert await notices(post, case_id) == []
    assert len(await post.messages(case_id, "inbound")) == 3


async def test_whoever_nobody_answers_for_is_copied_to_nobody(post: Post) -> None:
    account = await post.customer()
    case_id = (await post.delivered(written(contact_of(account))))["case_id"]
    await post.delivered(written(contact_of(account), f"Re: [{case_id}]", str(uuid.uuid4())))
    assert await notices(post, case_id) == []


# An agent answers from their own mail program


async def copy_of(post: Post, case_id: str) -> tuple[str, Any]:
    """The signed address of the copy that Sam got of what the customer wrote in a case, and the row of the copy."""
    query = (
        "select * from outbox where channel = 'deliver_notice' and status = 'sent' and body->>'case_id' = $1"
        " and body->>'words' <> ''"
    )

    async def has_left() -> bool:
        return await post.servers.pool.fetchrow(query, case_id) is not None

    await until(has_left, "the copy has left")
    row = await post.servers.pool.fetchrow(query, case_id)
    return header_of(post, row, "Reply-To"), row


async def promise(post: Post, case_id: str) -> tuple[Any, ...]:
    """How the first answer was promised and given."""
    row = await post.servers.pool.fetchrow(
        "select state, completed_at is not null from case_milestone where case_id = $1 and milestone = 'first_response'",
        case_id,
    )
    return tuple(row) if row is not None else ()


async def mailed(post: Post, address: str) -> list[str]:
    """The words of the agents' answers that reached a customer."""
    rows = await post.servers.pool.fetch(
        "select body->'context'->'paragraphs' as paragraphs from outbox where body->>'to_email' = $1"
        " and body->>'template' = 'case_reply' order by created_at",
        address,
    )
    return ["\n\n".join(row["paragraphs"]) for row in rows]


async def test_an_agents_reply_to_a_copy_goes_to_the_customer_as_the_answer(post: Post) -> None:
    sender, case_id = await with_case(post)
    await post.delivered(written(sender, f"Re: [{case_id}]", "Still dead."))
    address, copy = await copy_of(post, case_id)
    body = "A new cable is on its way.\n\nSam\n\nOn Monday, InfintraBytes <x@y.example> wrote:\n> Still dead."
    row = await post.delivered(written(SAM.upper(), f"Re: {copy['body']['title']}", body), to=address.upper())
    assert (row["status"], row["case_id"], row["reason"]) == (
        "matched",
        case_id,
        "answer of S-2, sent on to the customer",
    )
    assert await promise(post, case_id) == ("met", True)
    answer = await post.answered(sender, "case_reply")
    assert await mailed(post, sender) == ["A new cable is on its way.\n\nSam"]
    # What the customer replies to that goes on in the case.
    onward = await post.delivered(written(sender, "Re: cable", "Thanks!"), to=header_of(post, answer, "Reply-To"))
    assert (onward["status"], onward["case_id"]) == ("matched", case_id)


async def test_what_the_customer_has_already_is_recorded_and_not_sent_again(post: Post) -> None:
    sender, case_id = await with_case(post)
    _, acknowledgement = await with_mail(post, sender, case_id)
    answer = written(SAM, f"Re: [{case_id}]", "A new cable is on its way.", In_Reply_To=acknowledgement["message_id"])
    answer.replace_header("To", f"Aoi <{sender.upper()}>")
    answer["Cc"] = header_of(post, acknowledgement, "Reply-To")
    row = await post.delivered(answer, to=header_of(post, acknowledgement, "Reply-To"))
    assert (row["status"], row["reason"]) == ("matched", "answer of S-2, which the customer has")
    assert await promise(post, case_id) == ("met", True)
    assert await mailed(post, sender) == []
    assert (await post.messages(case_id, "outbound"))[-1] == "A new cable is on its way."
    onward = written(sender, "Thanks", "Thanks!", In_Reply_To=str(answer["Message-ID"]))
    assert (await post.delivered(onward))["case_id"] == case_id


async def with_mail(post: Post, sender: str, case_id: str) -> tuple[str, Any]:
    """A case and the acknowledgement that its customer got."""
    row = await post.answered(sender, "case_opened")
    assert case_id in row["delivery_id"]
    return case_id, row


async def test_an_agents_files_go_along(post: Post) -> None:
    sender, case_id = await with_case(post)
    _, acknowledgement = await with_mail(post, sender, case_id)
    answer = written(SAM, f"Re: [{case_id}]", "See the plan.")
    answer.add_attachment(b"%PDF-1.7 plan", maintype="application", subtype="pdf", filename="Plan für Aoi.pdf")
    answer.add_attachment(b"a,b\n", maintype="text", subtype="csv", filename="list.csv")
    row = await post.delivered(answer, to=header_of(post, acknowledgement, "Reply-To"))
    assert row["status"] == "matched"
    sent = await post.answered(sender, "case_reply")
    mailbox = post.servers.stack.mailbox
    [mail] = [mail for mail in mailbox.list() if mail.message_id == sent["message_id"]]
    found = email.message_from_bytes(mailbox.raw(mail.id), policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    files = [(part.get_filename(), part.get_payload(decode=True)) for part in found.iter_attachments()]
    assert files == [("Plan für Aoi.pdf", b"%PDF-1.7 plan"), ("list.csv", b"a,b\n")]
    body = found.get_body(("plain",))
    assert body is not None
    assert "See the plan." in body.get_content()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"to": f"case+CASE@{DOMAIN}"}, "by no answer to a mail of case CASE"),
        ({"to": SERVICE, "subject": "Re: [CASE]"}, "by no answer to a mail of case CASE"),
        ({"to": SERVICE, "subject": "Another matter"}, "and nothing says about which case"),
        ({"cc": "bob@partner.example"}, "to bob@partner.example and not to the customer"),
        ({"cc": "olga@seller.example"}, "to olga@seller.example and not to the customer"),
        ({"subject": "Fwd: Terminal"}, "who passes on what somebody else wrote"),
        ({"body": "\n> Nothing works since nine.\n"}, "in no words of their own"),
        ({"body": "On Monday, Aoi wrote:\n> Nothing works since nine.\n"}, "in no words of their own"),
    ],
)
async def test_what_may_not_be_meant_for_the_customer_waits(post: Post, changes: dict[str, str], why: str) -> None:
    sender, case_id = await with_case(post)
    _, acknowledgement = await with_mail(post, sender, case_id)
    subject = changes.get("subject", "Re: Terminal").replace("CASE", case_id)
    answer = written(SAM, subject, changes.get("body", "It is your own fault."))
    if "cc" in changes:
        answer["Cc"] = changes["cc"]
    to = changes.get("to", header_of(post, acknowledgement, "Reply-To")).replace("CASE", case_id)
    row = await post.delivered(answer, to=to)
    assert (row["status"], row["reason"]) == (
        "unknown",
        f"written by one of our own people, {why.replace('CASE', case_id)}",
    )
    assert await mailed(post, sender) == []
    assert await promise(post, case_id) == ("open", False)


async def test_an_answer_to_a_case_that_was_merged_goes_to_where_it_went(post: Post) -> None:
    sender, case_id = await with_case(post)
    _, acknowledgement = await with_mail(post, sender, case_id)
    other = (await post.delivered(written(sender, "The other one")))["case_id"]
    await post.cases.ask(case_id, "merge", {"into": other, "by": "S-2"})
    row = await post.delivered(
        written(SAM, "Re: Terminal", "Both work again."), to=header_of(post, acknowledgement, "Reply-To")
    )
    assert (row["status"], row["case_id"]) == ("matched", other)
    assert await mailed(post, sender) == ["Both work again."]


async def test_the_same_answer_by_two_ways_is_given_once(post: Post) -> None:
    sender, case_id = await with_case(post)
    _, acknowledgement = await with_mail(post, sender, case_id)
    answer = written(SAM, "Re: Terminal", "A new cable is on its way.")
    for to in (header_of(post, acknowledgement, "Reply-To"), OWN):
        await post.delivered(answer, to=to)
    assert await mailed(post, sender) == ["A new cable is on its way."]


# Whoever's name a journey's mail carries


async def told(post: Post, account_id: str) -> list[tuple[Any, ...]]:
    """What our people were told of the customer's answers: address, title, words and the case that a reply goes to."""
    rows = await post.servers.pool.fetch(
        "select body->>'to_email' as email, body->>'title' as title, body->>'words' as words, body->>'case_id' as case_id"
        " from outbox where account_id = $1 and channel = 'deliver_notice' and delivery_id like '%note_mail%'"
        " order by created_at, delivery_id",
        account_id,
    )
    return [tuple(row) for row in rows]


async def test_whose_name_a_mail_carries_gets_a_copy_of_its_answer_and_may_answer_it(post: Post) -> None:
    account = await post.customer()
    sender, account_id = contact_of(account), account["account"]["account_id"]
    welcome = await post.answered(sender, "welcome")
    address = header_of(post, welcome, "Reply-To")
    row = await post.delivered(written(sender, "Re: Welcome", "Who installs it?\n\nAoi"), to=address)
    title = "山本 葵 (main contact) answered the welcome mail"
    assert await told(post, account_id) == [
        (SAM, title, "Who installs it?\n\nAoi", row["case_id"]),
        ("olga@seller.example", title, "", None),
    ]
    address, _ = await copy_of(post, row["case_id"])
    answer = await post.delivered(written(SAM, f"Re: {title}", "We do, on Friday."), to=address)
    assert (answer["status"], answer["case_id"]) == ("matched", row["case_id"])
    assert await mailed(post, sender) == ["We do, on Friday."]


async def test_what_an_answer_does_by_itself_is_copied_too(post: Post) -> None:
    account, quote_id, mail = await with_quote(post)
    account_id = account["account"]["account_id"]
    address = header_of(post, mail, "Reply-To")
    row = await post.delivered(written(contact_of(account), "Re: Your quote", "Yes, we accept."), to=address)
    assert row["reason"] == f"accept quote {quote_id}"
    [copy] = await told(post, account_id)
    assert copy == ("olga@seller.example", "山本 葵 (main contact) answered the quote", "Yes, we accept.", None)
    journal = await post.servers.journal(account_id)
    titles = [line["title"] for line in journal if line["kind"] == "mail_answered"]
    assert titles == [f"山本 葵 (main contact) answered the quote: accept quote {quote_id}"]


async def test_who_got_the_answer_themselves_gets_no_copy(post: Post) -> None:
    account = await post.customer()
    sender = contact_of(account)
    welcome = await post.answered(sender, "welcome")
    answer = written(sender, "Re: Welcome", "Who installs it?", Cc=SAM)
    await post.delivered(answer, to=header_of(post, welcome, "Reply-To"))
    assert [email for email, *_ in await told(post, account["account"]["account_id"])] == ["olga@seller.example"]
