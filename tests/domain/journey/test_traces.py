"""Names, addresses and quotations are found in whatever text they stand, and nothing else goes along."""

from __future__ import annotations

import pytest

from activities.journey.personal import PLAIN
from domain.frame.state import ERASED
from domain.journey.erasures import Certificate, ErasedRun, FoundAgain, words_of
from domain.journey.traces import Traces, wordless
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
        ("The customer wrote: “since Wednesday the violet lamp abo…”", "The customer wrote: “erased…”"),
        ("Case opened: violet lamp blinks", "Case opened: erased"),
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


def jo(
    *names: str, addresses: tuple[str, ...] = (), texts: tuple[str, ...] = (), stays: tuple[str, ...] = ()
) -> Traces:
    return Traces(names, addresses, texts, ("P-1", "A-1"), stays)


RECHNUNG = "Für die Rechnung vom März ist die Zahlung eingegangen, Vertrag 4711 läuft bis 2028."


@pytest.mark.parametrize(
    ("traces", "said", "left"),
    [
        # A turn of phrase is nobody's, and a quotation takes itself along alone.
        (jo(texts=("Guten Tag, wir können die Rechnung nicht öffnen.",)), RECHNUNG, RECHNUNG),
        (jo(texts=("It’s the invoice of March again that we asked for",)), "Paid €90: the invoice of March", None),
        (
            jo(texts=("Please let me know if you need it by Friday",)),
            "Please let me know if you can join at nine",
            None,
        ),
        (jo(texts=("Thank you!",)), "Contract signed at 12k/yr. Thank you! See you in May", None),
        (
            jo(texts=(WROTE,)),
            f"Signed at 12k/yr. {WROTE} Renews in May",
            "Signed at 12k/yr. erased Renews in May",
        ),
        (
            jo(texts=("Hello,\nthe lamp is dark",)),
            "They say:\n> the lamp is dark\nSo it is.",
            "They say:\n> erased\nSo it is.",
        ),
        (
            jo(texts=("請求書の金額が契約書の金額と異なっているようですのでご確認ください",)),
            "お世話になります。ご確認ください",
            None,
        ),
        # A name is no piece of another word.
        (jo("Li Na"), "Carolina Diaz", None),
        (jo("Li Na"), "Call Li Na, please", "Call erased, please"),
        (jo("Chen"), "Das machen wir", None),
        (jo("Anna Müller", stays=("Karl Müller",)), "Karl Müller and Frau Müller called", None),
        (jo("Anna Müller"), "Müllerstraße 4, Anna Müllers Laden", None),
        (jo("Anna Müller", stays=("Anna Müller-Schmidt",)), "Anna Müller-Schmidt left", None),
        (jo("Anna Müller"), "Frau Müller und Anna Müller", "Frau erased und erased"),
        (jo("Max Fuji"), "Fuji-100 in Fuji", None),
        (jo("東 太郎"), "東京都千代田区の伊東様", None),
        (jo("東 太郎"), "東様、東太郎より", "erased様、erasedより"),
        (jo("佐藤 翔"), "佐藤翔様と佐藤翔太様", "erased様と佐藤翔太様"),
        (jo("IT"), "it is IT that counts", None),
        (jo("Support"), "Support plan", None),
        (jo("May Sun"), "due in May 2027", None),
        # An address is no piece of another one.
        (jo(addresses=("li@acme.com",)), "jet.li@acme.com, li@acme.com.au, xli@acme.com, mary-li@acme.com", None),
        (jo(addresses=("li@acme.com",)), "mailto:LI@acme.com. Or <li@acme.com>", "mailto:erased. Or <erased>"),
        (jo("Anna", addresses=("anna@acme.com",)), "mary-anna@acme.com", None),
        (jo(addresses=("info@acme.com",), stays=("info@acme.com",)), "info@acme.com", None),
        (jo(addresses=("+49 221 4567890",)), "tel. +49 (221) 456-7890, 49 EUR", "tel. erased, 49 EUR"),
        (jo(addresses=("5551234",)), "5,551,234 JPY, order 4711-5551234", None),
    ],
)
def test_nothing_goes_that_does_not_name_them(traces: Traces, said: str, left: str | None) -> None:
    wanted = said if left is None else left
    assert traces.cleared(said) == wanted
    # By their digests alone the same is found, but for quotations.
    if not traces.texts:
        again = FoundAgain(words_of(traces, KEY), {1: KEY}, ("P-1",)).keeping(traces.stays)
        assert again.cleared(said) == wanted


def test_fields_that_are_no_words_and_contacts_who_stay_are_as_they_were() -> None:
    document = {
        "product_kind": "support",
        "product_code": "Fuji-100",
        "step": {"key": "onboarding", "stage": "Onboarding"},
        "contacts": [{"contact_id": "P-2", "name": "Max Fuji", "email": "max@acme.com"}],
        "asked_by": {"contact_id": "P-1", "name": "IT", "email": "it@acme.com"},
        "note": "Max Fuji asked",
    }
    traces = jo("Max Fuji", "IT", "Support", texts=("Support", "Onboarding"))
    assert traces.cleared_in(document, {"support"}) == {
        **document,
        "asked_by": {"contact_id": "P-1", "name": ERASED, "email": ERASED},
        "note": "erased asked",
    }


def test_what_may_name_them_is_left_and_counted() -> None:
    assert jo("May Sun").doubts("due in May 2027") == 1
    assert jo("東 太郎").doubts("東京都") == 1
    assert jo("Anna Müller").doubts("nothing") == 0


def test_names_of_two_signs_are_found_again() -> None:
    words = words_of(jo("佐藤 翔"), KEY)
    assert {word.length for word in words if word.kind == "signs"} == {3}
    assert FoundAgain(words, {1: KEY}).are_in("佐藤 翔様より")


def test_without_a_key_a_digest_leaves_every_name_as_likely() -> None:
    other = Key(1, bytes(31) + b"1")
    mine, theirs = (words_of(jo("Jo Quast"), key)[0].model_dump() for key in (KEY, other))
    assert {name for name in mine if mine[name] != theirs[name]} == {"digest"}
    assert set(mine) == {"key", "kind", "length", "parts", "digest"}
