"""An agent who signs her own words is not signed for once more; one who does not is."""

from __future__ import annotations

import pytest

from activities.channels.rendering import Renderer
from activities.channels.samples import CONTEXTS, a_mail
from domain.service.closings import Ends, ends_of

NAMES = ("Ann Lee", "佐藤 花子")


@pytest.mark.parametrize(
    ("body", "ends"),
    [
        ("A new cable is on its way.", Ends.OPEN),
        ("A new cable is on its way.\n\nKind regards,\nAnn Lee", Ends.SIGNED),
        ("A new cable is on its way.\n\nBest,\nAnn", Ends.SIGNED),
        ("A new cable is on its way.\n\nBest regards, Ann Lee", Ends.SIGNED),
        ("A new cable is on its way.\n\nKind regards from Ann", Ends.SIGNED),
        ("A new cable is on its way.\n\nAnn", Ends.SIGNED),
        ("A new cable is on its way.\n\n--\nAnn Lee, Support\n+44 20 7946 0000", Ends.SIGNED),
        ("A new cable is on its way.\n\nKind regards\n\nAnn Lee\nSupport\n+44 20 7946 0000", Ends.SIGNED),
        ("A new cable is on its way.\n\nKind regards,", Ends.CLOSED),
        ("It is solved. Best,\nwe look again tomorrow.", Ends.OPEN),
        ("Thanks\n\nThe cable is on its way, and Ann brings it.", Ends.OPEN),
        ("Dear Jo,\n\nAnn Lee asked me to answer: it is on its way.", Ends.OPEN),
        ("新しいケーブルをお送りします。\n\n佐藤", Ends.SIGNED),
        ("新しいケーブルをお送りします。\n\nよろしくお願いいたします。\n佐藤 花子", Ends.SIGNED),
        ("新しいケーブルをお送りします。", Ends.OPEN),
        ("These can help you:\nAnn Lee\nMax Cole", Ends.OPEN),
        ("Ann", Ends.OPEN),
        ("", Ends.OPEN),
    ],
)
def test_how_an_answer_ends(body: str, ends: Ends) -> None:
    assert ends_of(body, NAMES) is ends


@pytest.mark.parametrize(("language", "formula"), [("en", "Kind regards,"), ("ja", "何卒よろしくお願い申し上げます")])
def test_what_she_has_written_is_not_written_again(language: str, formula: str) -> None:
    sender = CONTEXTS["case_reply"].get("sender_name", "鈴木 一郎")
    for ends, closed, named in ((Ends.OPEN, 1, True), (Ends.CLOSED, 0, True), (Ends.SIGNED, 0, False)):
        paragraphs = {"paragraphs": ["It is on its way."], "ends": ends.value, "sender_name": sender}
        rendered = Renderer().render(a_mail("case_reply", language, context=paragraphs))
        for form in (rendered.text, rendered.html):
            assert form.count(formula) == closed
            assert (sender in form.partition("It is on its way.")[2]) is named
