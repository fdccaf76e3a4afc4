"""A figure over time as columns of Unicode blocks; heights alone say everything, without colour."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

EIGHTHS = " ▁▂▃▄▅▆▇█"
_GAP = "·"


@dataclass(frozen=True, slots=True)
class Stretch:
    """A value that holds from `start` up to `end` (None: for ever)."""

    start: datetime
    end: datetime | None
    value: Decimal


def chart(
    stretches: Sequence[Stretch],
    *,
    begin: datetime,
    end: datetime,
    labels: tuple[str, str],
    days: tuple[date, date],
    width: int = 60,
    height: int = 6,
) -> list[str]:
    """Lines of text: columns from `begin` up to `end`, each as high as the value in its middle, over an axis with two days.

    labels: what the top and the bottom stand for, the bottom being zero. A column in which nothing holds shows a dot.
    """
    top = max((stretch.value for stretch in stretches), default=Decimal(0)) or Decimal(1)
    step = (end - begin) / width
    values = [_value_at(stretches, begin + step * (n + 0.5)) for n in range(width)]
    margin = max(map(len, labels))
    lines = []
    for row in range(height, 0, -1):
        cells = "".join(_cell(value, top, row, height) for value in values)
        label = labels[0] if row == height else ""
        lines.append(f"{label:>{margin}} ┤{cells}".rstrip())
    lines.append(f"{labels[1]:>{margin}} ┼{'─' * width}")
    first, last = str(days[0]), str(days[1])
    lines.append(f"{'':>{margin}}  {first} {last:>{max(width - len(first) - 1, 0)}}")
    return lines


def _cell(value: Decimal | None, top: Decimal, row: int, height: int) -> str:
    if value is None:
        return _GAP if row == 1 else " "
    # What is more than nothing shows at least its lowest eighth.
    eighths = max(int(value / top * height * 8), 1) if value > 0 else 0
    return EIGHTHS[min(max(eighths - (row - 1) * 8, 0), 8)]


def _value_at(stretches: Sequence[Stretch], at: datetime) -> Decimal | None:
    place = bisect_right([stretch.start for stretch in stretches], at) - 1
    if place < 0:
        return None
    found = stretches[place]
    return found.value if found.end is None or at < found.end else None


def horizon(stretches: Sequence[Stretch], now: datetime) -> tuple[datetime, datetime]:
    """From the first start to the last end; what is open shows up to a year after its start or `now`, whichever is later."""
    begin, last = stretches[0].start, stretches[-1]
    if last.end is not None:
        return begin, last.end
    return begin, max(last.start, now) + timedelta(days=365)
