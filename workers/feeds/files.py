"""Text files of records, plain or gzipped: CSV rows and JSON lines, each with its line number."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple, TextIO, cast

from workers.feeds.errors import FeedError

_GZIP = b"\x1f\x8b"
_LONGEST_FIELD = 100_000
_DELIMITERS = ";\t|,"

ADDED = ("line", "reason", "explanation")
"""The columns that a rejects file has beside the original ones."""

_FORMULA = "=+-@\t\r"
_NUMBER = re.compile(r"[+-][0-9.,' ]*")


class Layout(NamedTuple):
    """How a CSV file is written."""

    encoding: str = "utf-8-sig"
    delimiter: str = ","


USUAL = Layout()

Numbered = tuple[int, list[str]]
"""The number of the line on which a record begins (the file's first is 1), and its fields."""


def guarded(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: such a one gets an apostrophe before it."""
    begins = cell.lstrip("'")[:1]
    return f"'{cell}" if begins and begins in _FORMULA and not _NUMBER.fullmatch(cell) else cell


def unguarded(cell: str) -> str:
    """The cell that `guarded` was given."""
    return cell[1:] if cell[:1] == "'" and guarded(cell[1:]) == cell else cell


@contextmanager
def open_text(file: Path, encoding: str = "utf-8-sig") -> Iterator[TextIO]:
    """The file's text, unpacked if it is gzipped. Raises FeedError for what is no text in `encoding`."""
    try:
        with file.open("rb") as raw:
            packed = raw.read(2) == _GZIP
            raw.seek(0)
            plain = cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if packed else raw
            with io.TextIOWrapper(plain, encoding=encoding, newline="") as text:
                yield text
    except UnicodeError as error:
        said = f"{file} is no text in {encoding} ({error}); save it so, or name its encoding in the mapping"
        raise FeedError(said) from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise FeedError(f"{file} is a damaged gzip file: {error}") from error
    except OSError as error:
        raise FeedError(f"{file} cannot be read: {error.strerror or error}") from error


def is_json_lines(file: Path) -> bool:
    """True if the file's first record is a JSON object. Raises FeedError for an empty or binary file."""
    with open_text(file) as text:
        try:
            start = text.read(4096).lstrip()
        except UnicodeError:
            return False  # perhaps a CSV in an encoding that its mapping names
    if "\x00" in start:
        raise FeedError(f"{file} holds binary data; it should be CSV or JSON Lines, plain or gzipped")
    if not start:
        raise FeedError(f"{file} is empty; it should have a header and lines")
    return start.startswith("{")


def read_header(file: Path, layout: Layout = USUAL) -> list[str]:
    """The names of a CSV file's columns."""
    _, header = next(csv_rows(file, layout), (0, []))
    names = [name.strip() for name in header]
    if not any(names):
        raise FeedError(f"{file} has no header; its first line should name the columns")
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise FeedError(f"{file} names the column {twice[0]!r} twice; each column needs a name of its own")
    return names


def csv_rows(file: Path, layout: Layout = USUAL) -> Iterator[Numbered]:
    """Every record of a CSV file, the header first; an empty line is a record without fields."""
    with open_text(file, layout.encoding) as text:
        reader = csv.reader(text, delimiter=layout.delimiter, strict=True)
        csv.field_size_limit(_LONGEST_FIELD)
        begins, guarded = 1, False
        try:
            for row in reader:
                if begins == 1:
                    guarded = set(ADDED) <= {name.strip() for name in row}
                yield begins, [unguarded(cell) for cell in row] if guarded else row
                begins = reader.line_num + 1
        except csv.Error as error:
            raise FeedError(f"{file} is no proper CSV at line {begins}: {error}; mend that line") from error


def json_rows(file: Path) -> Iterator[tuple[int, str]]:
    """Every line of a JSON Lines file."""
    with open_text(file) as text:
        for number, line in enumerate(text, start=1):
            yield number, line.strip()


def guess_delimiter(header: list[str]) -> str | None:
    """The character that seems to separate the columns of a header that was read as one column."""
    if len(header) != 1:
        return None
    return max((d for d in _DELIMITERS if d in header[0]), key=header[0].count, default=None)
