"""The page of what can be asked is what the registry says."""

from __future__ import annotations

from tests.requests_page import EVENTS_PAGE, PAGE, events_page, page


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "write it anew: uv run poe docs"


def test_the_page_of_events_is_up_to_date() -> None:
    assert EVENTS_PAGE.read_text(encoding="utf-8") == events_page(), "write it anew: uv run poe docs"
