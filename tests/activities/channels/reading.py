"""A rendered mail as its reader sees it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from activities.channels.rendering import RenderedMail

TAGS = {"html", "head", "meta", "title", "body", "div", "p", "br", "ul", "li"} | {
    *("table", "thead", "tbody", "tfoot", "tr", "th", "td")
}


def plainly(text: str) -> str:
    """The text with one space and one apostrophe: which of several CLDR writes changes with its releases, and each is right."""
    return re.sub("[\xa0\u2009\u202f]", " ", text).replace("’", "'")


class Page(HTMLParser):
    """An HTML mail as its reader sees it: the words, and the text of each table cell. Fails on tags that do not match."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.words = ""
        self.cells: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS
        if tag in ("td", "th"):
            self.cells.append("")
        if tag not in ("meta", "br"):
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data
        if self._open and self._open[-1] in ("td", "th"):
            self.cells[-1] += data


def squeezed(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def assert_readable(rendered: RenderedMail) -> None:
    assert rendered.subject == rendered.subject.strip() != ""
    assert "\n" not in rendered.subject
    for words in (rendered.subject, rendered.text, Page(rendered.html).words):
        assert not re.search(r"None|Undefined|[{}]|<bound|Markup|&(amp|lt|gt|#\d+);", words)
    assert not re.search(r"<[a-z/]", rendered.text.replace("<X>", ""))
    assert not re.search(r"\n{3}| \n|\S {2,}\S", rendered.text)
    assert "<p" in rendered.html
    assert not re.search(r"<p[^>]*>\s*</p>", rendered.html)
