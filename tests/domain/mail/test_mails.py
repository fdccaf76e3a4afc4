"""Whole mails as programs and servers write them: who wrote, what is theirs, which files came along."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from domain.mail.reading import read_mail

FOLDER = Path(__file__).with_name("mails")
MAILS: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_name("mails.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", MAILS)
def test_a_mail_is_read_as_it_was_written(name: str) -> None:
    expected = MAILS[name]
    mail = read_mail((FOLDER / name).read_bytes())
    assert (mail.kind, mail.may_answer, mail.sender) == (expected["kind"], expected["may_answer"], expected["sender"])
    assert [said for said in expected["contains"] if said not in mail.text] == []
    assert [said for said in expected["not_in_text"] if said in mail.text or said not in mail.quoted] == []
    assert {*expected["files"]} <= {file.name for file in mail.attachments}
    bounce = {"address": mail.bounce.recipient, "for_good": mail.bounce.is_for_good} if mail.bounce else None
    assert bounce == expected["bounce"]


def test_every_mail_has_its_expectation() -> None:
    assert {path.name for path in FOLDER.glob("*.eml")} == {*MAILS}
