"""What somebody says on a page that no rule can do by itself, put into words for the person who reads it: a quote that is wished
otherwise, and what a mail wants to hear in words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from activities.channels.formats import Formats
from domain.kernel.calendar import local_day
from domain.mail.asks import Question
from domain.mail.choices import MOST_MONTHS, MOST_UNITS, PageChoice, Pick
from domain.mail.worded import NEEDS_WORDS, Saying
from gateway.customer.drawing import UNITS, language_of, words_of
from gateway.customer.questions import COMMENT_LIMIT, Page, Standing
from gateway.customer.steps import day_ahead

Said = tuple[PageChoice, str]

_TIME = re.compile(r"(?:(?:[01]\d|2[0-3]):[0-5]\d)?", re.ASCII)


def says_itself(page: Page, pick: str) -> bool:
    """True for what is read by a person, whatever is filled in."""
    return bool(page.sayings) or (page.asked.question is Question.QUOTE and pick == Pick.REVISE)


def said_on(page: Page, fields: Mapping[str, str]) -> Said | str:
    """What a form says, in the reader's language; or what is wrong with it, by its word."""
    lines = _picked(page, fields) if page.sayings else _wished(page, fields)
    if isinstance(lines, str):
        return lines
    comment = _own(fields)
    return PageChoice(pick=Pick.SAY), "\n\n".join(one for one in ("\n".join(lines), comment) if one)


def _own(fields: Mapping[str, str]) -> str:
    return fields.get("comment", "").strip()[:COMMENT_LIMIT]


def _picked(page: Page, fields: Mapping[str, str]) -> list[str] | str:
    """What was picked, in a line."""
    pick = fields.get("pick", "")
    if page.standing is not Standing.OPEN or pick not in page.sayings:
        return "wrong"
    if pick in NEEDS_WORDS and not _own(fields):
        return "words_missing"
    words: Mapping[str, Any] = words_of(language_of(page))
    question = page.question
    formats = Formats.of(question.language, question.time_zone, language_of(page))
    day = day_ahead(fields.get("day", ""), local_day(question.now, question.time_zone))
    time = fields.get("time", "")
    if pick == Saying.TIME and (day is None or not _TIME.fullmatch(time)):
        return "step_no_day"
    told = {name: str(page.context.get(name, "")) for name in ("order_id", "product", "contract_id")}
    told |= {
        "day": formats.date(day.isoformat()) if day else "",
        "at": words["at_time"].format(time=time) if time else "",
    }
    line = words["sayings"][pick][1].format(**told)
    return [line] if line else []


def _wished(page: Page, fields: Mapping[str, str]) -> list[str] | str:
    """The lines of a quote that is wished otherwise."""
    words: Mapping[str, Any] = words_of(language_of(page))
    formats = Formats.of(page.question.language, page.question.time_zone, language_of(page))
    if not page.may_revise:
        return "wrong"
    wished = _quantities(page, fields, words, formats)
    months = _whole(fields.get("months", ""), 1, MOST_MONTHS)
    if wished is None or months is None or not (wished or months or _own(fields)):
        return "terms_missing"
    lines = [words["told_quote"].format(id=page.asked.id, version=page.version or 1), *wished]
    return lines + [words["told_months"].format(months=formats.number(one)) for one in months]


def _quantities(page: Page, fields: Mapping[str, str], words: Mapping[str, Any], formats: Formats) -> list[str] | None:
    """Each line that is wished in another quantity; null if one is no number."""
    wished = []
    for number, line in page.revisable:
        count = _whole(fields.get(f"{UNITS}{number}", ""), 0, MOST_UNITS)
        if count is None:
            return None
        shown = {"product": line["product"], "now": formats.number(line["quantity"])}
        wished += [words["told_units"].format(**shown, count=formats.number(one)) for one in count]
    return wished


def _whole(text: str, least: int, most: int) -> Sequence[int] | None:
    """The number that was typed, none if nothing was; null for what is no number, or too large."""
    typed = text.strip()
    if not typed:
        return ()
    if not (typed.isascii() and typed.isdigit() and len(typed) <= len(str(most))):
        return None
    return (int(typed),) if least <= int(typed) <= most else None
