"""Refusals: what is said to a sender whose request cannot be done, with the field and what would be right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from pydantic import ValidationError

from domain.kernel.base import Carried
from domain.kernel.rule_errors import RuleError
from domain.kernel.shown import counted


class Problem(Carried):
    """One thing that is wrong: the `field` as a path (`contracts[0].lines[1].quantity`), and a sentence that says what would be right."""

    field: str
    problem: str

    def __str__(self) -> str:
        return f"{self.field}: {self.problem}"


class MendableError(Exception):
    """What whoever runs the program can mend; the message says how. It is told in a sentence, without a traceback."""


class Refusal(Exception):  # noqa: N818 - the word of the domain: a refused request is no error of ours
    """A request that is refused with nothing written. `type` is a word from a closed list that programs may rely on."""

    def __init__(self, type: str, message: str, problems: Sequence[Problem] = ()) -> None:
        self.type = type
        self.problems = tuple(problems)
        listed = "; ".join(str(problem) for problem in self.problems)
        super().__init__(f"{message}: {listed}" if listed else message)

    @property
    def says(self) -> str:
        """The sentence without what it lists of fields."""
        listed = "; ".join(str(problem) for problem in self.problems)
        return str(self).removesuffix(f": {listed}") if listed else str(self)

    @classmethod
    def from_validation(cls, type: str, message: str, error: ValidationError) -> Refusal:
        """The refusal that says what pydantic found, field by field."""
        found = error.errors()
        # A list whose items are wrong is reported as too short as well; that is only an echo.
        inner = {e["loc"][:n] for e in found for n in range(1, len(e["loc"]))}
        shown = [e for e in found if not (e["type"] == "too_short" and e["loc"] in inner)]
        return cls(type, message, [Problem(field=_path(e["loc"]), problem=_sentence(dict(e))) for e in shown])

    @classmethod
    def of_characters(cls, type: str, message: str, document: Any) -> Refusal | None:
        """The refusal of a document whose texts no database keeps; null if all can be kept."""
        if _is_kept(document):
            return None
        problems = [Problem(field=_path(path), problem=_NOT_KEPT) for path in _not_kept(document, ())]
        return cls(type, message, problems) if problems else None


def refusal_of(error: RuleError) -> Refusal:
    """The refusal for what a rule forbids, by its code: `OverReduction` for `over_reduction`, and so on."""
    type = error.refused_as or "".join(word.capitalize() for word in error.code.split("_"))
    notes = getattr(error, "__notes__", [])
    said = f"{error} ({'; '.join(notes)})" if notes else str(error)
    return Refusal(type, said, [Problem(field=field, problem=right) for field, right in error.wrong.items()])


@contextmanager
def named_refusals() -> Iterator[None]:
    """Raises a refusal in place of a rule's error, unless a fact is wrong and not the request."""
    try:
        yield
    except RuleError as error:
        if error.wrong_fact:
            raise
        raise refusal_of(error) from error


INVALID_ORDER = "InvalidOrder"
INVALID_REQUEST = "InvalidRequest"
ORDER_CONFLICT = "OrderConflict"
UNKNOWN_PRODUCT = "UnknownProduct"
UNKNOWN_ACCOUNT = "UnknownAccount"
UNKNOWN_CASE = "UnknownCase"
UNKNOWN_MAIL = "UnknownMail"
UNKNOWN_TASK = "UnknownTask"
REQUEST_CONFLICT = "RequestConflict"
NOT_ALLOWED = "NotAllowed"
ACCOUNT_MERGED = "AccountMerged"
JOURNEY_CLOSED = "JourneyClosed"


_NOT_KEPT = "has a character that cannot be kept (the code 0, or half of a pair); remove it"


def _is_kept(document: Any) -> bool:
    """True for a document all of whose texts are kept, as nearly all are: it is asked of every line of every order."""
    parts = [document]
    for part in parts:
        if isinstance(part, str):
            if "\x00" in part or not (part.isascii() or _SURROGATES.isdisjoint(part)):
                return False
        elif isinstance(part, Mapping):
            parts.extend(part)
            parts.extend(part.values())
        elif isinstance(part, list | tuple):
            parts.extend(part)
    return True


def _not_kept(value: Any, path: tuple[int | str, ...]) -> Iterator[tuple[int | str, ...]]:
    """Where texts have such characters, names of fields as well."""
    if isinstance(value, str):
        if "\x00" in value or not (value.isascii() or _SURROGATES.isdisjoint(value)):
            yield path
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _not_kept(name, path)
            yield from _not_kept(inner, (*path, str(name)))
    elif isinstance(value, list | tuple):
        for n, inner in enumerate(value):
            yield from _not_kept(inner, (*path, n))


_SURROGATES = frozenset(map(chr, range(0xD800, 0xE000)))


def _path(location: tuple[int | str, ...]) -> str:
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return path or "the whole document"


_LIMITS = {
    "greater_than_equal": ("ge", "at least"),
    "less_than_equal": ("le", "at most"),
    "greater_than": ("gt", "more than"),
}
_LENGTHS = {
    "too_long": ("max_length", "at most"),
    "too_short": ("min_length", "at least"),
    "string_too_long": ("max_length", "at most"),
    "string_too_short": ("min_length", "at least"),
}

_A_DATE = "must be a date that there is, such as 2027-03-31"
_AN_INSTANT = "must be an instant that there is, with its offset, such as 2027-03-31T09:00:00+09:00"
_SENTENCES = {
    "missing": "is missing",
    "extra_forbidden": "is not a field of this document; remove it or check its spelling",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "bool_type": "must be true or false",
    "decimal_parsing": 'must be a decimal number, written as a string such as "12.50"',
    "decimal_type": 'must be a decimal number, written as a string such as "12.50"',
    "string_type": "must be text",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "date_from_datetime_inexact": "must be a date such as 2027-03-31, without a time",
    "date_type": _A_DATE,
    "date_parsing": _A_DATE,
    "date_from_datetime_parsing": _A_DATE,
    "timezone_aware": _AN_INSTANT,
    "datetime_type": _AN_INSTANT,
    "datetime_parsing": _AN_INSTANT,
    "datetime_from_date_parsing": _AN_INSTANT,
    "datetime_object_invalid": _AN_INSTANT,
}


def in_words(message: str) -> str:
    """What pydantic says of a value, without words that mean something to programmers alone."""
    return message.removeprefix("Value error, ").replace("Input should be", "must be", 1)


def _sentence(error: dict[str, Any]) -> str:
    if error["type"] == "decimal_max_places":
        said = f"must have at most {counted(error['ctx']['decimal_places'], 'digit')} after the point"
    elif error["type"] in _LIMITS:
        name, words = _LIMITS[error["type"]]
        said = f"must be {words} {error['ctx'][name]}"
    elif error["type"] in _LENGTHS:
        name, words = _LENGTHS[error["type"]]
        what = "character" if error["type"].startswith("string") else "item"
        said = f"must have {words} {counted(error['ctx'][name], what)}"
    else:
        said = _SENTENCES.get(error["type"], in_words(str(error["msg"])))
    given = error.get("input")
    if error["type"] in ("missing", "value_error") or not isinstance(given, str | int | float | bool):
        return said
    return f"{said} (got {str(given)[:60]!r})"
