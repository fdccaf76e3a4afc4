"""Fitting of a health profile to a past period: curves that rise or fall as the profile says, and weights within bounds.

A logistic model whose every input is a broken line that never turns: so each part of a score can be told to a person, and a
figure that gets better never makes the score worse.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log, log1p
from typing import TypeVar

from domain.success.figures import OfCategory, Value
from domain.success.profiles import Chance, HealthProfile, Input
from domain.success.proof import FEWEST, Seen

Profile = TypeVar("Profile", bound=HealthProfile)

KNOTS = (0.02, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.98)
"""Where the lines break: at these shares of the accounts."""
LARGEST_SHARE = 0.6
"""No input weighs more than this of all."""
LEAST_SHARE = 0.002
"""An input that weighs less than this falls out."""
_RIDGE = 0.005
_ROUNDS = 400
_LIKE_ALL = 40.0
"""A word's share of leavers is pulled towards that of all as if so many accounts more had been seen."""


class NothingToFitError(ValueError):
    """Too few accounts that left or stayed; the message says how many there are."""


@dataclass(frozen=True)
class _Line:
    """An input as steps from 0 to 1: one for each stretch between knots, or one for words by their `points`."""

    one: Input
    knots: tuple[float, ...]
    words: dict[str, float]
    otherwise: float

    @property
    def parts(self) -> int:
        """How many steps there are."""
        return 1 if isinstance(self.one.value, OfCategory) else max(0, len(self.knots) - 1)

    def steps(self, value: Value) -> list[float] | None:
        """How far a figure has gone up each step; null for one that is not known."""
        if value is None or not self.parts:
            return None
        if isinstance(value, str):
            return [self.words.get(value, self.otherwise) / 100]
        better = self.one.better == "more"
        risen = [
            max(0.0, min(1.0, (value - low) / (high - low)))
            for low, high in zip(self.knots, self.knots[1:], strict=False)
        ]
        return risen if better else [1 - step for step in risen]


def fit(profile: Profile, seen: Sequence[Seen], fitted_on: str) -> Profile:
    """The profile with curves, words and weights by which it tells best who left among `seen`.

    Raises:
        NothingToFitError: fewer than 30 left, or stayed, or no figure differs between accounts.
    """
    left = sum(one.left for one in seen)
    if min(left, len(seen) - left) < FEWEST:
        raise NothingToFitError(
            f"{left} accounts left and {len(seen) - left} stayed; {FEWEST} of each are needed to fit a profile"
        )
    lines = [_line(one, seen, left / len(seen)) for one in profile.inputs]
    heights, at_zero = _heights(lines, seen)
    weights = _bounded([sum(its) for its in heights])
    total = sum(weights)
    if total == 0:
        raise NothingToFitError("no figure tells who left: nothing to fit")
    inputs = tuple(
        _fitted(line, its, 100 * weight / total)
        for line, its, weight in zip(lines, heights, weights, strict=True)
        if weight / total >= LEAST_SHARE
    )
    shape = profile.model_copy(update={"inputs": inputs, "version": profile.version + 1, "chance": None})
    return shape.model_copy(update={"chance": Chance(at_zero=at_zero, per_point=-total / 100, fitted_on=fitted_on)})


def _line(one: Input, seen: Sequence[Seen], share: float) -> _Line:
    known = [(who.values.get(one.name), who.left) for who in seen]
    if isinstance(one.value, OfCategory):
        words, otherwise = _by_word([(value, left) for value, left in known if isinstance(value, str)], share)
        return _Line(one, (), words, otherwise)
    values = sorted(value for value, _ in known if isinstance(value, (int, float)))
    knots = dict.fromkeys(values[round(share * (len(values) - 1))] for share in KNOTS) if values else {}
    return _Line(one, tuple(knots), {}, 50)


def _by_word(known: Sequence[tuple[str, bool]], share: float) -> tuple[dict[str, float], float]:
    """Points of each word, 0 for the one with most leavers and 100 for the one with least; and those of any other word."""
    odds = {}
    for word in dict.fromkeys(word for word, _ in known):
        of = [left for its, left in known if its == word]
        rate = (sum(of) + _LIKE_ALL * share) / (len(of) + _LIKE_ALL)
        odds[word] = log(rate / (1 - rate))
    usual = log(share / (1 - share))
    low, high = min([usual, *odds.values()]), max([usual, *odds.values()])
    wide = (high - low) or 1.0
    return {word: round(100 * (high - its) / wide, 1) for word, its in odds.items()}, round(
        100 * (high - usual) / wide, 1
    )


def _heights(lines: Sequence[_Line], seen: Sequence[Seen]) -> tuple[list[list[float]], float]:
    """How high each step of each line is, none below zero, and the log odds of leaving of an account that has gone up none."""
    width = sum(line.parts for line in lines)
    rows = [_row(lines, who.values) for who in seen]
    usual = [_mean([step for row in rows if (step := row[at]) is not None]) for at in range(width)]
    full = [[one if one is not None else mean for one, mean in zip(row, usual, strict=True)] for row in rows]
    heights, at_zero = _descend(full, [who.left for who in seen])
    found, at = [], 0
    for line in lines:
        found.append(heights[at : at + line.parts])
        at += line.parts
    return found, at_zero


def _row(lines: Sequence[_Line], values: Mapping[str, Value]) -> list[float | None]:
    row: list[float | None] = []
    for line in lines:
        row += line.steps(values.get(line.one.name)) or [None] * line.parts
    return row


def _descend(rows: Sequence[Sequence[float]], left: Sequence[bool]) -> tuple[list[float], float]:
    """The heights that make the outcome most likely, by accelerated gradient steps, each cut off at zero."""
    width, many = len(rows[0]), len(rows)
    columns = [(at, [row[at] for row in rows]) for at in range(width)]
    share = sum(left) / many
    theta, at_zero = [0.0] * width, log(share / (1 - share))
    ahead, ahead_zero, moment = theta[:], at_zero, 1.0
    size = 4.0 / (1.0 + _largest(columns, many))
    for _ in range(_ROUNDS):
        logits = [ahead_zero] * many
        for at, column in columns:
            if height := ahead[at]:
                logits = [logit - height * step for logit, step in zip(logits, column, strict=True)]
        off = [_chance(logit) - gone for logit, gone in zip(logits, left, strict=True)]
        before, before_zero = theta, at_zero
        slopes = [_RIDGE * ahead[at] - _dot(off, column) / many for at, column in columns]
        theta = [max(0.0, height - size * slope) for height, slope in zip(ahead, slopes, strict=True)]
        at_zero = ahead_zero - size * sum(off) / many
        after = (1 + (1 + 4 * moment * moment) ** 0.5) / 2
        speed = (moment - 1) / after
        ahead = [now + speed * (now - then) for now, then in zip(theta, before, strict=True)]
        ahead_zero, moment = at_zero + speed * (at_zero - before_zero), after
    return theta, at_zero


def _largest(columns: Sequence[tuple[int, Sequence[float]]], many: int) -> float:
    """The largest eigenvalue of the columns' products, by some powers of a vector."""
    vector = [1.0] * len(columns)
    length = 1.0
    for _ in range(12):
        across = [0.0] * many
        for at, column in columns:
            across = [sofar + vector[at] * step for sofar, step in zip(across, column, strict=True)]
        vector = [_dot(across, column) / many for _, column in columns]
        length = max(vector, default=1.0) or 1.0
        vector = [one / length for one in vector]
    return length


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _dot(left: Sequence[float], right: Sequence[float]) -> float:
    return sum(one * other for one, other in zip(left, right, strict=True))


def _chance(logit: float) -> float:
    return 1 / (1 + exp(-logit)) if logit >= 0 else exp(logit - log1p(exp(logit)))


def _bounded(weights: Sequence[float]) -> list[float]:
    """The weights, none of which is more than its largest share of all."""
    others = sorted(weights)[:-1]
    most = LARGEST_SHARE / (1 - LARGEST_SHARE) * sum(others)
    return [min(weight, most) if most > 0 else weight for weight in weights]


def _fitted(line: _Line, heights: Sequence[float], weight: float) -> Input:
    one = line.one.model_copy(update={"weight": round(weight, 2)})
    if isinstance(one.value, OfCategory):
        return one.model_copy(update={"words": line.words, "otherwise": line.otherwise})
    total = sum(heights)
    climbed = [round(100 * sum(heights[:at]) / total, 1) for at in range(len(heights) + 1)]
    if one.better == "less":
        climbed = [round(100 - points, 1) for points in climbed]
    return one.model_copy(update={"curve": tuple(zip(line.knots, climbed, strict=True))})
