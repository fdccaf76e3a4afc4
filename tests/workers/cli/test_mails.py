"""`perennial mail read`: how a mail is read, without a server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

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
