"""Usage figures from a file: CSV or JSON Lines of account_id, product, day, active_users, and what else a product knows."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from domain.kernel.refusals import Refusal
from domain.success.usage import UsageRow
from gateway.client import PerennialClient
from workers.feeds.errors import FeedError
from workers.feeds.files import USUAL, is_json_lines, json_rows, read_header
from workers.feeds.importing import CONCURRENCY, READING, Progress, side_by_side, unseen
from workers.feeds.mapping_file import data_rows, fields_of, malformed
from workers.feeds.rejects import FileReport, Reason, Reject, RejectedError, Work, unwrapped
from workers.feeds.spelling import plain

COLUMNS = tuple(name for name, field in UsageRow.model_fields.items() if field.is_required())
OTHERS = tuple(name for name in UsageRow.model_fields if name not in COLUMNS)
"""columns that a file may have besides"""
_COUNTS = frozenset({"active_users", "invited_users", "activated_users", "key_actions", "units"})
IMPORTING = "importing usage"


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
    layout = None if is_json_lines(file) else USUAL
    refused: dict[int, Reject] = {}
    accounts: dict[str, dict[int, UsageRow]] = defaultdict(dict)
    lines = 0
    for line, record in _csv_records(file) if layout else _json_records(file):
        lines += 1
        try:
            row = record if isinstance(record, Reject) else UsageRow.model_validate(record)
        except ValidationError as error:
            row = malformed(error)
        if isinstance(row, Reject):
            refused[line] = row
        else:
            accounts[row.account_id][line] = row
    progress(READING, lines, lines)
    told = done = 0

    async def record_one(rows: dict[int, UsageRow]) -> None:
        nonlocal told, done
        told += await _record(client, await _of_days_that_have_come(client, rows, refused), refused)
        done += 1
        progress(IMPORTING, done, len(accounts))

    await side_by_side(accounts.values(), record_one, CONCURRENCY)
    return UsageReport(
        **work.ended(lines, lines - len(refused), refused, layout),
        accounts=len(accounts),
        journeys_told=told,
        kept_for=tuple(await client.unknown_accounts(list(accounts))),
    )


async def _of_days_that_have_come(
    client: PerennialClient, rows: dict[int, UsageRow], refused: dict[int, Reject]
) -> dict[int, UsageRow]:
    """One account's figures without those of days that are still to come, which are refused with what to do."""
    latest = max(row.day for row in rows.values())
    last = await client.last_reportable(next(iter(rows.values())).account_id, latest)
    for line, row in rows.items():
        if row.day > last:
            says = f"day: {row.day} is still to come; import it again once it has begun (the last one is {last})"
            refused[line] = Reject(Reason.REFUSED, says)
    return {line: row for line, row in rows.items() if row.day <= last}


async def _record(client: PerennialClient, rows: dict[int, UsageRow], refused: dict[int, Reject]) -> int:
    """One account's figures in one transaction; if they are refused together, each product's alone."""
    if not rows:
        return 0
    try:
        return await client.record_usage(list(rows.values()))
    except Refusal as refusal:
        products = sorted({row.product for row in rows.values()})
        if len(products) == 1:
            refused.update(dict.fromkeys(rows, Reject(Reason.REFUSED, str(refusal))))
            return 0
    told = 0
    for product in products:
        told += await _record(client, {line: row for line, row in rows.items() if row.product == product}, refused)
    return told


def _csv_records(file: Path) -> Iterator[tuple[int, Any]]:
    header = read_header(file)
    if missing := [name for name in COLUMNS if name not in header]:
        raise FeedError(
            f"{file} has no column {missing[0]!r}; it needs {', '.join(COLUMNS)} and has {', '.join(header)}"
        )
    at = {name: header.index(name) for name in (*COLUMNS, *OTHERS) if name in header}
    for line, row in data_rows(file, USUAL):
        try:
            yield line, _with_number(fields_of(row, len(header), at))
        except RejectedError as error:
            yield line, error.reject


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
