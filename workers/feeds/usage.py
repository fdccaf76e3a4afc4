"""Usage figures from a file: CSV or JSON Lines of account_id, product, day, active_users, and what else a product knows."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from domain.kernel.refusals import Refusal
from domain.success.usage import UsageRow
from gateway.client import PerennialClient
from gateway.usage_batches import NOT_SAID, Pair
from workers.feeds.errors import FeedError
from workers.feeds.files import USUAL, is_json_lines, json_rows, read_header
from workers.feeds.importing import READING, Progress, unseen
from workers.feeds.mapping_file import data_rows, fields_of, malformed
from workers.feeds.rejects import FileReport, Reason, Reject, RejectedError, Work, unwrapped
from workers.feeds.spelling import plain
from workers.feeds.usage_spool import Reporter, UsageSpool

COLUMNS = tuple(name for name, field in UsageRow.model_fields.items() if field.is_required())
OTHERS = tuple(name for name in UsageRow.model_fields if name not in COLUMNS)
"""columns that a file may have besides"""
_COUNTS = frozenset({"active_users", "invited_users", "activated_users", "key_actions", "units"})
IMPORTING = "importing usage"
_DIGITS = 9
"""Of a count that may be too large."""
_OFTEN = 20_000
"""Lines after which those in hand are laid aside."""


@dataclass(frozen=True, kw_only=True)
class UsageReport(FileReport):
    """What became of a file. `journeys_told`: whose use crossed a threshold; `kept_for`: accounts without an order yet."""

    accounts: int
    journeys_told: int
    kept_for: tuple[str, ...] = ()


async def import_usage(
    client: PerennialClient, file: Path, *, rejects: Path, progress: Progress = unseen
) -> UsageReport:
    """Every line of `file` becomes a usage figure, or a line of `rejects`. A later figure for the same day counts.

    Raises FeedError before anything is written if the file cannot be used.
    """
    work = Work(file, rejects)
    with closing(_Feed(file, await client.last_reportable("", date.min))) as feed:
        feed.read(progress)
        await _of_days_that_have_come(client, feed)
        accounts = list(dict.fromkeys([*feed.spool.accounts, *feed.later]))
        told = await _record(client, feed, len(accounts), progress)
    return UsageReport(
        **work.ended(feed.lines, feed.lines - len(feed.refused), feed.refused, USUAL if feed.header else None),
        accounts=len(accounts),
        journeys_told=told,
        kept_for=tuple(await client.unknown_accounts(accounts)),
    )


async def _record(client: PerennialClient, feed: _Feed, accounts: int, progress: Progress) -> int:
    """Writes the figures, a group of accounts after the other. Returns how many journeys were told."""
    told = done = 0
    refusals: dict[Pair, Refusal] = {}
    for group in feed.spool.groups:
        more, refused = await client.record_batch(group)
        told += more
        refusals.update(refused)
        done += len(group.accounts)
        progress(IMPORTING, done, accounts)
    feed.refuse(refusals)
    return told


class _Feed:
    """What a file says: the figures in a spool, and the lines that are none. `last`: the last day that has begun for everybody."""

    def __init__(self, file: Path, last: date) -> None:
        self._file, self._last = file, last
        self.header = None if is_json_lines(file) else _header(file)
        self.spool = UsageSpool([*COLUMNS, *(name for name in OTHERS if not self.header or name in self.header)])
        self.lines = 0
        self.refused: dict[int, Reject] = {}
        self.later: dict[str, dict[int, UsageRow]] = defaultdict(dict)
        """figures of days that have not begun for everybody, by account"""

    def close(self) -> None:
        """Forgets the figures."""
        self.spool.close()

    def read(self, progress: Progress) -> None:
        """Reads all of it."""
        for lines in self._read_csv(self.header) if self.header else self._read_json():
            self.lines = lines
            self.spool.put_down()
            progress(READING, lines, None)
        progress(READING, self.lines, self.lines)

    def _read_json(self) -> Iterator[int]:
        """Takes every line; says now and then, and at the end, how many those were."""
        lines = 0
        for line, record in _json_records(self._file):
            lines += 1
            self._take(line, record)
            if not lines % _OFTEN:
                yield lines
        yield lines

    def _read_csv(self, header: list[str]) -> Iterator[int]:
        """The same of CSV, of which most lines differ from one before in their count alone: those need no more than a look."""
        places = _places(header)
        width, (account, product, on, users) = len(header), (places[name] for name in COLUMNS)
        others = [place for name, place in places.items() if name not in COLUMNS]
        nothing_else = f"\t{NOT_SAID}" * len(others)
        reporters: dict[tuple[str, str], Reporter] = {}
        days: dict[str, str] = {}
        lines = 0
        for line, row in data_rows(self._file, USUAL):
            lines += 1
            if not lines % _OFTEN:
                yield lines
            if len(row) == width and not (others and any(row[place] for place in others)):
                reporter, day, count = reporters.get((row[account], row[product])), days.get(row[on]), row[users]
                if reporter and day and count.isdecimal() and count.isascii() and len(count) < _DIGITS:
                    reporter.take(day, count + nothing_else if others else count)
                    continue
            if taken := self._take(line, _csv_record(row, width, places)):
                days[row[on]] = taken.day.isoformat()
                reporters[row[account], row[product]] = self.spool.reporter(taken.account_id, taken.product)
        yield lines

    def _take(self, line: int, record: Any) -> UsageRow | None:
        """The figure that was taken."""
        try:
            row = record if isinstance(record, Reject) else UsageRow.model_validate(record)
        except ValidationError as error:
            row = malformed(error)
        if isinstance(row, Reject):
            self.refused[line] = row
        elif row.day > self._last:
            self.later[row.account_id][line] = row
        else:
            self.spool.add(row)
            return row
        return None

    def refuse(self, refusals: Mapping[Pair, Refusal]) -> None:
        """Rejects the lines of these accounts and products."""
        rejects = {pair: Reject(Reason.REFUSED, str(refusal)) for pair, refusal in refusals.items()}
        for line, record in self._records() if rejects else ():
            pair = record["account_id"].strip(), record["product"].strip()
            if pair in rejects:
                self.refused[line] = rejects[pair]

    def _records(self) -> Iterator[tuple[int, Any]]:
        """The lines that were taken."""
        if self.header:
            width, places = len(self.header), _places(self.header)
            rows = data_rows(self._file, USUAL)
            return ((line, fields_of(row, width, places)) for line, row in rows if line not in self.refused)
        return ((line, record) for line, record in _json_records(self._file) if line not in self.refused)


async def _of_days_that_have_come(client: PerennialClient, feed: _Feed) -> None:
    """Takes what days have begun for the customers themselves; those that are still to come are refused with what to do."""
    for account_id, rows in feed.later.items():
        last = await client.last_reportable(account_id, max(row.day for row in rows.values()))
        for line, row in rows.items():
            if row.day > last:
                says = f"day: {row.day} is still to come; import it again once it has begun (the last one is {last})"
                feed.refused[line] = Reject(Reason.REFUSED, says)
            else:
                feed.spool.add(row)
    feed.spool.put_down()


def _header(file: Path) -> list[str]:
    header = read_header(file)
    if missing := [name for name in COLUMNS if name not in header]:
        raise FeedError(
            f"{file} has no column {missing[0]!r}; it needs {', '.join(COLUMNS)} and has {', '.join(header)}"
        )
    return header


def _places(header: list[str]) -> dict[str, int]:
    """Where each field stands, those that a file needs first."""
    return {name: header.index(name) for name in (*COLUMNS, *OTHERS) if name in header}


def _csv_record(row: list[str], width: int, places: Mapping[str, int]) -> Any:
    try:
        return _with_number(fields_of(row, width, places))
    except RejectedError as error:
        return error.reject


def _with_number(record: dict[str, Any]) -> dict[str, Any]:
    """A record of text with its counts as numbers; what is empty was not reported."""
    given = {name: text for name, text in record.items() if text or name in COLUMNS}
    given["day"] = plain(given["day"])
    for name in _COUNTS & given.keys():
        text = plain(given[name])
        if text.isascii() and text.isdigit():
            given[name] = int(text)
    return given


def _json_records(file: Path) -> Iterator[tuple[int, Any]]:
    for line, text in json_rows(file):
        try:
            yield line, unwrapped(json.loads(text))
        except ValueError as error:
            yield line, Reject(Reason.MALFORMED, f"no JSON: {error}")
