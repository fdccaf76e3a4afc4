"""Messages put into words: one template for each message and language, shared layouts for plain text and for HTML.

A message's template has two blocks, `subject` and `body`. The body is made of paragraphs, a blank line between them, and
of parts (`ui.bullets`, `ui.facts`, `ui.quote`), of which there is one set for text and one for HTML. So each sentence is
written once, and both forms say the same.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import (
    Environment,
    PackageLoader,
    StrictUndefined,
    TemplateNotFound,
    Undefined,
    UndefinedError,
    pass_context,
)
from jinja2.runtime import Context
from markupsafe import Markup

from activities.channels.errors import RenderError
from activities.channels.formats import FILTERS, Formats
from activities.channels.staff_words import StaffWords, sentences
from activities.channels.text import one_line
from domain.frame.mail_kinds import template_of
from domain.frame.messages import OutgoingMail
from domain.mail.papers import Paper, PaperKind, bills_named, papers_of

_TEXT_WIDTH = 76
_SUBJECTS = 3
"""So many parts of a message are named in its subject at most."""
_PARAGRAPH_STYLE = "margin:0 0 16px"
_REACH_US = {"en": ("reply to this mail", "let us know"), "ja": ("本メールへのご返信にて", "担当者まで")}
"""How an addressee reaches us: where answers are read, and where they are not."""
_DESCRIBED_BY_US = frozenset({"price_protection", "goodwill"})
"""Kinds of lines of documents."""
_NO_FILE_NAME = re.compile(r"[^\w.-]+")
_UNFIT = (UndefinedError, ValueError, TypeError, KeyError, AttributeError, ArithmeticError)
"""What comes of a value that a template cannot show."""
_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n)+")


@dataclass(frozen=True)
class RenderedFile:
    """A document that goes with a mail: a page of HTML under its name."""

    name: str
    html: str


@dataclass(frozen=True)
class RenderedMail:
    """A mail in words: a subject on one line, the same message as plain text and as HTML, and the language of both."""

    subject: str
    text: str
    html: str
    language: str
    files: tuple[RenderedFile, ...] = ()


LinkTo = Callable[[str, OutgoingMail], str | None]
"""Where the page of that name is about a mail: `answer`, `document`, `mails`, `owned`, `steps`; null if nowhere."""


def _nowhere(_: str, __: OutgoingMail) -> None:
    return None


class Renderer:
    """Renders mails from the templates beside this module; one instance serves all recipients."""

    def __init__(self) -> None:
        self._text = _environment("text", _text_paragraphs)
        self._html = _environment("html", _html_paragraphs)
        self._paper = _environment("paper", _text_paragraphs)
        self._written = frozenset(self._text.list_templates())

    def render(
        self,
        mail: OutgoingMail,
        *,
        by_reply: bool = True,
        links: LinkTo = _nowhere,
    ) -> RenderedMail:
        """`mail` in its recipient's language, dates, numbers and money as that language writes them in their country, in their zone.

        by_reply: we read what is answered; otherwise nothing is asked for by reply. links: where its question is answered (the link adds
        the answer), its documents are shown (by their numbers from 1), and what else its reader can see or choose.

        There are texts in English and Japanese. Everybody else reads English, with English dates: a language is whole, or it
        is not used.
        Raises RenderError if there is no such template, or a value is missing or of another kind than it needs.
        """
        return self.render_joined([mail], by_reply=by_reply, links=links)

    def render_joined(
        self,
        mails: Sequence[OutgoingMail],
        *,
        by_reply: bool = True,
        links: LinkTo = _nowhere,
    ) -> RenderedMail:
        """Several mails to one person as one message: it greets and is signed as the first one, and each further part has its subject
        as a heading. Else as `render`."""
        mail, documents = mails[0], [document for one in mails for document in one.documents]
        try:
            language = self._language_of(mail)
            given = [
                {
                    **self._values(one, language, by_reply=by_reply),
                    "answer_url": links("answer", one),
                    "paper_url": _last_paper(one, links),
                    "bills_url": links("document", one) if bills_named(one) else None,
                    "steps_url": links("steps", one) if template_of(one.template).steps else None,
                }
                for one in mails
            ]
            values = {
                **given[0],
                "can_unsubscribe": any(one.unsubscribe is not None for one in mails),
                "attached": [one for mail in mails for one in _attached(mail, links)],
                "mails_url": next((links("mails", one) for one in mails if one.unsubscribe is not None), None),
                "owned_url": next(
                    (links("owned", one) for one in mails if template_of(one.template).shows_owned), None
                ),
            }
            beside = list(zip((one.template for one in mails[1:]), given[1:], strict=True))
            subjects, text = _rendered(self._text, "text", language, mail.template, values, beside)
            _, html = _rendered(self._html, "html", language, mail.template, values, beside)
            files = tuple(self._file(language, values, document) for document in documents)
        except TemplateNotFound as error:
            raise RenderError(mail.template, f"there is no template {error.name!r}") from error
        except _UNFIT as error:
            raise RenderError(mail.template, f"{type(error).__name__}: {one_line(str(error))}") from error
        return RenderedMail(subject=_subject(subjects), text=text, html=html, language=language, files=files)

    def sheet(self, paper: Paper, *, language: str | None = None, corrects: Sequence[str] = ()) -> dict[str, Any]:
        """A document in words, as its layout takes it: in the language in which the customer got it, or in `language`. `corrects`: of a
        credit note, the invoices that it gives back of. Raises RenderError as `render` does."""
        wanted = paper.language if language is None else language
        known = "ja" if _reads_japanese(wanted) else "en"
        bill = paper.kind in (PaperKind.INVOICE, PaperKind.CREDIT_MEMO)
        lines = [_described(line, known) for line in paper.said["lines"]]
        values = _cleaned(paper.model_dump(mode="json", exclude={"said", "language"}))
        values |= {
            "document": _cleaned({**paper.said, "lines": lines}),
            "formats": Formats.of(_tag(wanted, known), paper.time_zone, known),
            "language": known,
            "pay_by": paper.pay_by.isoformat() if paper.pay_by else None,
            "corrects": _cleaned(list(corrects)),
        }
        try:
            written = self._paper.get_template(f"{known}/{'document' if bill else 'proposal'}.j2").render(values)
        except _UNFIT as error:
            raise RenderError(paper.kind, f"{type(error).__name__}: {one_line(str(error))}") from error
        found: dict[str, Any] = json.loads(written)
        return found

    def _values(self, mail: OutgoingMail, language: str, *, by_reply: bool) -> dict[str, Any]:
        """What a template is filled with."""
        return {
            "pay_by": {one.id: one.pay_by.isoformat() for one in papers_of(mail) if one.pay_by is not None},
            "pay_to": one_line(mail.issuer.pay_to) if mail.issuer is not None and mail.issuer.pay_to else None,
            **_cleaned(mail.context),
            "formats": Formats.of(_tag(mail.language, language), mail.time_zone, language),
            "language": language,
            "by_reply": by_reply,
            "reach_us": _REACH_US[language][not by_reply],
        }

    def _file(self, language: str, values: dict[str, Any], document: dict[str, Any]) -> RenderedFile:
        template = self._html.get_template(f"{language}/document.j2")
        lines = [_described(line, language) for line in document["lines"]]
        page = template.render({**values, "document": _cleaned({**document, "lines": lines})}).strip() + "\n"
        return RenderedFile(_NO_FILE_NAME.sub("-", str(document["id"])) + ".html", page)

    def _language_of(self, mail: OutgoingMail) -> str:
        return "ja" if _reads_japanese(mail.language) and f"ja/{mail.template}.j2" in self._written else "en"


def _attached(mail: OutgoingMail, links: LinkTo) -> Iterator[dict[str, Any]]:
    """What is said of the files of a mail: each with where it is shown as a document."""
    url = links("document", mail)
    for number, document in enumerate(mail.documents, 1):
        yield {name: document[name] for name in ("kind", "id", "total")} | {"url": url and f"{url}/{number}"}


def _last_paper(mail: OutgoingMail, links: LinkTo) -> str | None:
    """Where the quote of a mail is shown as a document: it comes after its files."""
    url = links("document", mail)
    count = len(papers_of(mail)) if url is not None else 0
    return f"{url}/{count}" if count > len(mail.documents) else None


def _reads_japanese(language: str) -> bool:
    return re.split("[-_]", language)[0].lower() == "ja"


def _described(line: dict[str, Any], language: str) -> dict[str, Any]:
    """A line whose description is a sentence of ours, in the reader's language; what is sold bears its name."""
    said = _own_words(language).said(line["description"]) if line.get("kind") in _DESCRIBED_BY_US else None
    return line if said is None else {**line, "description": said}


@cache
def _own_words(language: str) -> StaffWords:
    return StaffWords(sentences(language), {})


def _tag(wanted: str, language: str) -> str:
    """The tag by which dates and numbers are written: the recipient's own, if it is of the text's language."""
    return wanted if re.split("[-_]", wanted)[0].lower() == language else language


@cache  # compiled once in a process, however many renderers there are
def _environment(form: str, paragraphs: Callable[[str], str]) -> Environment:
    environment = Environment(
        loader=PackageLoader("activities.channels", "templates"),
        autoescape=form == "html",
        undefined=StrictUndefined,
        finalize=_present,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters.update({name: _for_recipient(name) for name in FILTERS})
    environment.filters["paragraphs"] = paragraphs
    environment.filters["numbered"] = _numbered
    environment.filters["to_type"] = _to_type
    environment.globals["answers_between"] = lambda low, high: [(one, one) for one in range(low, high + 1)]
    environment.globals["form"] = form
    environment.globals["layout"] = f"{form}/layout.j2"
    return environment


def _rendered(
    environment: Environment,
    form: str,
    language: str,
    name: str,
    values: dict[str, Any],
    beside: Sequence[tuple[str, dict[str, Any]]] = (),
) -> tuple[list[str], str]:
    """The subjects of a mail and of those beside it, and the message in one form."""
    parts = environment.get_template(f"{form}/parts.j2")

    def block(template: str, values: dict[str, Any], which: str) -> str:
        found = environment.get_template(f"{language}/{template}.j2")
        return "".join(found.blocks[which](found.new_context({**values, "ui": parts.make_module(values)})))

    subjects = [one_line(block(name, values, "subject"))]
    more = []
    for template, given in beside:
        subjects.append(one_line(block(template, given, "subject")))
        body = block(template, given, "body")  # escaped by now, where that is needed
        more.append({"subject": subjects[-1], "body": Markup(body) if form == "html" else body})
    whole = {**values, "ui": parts.make_module(values), "beside": more}
    return subjects, environment.get_template(f"{language}/{name}.j2").render(whole).strip() + "\n"


def _subject(subjects: Sequence[str]) -> str:
    """The subject of a message of several parts: theirs, or how many more there are."""
    said = list(dict.fromkeys(subjects))
    more = len(said) - _SUBJECTS
    return " · ".join([*said[: _SUBJECTS - 1], f"+{more + 1}"] if more > 0 else said)


def _for_recipient(name: str) -> Callable[..., str]:
    method = FILTERS[name]

    @pass_context
    def apply(context: Context, value: Any, *arguments: Any) -> str:
        if isinstance(value, Undefined):
            str(value)  # a strict undefined value says here which name is missing; a format would not
        return str(method(context["formats"], value, *arguments))

    return apply


@pass_context
def _numbered(context: Context, thing_id: str) -> str:
    """An id as mails name it, with the short number if it has one: ACME-2027-EMEA (K-1)."""
    number = context.get("numbers", {}).get(thing_id)
    return f"{thing_id} ({number})" if number else thing_id


@pass_context
def _to_type(context: Context, thing_id: str) -> str:
    """What an answer names it by: the short number, else the id."""
    return str(context.get("numbers", {}).get(thing_id, thing_id))


def _present(value: Any) -> Any:
    if value is None:
        raise ValueError("a value is null where the message says something about it")
    return value


def _cleaned(value: Any) -> Any:
    """Every text of a context on one line, so that no value can end a header, a paragraph or a table's cell."""
    match value:
        case str():
            return one_line(value)
        case dict():
            return {key: _cleaned(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_cleaned(inner) for inner in value]
        case _:
            return value


def _text_paragraphs(body: str) -> str:
    chunks = [chunk.strip("\n") for chunk in _BLANK_LINES.split(body) if chunk.strip()]
    return "\n\n".join("\n".join(_wrapped(line) for line in chunk.split("\n")) for chunk in chunks)


def _wrapped(line: str) -> str:
    indent = " " * (len(line) - len(line.lstrip(" ")))
    return textwrap.fill(
        line.strip(),
        _TEXT_WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _html_paragraphs(body: str) -> str:
    chunks = [chunk.strip() for chunk in _BLANK_LINES.split(body) if chunk.strip()]
    return Markup("\n").join(_html_paragraph(chunk) for chunk in chunks)


def _html_paragraph(chunk: str) -> Markup:
    if chunk.startswith("<"):  # one of the parts: every value is escaped by now, so no value can begin like this
        return Markup(chunk)
    return Markup(f'<p style="{_PARAGRAPH_STYLE}">' + "<br>\n".join(chunk.split("\n")) + "</p>")
