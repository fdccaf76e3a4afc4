"""Refusals: what is said to a sender whose request cannot be done, with the field and what would be right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from domain.model import Carried


class Problem(Carried):
    """One thing that is wrong: the `field` as a path (`contracts[0].lines[1].quantity`), and a sentence that says what would be right."""

    field: str
    problem: str

    def __str__(self) -> str:
        return f"{self.field}: {self.problem}"


class Refusal(Exception):  # noqa: N818 - the word of the domain: a refused request is no error of ours
    """A request that is refused with nothing written. `type` is a word from a closed list that programs may rely on."""

    def __init__(self, type: str, message: str, problems: Sequence[Problem] = ()) -> None:
        self.type = type
        self.problems = tuple(problems)
        listed = "; ".join(str(problem) for problem in self.problems)
        super().__init__(f"{message}: {listed}" if listed else message)

    @classmethod
    def from_validation(cls, type: str, message: str, error: ValidationError) -> Refusal:
        """The refusal that says what pydantic found, field by field."""
        return cls(type, message, [Problem(field=_path(e["loc"]), problem=_sentence(dict(e))) for e in error.errors()])


INVALID_ORDER = "InvalidOrder"
INVALID_REQUEST = "InvalidRequest"
ORDER_CONFLICT = "OrderConflict"
UNKNOWN_PRODUCT = "UnknownProduct"
NOT_ALLOWED = "NotAllowed"
JOURNEY_CLOSED = "JourneyClosed"


def _path(location: tuple[int | str, ...]) -> str:
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else str(part)
    return path or "the whole document"


_SENTENCES = {
    "missing": "is missing",
    "extra_forbidden": "is not a field of this document; remove it or check its spelling",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "date_from_datetime_inexact": "must be a date such as 2027-03-31, without a time",
    "timezone_aware": "must be an instant with its offset, such as 2027-03-31T09:00:00+09:00",
}


def _sentence(error: dict[str, Any]) -> str:
    said = _SENTENCES.get(error["type"], str(error["msg"]).removeprefix("Value error, "))
    given = error.get("input")
    if error["type"] in ("missing", "value_error") or not isinstance(given, str | int | float | bool):
        return said
    return f"{said} (got {str(given)[:60]!r})"
