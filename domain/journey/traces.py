"""What names a person in a text, in whatever text it stands, and what is left of a document of which nothing may name anybody.

What somebody wrote is known again by its pieces, since others quote the beginning of it or a line.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

ERASED = "erased"
"""What stands where a word was."""
_PIECE = 24
_PIECE_OF_SIGNS = 10
"""Characters by which a quotation is known; fewer in scripts that say more with each."""
_SHORTEST, _SHORTEST_OF_SIGNS = 10, 5
"""Characters of a whole text by which it is known within another one; a shorter one is known where it stands alone."""
_PART = 3
"""Characters of a part of a name that goes by itself; fewer in scripts that say more with each."""
_BLANK = re.compile(r"\s+")
_INSTANT = re.compile(
    r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?|\d\d:\d\d(:\d\d)?|P[0-9YMWDTHS.]+"
)
_FIGURE = re.compile(r"-?(0|[1-9]\d{0,8})(\.\d{1,12})?%?|-?\d{1,20}\.\d{1,12}")
_NAMING = frozenset({"name", "email", "to_email", "phone", "phone_number", "sender", "subject", "body", "text", "said"})
"""Fields of documents whose texts go, whatever they look like."""


def even(text: str) -> str:
    """A text as it is compared: in small letters, each run of white space as one space."""
    return _BLANK.sub(" ", text).strip().casefold()


@dataclass(frozen=True)
class Traces:
    """What somebody is named by (`names`: whole names; `addresses`: mail addresses and phone numbers as written), and `texts` they wrote.
    `ids` stay where they stand alone."""

    names: Sequence[str] = ()
    addresses: Sequence[str] = ()
    texts: Sequence[str] = ()
    ids: Sequence[str] = ()

    def cleared(self, text: str) -> str:
        """The text without them: a name or an address is taken out of it, a quotation of theirs takes all of it along."""
        if not text or text == ERASED or text in self.ids:
            return text
        if self._quotes(even(text)):
            return ERASED
        left = self._named.sub(ERASED, text) if self._named is not None else text
        return ERASED if left != text and any(one in even(left) for one in self._whole) else left

    def cleared_in(self, value: Any) -> Any:
        """A document without them, field by field."""
        match value:
            case str():
                return self.cleared(value)
            case list():
                return [self.cleared_in(one) for one in value]
            case dict():
                return {name: self.cleared_in(one) for name, one in value.items()}
            case _:
                return value

    def are_in(self, text: str) -> bool:
        """True for a text that names or quotes them."""
        return self.cleared(text) != text

    @cached_property
    def _whole(self) -> list[str]:
        return [even(one) for one in (*self.names, *self.addresses) if len(one) >= _SHORTEST_OF_SIGNS]

    @cached_property
    def _named(self) -> re.Pattern[str] | None:
        wholes = {one.strip() for one in (*self.names, *self.addresses) if one.strip() and one.strip() != ERASED}
        parts = {part for name in self.names for part in name.split() if len(part) >= _PART or not part.isascii()}
        found = [_flexible(one) for one in sorted(wholes, key=len, reverse=True)]
        found += [rf"\b{re.escape(one)}\b" if one.isascii() else re.escape(one) for one in sorted(parts - {ERASED})]
        return re.compile("|".join(found)) if found else None

    def _quotes(self, text: str) -> bool:
        if text in self._short or any(one in text for one in self._short if len(one) >= _least(one)):
            return True
        return any(piece in self._pieces for piece in _windows(text, whole=False))

    @cached_property
    def _short(self) -> frozenset[str]:
        found = {even(one) for one in self.texts}
        return frozenset(one for one in found if 1 < len(one) < _size(one) and one != ERASED)

    @cached_property
    def _pieces(self) -> frozenset[str]:
        return frozenset(piece for text in self.texts for piece in _windows(even(text), whole=True))


def _flexible(text: str) -> str:
    """A name however its parts are spaced and cased."""
    parts = [re.escape(part) for part in text.split()]
    joined = r"\s*".join(parts) if not text.isascii() else r"\s+".join(parts)
    edge = r"(?<!\w)", r"(?!\w)"
    return f"(?i:{edge[0]}{joined}{edge[1]})" if text.isascii() else f"(?i:{joined})"


def _size(text: str) -> int:
    return _PIECE if text.isascii() else _PIECE_OF_SIGNS


def _least(text: str) -> int:
    return _SHORTEST if text.isascii() else _SHORTEST_OF_SIGNS


def _windows(text: str, *, whole: bool) -> Iterator[str]:
    """The pieces of a text by which it is known; of what is only looked through those of both sizes."""
    sizes = {_size(text)} if whole else {_PIECE, *([] if text.isascii() else [_PIECE_OF_SIGNS])}
    for size in sizes:
        for at in range(len(text) - size + 1):
            yield text[at : at + size]


def wordless(value: Any, known: Collection[str], field: str = "") -> Any:
    """A document that names nobody: figures, dates, and words that are `known` to be of ours or ids stay, every other text goes."""
    match value:
        case str():
            return value if not value or (field not in _NAMING and is_plain(value, known)) else ERASED
        case list():
            return [wordless(one, known, field) for one in value]
        case dict():
            return {name: wordless(one, known, name) for name, one in value.items()}
        case _:
            return value


def is_plain(text: str, known: Collection[str]) -> bool:
    """True for a figure, a date, or a known word."""
    return text in known or bool(_INSTANT.fullmatch(text) or _FIGURE.fullmatch(text))


def texts_in(value: Any) -> Iterator[str]:
    """Every text of a document."""
    match value:
        case str():
            yield value
        case list() | tuple():
            for one in value:
                yield from texts_in(one)
        case dict():
            for one in value.values():
                yield from texts_in(one)
        case _:
            return


def merged(*found: Traces) -> Traces:
    """The traces of several people as one."""

    def all_of(parts: Iterable[Sequence[str]]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(one for part in parts for one in part))

    return Traces(
        all_of(one.names for one in found),
        all_of(one.addresses for one in found),
        all_of(one.texts for one in found),
        all_of(one.ids for one in found),
    )
