"""The pages for people: their links lead somewhere, and what they name of the project is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
MOST_LINES = 150
"""of the README: what it is, two commands, a picture, an order placed, where to read on"""

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_NAMED = re.compile(r"`((?:domain|workflows|activities|gateway|workers|tests|docs)/[\w/.-]+)`")


def _links(page: Path) -> list[Path]:
    found = [link.partition("#")[0] for link in _LINK.findall(page.read_text(encoding="utf-8"))]
    return [(page.parent / link).resolve() for link in found if link and "://" not in link]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    assert not [link for link in _links(page) if not link.exists()]


def test_every_page_is_reached_from_the_readme() -> None:
    reached, look_at = set[Path](), [ROOT / "README.md"]
    while look_at:
        page = look_at.pop()
        if page.suffix == ".md" and page not in reached:
            reached.add(page)
            look_at += _links(page)
    assert reached >= {page.resolve() for page in PAGES}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_what_is_named_is_there(page: Path) -> None:
    named = _NAMED.findall(page.read_text(encoding="utf-8"))
    assert not [path for path in named if not (ROOT / path).exists()]


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= MOST_LINES
