"""What names a person in a text, in whatever text it stands, and what is left of a document of which nothing may name anybody.

What is taken out is what names them, and what they wrote word for word; in doubt it is left, and counted for people to look at.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

from domain.frame.state import ERASED
from domain.journey.naming import SIGNS, Form, Sighting, Sizes, forms_of, named_in

_PIECE = 40
_PIECE_OF_SIGNS = 20
_MOSTLY = 14
"""Characters by which a quotation is known wherever it stands; fewer where so many of them are of scripts that say more with each."""
_SHORTEST, _SHORTEST_OF_SIGNS = 12, 6
"""Characters of a whole text by which it is known where it stands as a quotation does."""
_CUT = 16
"""Characters of the beginning of a text by which it is known where it is cut short."""
_SIGN = re.compile(f"[{SIGNS}]")
_OPENS = r"(?:^|[\n:>\[\](\"“”„»«'‘「『|]|\b(?:re|aw|fw|fwd|wg):)\s*"
_CLOSES = r"(?=\s*(?:$|[\n\"”“«»’'」』)\]|…]|\\n))"
_BLANK = re.compile(r"\s+")
_INSTANT = re.compile(
    r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?|\d\d:\d\d(:\d\d)?|P[0-9YMWDTHS.]+"
)
_FIGURE = re.compile(r"-?(0|[1-9]\d{0,8})(\.\d{1,12})?%?|-?\d{1,20}\.\d{1,12}")
_NAMING = frozenset({"name", "email", "to_email", "phone", "phone_number", "sender", "subject", "body", "text", "said"})
"""Fields of documents whose texts go, whatever they look like."""
_FREE_FIELDS = """
answer cc comment contact description detail details evidence from greeting message note notes reason recipient says sender_name
sent_to site summary title to why words
"""
_FREE = _NAMING | frozenset(_FREE_FIELDS.split())
"""Fields of documents in which people write, or are written of."""
_WHO = ("name", "email", "to_email", "phone", "phone_number")
"""Fields that say who a contact is."""


def even(text: str) -> str:
    """A text as it is compared: in small letters, each run of white space as one space."""
    return _BLANK.sub(" ", text).strip().casefold()


Span = tuple[int, int]


@dataclass(frozen=True)
class Traces:
    """What somebody is named by (`names`: whole names; `addresses`: mail addresses and phone numbers as written), and `texts` they wrote.
    `ids` stay where they stand alone. `stays`: names and addresses of people who stay; `stock`: texts of others, whose turns of phrase are
    nobody's."""

    names: Sequence[str] = ()
    addresses: Sequence[str] = ()
    texts: Sequence[str] = ()
    ids: Sequence[str] = ()
    stays: Sequence[str] = ()
    stock: Sequence[str] = ()

    def keeping(self, stays: Sequence[str], stock: Sequence[str] = ()) -> Self:
        """The same, beside people who stay."""
        return replace(self, stays=stays, stock=stock)

    def cleared(self, text: str) -> str:
        """The text without them: names, addresses and quotations are taken out of it."""
        if not text or text == ERASED or text in self.ids:
            return text
        left, at = [], 0
        for start, end in self._spans(text):
            left += [text[at:start], ERASED]
            at = end
        return "".join([*left, text[at:]]) if left else text

    def cleared_in(self, value: Any, known: Collection[str] = (), field: str = "") -> Any:
        """A document without them, field by field: ids, codes and words that are `known` to be ours stay, and so does who is somebody
        else."""
        match value:
            case str():
                written = field in _FREE or bool(_BLANK.search(value)) or "@" in value or bool(_SIGN.search(value))
                return self.cleared(value) if written and value not in known else value
            case list():
                return [self.cleared_in(one, known, field) for one in value]
            case dict():
                whose = value.get("contact_id")
                if whose and self.ids and any(isinstance(value.get(one), str) for one in _WHO):
                    theirs = whose in self.ids
                    told = {name: ERASED if theirs and one else one for name, one in value.items() if name in _WHO}
                else:
                    told = {}
                return {
                    name: told[name] if name in told else self.cleared_in(one, known, name)
                    for name, one in value.items()
                }
            case _:
                return value

    def are_in(self, text: str) -> bool:
        """True for a text that names or quotes them."""
        return self.cleared(text) != text

    def doubts(self, text: str) -> int:
        """How often a text that was cleared may name them still, by a part of a name or by a name that is also another word."""
        return len(self._doubtful.findall(text)) if self._doubtful is not None and text != ERASED else 0

    def knows(self, form: Form) -> bool:
        """True for a way to name them."""
        return form in self._forms

    @cached_property
    def _forms(self) -> set[Form]:
        return forms_of((one for one in self.names if one != ERASED), (one for one in self.addresses if one != ERASED))

    @cached_property
    def _sizes(self) -> Sizes:
        return Sizes.of((one.kind, len(one.said), one.parts) for one in self._forms)

    @cached_property
    def _staying(self) -> set[Form]:
        return forms_of((one for one in self.stays if "@" not in one), self.stays)

    @cached_property
    def _doubtful(self) -> re.Pattern[str] | None:
        words = {word for name in self.names for word in [name, *name.split()] if word and word != ERASED}
        found = [re.escape(one) if _SIGN.match(one) else rf"(?i:\b{re.escape(one)}\b)" for one in sorted(words)]
        return re.compile("|".join(found)) if found else None

    def _spans(self, text: str) -> list[Span]:
        named = [one for one in named_in(text, self._sizes) if one.form not in self._staying and self.knows(one.form)]
        if named and self._staying:
            stay = Sizes.of((one.kind, len(one.said), one.parts) for one in self._staying if one.kind != "part")
            others = [one for one in named_in(text, stay) if one.form in self._staying and one.form.kind != "part"]
            named = [one for one in named if not any(_belongs(one, other) for other in others)]
        return _joined([*((one.start, one.end) for one in named), *self._quotations(text)])

    def _quotations(self, text: str) -> Iterator[Span]:
        if not self.texts:
            return
        small, at = _evened(text)
        for start, end in _joined([*_hits(small, self._pieces), *self._as_quoted(small), *self._cut_short(small)]):
            start, end = _at_edges(small, start, end)
            if end > start:
                yield at[start], at[end - 1] + 1
        for line in re.finditer(r"^[ \t]*(?:>[> \t]*)(.+)$", text, re.MULTILINE):
            if even(line[1]) in self._lines:
                yield line.span(1)

    def _as_quoted(self, small: str) -> Iterator[Span]:
        if self._short is not None:
            yield from (one.span(1) for one in self._short.finditer(small))

    def _cut_short(self, small: str) -> Iterator[Span]:
        for dots in re.finditer(r"…|\.\.\.", small):
            for text in self._beginnings:
                for length in range(min(_PIECE, len(text)), _CUT - 1, -1):
                    if small.endswith(text[:length], 0, dots.start()):
                        yield dots.start() - length, dots.start()
                        break

    @cached_property
    def _beginnings(self) -> list[str]:
        return [text for text in map(even, self.texts) if len(text) >= _CUT]

    @cached_property
    def _lines(self) -> frozenset[str]:
        lines = {even(line) for text in self.texts for line in text.splitlines()}
        return frozenset(line for line in lines if len(line) >= _least(line))

    @cached_property
    def _short(self) -> re.Pattern[str] | None:
        common = {even(line) for text in self.stock for line in text.splitlines()}
        found = {
            one
            for one in map(even, self.texts)
            if one not in common and one != ERASED and _least(one) <= len(one) <= _PIECE
        }
        own = sorted((one for one in found if " " in one or _SIGN.search(one)), key=len, reverse=True)
        return re.compile(f"{_OPENS}({'|'.join(map(re.escape, own))}){_CLOSES}") if own else None

    @cached_property
    def _pieces(self) -> frozenset[str]:
        found = {piece for text in map(even, self.texts) for piece in _windows(text)}
        for text in map(even, self.stock):
            found -= {piece for piece in _windows(text) if piece in found} if found else set()
        return frozenset(found)


def _belongs(one: Sighting, other: Sighting) -> bool:
    """True for what is a piece of how somebody else is named."""
    apart = one.end <= other.start or other.end <= one.start
    longer = one.start <= other.start and other.end <= one.end and one.end - one.start > other.end - other.start
    return not apart and not longer


def _joined(spans: Iterable[Span]) -> list[Span]:
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start < found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return found


def _least(text: str) -> int:
    return _SHORTEST_OF_SIGNS if _SIGN.search(text) else _SHORTEST


def _evened(text: str) -> tuple[str, list[int]]:
    """A text as it is compared, and where each of its characters stands in it."""
    signs: list[str] = []
    at: list[int] = []
    for n, sign in enumerate(text):
        for one in " " if sign.isspace() else sign.casefold():
            if one != " " or (signs and signs[-1] != " "):
                signs.append(one)
                at.append(n)
    return "".join(signs), at


def _at_edges(text: str, start: int, end: int) -> Span:
    """The span without pieces of words at its ends."""

    def within(at: int) -> bool:
        before, after = text[at - 1 : at], text[at : at + 1]
        return (
            (before + after).isalnum() and bool(before and after) and not _SIGN.match(before) and not _SIGN.match(after)
        )

    while start < end and within(start):
        start += 1
    while end > start and within(end) and not text.startswith(("…", "..."), end):
        end -= 1
    while start < end and text[start] == " ":
        start += 1
    while end > start and text[end - 1] == " ":
        end -= 1
    return start, end


def _hits(text: str, pieces: Collection[str]) -> Iterator[Span]:
    if pieces:
        for size in {len(piece) for piece in pieces}:
            yield from ((at, at + size) for at in range(len(text) - size + 1) if text[at : at + size] in pieces)


def _windows(text: str) -> Iterator[str]:
    """The pieces of a text by which it is known."""
    yield from (text[at : at + _PIECE] for at in range(len(text) - _PIECE + 1))
    if _SIGN.search(text):
        for at in range(len(text) - _PIECE_OF_SIGNS + 1):
            piece = text[at : at + _PIECE_OF_SIGNS]
            if len(_SIGN.findall(piece)) >= _MOSTLY:
                yield piece


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
