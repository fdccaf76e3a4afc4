"""A chart says by its heights alone what holds when."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from workers.cli.charts import Stretch, chart, horizon

START = datetime(2026, 1, 1, tzinfo=UTC)


def day(number: int) -> datetime:
    return START + timedelta(days=number)


def drawn(*stretches: tuple[int, int | None, str], until: int) -> list[str]:
    known = [Stretch(day(a), None if b is None else day(b), Decimal(value)) for a, b, value in stretches]
    labels, days = ("top", "0"), (date(2026, 1, 1), date(2026, 1, 8))
    return chart(known, begin=START, end=day(until), labels=labels, days=days, width=8, height=2)


def test_columns_are_as_high_as_their_values() -> None:
    assert drawn((0, 2, "16"), (2, 4, "8"), (4, 6, "12"), (6, 8, "1"), until=8) == [
        "top ┤██  ▄▄",
        "    ┤██████▁▁",
        "  0 ┼────────",
        "     2026-01-01 2026-01-08",
    ]


def test_nothing_zero_and_very_little_look_different() -> None:
    assert drawn((2, 4, "0"), (4, 6, "0.001"), (6, None, "100"), until=8)[:2] == ["top ┤      ██", "    ┤··  ▁▁██"]


def test_what_is_open_is_shown_for_a_year() -> None:
    closed, open_end = Stretch(day(0), day(10), Decimal(1)), Stretch(day(10), None, Decimal(2))
    assert horizon([closed], day(500)) == (day(0), day(10))
    assert horizon([closed, open_end], day(2)) == (day(0), day(375))
    assert horizon([closed, open_end], day(500)) == (day(0), day(865))
