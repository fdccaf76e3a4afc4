"""What somebody says on a page that no rule can do by itself, put into words for the person who reads it: a quote that is wished otherwise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from activities.channels.formats import Formats
from domain.mail.asks import Question
from domain.mail.choices import MOST_MONTHS, MOST_UNITS, PageChoice, Pick
from gateway.customer.drawing import UNITS, language_of, words_of
from gateway.customer.questions import COMMENT_LIMIT, Page

Said = tuple[PageChoice, str]


def says_itself(page: Page, pick: str) -> bool:
    """True for what is read by a person, whatever is filled in."""
    return page.asked.question is Question.QUOTE and pick == Pick.REVISE


def said_on(page: Page, fields: Mapping[str, str]) -> Said | str:
    """What a form says, in the reader's language; or what is wrong with it, by its word."""
    words: Mapping[str, Any] = words_of(language_of(page))
    formats = Formats.of(page.question.language, page.question.time_zone, language_of(page))
    if not page.may_revise:
        return "wrong"
    wished = _quantities(page, fields, words, formats)
    months = _whole(fields.get("months", ""), 1, MOST_MONTHS)
    comment = fields.get("comment", "").strip()[:COMMENT_LIMIT]
    if wished is None or months is None or not (wished or months or comment):
        return "terms_missing"
    lines = [words["told_quote"].format(id=page.asked.id, version=page.version or 1), *wished]
    lines += [words["told_months"].format(months=formats.number(one)) for one in months]
    return PageChoice(pick=Pick.SAY), "\n\n".join(["\n".join(lines), *([comment] if comment else [])])


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
