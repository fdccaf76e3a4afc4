"""Scores: the number by which a reply answers a survey, if it names just one and means it."""

from __future__ import annotations

import re

from domain.mail.clauses import Clause
from domain.mail.wording import Wording

_said = Wording("scores")

_SHORT = 60


def _named(clauses: list[Clause], low: int, high: int) -> tuple[int | None, bool] | None:
    """The score that single clauses name, if they name just one; null if none does. What was said before and by others does not count."""
    told = [clause.text for clause in clauses if not clause.asks and not _said.earlier.search(clause.text)]
    found: set[int] = set()
    for text in told:
        if any(_value(one[1]) != high for one in _said.of_points.finditer(text)):
            return None, True
        if any(_value(one[1]) != high for one in _said.out_of.finditer(text)):
            return None, True
        plain = _said.out_of.sub("", _said.of_points.sub("", text))
        if first := _said.of_scale.match(text):
            plain += f" score {first[1]}"
        hits = [hit for pattern in (_said.named, _said.named_ja) for hit in pattern.finditer(plain)]
        found |= {_value(next(one for one in hit.groups() if one)) for hit in hits}
        if not hits and _said.top.search(plain):
            found.add(high)
    told_points = {_value(one) for text in told for one in _said.points.findall(text)}
    if len(found | told_points) > 1 and told_points:
        return None, True
    if not found:
        return None
    rest = _said.aside.sub("", _said.of_points.sub("", " ".join(told)))
    spoilt = (
        _said.condition.search(rest)
        or _said.range.search(rest)
        or (max(found) * 10 >= high * 9 and _said.bad.search(rest))
    )
    if len(found) > 1 or spoilt or not low <= max(found) <= high:
        return None, True
    return found.pop(), False


def score_in(text: str, clauses: list[Clause], low: int, high: int) -> tuple[int | None, bool]:
    """The score in a reply of these clauses, and whether the reply is about one at all without naming it clearly.

    Returns `(score, False)`, `(None, True)` if a person has to read it, `(None, False)` if it is about something else.
    """
    said = text.strip()
    if not said:
        return None, False
    if _said.signed.search(said):
        return None, True
    if _said.highest.fullmatch(said):
        return high, False
    if stars := _said.stars.search(said):
        return _of_stars(stars, low, high)
    if len(said) <= _SHORT and _said.range.search(said):
        return None, True
    told = [clause.text for clause in clauses if not clause.asks]
    for whole in (said.replace("\n", " "), " ".join(told)):
        if found := _said.alone.fullmatch(whole):
            return _checked(found, "", low, high)
    alone = [(found, number) for number, clause in enumerate(told) if (found := _said.alone.fullmatch(clause))]
    if len({found["n"] for found, _ in alone}) == 1:
        found, number = alone[0]
        return _checked(found, " ".join([*told[:number], *told[number + 1 :]]), low, high)
    if found := _said.then_words.match(said + "\n"):
        return _checked(found, said[found.end() :], low, high)
    if (named := _named(clauses, low, high)) is not None:
        return named
    return None, bool(_said.about.search(said) or _said.vague.fullmatch(said) or _said.range.search(said))


def _checked(found: re.Match[str], rest: str, low: int, high: int) -> tuple[int | None, bool]:
    """The number, unless it is on another scale or the words beside it take it back."""
    number = _value(found["n"])
    groups = found.groupdict()
    scale = [_value(named) for named in (groups.get("high"), groups.get("jhigh")) if named]
    ironic = number * 10 >= high * 9 and _said.bad.search(rest)
    another = ironic or _said.another.search(rest) or (_said.condition.search(rest) and _said.number.search(rest))
    if any(one != high for one in scale) or not low <= number <= high or another:
        return None, True
    return number, False


def _of_stars(found: re.Match[str], low: int, high: int) -> tuple[int | None, bool]:
    full, empty = len(found["full"]), len(found["empty"])
    if full == 1 and found["number"]:
        full = int(found["number"])
    fits = low <= full <= high and (full + empty == high or not empty)
    return (full, False) if fits else (None, True)


def _value(said: str) -> int:
    return int(said) if said.isdigit() else int(_said.file.words[said])
