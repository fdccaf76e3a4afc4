"""`perennial mail read` and `perennial case files`: how a mail is read, and what came with it."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from pathlib import Path

import pytest

from activities.kernel.clock import present
from domain.mail.marks import Domains
from gateway.cases import CaseClient
from gateway.inbound import Inbox
from tests.builders import order
from tests.conftest import Servers
from tests.workers.cli.running import perennial
from workers.wiring import build_inbox

MAILS = Path(__file__).parents[2] / "domain" / "mail" / "mails"


async def test_a_mail_is_read_for_programs(tmp_path: Path) -> None:
    mail = tmp_path / "m.eml"
    mail.write_bytes(
        b"From: X <x@customer.example>\r\nTo: case+E-4@perennial.example\r\nSubject: Re: How did we do? (E-4)\r\n"
        b"Message-ID: <1@customer.example>\r\nIn-Reply-To: <2@perennial.example>\r\n\r\n5, thanks\r\n"
    )
    ended = await perennial(
        "mail", "read", str(mail), "--json", "--answers", "survey:1-5", dsn="postgresql://none", folder=tmp_path
    )
    assert (ended.code, json.loads(ended.out)) == (
        0,
        {
            "sender": "x@customer.example",
            "kind": "person",
            "may_answer": True,
            "subject": "Re: How did we do? (E-4)",
            "text": "5, thanks",
            "quoted": "",
            "files": [],
            "thread": ["<2@perennial.example>", "E-4"],
            "bounce": None,
            "asks": {"act": "score", "score": 5},
        },
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("no-such.eml",), "no-such.eml cannot be read"), (("-", "--answers", "x"), "survey:LOW-HIGH")],
)
async def test_what_cannot_be_done_says_what_can(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    ended = await perennial("mail", "read", *arguments, dsn="postgresql://none", folder=tmp_path, width=300)
    assert ended.code != 0
    assert said in ended.err


async def test_files_and_words_are_shown_to_people(tmp_path: Path) -> None:
    mail = str(MAILS / "apple_inline.eml")
    ended = await perennial("mail", "read", mail, dsn="postgresql://none", folder=tmp_path)
    assert ended.code == 0
    assert "sender" in ended.out
    assert "image/" in ended.out


async def test_files_of_a_case_are_taken_out(servers: Servers, tmp_path: Path) -> None:
    document = order()
    document["contacts"][0]["email"] = sender = f"jo@{uuid.uuid4().hex[:8]}.example"
    await servers.client.place_order(document)
    cases = CaseClient(servers.temporal, servers.pool)
    inbox = Inbox(
        servers.client,
        cases,
        servers.pool,
        own_address="own@perennial.example",
        domains=Domains("perennial.example", "perennial.example"),
    )
    raw = (
        f"From: {sender}\r\nTo: service@perennial.example\r\nSubject: Log\r\nMessage-ID: <{uuid.uuid4()}@x>\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSee the files.\r\n--b\r\n"
        'Content-Type: text/csv\r\nContent-Disposition: attachment; filename="../../log.csv"\r\n\r\na,b\r\n--b\r\n'
        'Content-Type: text/csv\r\nContent-Disposition: attachment; filename="../../log.csv"\r\n\r\nc,d\r\n--b--\r\n'
    ).encode()
    inbox_id = await inbox.receive(raw, present())
    await inbox.settle_new()
    case_id = await servers.pool.fetchval("select case_id from inbox_message where inbox_id = $1", inbox_id)
    arguments = ("case", "files", case_id, "--out", str(tmp_path / "out"), "--json")
    ended = await perennial(
        *arguments,
        dsn=servers.stack.postgres_dsn,
        folder=tmp_path,
        environment={"TEMPORAL_ADDRESS": servers.stack.temporal_address},
    )
    assert ended.code == 0, ended.err
    found = json.loads(ended.out)
    assert [(one["name"], one["bytes"]) for one in found] == [("../../log.csv", 3)] * 2
    assert [path.read_bytes() for path in sorted((tmp_path / "out").iterdir())] == [b"a,b", b"c,d"]
    assert {path.name for path in tmp_path.parent.glob("log.csv")} == set()
    again = await perennial(
        *arguments,
        dsn=servers.stack.postgres_dsn,
        folder=tmp_path,
        environment={"TEMPORAL_ADDRESS": servers.stack.temporal_address},
    )
    assert again.code != 0
    assert "is there already" in again.err


async def test_a_desk_sees_what_waits_and_what_machines_wrote_within_a_day(servers: Servers, tmp_path: Path) -> None:
    document = order()
    domain = f"{uuid.uuid4().hex[:8]}.example"
    document["contacts"][0]["email"] = sender = f"jo@{domain}"
    await servers.client.place_order(document)
    inbox = build_inbox(servers.temporal, servers.pool, servers.settings)

    def mail(head: str, text: str = "I am away.") -> bytes:
        to = f"To: service@perennial.example\r\nMessage-ID: <{uuid.uuid4()}@x>\r\n"
        return f"{head}\r\n{to}Date: Sat, 28 Nov 2026 09:00:00 +0000\r\n\r\n{text}\r\n".encode()

    for number in range(3):
        away = f"From: {sender}\r\nSubject: Out of office {number}\r\nAuto-Submitted: auto-replied"
        await inbox.receive(mail(away), present())
    await inbox.receive(mail(f"From: news@{domain}\r\nSubject: Offers\r\nList-Id: <offers.{domain}>"), present())
    await inbox.receive(mail(f"From: desk@{domain}\r\nSubject: Ticket 7\r\nX-Autoreply: yes"), present())
    old = f"From: old@{domain}\r\nSubject: Abwesend\r\nAuto-Submitted: auto-replied"
    await inbox.receive(mail(old), present() - timedelta(days=3))
    await inbox.receive(
        mail(f"From: x@{uuid.uuid4().hex[:8]}.example\r\nSubject: [red]Beans?[/red]", "Hello?"), present()
    )
    await inbox.settle_new()

    async def said(*arguments: str) -> str:
        ended = await perennial("inbox", *arguments, dsn=servers.stack.postgres_dsn, folder=tmp_path, width=300)
        assert ended.code == 0, ended.err
        return ended.out

    rows = json.loads(await said("machines", "--json", "--size", "1000"))
    found = {row["sender"]: (row["kind"], row["mails"], row["account_id"]) for row in rows if domain in row["sender"]}
    assert found == {
        sender: ("absence note", 3, document["account"]["account_id"]),
        f"news@{domain}": ("newsletter or list", 1, None),
        f"desk@{domain}": ("automatic reply", 1, None),
    }
    longer = json.loads(await said("machines", "--json", "--size", "1000", "--days", "4"))
    assert f"old@{domain}" in {row["sender"] for row in longer}
    paged = [json.loads(await said("machines", "--json", "--size", "1", "--page", page)) for page in "12"]
    assert paged == [rows[:1], rows[1:2]]
    everything = await said()
    waiting, machines = everything.split("Machines, within a day:")
    assert "[red]Beans?[/red]" in waiting
    assert "kept" in machines
    assert "`perennial inbox machines --page 2` shows the next one" in await said("machines", "--size", "1")


async def test_what_was_done_about_a_machines_mail_is_said(servers: Servers, tmp_path: Path) -> None:
    document = order()
    document["contacts"][0]["email"] = sender = f"jo@{uuid.uuid4().hex[:8]}.example"
    await servers.client.place_order(document)
    inbox = build_inbox(servers.temporal, servers.pool, servers.settings)
    opened = f"From: {sender}\r\nTo: service@perennial.example\r\nSubject: Down\r\nMessage-ID: <{uuid.uuid4()}@x>\r\n\r\nHelp\r\n"
    case = await inbox.receive(opened.encode(), present())
    await inbox.settle_new()
    case_id = await servers.pool.fetchval("select case_id from inbox_message where inbox_id = $1", case)
    away = f"From: {sender}\r\nTo: case+{case_id}@perennial.example\r\nSubject: Away\r\nAuto-Submitted: auto-replied\r\n\r\nx\r\n"
    note = await inbox.receive(away.encode(), present())
    await inbox.settle_new()
    row = await servers.pool.fetchrow("select machine, done, status from inbox_message where inbox_id = $1", note)
    assert row is not None
    assert tuple(row) == ("absence note", f"kept beside case {case_id}, which goes on", "automatic")
