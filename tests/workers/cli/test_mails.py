"""`perennial mail read` and `perennial case files`: how a mail is read, and what came with it."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

import pytest

from activities.clock import present
from domain.mail.marks import Domains
from gateway.cases import CaseClient
from gateway.inbound import Inbox
from tests.builders import order
from tests.conftest import Servers
from tests.workers.cli.running import perennial

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
