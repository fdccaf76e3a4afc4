"""A desk that works by mail, over real SMTP: agents hear what customers answer, and answer from their own mail programs."""

from __future__ import annotations

import uuid
from typing import Any

from tests.e2e.lives import until
from tests.gateway.post import Post, contact_of, written
from tests.gateway.test_inbound import post

__all__ = ["post"]

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
