"""Replies in English and Japanese, as people write them: what they ask, as a careful clerk reads it."""

from __future__ import annotations

import json
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from domain.mail.asks import Answered, Question, ask_of
from domain.mail.reading import Kind, read_mail

REPLIES: list[dict[str, Any]] = json.loads(Path(__file__).with_name("replies.json").read_text(encoding="utf-8"))
CHANGES = ("accept", "decline", "renew")
DONE = (*CHANGES, "revise")


SAID = [
    (answers or None, expected, text.replace("\\n", "\n"))
    for line in Path(__file__).with_name("said.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
    for answers, expected, text in [line.split("|", 2)]
]


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


def act_of(found: dict[str, Any] | None) -> str:
    """What is asked in one word, with the score if there is one."""
    if found is None:
        return "null"
    return f"{found['act']}:{found['score']}" if "score" in found else str(found["act"])


@cache
def found_in_replies() -> list[tuple[dict[str, Any] | None, dict[str, Any] | None, str]]:
    """What is found in each reply, what is right, and its words."""
    return [(asked(reply), reply["expect"], " ".join(reply["text"].split())[:80]) for reply in REPLIES]


def test_nothing_is_done_that_was_not_asked() -> None:
    # What is not understood may wait for a person; nothing may be done in its place.
    done = [one for one in found_in_replies() if one[0] is not None and one[0]["act"] != "unclear"]
    assert [one for one in done if not _same(one[0], one[1])] == []


def _same(found: dict[str, Any] | None, expected: dict[str, Any] | None) -> bool:
    if found is None or expected is None:
        return found == expected
    # Unsubscribing counts with or without the score beside it.
    return found == expected or found["act"] == expected["act"] == "opt_out"


def test_most_of_what_is_clear_is_understood() -> None:
    found = found_in_replies()
    changes = [(one, expected) for one, expected, _ in found if expected is not None and expected["act"] in CHANGES]
    assert len(changes) >= 200
    assert sum(_same(one, expected) for one, expected in changes) >= 0.9 * len(changes)
    others = [_same(one, expected) for one, expected, _ in found if expected is None or expected["act"] not in CHANGES]
    assert sum(others) >= 0.9 * len(others)


def test_people_say_yes_and_no_in_many_ways() -> None:
    """Sentences by writers who did not know the rules: nothing that changes a contract is misread, most of it is understood."""
    found = [
        (act_of(asked({"answers": answers, "subject": "Re: a mail of ours", "text": text})), expected, text)
        for answers, expected, text in SAID
    ]
    assert [one for one in found if one[0] in DONE and one[0] != one[1]] == []
    changes = [act == expected for act, expected, _ in found if expected in CHANGES]
    assert len(changes) >= 500
    assert sum(changes) >= 0.85 * len(changes)
    others = [act.split(":")[0] == expected.split(":")[0] for act, expected, _ in found if expected not in CHANGES]
    assert sum(others) >= 0.85 * len(others)


@pytest.mark.parametrize("said", ["survey", "survey:5-1", "survey:0-", "quote", "offer:", "cheque:7", ""])
def test_what_is_answered_is_named_as_the_help_says(said: str) -> None:
    with pytest.raises(ValueError, match=r"names no|is none of"):
        Answered.named(said)


def test_who_writes_at_length_is_read_by_a_person() -> None:
    story = "The tills in the second office were moved last week and work as they should. " * 20
    for text in ("We accept.\n\n" + story, story + "\n\nWe will not go ahead."):
        assert asked({"answers": "quote:Q-7", "subject": "Re: Quote Q-7", "text": text}) == {"act": "unclear"}


def test_the_footer_of_somebody_elses_newsletter_opts_nobody_out() -> None:
    text = "This may be of use to you.\n\nTo unsubscribe from these mails, click here: https://news.example/out"
    assert asked({"answers": "mail", "subject": "Fwd: News", "text": text}) in (None, {"act": "unclear"})


_AROUND = (
    "{}", "{}.", "({})", "*{}*", '"{}"', "Score: {}", "I give you {}", "Hello, {}", "Thanks! {}", "Our score:\n{}", "{} points",
    "{} from us", "点数は{}です", "評価：{}", "{}です", "{}, because the tills stood still", "Hi,\n\n{}\n\nJo",
)  # fmt: skip
_NO_SCORE = ("-1", "−2", "–3", "－4", "+1", "＋5", "minus one", "Minus 2", "negative 3", "マイナス1", "▲3", "4,5")


@pytest.mark.parametrize("number", _NO_SCORE)
@pytest.mark.parametrize("scale", ["survey:0-10", "survey:1-5"])
def test_a_number_with_a_sign_or_a_fraction_is_no_score(scale: str, number: str) -> None:
    found = {
        around: asked({"answers": scale, "subject": "Re: One question", "text": around.format(number)})
        for around in _AROUND
    }
    assert {around: one for around, one in found.items() if one != {"act": "unclear"}} == {}


@pytest.mark.parametrize(
    "note",
    [
        "ただいま休暇をいただいております。12月1日に戻ります。急ぎの場合は佐藤までご連絡ください。",
        "本日は不在のため、12月1日以降にご連絡いたします。自動返信メールです。",
        "Merci pour votre message. Je suis en congé jusqu'au 3 décembre.",
        "Gracias por su mensaje. Estoy de vacaciones hasta el 3 de diciembre.",
        "Obrigado pela sua mensagem. Estou de férias até 3 de dezembro.",
        "Grazie per la sua e-mail. Sono in ferie fino al 3 dicembre.",
    ],
)
def test_absence_notes_without_telling_headers_are_known_by_their_words(note: str) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "jo@acme.example", "service@perennial.example", "Re: Your case"
    message["Message-ID"], message["In-Reply-To"] = "<3@acme.example>", "<2@perennial.example>"
    message.set_content(note)
    assert read_mail(message.as_bytes()).kind is Kind.MACHINE


@pytest.mark.parametrize(
    "text",
    [
        "These tips are of no use in our department. I would kindly ask you not to send them to this address in future.",
        "Our company policy forbids unsolicited marketing mail.",
        "Please do not forward these circulars to me.",
    ],
)
def test_a_wish_for_no_more_mails_in_words_of_their_own(text: str) -> None:
    assert asked({"answers": "mail", "subject": "Re: News", "text": text}) == {"act": "opt_out"}


LONG = "acme.2027_EMEA.000000000000000000000042"


@pytest.mark.parametrize(
    ("answers", "text", "act"),
    [
        (f"renewal:{LONG} (K-1)", "please renew K-1", "accept"),
        (f"renewal:{LONG} (K-1)", "Ｋ－１を更新します。", "accept"),
        (f"renewal:{LONG} (K-1)", "K1は更新しません。", "decline"),
        (f"renewal:{LONG} (K-1)", f"We accept {LONG}.", "accept"),
        (f"renewal:{LONG} (K-1)", "We accept the renewal of contract 1.", "accept"),
        (f"renewal:{LONG} (K-1)", "We accept K-2.", "unclear"),
        (f"renewal:{LONG} (K-1)", "We accept the renewal of contract 2.", "unclear"),
        (f"quote:{LONG} (Q-1)", "Ｑ－１を承諾いたします。", "accept"),
        (f"quote:{LONG} (Q-1)", "We accept Q1.", "accept"),
        (f"quote:{LONG} (Q-1)", "We decline q 1, thanks.", "decline"),
        (f"quote:{LONG} (Q-1)", "We accept offer 1.", "unclear"),
        ("offer:offer-SO-1.1-2027-03-01 (O-2)", "O-2を承諾します", "accept"),
        ("offer:offer-SO-1.1-2027-03-01 (O-2)", "We accept O-1", "unclear"),
    ],
)
def test_a_short_number_is_understood_like_the_id(answers: str, text: str, act: str) -> None:
    found = asked({"answers": answers, "subject": "Re: a mail of ours", "text": text})
    named = answers.partition(":")[2].partition(" ")[0]
    assert found == ({"act": act} if act == "unclear" else {"act": act, "id": named})


def test_of_a_contract_and_its_quote_each_has_its_own_number() -> None:
    both = Answered(question=Question.RENEWAL, id=LONG, also=("Q-2", "K-1"))
    for text, act in (
        ("We accept contract 1.", "accept"),
        ("We accept quote 2.", "accept"),
        ("We accept contract 2.", "unclear"),
        ("We accept quote 1.", "unclear"),
    ):
        found = ask_of(read_mail(f"From: jo@acme.example\nSubject: Re: ours\n\n{text}\n".encode()), both)
        assert (text, found.act.value if found else None) == (text, act)


@pytest.mark.parametrize(
    "text", ["We accept, please start in Q1.", "We accept for Q1 2027.", "Q1から開始でお願いします。承諾します。"]
)
@pytest.mark.parametrize("answers", [f"quote:{LONG} (Q-1)", "quote:Q-1"])
def test_a_quarter_of_a_year_is_no_number_of_a_quote(answers: str, text: str) -> None:
    assert asked({"answers": answers, "subject": "Re: a mail of ours", "text": text}) == {"act": "unclear"}


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("Please renew K-1.", {"act": "renew", "id": "K-1"}),
        ("K-1を更新します。", {"act": "renew", "id": "K-1"}),
        ("We accept Ｑ－７.", {"act": "accept", "id": "Q-7"}),
        ("We decline O-2.", {"act": "decline", "id": "O-2"}),
        ("Please renew our Workspace from Q1 on.", {"act": "renew"}),
    ],
)
def test_a_mail_of_its_own_names_a_short_number(text: str, right: dict[str, Any]) -> None:
    assert asked({"answers": None, "subject": "Our contract", "text": text}) == right
