"""A question is answered by its link: whoever only looks changes nothing, the button answers, and what comes too late is kept."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from activities.mail.keys import load_keys
from domain.mail.marks import Domains
from domain.mail.signing import AddressPurpose, token_of
from gateway.customer.pages import customer_app
from gateway.reception import Reception
from gateway.serving import served
from tests.conftest import Servers
from tests.gateway.mail.post import DOMAIN, OWN, Post, contact_of, written
from tests.gateway.mail.test_one_click import asked
from tests.gateway.mail.test_replies import reply
from tests.gateway.mail.test_signed import STRANGER
from tests.workflows.service_side import FIRST_ASKED


@pytest.fixture
async def door(servers: Servers) -> AsyncIterator[int]:
    reception = Reception(servers.pool, own_address=OWN, domains=Domains(DOMAIN))
    async with served(customer_app(reception), "127.0.0.1", 0) as port:
        yield port


async def link(post: Post, mail: Any) -> str:
    """Where the question of a mail is answered."""
    async with post.servers.pool.acquire() as connection:
        keys = await load_keys(connection)
    return f"/answer/{token_of(mail['delivery_id'], AddressPurpose.ANSWER, keys[mail['body']['key']])}"


async def surveyed(post: Post, **changes: Any) -> tuple[str, Any]:
    """A customer who was asked whether they would recommend us: the account, and the mail."""
    document = await post.customer(**changes)
    account = document["account"]["account_id"]
    await post.servers.client.fast_forward(account, timedelta(days=5))
    for task in ("kickoff", "training", "first_value", "go_live"):
        await post.servers.client.ask(account, "complete_task", {"task": task})
    await post.servers.client.fast_forward(account, FIRST_ASKED)
    survey = await post.servers.pool.fetchrow(
        "select * from outbox where account_id = $1 and status = 'sent' and body->>'template' = 'survey'"
        " and body->'context'->>'question_kind' = 'nps'",
        account,
    )
    assert survey is not None  # by itself or along with a check-in, as the days fall
    return account, survey


async def sent(post: Post, door: int, path: str, choice: str, comment: str = "") -> tuple[int, str]:
    """Fills the page in, and has the answer looked at."""
    status, page, _ = await asked(door, "POST", path, urlencode({"choice": choice, "comment": comment}).encode())
    await post.inbox.settle_new()
    return status, page


async def kept(post: Post, account: str) -> Any:
    return await post.servers.pool.fetchrow("select * from survey where account_id = $1 and kind = 'nps'", account)


@pytest.mark.engine
async def test_a_link_answers_by_its_button_and_can_be_changed_for_a_day(post: Post, door: int) -> None:
    account, mail = await surveyed(post)
    path = await link(post, mail)
    await post.inbox.settle_new()  # what others left
    for method in ("GET", "HEAD", "GET"):  # a scanner follows every link
        status, page, headers = await asked(door, method, f"{path}/9", None)
        assert (status, headers["Cache-Control"]) == (200, "no-store")
    assert '<option value="9" selected>' in page
    assert await post.inbox.settle_new() == 0
    assert (await kept(post, account))["score"] is None
    status, page = await sent(post, door, f"{path}/9", "3", "too slow,\nand the price")
    assert (status, "3" in page) == (200, True)
    row = await kept(post, account)
    assert (row["score"], row["comment"]) == (3, "too slow,\nand the price")
    _, page, _ = await asked(door, "GET", path, None)
    assert "<form" in page
    await sent(post, door, path, "9")
    assert (await kept(post, account))["score"] == 9
    await post.servers.client.fast_forward(
        account, timedelta(days=40)
    )  # something was done since, which says what time it is
    status, page, _ = await asked(door, "GET", f"{path}/0", None)
    assert (status, "<form" in page, "9" in page) == (200, False, True)


async def test_what_is_sent_when_its_time_is_over_is_kept_for_a_person(post: Post, door: int) -> None:
    account, mail = await surveyed(post)
    path = await link(post, mail)
    await sent(post, door, path, "8")
    await post.servers.client.fast_forward(account, timedelta(days=2))
    status, _ = await sent(post, door, path, "2", "we are about to leave")
    assert status == 200
    assert (await kept(post, account))["score"] == 8
    row = await post.servers.pool.fetchrow(
        "select * from inbox_message where account_id = $1 and status = 'failed' order by received_at desc limit 1",
        account,
    )
    assert row is not None
    assert "an answer can be changed for 24 hours" in row["reason"]
    assert "we are about to leave" in row["raw"].decode()


async def test_a_case_is_rated_by_its_link_within_its_week(post: Post, door: int) -> None:
    document = await post.customer()
    sender = contact_of(document)
    case_id = (await post.delivered(written(sender)))["case_id"]
    await post.resolved(case_id)
    await post.cases.fast_forward(case_id, timedelta(days=3))
    mail = await post.answered(sender, "case_survey")
    path = await link(post, mail)
    await sent(post, door, path, "4", "quick")
    row = await post.servers.pool.fetchrow("select score, comment from case_survey where case_id = $1", case_id)
    assert row is not None
    assert tuple(row) == (4, "quick")
    await post.servers.client.fast_forward(document["account"]["account_id"], timedelta(days=40))
    _, page, _ = await asked(door, "GET", path, None)
    assert "<form" not in page


async def test_what_is_no_answer_changes_nothing(post: Post, door: int) -> None:
    account, mail = await surveyed(post)
    path = await link(post, mail)
    for choice in ("11", "-1", "", "yes", "９"):
        status, page = await sent(post, door, path, choice)
        assert (status, "<form" in page) == (400, True)
    token = path.rpartition("/")[2]
    stranger = token_of(mail["delivery_id"], AddressPurpose.ANSWER, STRANGER)
    for wrong in (f"/answer/{token[:-2]}aa/9", f"/answer/{stranger}/9", f"/unsubscribe/{token}", "/answer", "/answer/"):
        for method in ("GET", "POST"):
            assert (await asked(door, method, wrong))[0] == 404
    assert await post.inbox.settle_new() == 0
    assert (await kept(post, account))["score"] is None


@pytest.mark.parametrize("by_link", [True, False])
async def test_whether_they_would_be_a_reference_is_answered_by_link_or_reply(
    post: Post, door: int, *, by_link: bool
) -> None:
    account, mail = await surveyed(post)
    await sent(post, door, await link(post, mail), "10")
    await post.servers.client.fast_forward(account, timedelta(days=12))
    sender = mail["body"]["to_email"]
    question = await post.answered(sender, "reference")
    if by_link:
        status, _ = await sent(post, door, f"{await link(post, question)}/yes", "yes", "gladly")
        assert status == 200
    else:
        await reply(post, question, sender, "Yes.")
    answer = await post.servers.pool.fetchval("select answer from reference_ask where account_id = $1", account)
    assert answer == "yes"
    assert await post.servers.pool.fetchval("select motion from lead where account_id = $1", account) == "reference"
