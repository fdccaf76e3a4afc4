"""Links that answer: the same in both forms of a mail, each set of them under one address of its own, and what they offer is a whole question."""

from __future__ import annotations

import re
from itertools import groupby

from tests.reader.desk import Desk

_LINK = re.compile(r"(https?://\S+/answer/[a-z2-7]{40,60})/(\S+)")
_QUESTIONS = (
    ("accept", "revise", "decline"),
    ("accept", "decline"),
    ("yes", "no"),
    tuple(map(str, range(11))),
    tuple(map(str, range(1, 8))),
    tuple(map(str, range(1, 6))),
)


_CLICK = {
    "en": "Your answer is one click away, and can be changed there for 24 hours",
    "ja": "次のいずれかのリンクからお答えいただけます（24時間以内は変更可能です）",
}


def check_links(desk: Desk) -> None:
    """Whatever a mail lets its reader answer by a link."""
    links = desk.letter.links
    if links:
        desk.fixed(_CLICK)
    pictured, plain = links[: len(links) // 2], links[len(links) // 2 :]
    desk.same("links", plain, pictured)
    found = [match for _, address in pictured if (match := _LINK.fullmatch(address))]
    desk.same("links", len(found), len(pictured))
    for _, of_one in groupby(found, key=lambda match: match[1]):
        desk.among("links", tuple(match[2] for match in of_one), _QUESTIONS)
