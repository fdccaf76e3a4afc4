"""What a mail answers is known from what we have signed, through the mail's own door; what anybody can make up changes nothing."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from activities.mail import keys as key_store
from domain.mail.signing import AddressPurpose, Key, message_id_of, signed_address
from tests.gateway.mail.post import DOMAIN, OWN, Post, contact_of, report_about, written
from tests.gateway.mail.test_replies import state_of, with_quote
from tests.workers.cli.running import perennial

STRANGER = Key(1, b"?" * 32)


def header_of(post: Post, row: Any, name: str) -> str:
    """A header of a mail of ours as it reached its addressee."""
    mailbox = post.servers.stack.mailbox
    [mail] = [mail for mail in mailbox.list() if mail.message_id == row["message_id"]]
    return mailbox.read(mail.id).headers[name]


async def a_case(post: Post, sender: str) -> tuple[str, Any]:
    """A case that `sender` opened, and the row of its acknowledgement."""
    case_id = str((await post.delivered(written(sender)))["case_id"])
    return case_id, await post.answered(sender, "case_opened")


async def flagged(post: Post, document: dict[str, Any]) -> Any:
    return await post.servers.pool.fetchrow(
        "select rejected_at, unsubscribed_at from contact where account_id = $1 and contact_id = 'P-1'",
        document["account"]["account_id"],
    )


# Addresses


async def test_the_address_alone_says_what_is_answered(post: Post) -> None:
    account, quote_id, mail = await with_quote(post)
    address = header_of(post, mail, "Reply-To")
    assert re.fullmatch(rf"reply\+[a-z2-7]{{48}}@{DOMAIN}", address)
    row = await post.delivered(written(contact_of(account), "Your quote", "Yes, we accept."), to=address.upper())
    assert (row["status"], row["reason"]) == ("matched", f"accept quote {quote_id}")
    assert await state_of(post, quote_id) == "accepted"


async def test_the_address_counts_in_a_mail_that_another_server_pipes_in(post: Post, tmp_path: Path) -> None:
    account, quote_id, mail = await with_quote(post)
    piped = written(contact_of(account), "Your quote", "Yes, we accept.")
    piped.replace_header("To", f"InfintraBytes <{header_of(post, mail, 'Reply-To')}>")
    dsn = post.servers.settings.database_url.get_secret_value()
    kept = await perennial("mail", "receive", dsn=dsn, folder=tmp_path, given=piped.as_bytes())
    assert kept.code == 0
    await post.inbox.settle_new()
    row = await post.row(kept.out.strip())
    assert (row["status"], row["reason"]) == ("matched", f"accept quote {quote_id}")


async def test_a_case_is_joined_by_the_address_of_its_mail(post: Post) -> None:
    account = await post.customer()
    case_id, acknowledgement = await a_case(post, contact_of(account))
    address = header_of(post, acknowledgement, "Reply-To")
    row = await post.delivered(written(contact_of(account), "No thread", "one"), to=address)
    assert (row["status"], row["case_id"]) == ("matched", case_id)
    assert (await post.messages(case_id, "inbound"))[1:] == ["one"]


async def test_the_address_wins_over_ids_and_subject(post: Post) -> None:
    account = await post.customer()
    sender = contact_of(account)
    first, acknowledgement = await a_case(post, sender)
    second = (await post.delivered(written(sender, "Another matter")))["case_id"]
    answer = written(sender, f"Re: [{second}]", "to the first")
    row = await post.delivered(answer, to=header_of(post, acknowledgement, "Reply-To"))
    assert (row["case_id"], await post.messages(first, "inbound")) == (
        first,
        ["Nothing works since nine.", "to the first"],
    )


async def test_a_reply_from_somebody_else_is_read_and_changes_nothing(post: Post) -> None:
    account, quote_id, mail = await with_quote(post)
    address, domain = header_of(post, mail, "Reply-To"), contact_of(account).partition("@")[2]
    stranger = await post.customer()
    for sender in (f"intern@{domain}", contact_of(stranger), f"x@{uuid.uuid4().hex[:8]}.example"):
        for text in ("Yes, we accept.", "No thanks.", "unsubscribe"):
            row = await post.delivered(written(sender, "Re: Your quote", text), to=address)
            assert (row["status"], row["case_id"]) == ("unknown", None)
            assert row["reason"].endswith("but the mail that it answers went to somebody else")
    assert await state_of(post, quote_id) == "presented"
    assert (await flagged(post, account))["unsubscribed_at"] is None
    question = await post.delivered(written(f"intern@{domain}", "Re: Your quote", "Who installs it?"), to=address)
    assert (question["status"], question["account_id"]) == ("matched", account["account"]["account_id"])
    assert await post.messages(question["case_id"], "inbound") == ["Who installs it?"]


async def test_another_contact_of_the_customer_does_not_answer_in_their_place(post: Post) -> None:
    account, quote_id, mail = await with_quote(post)
    mia = f"mia@{contact_of(account).partition('@')[2]}"
    add = {"add": [{"contact_id": "P-2", "name": "Mia", "email": mia, "role": "sponsor"}]}
    await post.servers.client.ask(account["account"]["account_id"], "change_contacts", add)
    row = await post.delivered(written(mia, "Re: Your quote", "Yes, we accept."), to=header_of(post, mail, "Reply-To"))
    assert (row["status"], await state_of(post, quote_id)) == ("unknown", "presented")
    own = await post.delivered(written(mia, "Your quote", f"We decline {quote_id}."))
    assert (own["status"], await state_of(post, quote_id)) == ("matched", "declined")


async def test_an_address_that_somebody_made_up_is_any_address(post: Post) -> None:
    account, quote_id, mail = await with_quote(post)
    sender = contact_of(account)
    made_up = signed_address(mail["delivery_id"], AddressPurpose.REPLY, STRANGER, DOMAIN)
    stop = signed_address(mail["delivery_id"], AddressPurpose.STOP, STRANGER, DOMAIN)
    for address in (made_up, stop, f"reply+@{DOMAIN}", f"reply+{'a' * 48}@{DOMAIN}"):
        row = await post.delivered(written(sender, "Re: Your quote", "Yes please"), to=address)
        assert row["status"] == "matched"
        assert row["case_id"] is not None
    assert await state_of(post, quote_id) == "presented"


# Message-IDs


@pytest.mark.parametrize("key", [None, STRANGER])
async def test_an_id_that_can_be_guessed_answers_nothing(post: Post, key: Key | None) -> None:
    account, quote_id, mail = await with_quote(post)
    guessed = message_id_of(mail["delivery_id"], DOMAIN, key)
    answer = written(contact_of(account), "Re: Your quote", "Yes please", In_Reply_To=guessed, References=guessed)
    row = await post.delivered(answer)
    assert (row["status"], await state_of(post, quote_id)) == ("matched", "presented")
    assert row["case_id"] is not None


async def test_an_id_that_can_be_guessed_joins_no_case(post: Post) -> None:
    account = await post.customer()
    sender = contact_of(account)
    case_id, acknowledgement = await a_case(post, sender)
    guessed = message_id_of(acknowledgement["delivery_id"], DOMAIN, None)
    row = await post.delivered(written(sender, "Re: something", "Hello", In_Reply_To=guessed))
    assert row["case_id"] not in (None, case_id)


@pytest.mark.parametrize("key", [None, STRANGER])
async def test_a_report_about_an_id_that_we_did_not_sign_flags_nobody(post: Post, key: Key | None) -> None:
    account = await post.customer()
    welcome = await post.answered(contact_of(account), "welcome")
    guessed = message_id_of(welcome["delivery_id"], DOMAIN, key)
    row = await post.delivered(report_about(guessed, contact_of(account)), to=OWN, sender="")
    assert (row["status"], row["reason"]) == (
        "unknown",
        "a delivery report about a mail under our domain that we have not signed",
    )
    assert (await flagged(post, account))["rejected_at"] is None


# Fewer mails


async def test_the_signed_address_for_fewer_mails_counts_from_anywhere_and_once(post: Post) -> None:
    account = await post.customer()
    welcome = await post.answered(contact_of(account), "welcome")
    assert welcome["body"]["unsubscribe"] is not None
    header = header_of(post, welcome, "List-Unsubscribe")
    found = re.fullmatch(rf"<mailto:(stop\+[a-z2-7]{{48}}@{DOMAIN})\?subject=unsubscribe>", header)
    assert found is not None
    robot = f"robot@{uuid.uuid4().hex[:8]}.example"
    row = await post.delivered(written(robot, "unsubscribe", "", Auto_Submitted="auto-generated"), to=found[1])
    assert (row["status"], row["account_id"], row["contact_id"], row["case_id"]) == (
        "matched",
        account["account"]["account_id"],
        "P-1",
        None,
    )
    assert (await flagged(post, account))["unsubscribed_at"] is not None
    by_subject = await post.customer()
    welcome = await post.answered(contact_of(by_subject), "welcome")
    token = header_of(post, welcome, "List-Unsubscribe").partition("+")[2].partition("@")[0]
    await post.delivered(written(robot, f"unsubscribe {token}", ""), to=OWN)
    assert (await flagged(post, by_subject))["unsubscribed_at"] is not None


async def test_nobody_opts_somebody_else_out(post: Post) -> None:
    account = await post.customer()
    account_id, domain = account["account"]["account_id"], contact_of(account).partition("@")[2]
    mia = f"mia@{domain}"
    add = {"add": [{"contact_id": "P-2", "name": "Mia", "email": mia, "role": "admin"}]}
    await post.servers.client.ask(account_id, "change_contacts", add)
    stranger = await post.customer()
    for sender in (f"x@{uuid.uuid4().hex[:8]}.example", f"colleague@{domain}", mia, contact_of(stranger)):
        row = await post.delivered(written(sender, f"unsubscribe {account_id}/P-1", ""), to=OWN)
        assert row["status"] == "unknown"
    assert (await flagged(post, account))["unsubscribed_at"] is None


async def test_the_address_for_fewer_mails_concerns_the_address_that_the_mail_went_to(post: Post) -> None:
    account = await post.customer()
    account_id = account["account"]["account_id"]
    welcome = await post.answered(contact_of(account), "welcome")
    stop = header_of(post, welcome, "List-Unsubscribe").removeprefix("<mailto:").partition("?")[0]
    moved = {"change": [{"contact_id": "P-1", "name": "Ken", "email": f"ken@{uuid.uuid4().hex[:8]}.example"}]}
    await post.servers.client.ask(account_id, "change_contacts", moved)
    row = await post.delivered(written(contact_of(account), "unsubscribe", ""), to=stop)
    assert (row["status"], row["reason"]) == (
        "automatic",
        "it asks for no more mails to an address that its contact has no more",
    )
    assert (await flagged(post, account))["unsubscribed_at"] is None


# Keys


async def test_older_keys_verify_until_they_are_retired(post: Post) -> None:
    account = await post.customer()
    sender, pool = contact_of(account), post.servers.pool
    case_id, acknowledgement = await a_case(post, sender)
    address = header_of(post, acknowledgement, "Reply-To")

    async def joined(subject: str) -> Any:
        message = written(sender, subject, "Hello")
        return (await post.delivered(message, to=address))["case_id"]

    async with pool.acquire() as connection:
        at = acknowledgement["created_at"]
        number = await key_store.add_key(connection, b"k" * 32, at)
        assert await joined("first") == case_id
        old = acknowledgement["body"]["key"]
        assert not await key_store.retire_key(connection, number, at, at)  # it signs
        assert not await key_store.retire_key(
            connection, old, at, at - timedelta(seconds=1)
        )  # it has just been signing
        assert await key_store.retire_key(connection, old, at, at)
        assert not await key_store.retire_key(connection, old, at, at)
        try:
            assert await joined("second") != case_id
        finally:
            await connection.execute("update signing_key set retired_at = null where number = $1", old)
