"""What a customer owns, drawn on a time axis: a bar for each asset, as high as its quantity, and recurring revenue beneath. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from domain.frame.access import FieldGroup
from domain.kernel.calendar import add_months
from domain.kernel.zones import local_time
from gateway.console.visit import Visit
from gateway.views.whose import Whose

WIDTH, LEFT, ROW, TALL = 960, 210, 34, 90
_BEFORE, _AFTER = 12, 12
"""Months that are shown of what was and of what comes, beside today."""
_MOST_ROWS = 24


@dataclass(frozen=True)
class Bar:
    """A stretch of an asset with one quantity."""

    x: float
    width: float
    y: float
    height: float
    says: str


@dataclass(frozen=True)
class Strip:
    """An asset: its name, and its bars."""

    name: str
    y: float
    bars: list[Bar]


@dataclass(frozen=True)
class Drawing:
    """All that a template writes as SVG, with the table of the same facts. `lines`: of the revenue in each currency."""

    height: float
    months: list[tuple[float, str]]
    today: float
    strips: list[Strip]
    lines: list[tuple[str, str, str]] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)


def drawing(assets: Sequence[Mapping[str, Any]], of: Whose, visit: Visit) -> Drawing | None:
    """The picture around the customer's present; null if they own nothing in its time."""
    today = local_time(of.now, of.time_zone).date()
    first, last = add_months(today.replace(day=1), -_BEFORE), add_months(today.replace(day=1), _AFTER + 1)
    axis = _Axis(first, last, of.time_zone)
    kept = [(asset, periods) for asset in _alike(assets) if (periods := axis.within(asset["periods"] or []))][
        :_MOST_ROWS
    ]
    if not kept:
        return None
    priced = visit.sees(FieldGroup.PRICES)
    strips, rows = [], []
    for n, (asset, periods) in enumerate(kept):
        most = max(period["quantity"] for period in periods) or 1
        y = 26 + n * ROW
        bars = []
        for period in periods:
            said = _said(period, asset, visit, of.time_zone, priced)
            rows.append({"product": asset["product"], **said})
            if period["quantity"]:
                x, width = axis.place(period)
                high = 8 + 14 * period["quantity"] / most
                says = " · ".join(filter(None, (asset["product"], said["quantity"], said["mrr"], said["days"])))
                bars.append(Bar(x, width, y + 24 - high, high, says))
        strips.append(Strip(asset["product"], y, bars))
    top = 26 + len(kept) * ROW
    lines = _revenue(kept, axis, top + 12, visit) if priced else []
    months = [(axis.x(_start(month)), _tick(month)) for month in axis.months()]
    return Drawing(top + (TALL + 24 if lines else 8), months, axis.x(of.now), strips, lines, rows)


def _alike(assets: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The assets, those of one product and currency as one."""
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for asset in assets:
        groups.setdefault((asset["product"], asset["currency"]), []).append(asset)
    return [group[0] if len(group) == 1 else _together(group) for group in groups.values()]


def _together(alike: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Several assets as one that has the units and the revenue of all: a stretch for each day on which some of them change."""
    periods = [period for asset in alike for period in asset["periods"] or []]
    edges = {period[edge] for period in periods for edge in ("starts_at", "ends_at")}
    cuts = sorted(edges - {None}, key=datetime.fromisoformat)
    found: list[dict[str, Any]] = []
    for start, end in pairwise([*cuts, None] if None in edges else cuts):
        here = [one for one in periods if _covers(one, start)]
        units, mrr = sum(one["quantity"] for one in here), [one["mrr"] for one in here if one["mrr"] is not None]
        worth = {"quantity": units, "mrr": str(sum(map(Decimal, mrr), Decimal(0))) if mrr else None}
        if found and found[-1]["ends_at"] == start and {name: found[-1][name] for name in worth} == worth:
            found[-1]["ends_at"] = end
        elif here:
            found.append({"starts_at": start, "ends_at": end, **worth})
    return {**alike[0], "periods": found}


def _covers(period: Mapping[str, Any], at: str) -> bool:
    instant = datetime.fromisoformat(at)
    ends = period["ends_at"]
    return datetime.fromisoformat(period["starts_at"]) <= instant and (
        ends is None or instant < datetime.fromisoformat(ends)
    )


def _tick(month: date) -> str:
    """The year at its beginning, whose place reaches over February's."""
    return f"{month.year}" if month.month == 1 else "" if month.month == 2 else f"{month.month}"


class _Axis:
    def __init__(self, first: date, last: date, zone: str) -> None:
        self._first, self._last, self._zone = _start(first), _start(last), zone
        self._begin = first
        self._until = last

    def months(self) -> list[date]:
        found, month = [], self._begin
        while month < self._until:
            found.append(month)
            month = add_months(month, 1)
        return found

    def x(self, at: datetime) -> float:
        share = (at - self._first) / (self._last - self._first)
        return round(LEFT + min(max(share, 0.0), 1.0) * (WIDTH - LEFT - 8), 1)

    def within(self, periods: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        read = [
            {
                **period,
                "starts_at": datetime.fromisoformat(period["starts_at"]),
                "ends_at": datetime.fromisoformat(period["ends_at"]) if period["ends_at"] else None,
            }
            for period in periods
        ]
        return [
            one
            for one in read
            if one["starts_at"] < self._last and (one["ends_at"] is None or one["ends_at"] > self._first)
        ]

    def place(self, period: Mapping[str, Any]) -> tuple[float, float]:
        x = self.x(period["starts_at"])
        return x, max(round(self.x(period["ends_at"] or self._last) - x - 1, 1), 1.5)


def _start(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _said(period: Mapping[str, Any], asset: Mapping[str, Any], visit: Visit, zone: str, priced: bool) -> dict[str, str]:
    words, ends = visit.words, period["ends_at"]
    last = words.day(ends - timedelta(seconds=1), zone) if ends else ""
    return {
        "days": f"{words.day(period['starts_at'], zone)} – {last}".rstrip(),
        "quantity": words.number(period["quantity"]),
        "mrr": words.money(period["mrr"], asset["currency"]) if priced and period["mrr"] is not None else "",
    }


def _revenue(
    kept: Sequence[tuple[Mapping[str, Any], list[dict[str, Any]]]], axis: _Axis, top: float, visit: Visit
) -> list[tuple[str, str, str]]:
    """Recurring revenue by month, a stepped line for each currency: its points, its name and its highest value."""
    found = []
    for currency in sorted({asset["currency"] for asset, _ in kept}):
        mrr = [(axis.x(_start(month)), _in_force(kept, currency, _start(month))) for month in axis.months()]
        most = max(value for _, value in mrr)
        if not most:
            continue
        points: list[str] = []
        before: float | None = None
        for x, value in mrr:
            y = round(top + TALL - float(value / most) * (TALL - 14), 1)
            points += [f"{x},{before}"] if before is not None else []
            points.append(f"{x},{y}")
            before = y
        points.append(f"{WIDTH - 8},{before}")
        found.append((" ".join(points), currency, visit.words.money(most, currency)))
    return found


def _in_force(kept: Sequence[tuple[Mapping[str, Any], list[dict[str, Any]]]], currency: str, at: datetime) -> Decimal:
    return sum(
        (
            Decimal(period["mrr"])
            for asset, periods in kept
            if asset["currency"] == currency
            for period in periods
            if period["mrr"] is not None and period["quantity"] and period["starts_at"] <= at
            if period["ends_at"] is None or period["ends_at"] > at
        ),
        Decimal(0),
    )
