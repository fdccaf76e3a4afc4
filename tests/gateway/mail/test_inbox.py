"""The inbox itself: each mail kept first and taken once, whoever dies or takes mails beside it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import aiosmtplib
import pytest

from activities.kernel.clock import present
from domain.mail.documents import case_id_of
from domain.mail.marks import Domains
from domain.mail.routing import CASES_A_DAY
from gateway.inbound import Inbox
from tests.e2e.lives import until
from tests.gateway.mail.post import DOMAIN, OWN, Post, contact_of, written


async def test_the_same_mail_twice_has_one_effect(post: Post) -> None:
    account = await post.customer()
    mail = written(contact_of(account))
    first = await post.delivered(mail)
    by_another_way = b"Received: from relay.example by mx.example\r\n" + mail.as_bytes()
    again = await post.delivered(by_another_way, to=f"case+{first['case_id']}@{DOMAIN}")
    assert again is None or again["inbox_id"] == first["inbox_id"]
    assert await post.cases_of(account) == [first["case_id"]]
    assert len(await post.messages(first["case_id"], "inbound")) == 1
    other_content = written(contact_of(account), body="Another text under the same id.")
    other_content.replace_header("Message-ID", mail["Message-ID"])
    row = await post.delivered(other_content)
    assert row["status"] == "matched"
    assert row["inbox_id"] != first["inbox_id"]


@pytest.mark.engine
async def test_a_process_that_dies_between_keeping_and_doing_loses_nothing(post: Post) -> None:
    account = await post.customer()
    mail = written(contact_of(account))
    inbox_id = await post.send(mail)
    assert (await post.row(inbox_id))["status"] == "new"
    # A process that opened the case, and died before it could note that.
    died = asyncio.create_task(post.inbox.settle_new())
    while await post.cases.case(case_id_of(inbox_id)) is None:  # noqa: ASYNC110 - what comes next is cut off
        await asyncio.sleep(0.005)
    died.cancel()
    await asyncio.gather(died, return_exceptions=True)
    next_process = Inbox(
        post.servers.client, post.cases, post.servers.pool, own_address=OWN, domains=Domains(DOMAIN, DOMAIN)
    )
    await next_process.settle_new()
    row = await post.row(inbox_id)
    assert (row["status"], row["case_id"]) == ("matched", case_id_of(inbox_id))
    assert await post.cases_of(account) == [row["case_id"]]
    assert len(await post.messages(row["case_id"], "inbound")) == 1


async def test_what_waited_counts_from_when_it_came(post: Post) -> None:
    account = await post.customer()
    mail = written(contact_of(account)).as_bytes()
    received = present() - timedelta(hours=3)
    inbox_id = await post.inbox.receive(mail, received)
    await post.inbox.settle_new()
    case = await post.cases.case(case_id_of(inbox_id))
    assert case is not None
    assert case.opened_at == received


@pytest.mark.engine
async def test_several_processes_take_each_mail_once(post: Post) -> None:
    account = await post.customer()
    await post.inbox.settle_new()  # what came before
    for number in range(CASES_A_DAY):
        await post.send(written(contact_of(account), f"Matter {number}"))
    others = [
        Inbox(post.servers.client, post.cases, post.servers.pool, own_address=OWN, domains=Domains(DOMAIN, DOMAIN))
        for _ in range(3)
    ]
    looked_at = await asyncio.gather(*(one.settle_new() for one in others))
    assert sum(looked_at) == CASES_A_DAY
    assert len(await post.cases_of(account)) == CASES_A_DAY


@pytest.mark.engine
async def test_a_process_that_runs_takes_mails_as_they_come(post: Post) -> None:
    account = await post.customer()
    running = asyncio.create_task(post.inbox.run())
    inbox_id = await post.send(written(contact_of(account)))

    async def is_matched() -> bool:
        return str((await post.row(inbox_id))["status"]) == "matched"

    try:
        await until(is_matched, "the mail is taken")
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_a_mail_that_cannot_be_kept_is_deferred(post: Post) -> None:
    async def away(sender: str, recipients: Any, content: bytes) -> None:
        raise OSError("the database is away")

    post.servers.stack.mail.arrival = away
    with pytest.raises(aiosmtplib.SMTPDataError, match="try again later") as deferred:
        await post.send(written("jo@acme.example"))
    assert deferred.value.code == 451


async def test_nonsense_is_kept_for_a_person(post: Post) -> None:
    await post.delivered(b"\xff\xfe no header at all\r\n\r\n\x00\x01")
    row = await post.servers.pool.fetchrow("select * from inbox_message order by received_at desc limit 1")
    assert row is not None
    assert (row["status"], row["reason"]) == ("unknown", "nobody can be read as its sender")
