"""Other terms: for how many units and how long a reply wishes a renewal, if it names them and sets no condition.

What is understood becomes a quote and no contract; whatever else stands beside the numbers is for a person.
"""

from __future__ import annotations

import re

from domain.kernel.base import Carried
from domain.mail.wording import Wording

_said = Wording("terms")

_LONG = 500
"""Characters of a reply beyond which a person reads what it wants otherwise."""
_MONTHS = 12


class OtherTerms(Carried):
    """Units in all, and months; null for what the reply does not name."""

    seats: int | None = None
    months: int | None = None


def other_terms(body: str) -> OtherTerms | None:
    """The terms that a reply of this body, in one spelling, wishes; null if it names none, several, or weighs something."""
    if len(body) > _LONG or _said.weighed.search(body) or _said.relative.search(body):
        return None
    text = _said.before_ja.sub(" ", _said.before.sub(" ", body))
    seats = _seats(text)
    months = _months(text)
    if len(seats) > 1 or len(months) > 1 or not seats | months:
        return None
    return OtherTerms(seats=next(iter(seats), None), months=next(iter(months), None))


def _seats(text: str) -> set[int]:
    hits = [*_said.seats.finditer(text), *_said.seats_ja.finditer(text)]
    return {_number(next(one for one in hit.groups() if one)) for hit in hits}


def _months(text: str) -> set[int]:
    hits = [*_said.months.finditer(text), *_said.months_ja.finditer(text)]
    years = (re.compile("year|年").match(hit["unit"]) for hit in hits)
    return {_number(hit["n"]) * (_MONTHS if year else 1) for hit, year in zip(hits, years, strict=True)}


def _number(written: str) -> int:
    return int(_said.file.words.get(written, written))
