"""Acts of a story: what they may say, and when they happen."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from workers.rehearsal.acts import Act, scheduled


def act(**fields: Any) -> Act:
    return Act.model_validate({"day": 3, "ask": "pause", **fields})


def test_acts_happen_in_order_on_local_days() -> None:
    acts = [act(day=3, at="18:30"), act(day=1), act(day=3, at="09:00")]
    found = scheduled(acts, date(2026, 4, 6), "Asia/Tokyo")
    assert [each.at for each in found] == [
        datetime.fromisoformat(text)
        for text in ("2026-04-07T11:00+09:00", "2026-04-09T09:00+09:00", "2026-04-09T18:30+09:00")
    ]


def test_days_in_requests_become_dates_wherever_they_stand() -> None:
    request = {
        "effective": "day 30",
        "lines": [{"start": "day -1", "note": "on day 30 it rained"}],
        "quantity": 2,
        "at": "day 0 09:30",
    }
    [found] = scheduled([act(request=request)], date(2026, 4, 6), "Asia/Tokyo")
    assert found.document == {
        "effective": "2026-05-06",
        "lines": [{"start": "2026-04-05", "note": "on day 30 it rained"}],
        "quantity": 2,
        "at": "2026-04-06T00:30:00+00:00",
    }


def test_a_case_is_opened_with_its_document() -> None:
    opening = {"day": 5, "case": "C-1", "open": {"subject": "Prices fell", "bought": "day 4"}}
    [found] = scheduled([Act.model_validate(opening)], date(2026, 4, 6), "Asia/Tokyo")
    assert found.document == {"subject": "Prices fell", "bought": "2026-04-10"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"day": 1},
        {"day": 1, "ask": "pause", "open": {}, "case": "C-1"},
        {"day": 1, "open": {}},
        {"day": -1, "ask": "x"},
    ],
)
def test_an_act_asks_one_thing(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Act.model_validate(wrong)
