"""Mail of customers whose journey has ended: their wishes count, and their letters are read."""

from __future__ import annotations

from tests.gateway.mail.post import OWN, Post, contact_of, report_about, written


async def test_a_customer_who_has_left_still_has_wishes_and_questions(post: Post) -> None:
    account = await post.customer()
    sender, account_id = contact_of(account), account["account"]["account_id"]
    welcome = await post.answered(sender, "welcome")
    await post.servers.client.ask(account_id, "close_journey", {"reason": "moved away"})

    wish = await post.delivered(written(sender, f"unsubscribe {account_id}/P-1", ""), to=OWN)
    assert wish["status"] == "matched"
    pool = post.servers.pool
    assert await pool.fetchval("select unsubscribed_at from contact where account_id = $1", account_id) is not None

    answer = await post.delivered(written(sender, "Re: Welcome", "A last question.", In_Reply_To=welcome["message_id"]))
    assert answer["status"] == "matched"
    assert await post.cases_of(account) == [answer["case_id"]]

    await post.delivered(report_about(welcome["message_id"], sender), to=OWN, sender="")
    reason = await pool.fetchval("select rejected_reason from contact where account_id = $1", account_id)
    assert reason == "not delivered: 5.1.1 550 no such user"
