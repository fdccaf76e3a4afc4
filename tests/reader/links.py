"""Links that answer: the same in both forms of a mail, each set of them under one address of its own, and what they offer is a whole question."""

from __future__ import annotations

import re
from itertools import groupby

from tests.reader.desk import Desk

_LINK = re.compile(r"(https?://\S+/answer/[a-z2-7]{40,60})/(\S+)")
_QUESTIONS = (
    ("accept", "revise", "decline"),
    ("accept", "revise"),
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


_PAPER = re.compile(r"https?://\S+/document/[a-z2-7]{48}/[1-9]\d?")
_BILL = re.compile(r"(?:Invoice |Credit note )(\S+) as PDF|(?:請求書|返金明細書)(\S+)のPDF")
_BESIDE = re.compile(r"https?://\S+/(owned|mails|steps|answer)/[a-z2-7]{48}")
_SAID = {
    ("What you have with us", "owned"),
    ("ご契約内容の確認", "owned"),
    ("Choose which mails you get", "mails"),
    ("メール配信の設定", "mails"),
    ("Say how it stands, or choose another day", "steps"),
    ("状況のご連絡・日程のご相談", "steps"),
    ("Say what the main reason was", "answer"),
    ("理由のご回答", "answer"),
    ("Answer here", "answer"),
    ("ご回答はこちらから", "answer"),
    ("Say what is not solved yet", "answer"),
    ("解決していない点のご連絡", "answer"),
    ("Say what you need", "answer"),
    ("ご入用の品のご連絡", "answer"),
    ("Name a time", "answer"),
    ("日時のご指定", "answer"),
    ("Say how it arrived", "answer"),
    ("到着状況のご連絡", "answer"),
    ("Tell us how you are getting on", "answer"),
    ("ご状況・ご意見のご連絡", "answer"),
    ("Tell us how it goes", "answer"),
    ("ご利用状況・ご要望のご連絡", "answer"),
}
_OFFERED = {"This quote as PDF", "このお見積りのPDF"}


def check_links(desk: Desk) -> None:
    """Whatever a mail lets its reader answer by a link, and the documents that it lets them see."""
    links = desk.letter.links
    shown, plain = links[: len(links) // 2], links[len(links) // 2 :]
    desk.same("links", plain, shown)
    _papers(desk, [one for one in shown if _PAPER.fullmatch(one[1])])
    beside = [(words, match[1]) for words, address in shown if (match := _BESIDE.fullmatch(address))]
    for one in beside:
        desk.among("links", one, _SAID)
    desk.same("links", len(set(beside)), len(beside))
    pictured = [one for one in shown if not _PAPER.fullmatch(one[1]) and not _BESIDE.fullmatch(one[1])]
    if pictured:
        desk.fixed(_CLICK)
    found = [match for _, address in pictured if (match := _LINK.fullmatch(address))]
    desk.same("links", len(found), len(pictured))
    for _, of_one in groupby(found, key=lambda match: match[1]):
        desk.among("links", tuple(match[2] for match in of_one), _QUESTIONS)


def _papers(desk: Desk, links: list[tuple[str, str]]) -> None:
    """Each has a place of its own; a bill is named by its number, and every file that goes along can be seen so."""
    addresses = [address for _, address in links]
    desk.same("links", len(set(addresses)), len(addresses))
    named = [match[1] or match[2] for words, _ in links if (match := _BILL.fullmatch(words))]
    desk.same("links", len(named) + sum(words in _OFFERED for words, _ in links), len(links))
    known = {row[f"{table}_id"] for table in ("invoice", "credit_memo") for row in desk.facts.tables[table]}
    for id in named:
        desk.among("links", id, known)
    if links:
        for lines in desk.letter.files:
            desk.among("links", lines[0].rpartition(" ")[2], named)
