"""Mail that is out to do harm, or merely broken: it takes nothing from anybody else, and is not lost itself."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from activities.kernel.clock import present
from domain.mail.reading import InboundMail, read_mail
from tests.gateway.mail.post import OWN, SERVICE, Post, contact_of, report_about, written


def raw(sender: str, *headers: bytes, body: bytes = b"Nothing works.") -> bytes:
    """A mail byte by byte."""
    known = (f"From: {sender}", f"To: {SERVICE}", "Subject: Help", f"Message-ID: <{uuid.uuid4()}@customer.example>")
    return b"\r\n".join([*(one.encode() for one in known), *headers, b"", body])


@pytest.mark.parametrize(
    "header",
    [
        b"References: <%00@perennial.example>",
        b"In-Reply-To: <case%3AC%2F\x01%00%ff@perennial.example>",
        b"MIME-Version: 1.0\r\nContent-Type: application/x\x00y",
    ],
)
async def test_what_no_table_can_hold_keeps_no_other_mail_waiting(post: Post, header: bytes) -> None:
    account = await post.customer()
    broken = await post.inbox.receive(raw(contact_of(account), header), present())
    after = await post.inbox.receive(raw(contact_of(account)), present())
    assert await post.inbox.settle_new() == 2
    assert [(await post.row(one))["status"] for one in (broken, after)] == ["matched", "matched"]


async def test_a_mail_that_breaks_its_reader_waits_for_a_person_and_the_next_ones_go_on(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await post.customer()

    def breaks(content: bytes, **envelope: object) -> InboundMail:
        if b"poison" in content:
            raise RuntimeError("a fault of ours")
        return read_mail(content)

    monkeypatch.setattr("gateway.inbound.read_mail", breaks)
    broken = await post.inbox.receive(raw(contact_of(account), body=b"poison"), present())
    after = await post.inbox.receive(raw(contact_of(account)), present())
    await post.inbox.settle_new()
    assert (await post.row(after))["status"] == "matched"
    for _ in range(20):
        if (await post.row(broken))["status"] == "failed":
            break
        await post.servers.pool.execute("update inbox_message set try_at = received_at where inbox_id = $1", broken)
        await post.inbox.settle_new()
    row = await post.row(broken)
    assert (row["status"], row["reason"]) == ("failed", "RuntimeError: a fault of ours")
    assert b"poison" in row["raw"]


async def test_a_stranger_who_copies_a_message_id_takes_nobodys_answers(post: Post) -> None:
    account, attacker = await post.customer(), await post.customer()
    # The attacker's case has the message first, the customer's own comes after it.
    copied = written(contact_of(account), "Our own matter")
    forged = written(contact_of(attacker), "Mine")
    forged.replace_header("Message-ID", copied["Message-ID"])
    theirs = await post.delivered(forged)
    own = await post.delivered(copied)
    answer = await post.delivered(written(contact_of(account), "More of it", In_Reply_To=copied["Message-ID"]))
    assert theirs["case_id"] != own["case_id"]
    assert (answer["status"], answer["case_id"]) == ("matched", own["case_id"])
    foreign = await post.delivered(written(contact_of(attacker), "Let me in", In_Reply_To=copied["Message-ID"]))
    assert foreign["case_id"] == theirs["case_id"]


async def test_a_mail_that_waited_joins_a_case_opened_after_it(post: Post) -> None:
    account = await post.customer()
    stranger = f"jo@{uuid.uuid4().hex[:8]}.example"
    waiting = await post.inbox.receive(raw(stranger), present() - timedelta(hours=2))
    await post.inbox.settle_new()
    assert (await post.row(waiting))["status"] == "unknown"
    account_id = account["account"]["account_id"]
    opened = await post.cases.open_case({"case_id": f"C-{waiting[2:12]}", "account_id": account_id, "subject": "Till"})
    assert await post.inbox.assign(waiting, case_id=opened.case_id, by="S-2") == opened.case_id
    assert await post.messages(opened.case_id, "inbound") == ["Nothing works."]
    assert (await post.row(waiting))["status"] == "matched"


async def test_two_texts_under_one_message_id_are_both_read(post: Post) -> None:
    account = await post.customer()
    first = written(contact_of(account), "Till is down", "It does not print.")
    case_id = (await post.delivered(first))["case_id"]
    second = written(contact_of(account), f"Till is down [{case_id}]", "Nor does it beep.")
    second.replace_header("Message-ID", first["Message-ID"])
    assert (await post.delivered(second))["case_id"] == case_id
    assert await post.messages(case_id, "inbound") == ["It does not print.", "Nor does it beep."]


async def test_an_answer_that_comes_back_from_a_colleague_is_seen(post: Post) -> None:
    account = await post.customer()
    colleague = f"colleague@{contact_of(account).rpartition('@')[2]}"
    case_id = (await post.delivered(written(colleague)))["case_id"]
    acknowledgement = await post.answered(colleague, "case_opened")
    row = await post.delivered(report_about(acknowledgement["message_id"], colleague), to=OWN, sender="")
    assert (row["status"], row["case_id"]) == ("unknown", case_id)
    assert row["reason"].startswith(f"a mail of case {case_id} came back: 5.1.1")
