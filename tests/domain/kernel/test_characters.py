"""Texts that no database keeps are refused by the field they are in, wherever it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from domain.journey.installed_base import read_asset
from domain.journey.requests import PauseJourney
from domain.kernel.refusals import Refusal
from domain.kernel.requests import read_request
from domain.orders.order import read_order
from domain.quotes.requests import RequestQuote
from domain.service.case_requests import AddNote
from domain.service.opening import read_case
from tests.builders import order

READERS: dict[str, tuple[Callable[[Any], object], Callable[[str], Any], str]] = {
    "order": (read_order, lambda text: order(currency=text), "currency"),
    "quote": (
        lambda document: read_request(RequestQuote, document),
        lambda text: {"quote_id": "Q-1", "lines": [{"kind": "sale", "line_id": "1", "product": text, "quantity": 1}]},
        r"lines\[0\].product",
    ),
    "pause": (lambda document: read_request(PauseJourney, document), lambda text: {"reason": text}, "reason"),
    "name": (
        lambda document: read_request(PauseJourney, document),
        lambda text: {text: "quiet", "reason": "quiet"},
        "the whole document",
    ),
    "case": (read_case, lambda text: {"case_id": "C-1", "subject": text}, "subject"),
    "note": (lambda document: read_request(AddNote, document), lambda text: {"body": text}, "body"),
    "asset": (read_asset, lambda text: {"asset_id": text}, "asset_id"),
}


@pytest.mark.parametrize("text", ["a\x00", "\ud83d", "日本\udc00"])
@pytest.mark.parametrize("reader", READERS)
def test_what_cannot_be_kept_is_refused(reader: str, text: str) -> None:
    read, made, field = READERS[reader]
    with pytest.raises(Refusal, match=f"{field}: has a character that cannot be kept"):
        read(made(text))


def test_all_other_texts_are_read() -> None:
    said = "日本語 😀 café \t\n"
    assert read_request(PauseJourney, {"reason": said.strip()}).reason == said.strip()
