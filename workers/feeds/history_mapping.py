"""Mappings of histories: a health profile with how its figures, and who left, are read from a file and the tables beside it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import Field, model_validator

from domain.kernel.base import Received
from domain.success.figures import Column, Figure, Name, Ratio, Rows
from domain.success.profiles import HealthProfile
from workers.feeds.errors import FeedError
from workers.feeds.files import Layout
from workers.feeds.mapping_file import load_mapping

BUNDLED = Path(__file__).parent / "profiles"
EVENTS = "events"
"""The table that is made of the file itself where its rows are events."""

_YES = frozenset({"1", "1.0", "true", "yes", "y", "t"})


class DayOf(Received):
    """As of which day accounts are scored: a `column` of days, the first day after the `quarter` in a column (2017Q3), one `day`
    for all, or, where none is named, the day after the latest row."""

    column: Column | None = None
    quarter: Column | None = None
    day: date | None = None


class Left(Received):
    """Who left: by the words of a `column`, or whoever has no row in `table` for `days` days from the day on."""

    column: Column = "left"
    words: frozenset[str] = _YES
    table: Name | None = None
    days: Annotated[int, Field(ge=1, le=3650)] = 100


class Active(Received):
    """Who was still active on the day: whose figure is at least, or at most, so much."""

    value: Figure
    at_least: float | None = None
    at_most: float | None = None


class Table(Received):
    """Rows with days. `file`: beside the given one (a pattern such as `tickets*.csv*`; events: the given one). `account`: the column
    that names the account, or with `via` the row of another file that does. `without`: patterns of cells whose rows do not count."""

    file: str | None = None
    account: Column
    via: Via | None = None
    day: Column
    without: dict[Column, str] = {}


class Via(Received):
    """How a row finds its account: the `key` column of `file` holds what the row's own column holds, `account` the account."""

    file: str
    key: Column
    account: Column


class HowRead(Received):
    """How a file becomes accounts: `rows`, one for an account and a day, or `events`, of which an account has many."""

    layout: Literal["rows", "events"] = "rows"
    account: Column
    day: DayOf = DayOf()
    left: Left = Left()
    active: Active | None = None
    dates: Annotated[tuple[str, ...], Field(min_length=1)] = ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S")
    encoding: str = "utf-8-sig"
    delimiter: str = ","
    tables: dict[Name, Table] = {}

    @property
    def layout_of_file(self) -> Layout:
        """How the files are written."""
        return Layout(self.encoding, self.delimiter)

    @model_validator(mode="after")
    def _events_are_a_table(self) -> Self:
        if self.layout == "events" and EVENTS not in self.tables:
            raise ValueError("layout `events` needs a table named `events`: its account and its day")
        if self.left.table is not None and self.left.table not in self.tables:
            raise ValueError(f"left.table: there is no table {self.left.table!r}")
        return self


Table.model_rebuild()


class BacktestProfile(HealthProfile):
    """A profile of a health score, with how its figures are read from a file."""

    read: HowRead

    @model_validator(mode="after")
    def _tables_are_known(self) -> Self:
        for at, one in enumerate(self.inputs):
            for part in parts_of(one.value):
                if isinstance(part, Rows) and part.table not in self.read.tables:
                    raise ValueError(f"inputs[{at}].value: there is no table {part.table!r} in read.tables")
        return self


def bundled() -> list[str]:
    """The names of the profiles that are at hand."""
    return sorted(place.stem for place in BUNDLED.glob("*.yaml"))


def load_profile(named: str) -> BacktestProfile:
    """The profile of a name or in a YAML file. Raises FeedError that names each field that is wrong."""
    place = BUNDLED / f"{named}.yaml"
    if not place.is_file():
        place = Path(named)
        if not place.is_file():
            raise FeedError(f"there is no profile {named!r}; give a file, or one of {', '.join(bundled())}")
    return load_mapping(place, BacktestProfile)


def write_profile(profile: BacktestProfile, file: Path) -> None:
    """A profile as a YAML file that `load_profile` reads."""
    document = profile.model_dump(mode="json", exclude_defaults=True)
    file.write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=120), encoding="utf-8")


def parts_of(value: Figure) -> list[Any]:
    """A figure and those that it is made of."""
    return [value, *(part for one in value.ratio for part in parts_of(one))] if isinstance(value, Ratio) else [value]
