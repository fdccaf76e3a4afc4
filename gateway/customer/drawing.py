"""Pages for customers, in the language of the mail that leads to them: templates, words and formats put together."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from jinja2 import Environment, PackageLoader, StrictUndefined

from activities.channels.formats import Formats
from domain.mail.asks import Question
from domain.mail.choices import Pick
from domain.mail.worded import Saying
from gateway.customer.questions import COMMENT_LIMIT, Page, Standing

_NUMBERS = "numbers"
_WHY = f"{Pick.WHY.value} "
"""Before the reason in an answer."""
UNITS = "units:"
"""Before the asset, or the number of a quote's line, in the name of a field."""


@dataclass(frozen=True)
class Drawn:
    """A page of HTML, and the nonce under which its style is allowed."""

    html: str
    nonce: str


@dataclass(frozen=True)
class Filled:
    """What somebody typed, which the page shows again: `wrong` says what is missing, `came` what became of an answer."""

    chosen: str = ""
    fields: Mapping[str, str] = field(default_factory=dict)
    wrong: str = ""
    came: str = ""


@cache
def _templates() -> Environment:
    loader = PackageLoader("gateway.customer", "templates")
    return Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


@cache
def words_of(language: str) -> Mapping[str, Any]:
    """The words of all pages in English or Japanese."""
    file = files("gateway.customer") / "words" / f"{language}.yaml"
    found: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return found


def language_of(page: Page) -> str:
    """The language of a page, which is that of its mail."""
    return spoken_language(page.question.language)


def spoken_language(tag: str) -> str:
    """The language of pages for whoever has this tag."""
    return "ja" if re.split("[-_]", tag)[0].lower() == "ja" else "en"


def new_mark() -> str:
    """The mark of a page: what is sent with it twice is one answer."""
    return secrets.token_hex(12)


def said(title: str, *lines: tuple[str, str], button: str = "", field: str = "", value: str = "") -> Drawn:
    """A page of sentences, each with its language, and a button that sends one field."""
    return page_drawn("said.html", "en", title, lines=lines, button=button, field=field, value=value)


def drawn(page: Page, filled: Filled, once: str) -> Drawn:
    """The page of a question."""
    language = language_of(page)
    words = words_of(language)
    if page.sayings:
        return _worded(page, words, filled, once)
    title = words["title"][page.asked.question.value]
    shared = {"page": page, "words": words, "once": once, "limit": COMMENT_LIMIT, "chosen": filled.chosen}
    if page.options:
        comment = filled.fields.get("comment", "")
        shared |= {"options": _options(page, words), "wrong": words.get(filled.wrong, ""), "comment": comment}
        return page_drawn("scored.html", language, title, standing=_scored(page, words), **shared)
    return page_drawn("decided.html", language, title, **shared, **_decided(page, words, filled))


def thanks(page: Page, answer: str) -> Drawn:
    """What is said to a score or a plain answer that was sent."""
    language = language_of(page)
    words = words_of(language)
    line = words["done" if page.takes else "kept"].format(answer=words.get(answer.removeprefix(_WHY), answer))
    return page_drawn(
        "said.html",
        language,
        words["title"][page.asked.question.value],
        lines=[("", line)],
        button="",
        field="",
        value="",
    )


def page_drawn(template: str, language: str, title: str, **values: Any) -> Drawn:
    """A page of a template."""
    nonce = secrets.token_urlsafe(12)
    page = _templates().get_template(template).render(language=language, title=title, nonce=nonce, **values)
    return Drawn(page, nonce)


# Words of their own


def _worded(page: Page, words: Mapping[str, Any], filled: Filled, once: str) -> Drawn:
    title, asks = words["in_words"][page.question.template]
    named = {name: str(page.context.get(name, "")) for name in ("case_id", "subject", "order_id", "product")}
    return page_drawn(
        "worded.html",
        language_of(page),
        title,
        page=page,
        words=words,
        standing=asks.format(**named) if page.takes else words[page.standing.value],
        picks=[(one.value, words["sayings"][one.value][0]) for one in page.sayings],
        asks_day=Saying.TIME in page.sayings,
        fields=filled.fields,
        once=once,
        limit=COMMENT_LIMIT,
        wrong=words.get(filled.wrong, ""),
        came=words.get(filled.came, ""),
    )


# Scores and plain answers


def _scored(page: Page, words: Mapping[str, Any]) -> str:
    question = page.question
    answer = words[question.answer] if question.answer else str(question.score)
    return str(words[page.standing.value].format(answer=answer))


def _options(page: Page, words: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Each option with what it stands for, if it is a word, or the lowest or the highest score."""
    kind = str(page.context.get("question_kind", "csat"))
    ends = {page.options[0]: "low", page.options[-1]: "high"}

    def named(option: str) -> str:
        word = option.removeprefix(_WHY)
        if word in words:
            return str(words[word])
        end = words.get(f"{kind}_{ends[option]}") if option in ends else None
        return f"{option} – {end}" if end else option

    return [(option, named(option)) for option in page.options]


# What is decided


def _decided(page: Page, words: Mapping[str, Any], filled: Filled) -> dict[str, Any]:
    question, kind = page.question, page.asked.question.value
    formats = Formats.of(question.language, question.time_zone, language_of(page))
    context, renewal = page.context, page.asked.question is Question.RENEWAL
    quote = (context.get("quote") or {}) if renewal else context
    lines = list(_lines(quote.get("lines", ()), words, formats)) if page.asked.question is not Question.OFFER else []
    total = formats.money(quote["total"]) if "total" in quote else ""
    fields = ("months", "why", "comment")
    return {
        "standing": _standing(page, words, formats),
        "lines": lines,
        "total": total,
        "amount_of": words["for_the_term" if renewal else "in_all"],
        "facts": list(_facts(page, quote, words, formats)),
        "beside": _beside(page, words, formats) if renewal else "",
        "accept": words[f"accept_{kind}"].format(total=total),
        "decline": words[f"decline_{kind}"],
        "confirm_decline": words["confirm_decline_renewal" if renewal else "confirm_decline"],
        "units": list(_units(page, words, formats, filled)),
        "by_person": not renewal,
        "show_offer": words["show_offer" if renewal else "send"],
        "revised": words["leave_empty" if renewal else "wish_read"],
        "filled": {name: filled.fields.get(name, "") for name in fields},
        "wrong": words.get(filled.wrong, ""),
        "came": words.get(filled.came, ""),
    }


def _standing(page: Page, words: Mapping[str, Any], formats: Formats) -> str:
    numbers: Mapping[str, str] = page.context.get(_NUMBERS) or {}
    own = page.asked.id
    named = f"{own} ({numbers[own]})" if own in numbers else own
    term_end = formats.date(str(page.context["term_end"])) if "term_end" in page.context else ""
    until = formats.date(page.until) if page.until else ""
    sentence = words[f"{page.asked.question.value}_{page.standing.value}"]
    return str(sentence.format(id=named, until=until, term_end=term_end))


def _lines(lines: Any, words: Mapping[str, Any], formats: Formats) -> Iterator[dict[str, str]]:
    for line in lines:
        yield {
            "product": str(line["product"]),
            "quantity": formats.number(line["quantity"]),
            "unit_price": f"{formats.price(line['unit_price'])} {words['per_' + line['per']]}",
            "amount": formats.money(line["amount"]),
            "dearer": formats.dearer(line) if "change" in line else "",
        }


def _units(page: Page, words: Mapping[str, Any], formats: Formats, filled: Filled) -> Iterator[dict[str, str]]:
    """The fields for the units of what is renewed or quoted, with those of now in their labels."""
    of_quote = [(str(number), str(line["product"]), line["quantity"]) for number, line in page.revisable]
    for id, product, units in of_quote or [(one.asset_id, one.product, one.units) for one in page.assets]:
        name = f"{UNITS}{id}"
        label = words["units_quoted" if of_quote else "units_of"].format(product=product, now=formats.number(units))
        yield {"name": name, "label": label, "value": filled.fields.get(name, "")}


def _facts(
    page: Page, quote: Mapping[str, Any], words: Mapping[str, Any], formats: Formats
) -> Iterator[tuple[str, str]]:
    context = page.context
    if int(quote.get("version", 1)) > 1:
        yield words["version"], formats.number(quote["version"])
    if page.asked.question is Question.RENEWAL and "start" in quote:
        yield words["next_term"], f"{formats.date(quote['start'])} – {formats.date(quote['end'])}"
        if not context.get("auto_renew"):  # what renews by itself is no offer that could run out
            yield words["valid_until"], formats.date(context.get("grace_until") or quote["valid_until"])
    if page.asked.question is Question.OFFER:
        yield words["product"], str(context["product"])
        yield words["seats_more"], formats.number(context["add"])
        yield words["unit_price"], f"{formats.price(context['unit_price'])} {words['per_' + context['per']]}"
    if "mrr_change" in context:
        yield words["mrr_change"], formats.money(context["mrr_change"])


def _beside(page: Page, words: Mapping[str, Any], formats: Formats) -> str:
    """What happens without an answer."""
    context = page.context
    if page.standing is not Standing.OPEN or not context.get("auto_renew"):
        return ""
    sentence = words["renews_by_itself" if page.may_decline else "notice_over"]
    return str(sentence.format(notice_by=formats.date(str(context["notice_by"]))))
