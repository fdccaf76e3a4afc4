"""Figures of a health score: how each follows from what was on record of an account before a day, and from nothing later."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from domain.kernel.base import Received

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=60)]
Column = Annotated[str, Field(min_length=1, max_length=120)]


@dataclass(frozen=True)
class Happening:
    """A row of a table, with its day and the cells that figures are made from."""

    day: date
    cells: Mapping[str, str]


@dataclass
class Record:
    """What is on record of an account: the cells of its own row, and the rows of each table in the order of their days."""

    account: str
    cells: Mapping[str, str] = field(default_factory=dict)
    days: Mapping[str, date | None] = field(default_factory=dict)
    """the columns of its own row that are days"""
    tables: dict[str, list[Happening]] = field(default_factory=dict)

    def before(self, table: str, day: date, within: int | None = None, skip: int = 0) -> Sequence[Happening]:
        """The rows of a table before `day`: all of them, or those of the `within` days that end `skip` days before it."""
        rows = self.tables.get(table, [])
        until = day - timedelta(days=skip)
        first = 0 if within is None else bisect_left(rows, until - timedelta(days=within), key=lambda row: row.day)
        return rows[first : bisect_left(rows, until, key=lambda row: row.day)]


def number(cell: str | None) -> float | None:
    """A cell as a number; null for an empty one or what is none."""
    try:
        read = float((cell or "").replace(" ", ""))
    except ValueError:
        return None
    return read if read - read == 0 else None  # neither infinite nor undefined


class OfColumn(Received):
    """A cell of the account's row, as a share of another one (`over`) if that is named: pulled towards the mean of all
    accounts as if so many (`prior`) had been counted before, as shares of few say little."""

    column: Column
    over: Column | None = None
    prior: Annotated[float, Field(ge=0, le=10_000)] = 0

    def value(self, record: Record, day: date, mean: float | None = None) -> float | None:
        of = number(record.cells.get(self.column))
        if self.over is None or of is None:
            return of
        whole = number(record.cells.get(self.over))
        if whole is None or whole + self.prior <= 0:
            return None
        return (of + self.prior * (mean or 0)) / (whole + self.prior)


class OfCategory(Received):
    """A cell of the account's row as a word."""

    category: Column


class DaysSince(Received):
    """Days from a day in the account's row; negative for one that is still to come."""

    days_since: Column

    def value(self, record: Record, day: date, mean: float | None = None) -> float | None:
        found = record.days.get(self.days_since)
        return None if found is None else float((day - found).days)


class Rows(Received):
    """A figure of the rows of a table before the day, or of the `within` days before it."""

    table: Name
    take: Literal["count", "sum", "mean", "distinct", "share", "days_since_last", "days_since_first", "months"]
    of: Column | None = None
    times: Column | None = None
    equals: str | None = None
    within: Annotated[int, Field(ge=1, le=3650)] | None = None
    change: bool = False
    """against as many days before those: -1 for nothing left, 1 for twice as much"""

    def value(self, record: Record, day: date, mean: float | None = None) -> float | None:
        now = self._of(record.before(self.table, day, self.within), day)
        if not self.change:
            return now
        then = self._of(record.before(self.table, day, self.within, skip=self.within or 0), day)
        return None if now is None or not then else now / then - 1

    def _of(self, rows: Sequence[Happening], day: date) -> float | None:
        match self.take:
            case "count":
                return float(len(rows))
            case "distinct":
                return float(len({row.cells.get(self.of or "") for row in rows}))
            case "months":
                return float(len({(row.day.year, row.day.month) for row in rows}))
            case "days_since_last":
                return float((day - rows[-1].day).days) if rows else None
            case "days_since_first":
                return float((day - rows[0].day).days) if rows else None
            case "share":
                return sum(row.cells.get(self.of or "") == self.equals for row in rows) / len(rows) if rows else None
        amounts = [amount for row in rows if (amount := self._amount(row)) is not None]
        if self.take == "mean":
            return sum(amounts) / len(amounts) if amounts else None
        return sum(amounts)

    def _amount(self, row: Happening) -> float | None:
        amount = number(row.cells.get(self.of or ""))
        factor = 1.0 if self.times is None else number(row.cells.get(self.times))
        return None if amount is None or factor is None else amount * factor


class Ratio(Received):
    """One figure divided by another; null where that is zero."""

    ratio: tuple[Numeric, Numeric]

    def value(self, record: Record, day: date, mean: float | None = None) -> float | None:
        above, below = (one.value(record, day) for one in self.ratio)
        return None if above is None or not below else above / below


def _kind(value: Any) -> str | None:
    named = value if isinstance(value, Mapping) else getattr(value, "__dict__", {})
    for key in ("category", "ratio", "table", "days_since", "column"):
        if key in named:
            return key
    return None


Numeric = Annotated[
    Annotated[OfColumn, Tag("column")]
    | Annotated[DaysSince, Tag("days_since")]
    | Annotated[Rows, Tag("table")]
    | Annotated[Ratio, Tag("ratio")],
    Discriminator(_kind),
]
Figure = Annotated[
    Annotated[OfColumn, Tag("column")]
    | Annotated[OfCategory, Tag("category")]
    | Annotated[DaysSince, Tag("days_since")]
    | Annotated[Rows, Tag("table")]
    | Annotated[Ratio, Tag("ratio")],
    Discriminator(_kind),
]
Ratio.model_rebuild()

Value = float | str | None
"""A figure: a number, a word, or null where nothing is known."""


def figures(wanted: Mapping[str, Figure], records: Sequence[Record], day: date) -> list[dict[str, Value]]:
    """The wanted figures of each account as of `day`, by their names."""
    means = {name: _mean(one, records) for name, one in wanted.items()}
    return [
        {
            name: (record.cells.get(one.category) or None)
            if isinstance(one, OfCategory)
            else one.value(record, day, means[name])
            for name, one in wanted.items()
        }
        for record in records
    ]


def _mean(one: Figure, records: Sequence[Record]) -> float | None:
    """The share over all accounts, towards which the share of one with few is pulled."""
    if not isinstance(one, OfColumn) or one.over is None or not one.prior:
        return None
    of = sum(number(record.cells.get(one.column)) or 0 for record in records)
    whole = sum(number(record.cells.get(one.over)) or 0 for record in records)
    return of / whole if whole else None
