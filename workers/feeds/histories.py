"""Histories of accounts from files: how rows become accounts as of a day, and what became of them, by the mapping of a profile."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path

from domain.success.figures import DaysSince, Happening, OfCategory, OfColumn, Record, Rows, figures
from domain.success.proof import Seen
from workers.feeds.errors import FeedError
from workers.feeds.files import Layout, guess_delimiter, read_header
from workers.feeds.history_mapping import EVENTS, BacktestProfile, HowRead, Via, parts_of
from workers.feeds.mapping_file import data_rows

_QUARTER = re.compile(r"(\d{4})\s*-?\s*Q([1-4])", re.IGNORECASE)


@dataclass
class History:
    """What a file holds: accounts as of days with what became of them, and what was left aside, in words."""

    seen: list[Seen]
    aside: dict[str, int] = field(default_factory=dict)


def read_history(
    profile: BacktestProfile, file: Path, labels: Path | None = None, days: Sequence[date] = ()
) -> History:
    """The accounts in `file` as of each day, with what became of them by the file itself or by `labels`.

    `days`: as of which days, for events; else the day after the latest one, or without labels the last day after which the
    whole of `left.days` lies in the file. Only what happened before a day counts for its figures.

    Raises FeedError for a file, a column or a label that cannot be used.
    """
    how = profile.read
    reader = _Reader(profile, _main_file(file, how))
    aside: dict[str, int] = defaultdict(int)
    given = _Labels(labels, how) if labels else None
    tables = {name: reader.table(name, aside) for name in how.tables}
    cohorts = reader.cohorts(tables, given, days, aside)
    seen: list[Seen] = []
    for day, records in sorted(cohorts.items()):
        rows = figures({one.name: one.value for one in profile.inputs}, [record for record, _ in records], day)
        active = reader.active([record for record, _ in records], day)
        seen += [
            Seen(record.account, day, values, left, still)
            for (record, left), values, still in zip(records, rows, active, strict=True)
        ]
    if not seen:
        what = "; ".join(f"{many} {why}" for why, many in aside.items()) or "it has no rows"
        raise FeedError(f"no account of {file} can be tried: {what}")
    return History(seen, dict(aside))


def _main_file(file: Path, how: HowRead) -> Path:
    """The file itself; of a folder the one file that has the account's column and the label's."""
    if not file.is_dir():
        return file
    wanted = {how.account, *([how.left.column] if how.left.table is None else [])}
    for place in sorted(file.glob("*.csv*")):
        header = read_header(place, how.layout_of_file)
        if wanted <= set(header) and len(set(header)) == len(header):
            return place
    raise FeedError(f"no file in {file} has the columns {', '.join(sorted(wanted))}")


class _Reader:
    """One file, and the tables beside it."""

    def __init__(self, profile: BacktestProfile, file: Path) -> None:
        self._profile, self._how, self._file = profile, profile.read, file
        self._parts = [part for one in profile.inputs for part in parts_of(one.value)]
        if self._how.active is not None:
            self._parts += parts_of(self._how.active.value)

    def table(self, name: str, aside: dict[str, int]) -> dict[str, list[Happening]]:
        """The rows of a table by account, in the order of their days."""
        table = self._how.tables[name]
        place = self._beside(table.file) if table.file else self._file
        if place is None:
            aside[f"tables missing: no {table.file} beside {self._file.name}"] += 1
            return {}
        cells = self._cells_of(name)
        leads = self._leads(table.via) if table.via else None
        without = {column: re.compile(pattern) for column, pattern in table.without.items()}
        found: dict[str, list[Happening]] = defaultdict(list)
        for row in self._rows(place, {table.account, table.day, *cells, *without}):
            account = row[table.account] if leads is None else leads.get(row[table.account], "")
            if not account:
                aside[f"rows of {place.name} without an account"] += 1
            elif any(pattern.search(row[column]) for column, pattern in without.items()):
                aside[f"rows of {place.name} that do not count"] += 1
            elif (day := self._day(row[table.day])) is None:
                aside[f"rows of {place.name} without a day"] += 1
            else:
                found[account].append(Happening(day, {cell: row[cell] for cell in cells}))
        for rows in found.values():
            rows.sort(key=lambda row: row.day)
        return found

    def cohorts(
        self,
        tables: Mapping[str, Mapping[str, list[Happening]]],
        given: _Labels | None,
        days: Sequence[date],
        aside: dict[str, int],
    ) -> dict[date, list[tuple[Record, bool]]]:
        """The accounts of each day, with whether they left."""
        if self._how.layout == EVENTS:
            return self._of_events(tables, given, days, aside)
        how, needs = self._how, self._row_columns()
        cohorts: dict[date, list[tuple[Record, bool]]] = defaultdict(list)
        latest = max((rows[-1].day for table in tables.values() for rows in table.values()), default=None)
        header = self._header(self._file)
        labelled = given is None and how.left.column in header
        if given is None and not labelled:
            raise FeedError(
                f"{self._file} has no column {how.left.column!r} that says who left; give --labels FILE, or a profile that names it"
            )
        columns = needs | ({how.left.column} if labelled else set())
        for row in self._rows(self._file, columns):
            account = row[how.account]
            day = self._as_of(row, latest)
            if not account or day is None:
                aside["rows without an account or a day"] += 1
                continue
            left = self._is_left(row[how.left.column]) if given is None else given.of(account, row)
            if left is None:
                aside["rows without a label"] += 1
                continue
            dated = {
                part.days_since: self._day(row[part.days_since]) for part in self._parts if isinstance(part, DaysSince)
            }
            own = {name: its for name, table in tables.items() if (its := table.get(account))}
            cohorts[day].append((Record(account, row, dated, own), left))
        return cohorts

    def _of_events(
        self,
        tables: Mapping[str, Mapping[str, list[Happening]]],
        given: _Labels | None,
        days: Sequence[date],
        aside: dict[str, int],
    ) -> dict[date, list[tuple[Record, bool]]]:
        events, how = tables[EVENTS], self._how
        if not events:
            return {}
        latest = max(rows[-1].day for rows in events.values()) + timedelta(days=1)
        outcome = tables[how.left.table or EVENTS]
        chosen = sorted(days) or [latest if given else latest - timedelta(days=how.left.days)]
        cohorts: dict[date, list[tuple[Record, bool]]] = defaultdict(list)
        for day in chosen:
            if given is None and day + timedelta(days=how.left.days) > latest:
                raise FeedError(
                    f"{how.left.days} days from {day} do not lie in {self._file}, which ends before {latest}; give --labels FILE"
                )
            for account, rows in events.items():
                if rows[0].day >= day:
                    continue
                if given is None:
                    until = day + timedelta(days=how.left.days)
                    left: bool | None = not any(day <= row.day < until for row in outcome.get(account, ()))
                else:
                    left = given.of(account, {how.account: account})
                if left is None:
                    aside["accounts without a label"] += 1
                    continue
                own = {name: its for name, table in tables.items() if (its := table.get(account))}
                cohorts[day].append((Record(account, tables=own), left))
        return cohorts

    def active(self, records: Sequence[Record], day: date) -> list[bool | None]:
        """Who is still active, as far as the profile says how that is seen."""
        if (rule := self._how.active) is None:
            return [None] * len(records)
        found = [row["active"] for row in figures({"active": rule.value}, records, day)]
        return [
            None
            if not isinstance(value, (int, float))
            else (rule.at_least is None or value >= rule.at_least) and (rule.at_most is None or value <= rule.at_most)
            for value in found
        ]

    def _as_of(self, row: Mapping[str, str], latest: date | None) -> date | None:
        of = self._how.day
        if of.quarter is not None:
            if (found := _QUARTER.fullmatch(row[of.quarter].strip())) is None:
                return None
            months = int(found[1]) * 12 + 3 * int(found[2])
            return date(months // 12, months % 12 + 1, 1)
        if of.column is not None:
            return self._day(row[of.column])
        if of.day is not None:
            return of.day
        return latest + timedelta(days=1) if latest else None

    def _is_left(self, cell: str) -> bool | None:
        return None if not cell else cell.lower() in self._how.left.words

    def _row_columns(self) -> set[str]:
        """The columns of an account's own row that are needed."""
        of = self._how.day
        wanted = {self._how.account, *(one for one in (of.column, of.quarter) if one)}
        for part in self._parts:
            match part:
                case OfColumn():
                    wanted |= {part.column, *([part.over] if part.over else [])}
                case OfCategory():
                    wanted.add(part.category)
                case DaysSince():
                    wanted.add(part.days_since)
        return wanted

    def _cells_of(self, table: str) -> set[str]:
        rows = [part for part in self._parts if isinstance(part, Rows) and part.table == table]
        return {cell for part in rows for cell in (part.of, part.times) if cell}

    def _leads(self, via: Via) -> dict[str, str]:
        place = self._beside(via.file)
        return {row[via.key]: row[via.account] for row in self._rows(place, {via.key, via.account})} if place else {}

    def _beside(self, pattern: str) -> Path | None:
        return next(iter(sorted(self._file.parent.glob(pattern))), None)

    def _day(self, cell: str) -> date | None:
        return _read_day(cell, self._how.dates)

    def _header(self, place: Path) -> list[str]:
        return read_header(place, self._how.layout_of_file)

    def _rows(self, place: Path, columns: set[str]) -> Iterator[dict[str, str]]:
        """The rows of a file with these columns. Raises FeedError for a column that is not there."""
        header = self._header(place)
        if lacking := sorted(columns - set(header)):
            found = guess_delimiter(header)
            hint = f" (its delimiter seems to be {found!r}: say so in read.delimiter)" if found else ""
            raise FeedError(f"{place} has no column {lacking[0]!r}; it has {', '.join(header)}{hint}")
        at = [(name, header.index(name)) for name in sorted(columns)]
        for line, row in data_rows(place, self._how.layout_of_file):
            if not any(row):
                continue
            if len(row) != len(header):
                raise FeedError(
                    f"{place}, line {line}: {len(row)} fields where the header has {len(header)}; mend that line"
                )
            yield {name: row[place].strip() for name, place in at}


class _Labels:
    """Who left, from a file of its own: by the columns that it shares with the accounts, and the one that is left over."""

    def __init__(self, file: Path, how: HowRead) -> None:
        header = read_header(file)
        known = [name for name in (how.account, how.day.quarter, how.day.column) if name]
        keys = [name for name in header if name in known]
        if how.account not in keys:
            keys = [header[0], *keys]
        label = (
            how.left.column if how.left.column in header else next((n for n in reversed(header) if n not in keys), None)
        )
        if label is None:
            raise FeedError(f"{file} has no column that says who left; it needs {how.account} and {how.left.column}")
        self._keys = [how.account if name == header[0] and how.account not in header else name for name in keys]
        places, at = [header.index(name) for name in keys], header.index(label)
        rows = data_rows(file, Layout())
        self._left = {
            tuple(row[place].strip() for place in places): row[at].strip().lower() in how.left.words
            for _, row in rows
            if len(row) == len(header) and row[at].strip()
        }

    def of(self, account: str, row: Mapping[str, str]) -> bool | None:
        """Whether an account left; null if the file does not know it."""
        return self._left.get(tuple(row.get(key, "") if key in row else account for key in self._keys))


@cache
def _read_day(cell: str, formats: tuple[str, ...]) -> date | None:
    for one in formats:
        try:
            return datetime.strptime(cell, one).date()  # noqa: DTZ007
        except ValueError:
            continue
    return None
