"""Words of others are shown as they were written, wherever Markdown is rendered."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from domain.frame.state import AccountView, JourneyState, Pause
from domain.journey.briefing import render
from domain.kernel.shown import as_text

NOW = datetime(2027, 3, 1, tzinfo=UTC)
RENDERER = MarkdownIt("commonmark").enable(["table", "strikethrough"])

HOSTILE = [
    "[click](https://evil.example)",
    "![pixel](https://evil.example/p.png)",
    "<img src=x onerror=alert(1)>",
    "<https://evil.example>",
    "**bold** _em_ __em__ `code` ~~gone~~",
    "# Heading",
    "1. one",
    "- item",
    "> quoted",
    "a | b",
    "&lt;b&gt; &#60;",
    "\\[x](y)",
    "=====",
    "snake_case and C-17_b, Smith & Co: 3 * 4",
]


def shown(markdown: str) -> str:
    """What a reader sees of one line; fails if anything in it is more than text."""
    found = [token for token in RENDERER.parse(markdown) if token.type == "inline"]
    kinds = {token.type for token in RENDERER.parse(markdown)} - {"inline", "paragraph_open", "paragraph_close"}
    assert kinds == set(), kinds
    children = [child for token in found for child in token.children or []]
    assert {child.type for child in children} <= {"text", "text_special"}, markdown
    return "".join(child.content for child in children)


@pytest.mark.parametrize("words", HOSTILE)
def test_hostile_words_are_only_words(words: str) -> None:
    assert shown(as_text(words)) == words


@given(st.text(st.sampled_from("ab1 \\`*_[]()<>#+-.!|~&;:/@=\n\t'\""), max_size=30))
def test_any_words_are_only_words(words: str) -> None:
    assert shown(as_text(words)) == " ".join(words.split())


def test_no_address_becomes_a_link_by_itself() -> None:
    said = as_text("see https://evil.example, www.evil.example or mailto:x@evil.example")
    assert "://" not in said.replace("\\://", "")
    assert "www." not in said
    assert "x@" not in said


def test_the_briefing_shows_names_and_reasons_as_text() -> None:
    hostile = "[x](https://evil.example) <b>hi</b>"
    state = JourneyState(
        account_id="A-1",
        account=AccountView(name=f"Tea {hostile}", time_zone="UTC", owner="s-1"),
        opened_at=NOW,
        attention={"unknown_message": hostile},
        said=[f"2027-03-01 {hostile}"],
        paused=Pause(reason=f"{hostile}\n# Big", since=NOW),
    )
    tokens = RENDERER.parse(render(state, NOW))
    children = [child.type for token in tokens for child in token.children or []]
    assert not {"link_open", "image", "html_inline"} & set(children)
    assert "html_block" not in {token.type for token in tokens}
    assert [token.tag for token in tokens if token.type == "heading_open"] == ["h3"]
