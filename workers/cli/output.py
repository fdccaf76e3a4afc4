"""How results look on a terminal: tables, facts, amounts and instants, each in one way; as JSON where that is asked for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table
from rich.text import Text

from domain.kernel.shown import words as words
from workers.cli.common import console

Json = Annotated[bool, typer.Option("--json", help="As JSON on standard output.")]

PLAIN: Mapping[str, Any] = {"box": None, "title_justify": "left", "pad_edge": False}
"""A table without lines, to stand between others."""


def print_json(value: Any) -> None:
    """One JSON document on standard output."""
    print(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def table(names: Iterable[str], rows: Iterable[Sequence[Any]] = (), **look: Any) -> Table:
    """A table of `rows`, in which markup is read of a `Text` alone.

    A name that begins with `>` is of a column of figures, one with `!` of ids that are never broken.
    """
    found = Table(*map(_column, names), **{"title_justify": "left", **look})
    for row in rows:
        found.add_row(*(value if isinstance(value, Text) else cell(value) for value in row))
    return found


def _column(name: str) -> Column:
    figures = name.startswith(">")
    whole = name.startswith((">", "!"))
    return Column(
        name.lstrip(">!"),
        justify="right" if figures else "left",
        no_wrap=whole,
        overflow="ellipsis" if whole else "fold",
    )


def cell(value: Any) -> str:
    """A value as it stands in a table; markup is not read in it."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else ""
        case int() | Decimal():
            return f"{value:,}"
        case datetime():
            return minute(value)
        case StrEnum():
            return value.value
        case _:
            return escape(str(value))


def show_table(names: Iterable[str], rows: Iterable[Sequence[Any]], nothing: str = "", **look: Any) -> None:
    """Prints a table of `rows`, or `nothing` where there are none."""
    rows = list(rows)
    if rows:
        console.print(table(names, rows, **look))
    elif nothing:
        console.print(nothing)


def show_part(names: Sequence[str], rows: Iterable[Sequence[Any]], on: Console = console, **look: Any) -> None:
    """Prints a part of a larger page: a table without lines after an empty one, if there is anything in it."""
    rows = list(rows)
    if rows:
        on.print()
        on.print(table(names, rows, **{"box": None, **look}))


def show_facts(facts: Mapping[str, Any], width: int) -> None:
    """Prints each fact that there is on a line of its own, after its name."""
    for name, value in facts.items():
        if said := cell(value).strip():
            console.print(f"[dim]{name:>{width}}[/dim]  {said}", soft_wrap=True, highlight=False)


def minute(at: datetime | None) -> str:
    """An instant to the minute, as its zone has it."""
    return f"{at:%Y-%m-%d %H:%M}" if at else ""


def day(at: date | None) -> str:
    """A day, also that of an instant."""
    return f"{at:%Y-%m-%d}" if at else ""


def span(left: timedelta) -> str:
    """How long until something is due, by the clock on the wall, or how late it is."""
    minutes = int(abs(left).total_seconds()) // 60
    days, hours = minutes // 1440, minutes // 60 % 24
    said = f"{days} d {hours} h" if days else f"{hours} h {minutes % 60} min"
    return f"in {said}" if left >= timedelta(0) else f"{said} late"
