"""Mapping files: which column of a file holds what. One way to read them, to find the one that fits, and to read rows by it.

They are YAML in which yes, no, on and off are words, as they are in a feed; true and false alone are not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, TypeVar

import yaml
from pydantic import AfterValidator, BaseModel, StringConstraints, ValidationError

from activities.kernel.yaml_words import Words
from domain.kernel.base import Received
from domain.kernel.refusals import Refusal
from workers.feeds.errors import FeedError
from workers.feeds.files import Layout, csv_rows, guess_delimiter, read_header
from workers.feeds.rejects import Reason, Reject, RejectedError

BUNDLED = Path(__file__).parent / "mappings"

Column = Annotated[str, StringConstraints(min_length=1)]


def filled(*placeholders: str, all_alike: str) -> AfterValidator:
    """Checks a template: it holds the last of `placeholders`, without which `all_alike` would be the same, and no others."""

    def check(template: str) -> str:
        try:
            first, second = (template.format(**dict.fromkeys(placeholders, "x") | {placeholders[-1]: n}) for n in "12")
        except (KeyError, IndexError, ValueError) as error:
            known = " and ".join(f"{{{name}}}" for name in placeholders)
            raise ValueError(f"{template!r} may hold {known} and no other placeholder") from error
        if first == second:
            raise ValueError(f"{template!r} must hold {{{placeholders[-1]}}}, or {all_alike} would be the same")
        return template

    return AfterValidator(check)


def _of_nobody(template: str) -> str:
    domain = template.rpartition("@")[2].lower()
    reserved = ("example", "test", "invalid", "localhost")
    if domain.rpartition(".")[2] not in reserved and domain not in ("example.com", "example.net", "example.org"):
        raise ValueError(
            f"addresses made up from ids must lie in a reserved domain such as customers.example, not in {domain!r}:"
            " a stranger could get the mail"
        )
    return template


OfNobody = AfterValidator(_of_nobody)
"""An address of which no stranger gets the mail."""


def pattern(text: str) -> str:
    """A regular expression, checked."""
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from error
    return text


def _known_encoding(name: str) -> str:
    try:
        "".encode(name)
    except LookupError as error:
        raise ValueError(f"unknown encoding {name!r}; use one such as utf-8 or cp1252") from error
    return name


class Columns(Received):
    """The file's column for each field; without one the field is left out, or holds for all lines."""

    def named(self) -> dict[str, str]:
        """Field to column, for those that the file has."""
        return {field: column for field, column in self.model_dump().items() if column is not None}


class CsvMapping(Received):
    """How a CSV file is written; its `columns` say where which field is."""

    title: str
    encoding: Annotated[str, AfterValidator(_known_encoding)] = "utf-8-sig"
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1, strip_whitespace=False)] = ","
    columns: Columns

    @property
    def layout(self) -> Layout:
        return Layout(self.encoding, self.delimiter)

    def needed(self) -> dict[str, str]:
        """Where the mapping names a column to the column."""
        return {f"columns.{field}": column for field, column in self.columns.named().items()}


_Model = TypeVar("_Model", bound=BaseModel)
_Csv = TypeVar("_Csv", bound=CsvMapping)


def load_mapping(file: Path, model: type[_Model]) -> _Model:
    """The mapping in a YAML file. Raises FeedError that names each field that is wrong."""
    try:
        return model.model_validate(yaml.load(file.read_text(encoding="utf-8"), Loader=Words))
    except (OSError, UnicodeError, yaml.YAMLError) as error:
        raise FeedError(f"the mapping {file} cannot be read: {error}") from error
    except ValidationError as error:
        refusal = Refusal.from_validation("InvalidMapping", f"the mapping {file} is wrong", error)
        raise FeedError(str(refusal)) from error


def fitting(file: Path, model: type[_Csv], chosen: Path | None, bundled: Path = BUNDLED) -> tuple[_Csv, list[str]]:
    """The mapping to read `file` by, and the file's header: the chosen one, or the one in `bundled` that knows its columns."""
    if chosen is not None:
        mapping = load_mapping(chosen, model)
        header = read_header(file, mapping.layout)
        for place, column in mapping.needed().items():
            if column not in header:
                said = f"{place}: {file} has no column {column!r}; it has {', '.join(header)}{_hint(header)}"
                raise FeedError(said)
        return mapping, header
    header = read_header(file)
    for known in sorted(bundled.glob("*.yaml")):
        mapping = load_mapping(known, model)
        if set(mapping.needed().values()) <= set(header):
            return mapping, header
    raise FeedError(
        f"no known feed has the columns of {file}: {', '.join(header)}{_hint(header)}."
        " Give a mapping with --mapping that says what each column holds"
    )


def _hint(header: list[str]) -> str:
    found = guess_delimiter(header)
    return (
        f" (one column; its delimiter seems to be {found!r}, so say so in the mapping's `delimiter`)" if found else ""
    )


def data_rows(file: Path, layout: Layout) -> Iterator[tuple[int, list[str]]]:
    """Every line of a CSV file below its header."""
    rows = csv_rows(file, layout)
    next(rows)
    return rows


def fields_of(row: list[str], width: int, places: Mapping[str, int]) -> dict[str, str]:
    """A row's fields by name. Raises RejectedError for a row that does not have as many columns as its header."""
    if len(row) != width:
        said = f"{len(row)} columns instead of {width}" if row else "the line is empty"
        raise RejectedError(Reason.MALFORMED, said)
    return {name: row[place].strip() for name, place in places.items()}


def malformed(error: ValidationError) -> Reject:
    """What is wrong with a record, field by field."""
    problems = Refusal.from_validation("", "", error).problems
    return Reject(Reason.MALFORMED, "; ".join(str(problem) for problem in problems))
