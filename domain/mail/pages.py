"""Pages: the words of a mail that is written in HTML."""

from __future__ import annotations

import re
from html import unescape

from domain.mail.text import TEXT_LIMIT

_SILENT = frozenset({"script", "style", "title", "template"})
_BLOCKS = frozenset(
    {"p", "div", "br", "li", "ul", "ol", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "hr"}
)
# No part of the pattern runs past the next "<", so that broken pages cost no more time than whole ones.
_TOKEN = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)([^<>]*)>|<[!?][^<>]*>|([^<]+|<)")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_SPACES = re.compile(r"[ \t\r\f\v\xa0]+")
_BLANK_LINES = re.compile(r"\n{3,}")
_QUOTES = re.compile(r"\b(gmail_quote(?!_attribution)|yahoo_quoted|protonmail_quote)", re.IGNORECASE)
_HREF = re.compile(r"""\bhref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
_ALT = re.compile(r"""\balt\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
_SOURCE_LIMIT = 2_000_000
"""Characters of a page that are read: some programs put hundreds of thousands of styles before the first word."""


class _Page:
    """Collects the text of a page: a line for each block, quoted blocks marked with ">"."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._silent: str | None = None
        self._quoted: list[str] = []
        self._pre = 0
        self._link: tuple[str, int] | None = None
        self._length = 0

    def opens(self, tag: str, attributes: str) -> None:
        if tag in _SILENT:
            self._silent = self._silent or tag
        elif tag == "blockquote" or (tag == "div" and (self._quoted or _QUOTES.search(attributes))):
            self._quoted.append(tag)
        if tag in _BLOCKS:
            self._break()
        match tag:
            case "pre":
                self._pre += 1
            case "li":
                self._add("- ")
            case "td" | "th":
                self._add("  ")
            case "a":
                self._link = (_attribute(_HREF, attributes), len(self._parts))
            case "img":
                self._add(_attribute(_ALT, attributes))

    def closes(self, tag: str) -> None:
        if tag == self._silent:
            self._silent = None
        elif self._quoted and tag == self._quoted[-1]:
            self._quoted.pop()
        if tag in _BLOCKS:
            self._break()
        match tag:
            case "pre":
                self._pre = max(self._pre - 1, 0)
            case "a":
                self._close_link()

    def says(self, text: str) -> None:
        said = unescape(text)
        if self._pre:
            self._add(said.replace("\n", "\n> ") if self._quoted else said)
        else:
            self._add(_SPACES.sub(" ", said.replace("\n", " ")))

    @property
    def is_full(self) -> bool:
        """True once it holds more words than are kept."""
        return self._length > TEXT_LIMIT

    def _close_link(self) -> None:
        """Where a link leads, unless its words say so."""
        if self._link is not None:
            target, begin = self._link
            said = "".join(self._parts[begin:]).strip()
            if target.lower().startswith(("http://", "https://")) and said and said not in target:
                self._add(f" <{target}>")
            self._link = None

    def _add(self, text: str) -> None:
        if self._silent is None and text:
            self._parts.append(text)
            self._length += len(text)

    def _break(self) -> None:
        self._parts.append("\n> " if self._quoted else "\n")

    def text(self) -> str:
        lines = (line.strip() for line in "".join(self._parts).split("\n"))
        return _BLANK_LINES.sub("\n\n", "\n".join("" if line == ">" else line for line in lines)).strip()


def text_of_html(source: str) -> str:
    """The words of an HTML page, a line for each block; what it quotes begins with ">". Never raises."""
    page = _Page()
    for found in _TOKEN.finditer(_COMMENT.sub("", source[:_SOURCE_LIMIT])):
        closing, tag, attributes, said = found.groups()
        if said:
            page.says(said)
        elif tag and closing:
            page.closes(tag.lower())
        elif tag:
            page.opens(tag.lower(), attributes)
        if page.is_full:
            break
    return page.text()


def _attribute(pattern: re.Pattern[str], attributes: str) -> str:
    found = pattern.search(attributes[:4000])
    return unescape(next((value for value in found.groups() if value is not None), "")).strip()[:1000] if found else ""
