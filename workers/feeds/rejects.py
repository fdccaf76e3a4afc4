"""Lines that were not imported: why, and the file that gives them back to be mended and imported again."""

from __future__ import annotations

import csv
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from workers.feeds.errors import FeedError
from workers.feeds.files import ADDED, Layout, csv_rows, guarded, json_rows

_Value = TypeVar("_Value")


class Reason(StrEnum):
    """Why a line was rejected, as a word that programs may rely on."""

    MALFORMED = "malformed"
    """the wrong number of columns, no number, no date, no JSON"""
    NO_CUSTOMER = "no_customer"
    CANCELLED = "cancelled_order"
    NOT_A_PRODUCT = "not_a_product"
    RETURN = "return"
    """a quantity of zero or less"""
    NO_PRICE = "no_price"
    """a price of zero or less"""
    UNKNOWN_COUNTRY = "unknown_country"
    UNKNOWN_UNIT = "unknown_unit"
    DUPLICATE = "duplicate_line"
    UNKNOWN_STATE = "unknown_state"
    UNKNOWN_PRIORITY = "unknown_priority"
    MIXED_ORDER = "mixed_order"
    """the order's other lines name another customer"""
    SEGMENTS = "segments_not_valid"
    """a history that overlaps or leaves a gap"""
    PRORATION = "policy_not_valid"
    """a proration policy that nobody knows, or that contradicts itself"""
    MIXED_PRICE_BOOKS = "mixed_price_books"
    NO_CURRENCY = "money_without_currency"
    HISTORY = "history_not_valid"
    """a history that contradicts itself"""
    REFUSED = "refused"
    """the journey or the facts refused what the line belongs to"""


@dataclass(frozen=True, kw_only=True)
class FileReport:
    """What became of a file: `imported` and `rejected` lines make up `lines`."""

    file: str
    lines: int
    imported: int
    rejected: int
    reasons: dict[str, int]
    rejects_file: str
    seconds: float


class Reject(NamedTuple):
    """Why one line was rejected: the reason, and a sentence with what would be right."""

    reason: Reason
    says: str


class RejectedError(Exception):
    """A line, or what it belongs to, cannot be imported."""

    def __init__(self, reason: Reason, says: str) -> None:
        super().__init__(says)
        self.reject = Reject(reason, says)


def value(name: str, reader: Callable[[str], _Value], text: str) -> _Value:
    """What `reader` makes of a field's text. Raises RejectedError that names the field, where it raises ValueError."""
    try:
        return reader(text)
    except ValueError as error:
        raise RejectedError(Reason.MALFORMED, f"{name}: {error}") from error


class Work:
    """One import of `file`, from its first line to its report; lines that are not imported go to `place`.

    Raises FeedError if no rejects file can be written there: better before an import than after it.
    """

    def __init__(self, file: Path, place: Path) -> None:
        check_writable(place)
        self._file, self._place, self._began = file, place, time.monotonic()

    def ended(
        self, lines: int, imported: int, rejects: Mapping[int, Reject], layout: Layout | None = None
    ) -> dict[str, Any]:
        """Writes the rejects file, as CSV in `layout` or as JSON Lines; what every report of a file says."""
        if imported + len(rejects) != lines:
            raise AssertionError(f"{imported} imported + {len(rejects)} rejected is not {lines} lines")
        if layout is None:
            _write_json_rejects(self._place, self._file, rejects)
        else:
            _write_csv_rejects(self._place, self._file, rejects, layout)
        return {
            "file": str(self._file),
            "lines": lines,
            "imported": imported,
            "rejected": len(rejects),
            "reasons": by_reason(rejects.values()),
            "rejects_file": str(self._place),
            "seconds": round(time.monotonic() - self._began, 1),
        }


def check_writable(place: Path) -> None:
    """Raises FeedError if no rejects file can be written at `place`: better before an import than after it."""
    if place.is_dir() or not os.access(place if place.exists() else place.parent, os.W_OK):
        raise FeedError(f"the rejects file {place} cannot be written; name another place with --rejects")


def _write_csv_rejects(place: Path, source: Path, rejects: Mapping[int, Reject], layout: Layout) -> None:
    """The rejected lines of `source` as CSV that can be imported again: its own columns, and those of `ADDED`."""
    encoding, delimiter = layout
    rows = csv_rows(source, layout)
    _, header = next(rows)
    kept = [n for n, name in enumerate(header) if name.strip() not in ADDED]
    draft = place.with_name(f".{place.name}.part")
    with draft.open("w", encoding=encoding.removesuffix("-sig"), newline="") as out:
        writer = csv.writer(out, delimiter=delimiter, lineterminator="\n")
        writer.writerow([*(header[n] for n in kept), *ADDED])
        for line, row in rows:
            if reject := rejects.get(line):
                cells = [*_fitted(row, header, kept, delimiter), str(line), reject.reason.value, reject.says]
                writer.writerow([guarded(cell) for cell in cells])
    draft.replace(place)


def _fitted(row: list[str], header: list[str], kept: list[int], delimiter: str) -> list[str]:
    """As many fields as there are columns: missing ones are empty, those beyond the last column are joined to it."""
    if len(row) == len(header):
        return [row[n] for n in kept]
    width = len(kept)
    short = row[:width] + [""] * (width - len(row))
    return short if len(row) <= width else [*row[: width - 1], delimiter.join(row[width - 1 :])]


def _write_json_rejects(place: Path, source: Path, rejects: Mapping[int, Reject]) -> None:
    """The rejected lines of `source` as JSON Lines that can be imported again: each record inside its reason."""
    draft = place.with_name(f".{place.name}.part")
    with draft.open("w", encoding="utf-8") as out:
        for line, text in json_rows(source):
            if reject := rejects.get(line):
                record = {
                    "line": line,
                    "reason": reject.reason.value,
                    "explanation": reject.says,
                    "record": _value(text),
                }
                out.write(json.dumps(record, ensure_ascii=False) + "\n")
    draft.replace(place)


def _value(text: str) -> Any:
    with suppress(ValueError):
        return unwrapped(json.loads(text))
    return text


def unwrapped(document: Any) -> Any:
    """The record itself, where a line comes from a rejects file."""
    if isinstance(document, dict) and "record" in document and set(document) <= {*ADDED, "record"}:
        return document["record"]
    return document


def by_reason(rejects: Iterable[Reject]) -> dict[str, int]:
    """How many lines were rejected for each reason, the commonest first."""
    counts: dict[str, int] = {}
    for reject in rejects:
        counts[reject.reason.value] = counts.get(reject.reason.value, 0) + 1
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
