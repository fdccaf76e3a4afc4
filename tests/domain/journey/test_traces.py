"""Names, addresses and quotations are found in whatever text they stand, and nothing else goes along."""

from __future__ import annotations

import pytest

from activities.journey.personal import PLAIN
from domain.journey.erasures import Certificate, ErasedRun, FoundAgain, words_of
from domain.journey.traces import ERASED, Traces, wordless
from domain.mail.signing import Key

WROTE = "Since Wednesday the violet lamp above our second till blinks whenever somebody opens the drawer."
JO = Traces(
    ("Jo Quastenflosser", "山本 葵"), ("jo@acme.example", "+49 221 4567890"), (WROTE, "Violet lamp blinks"), ("P-1",)
)
KEY = Key(1, bytes(32))


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("Dear Jo  quastenflosser, welcome", "Dear erased, welcome"),
        ("Ms Quastenflosser called", "Ms erased called"),
        ("<JO@acme.example>: no such user", "<erased>: no such user"),
        ("山本葵様、ありがとうございます", "erased様、ありがとうございます"),
        ("葵さんへ", "erasedさんへ"),
        ("The customer wrote: “since Wednesday the violet lamp abo…”", ERASED),
        ("Case opened: violet lamp blinks", ERASED),
        ("P-1", "P-1"),
        ("Journal of jobs, 2026-11-30", "Journal of jobs, 2026-11-30"),
        ("The lamp of another customer", "The lamp of another customer"),
        ("", ""),
    ],
)
def test_what_is_left_of_a_text(said: str, left: str) -> None:
    assert JO.cleared(said) == left
    assert JO.cleared(left) == left


def test_a_document_without_words_keeps_figures_days_and_what_is_known() -> None:
    document = {
        "template": "welcome",
        "name": "welcome",
        "amount": "1200.50",
        "at": "2026-11-30T09:00:00+09:00",
        "phone": "5551234",
        "free": "+81 3-1234-5678",
        "lines": [{"text": "2", "count": 2, "note": "for Jo", "id": "K-1"}],
    }
    assert wordless(document, {"welcome", "K-1"}) == {
        "template": "welcome",
        "name": ERASED,
        "amount": "1200.50",
        "at": "2026-11-30T09:00:00+09:00",
        "phone": ERASED,
        "free": ERASED,
        "lines": [{"text": ERASED, "count": 2, "note": ERASED, "id": "K-1"}],
    }


def test_a_digest_finds_a_name_again_and_says_none() -> None:
    words = words_of(JO, KEY)
    found = FoundAgain(words, {1: KEY}, ("P-1",))
    said = str(words).lower()
    assert not [part for part in ("quasten", "acme", "4567890", "葵") if part in said]
    assert found.are_in("call Jo Quastenflosser")
    assert found.are_in("tel. +49 (221) 456-7890")
    assert not found.are_in("P-1")
    assert not found.are_in(f"{PLAIN}")
    with pytest.raises(LookupError):
        FoundAgain(words, {})


def test_a_certificate_that_was_changed_is_not_true() -> None:
    made = Certificate.model_validate(
        {
            "erasure_id": "e",
            "account_id": "A",
            "at": "2026-11-30T00:00:00Z",
            "by": "s-1",
            "over_at": "2026-11-30T00:00:01Z",
        }
        | {"cells": {"contact.name": 1}, "key": 1, "runs": [ErasedRun(workflow_id="journey-A", run_id="r", events=3)]}
    ).signed(KEY)
    assert made.is_true({1: KEY})
    assert Certificate.model_validate_json(made.model_dump_json()).is_true({1: KEY})
    assert not made.having(cells={"contact.name": 2}).is_true({1: KEY})
    assert not made.is_true({1: Key(1, bytes(31) + b"1")})
    assert not made.is_true({})
