"""What our people are told, in their own language: whole, or in English."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from activities.kernel.yaml_words import read_own

_PLACE = re.compile(r"\{(\w+)(:[tr])?\}")
_NEXT = re.compile(r"; (?![^“]*”)")
"""Between two sentences, outside what somebody wrote."""
_DAY, _NUMBER = r"\d{4}-\d\d-\d\d", r"[\d.,]*\d"
_LOOKS_LIKE = {
    **dict.fromkeys(("day", "end"), _DAY),
    **dict.fromkeys(
        ("n", "was", "now", "days", "seats", "active", "score", "done", "total", "late", "rhythm"), _NUMBER
    ),
    "change": r"[+-][\d.,]+ [A-Z]{3}",
}
"""What stands in a place of that name; anything in all others."""


@dataclass(frozen=True)
class _Sentence:
    fits: re.Pattern[str]
    says: str
    inner: frozenset[str]
    """the names of what is put into the language itself"""
    known: frozenset[str]
    """those that stay as they are if the language has no word for them"""


class StaffWords:
    """The sentences of one language. `terms` are words of others that it knows as well, such as the titles of tasks."""

    def __init__(self, sentences: Sequence[tuple[str, str]], terms: Mapping[str, str]) -> None:
        self._sentences = [_sentence(english, says) for english, says in sentences]
        self._terms = dict(terms)

    def said(self, text: str) -> str | None:
        """`text` in the language; null if not all of it is known."""
        if text in self._terms:
            return self._terms[text]
        for sentence in self._sentences:
            if (found := sentence.fits.fullmatch(text)) is not None:
                values = {name: self._value(sentence, name, value) for name, value in found.groupdict().items()}
                if None not in values.values():
                    return sentence.says.format(**values)
        parts = _NEXT.split(text)
        if len(parts) > 1:
            known = [self.said(part) for part in parts]
            return None if None in known else "；".join(part for part in known if part)
        return None

    def _value(self, sentence: _Sentence, name: str, value: str) -> str | None:
        said = self.said(value) if name in sentence.inner | sentence.known else value
        return value if said is None and name in sentence.known else said

    def notice(self, title: str, lines: Sequence[str], own: Collection[int]) -> tuple[str, list[str]] | None:
        """A notice in the language; null if a part of it is not known. Lines whose numbers are in `own` are people's own words."""
        found = [line if n in own else self.said(line) for n, line in enumerate(lines)]
        said = self.said(title)
        if said is None or None in found:
            return None
        return said, [line for line in found if line is not None]


def _sentence(english: str, says: str) -> _Sentence:
    pattern, inner, known, at = "", set(), set(), 0
    for place in _PLACE.finditer(english):
        pattern += re.escape(english[at : place.start()]) + f"(?P<{place[1]}>{_LOOKS_LIKE.get(place[1], '.+?')})"
        inner |= {place[1]} if place[2] == ":t" else set()
        known |= {place[1]} if place[2] == ":r" else set()
        at = place.end()
    return _Sentence(re.compile(pattern + re.escape(english[at:]), re.DOTALL), says, frozenset(inner), frozenset(known))


@cache
def sentences(language: str) -> tuple[tuple[str, str], ...]:
    """The sentences of a language, each with its English; none for one that there is not."""
    file = files("activities.channels") / "words" / f"{language}.yaml"
    if not language.isalpha() or not file.is_file():
        return ()
    return tuple((english, says) for english, says in read_own(file.read_text(encoding="utf-8")))
