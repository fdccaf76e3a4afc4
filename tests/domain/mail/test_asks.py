"""Replies in English and Japanese, as people write them: what they ask, as a careful clerk reads it."""

from __future__ import annotations

import json
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from domain.mail.asks import Answered, ask_of
from domain.mail.reading import read_mail

REPLIES: list[dict[str, Any]] = json.loads(Path(__file__).with_name("replies.json").read_text(encoding="utf-8"))
CHANGES = ("accept", "decline", "renew")


def asked(reply: dict[str, Any]) -> dict[str, Any] | None:
    """What the reply asks, read from a whole mail."""
    message = EmailMessage()
    message["From"] = "Jo Weber <jo@acme.example>"
    message["To"] = "service@perennial.example"
    message["Subject"] = reply["subject"]
    message["Message-ID"] = "<1@acme.example>"
    if reply["answers"]:
        message["In-Reply-To"] = "<2@perennial.example>"
    message.set_content(reply["text"])
    found = ask_of(read_mail(message.as_bytes()), Answered.named(reply["answers"]) if reply["answers"] else None)
    return found.model_dump(mode="json", exclude_none=True) if found else None


@pytest.mark.parametrize("reply", REPLIES, ids=lambda reply: " ".join(reply["text"].split())[:40])
def test_nothing_is_done_that_was_not_asked(reply: dict[str, Any]) -> None:
    found, expected = asked(reply), reply["expect"]
    # What is not understood may wait for a person; nothing may be done in its place.
    assert found in (expected, {"act": "unclear"}) or (found is None and expected == {"act": "unclear"})


def test_most_of_what_is_clear_is_understood() -> None:
    found = [(asked(reply), reply["expect"]) for reply in REPLIES]
    changes = [one for one, expected in found if expected is not None and expected["act"] in CHANGES]
    understood = sum(one is not None and one["act"] in CHANGES for one in changes)
    assert len(changes) >= 60
    assert understood >= 0.8 * len(changes)
    others = [one == expected for one, expected in found if expected is None or expected["act"] not in CHANGES]
    assert sum(others) >= 0.9 * len(others)


@pytest.mark.parametrize("said", ["survey", "survey:5-1", "survey:0-", "quote", "offer:", "cheque:7", ""])
def test_what_is_answered_is_named_as_the_help_says(said: str) -> None:
    with pytest.raises(ValueError, match=r"names no|is none of"):
        Answered.named(said)
