"""The forms of a page, as a browser reads them: each with the fields that it would send if nobody typed anything."""

from __future__ import annotations

from html.parser import HTMLParser


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, str]] = []
        self._select = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.found.append({})
        elif tag in ("input", "textarea", "select") and self.found and given.get("name"):
            self.found[-1].setdefault(str(given["name"]), given.get("value") or "")
            self._select = str(given["name"]) if tag == "select" else ""
        elif tag == "option" and self._select and "selected" in given:
            self.found[-1][self._select] = given.get("value") or ""


def forms_in(page: str) -> list[dict[str, str]]:
    """The fields of each form, by their names."""
    reader = _Forms()
    reader.feed(page)
    return reader.found
