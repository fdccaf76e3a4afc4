"""How a feed writes numbers, dates and yes or no. What its mapping leaves open and can be read in two ways is read in neither."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, model_validator

from domain.kernel.base import Received

YES = frozenset({"1", "true", "yes", "y", "x"})
NO = frozenset({"", "0", "false", "no", "n"})

_PLAIN = re.compile(r"[+-]?[0-9]{1,18}")
_ONE_MARK = re.compile(r"[+-]?([0-9]{1,18})([.,])([0-9]{1,12})")
_SPACES = "\u00a0\u2009\u202f"


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _usable(formats: tuple[str, ...]) -> tuple[str, ...]:
    for one in formats:
        # A sample, to see whether the format reads what it writes.
        sample = datetime(2026, 11, 28, 13, 45, 59, tzinfo=UTC)
        try:
            read = datetime.strptime(sample.strftime(one), one)  # noqa: DTZ007
        except ValueError as error:
            raise ValueError(f"{one!r} is no date format: {error}; use one such as %Y-%m-%d") from error
        if read.date() != sample.date():
            raise ValueError(f"{one!r} names no whole date; use one such as %Y-%m-%d")
    return formats


DateFormats = Annotated[
    tuple[Annotated[str, StringConstraints(min_length=2)], ...],
    Field(min_length=1, max_length=10),
    AfterValidator(_usable),
    BeforeValidator(_as_list),
]
"""One format, or several that a feed mixes."""

Word = Annotated[str, StringConstraints(min_length=1, max_length=40)]


class Spelling(Received):
    """How a feed writes its values. `decimal` is the mark before the decimals, `thousands` the one between groups of three digits;
    `yes` and `no` are words beside 1, true, yes, y, x and 0, false, no, n."""

    decimal: Literal[".", ","] | None = None
    thousands: Literal[".", ",", "'", " "] | None = None
    yes: tuple[Word, ...] = ()
    no: tuple[Word, ...] = ()

    @model_validator(mode="after")
    def _can_be_told_apart(self) -> Self:
        if self.thousands is not None and self.thousands == self.decimal:
            raise ValueError(f"decimal and thousands are both {self.decimal!r}; a number could be read in two ways")
        if both := {_word(one) for one in self.yes} & ({_word(one) for one in self.no} | NO):
            raise ValueError(f"{min(both)!r} would be yes and no; name it once")
        if both := {_word(one) for one in self.no} & YES:
            raise ValueError(f"{min(both)!r} would be yes and no; name it once")
        return self

    def number(self, text: str) -> Decimal:
        """A number of the feed. Raises ValueError that says what would be right."""
        return _number(text, self._mark(), self.thousands)

    def whole(self, text: str) -> int:
        """A whole number of the feed. Raises ValueError that says what would be right."""
        number = self.number(text)
        if number != number.to_integral_value():
            raise ValueError(f"{text!r} is no whole number")
        return int(number)

    def flag(self, text: str) -> bool:
        """A yes or no of the feed. Raises ValueError that says which words there are."""
        word = _word(text)
        if word in YES or word in {_word(one) for one in self.yes}:
            return True
        if word in NO or word in {_word(one) for one in self.no}:
            return False
        raise ValueError(f"{text!r} is neither yes nor no; add it to `yes` or `no` of the mapping")

    def _mark(self) -> str | None:
        """What comes before the decimals, as far as the mapping says; where thousands are points it can only be a comma."""
        other = {".": ",", ",": "."}
        return self.decimal or other.get(self.thousands or "")


def _word(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().casefold()


_FULL_WIDTH = {0xFF01 + n: 0x21 + n for n in range(0x7E - 0x21 + 1)} | {0x3000: 0x20}


def plain(text: str) -> str:
    """Text with full-width digits and marks as the usual ones. Raised, lowered and circled digits are none: they mark a footnote."""
    return text.translate(_FULL_WIDTH).strip()


@lru_cache(maxsize=65_536)
def _number(text: str, mark: str | None, thousands: str | None) -> Decimal:
    written = plain(text)
    if thousands == " ":
        written = written.translate(dict.fromkeys(map(ord, _SPACES), " "))
    if thousands == "'":
        written = written.replace("\u2019", "'")
    if _PLAIN.fullmatch(written):
        return Decimal(written)
    if mark is None and thousands is None:
        return _guessed(text, written)
    whole, found, decimals = written.partition(mark) if mark else (written, "", "")
    if found and not re.fullmatch(r"[0-9]{1,12}", decimals):
        raise ValueError(_says(text, mark, thousands))
    if thousands is not None and thousands in whole:
        between = re.escape(thousands)
        if not re.fullmatch(rf"[+-]?[1-9][0-9]{{0,2}}({between}[0-9]{{3}}){{1,5}}", whole):
            raise ValueError(_says(text, mark, thousands))
        whole = whole.replace(thousands, "")
    if not _PLAIN.fullmatch(whole):
        raise ValueError(_says(text, mark, thousands))
    return Decimal(f"{whole}.{decimals}" if found else whole)


def _guessed(text: str, written: str) -> Decimal:
    """A number of a feed whose mapping says nothing about marks: read if there is one way only, with a point before decimals."""
    found = _ONE_MARK.fullmatch(written)
    if found is None:
        raise ValueError(f"{text!r} is no number such as 12.50; say `decimal` and `thousands` in the mapping")
    whole, mark, rest = found.groups()
    grouped = len(rest) == 3 and len(whole) <= 3 and not whole.startswith("0")
    if grouped or mark == ",":
        raise ValueError(f"{text!r} can be read in two ways; say `decimal` and `thousands` in the mapping")
    return Decimal(written)


def _says(text: str, mark: str | None, thousands: str | None) -> str:
    grouped = f"12{thousands}345" if thousands else "12345"
    return f"{text!r} is no number such as {grouped}{mark}50" if mark else f"{text!r} is no number such as {grouped}"


@lru_cache(maxsize=65_536)
def parsed_date(text: str, formats: tuple[str, ...]) -> datetime:
    """A date, with its time and offset if the format has them, else on the feed's own clock.

    Raises ValueError if no format fits, or two do and differ.
    """
    written = plain(text)
    found: dict[datetime, str] = {}
    for one in formats:
        try:
            found.setdefault(datetime.strptime(written, one), one)  # noqa: DTZ007 - the feed's zone is applied later
        except ValueError:
            continue
    if not found:
        raise ValueError(f"{text!r} is no date of the form {' or '.join(formats)}")
    if len(found) > 1:
        ways = " or ".join(f"{at:%Y-%m-%d} ({one})" for at, one in found.items())
        raise ValueError(f"{text!r} can be read in two ways, as {ways}; keep one of the formats in the mapping")
    return next(iter(found))
