"""Profiles of a health score, as versioned data: which figures count, how each becomes points from 0 to 100, and its weight."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from domain.kernel.base import Received
from domain.success.figures import Figure, Name, OfCategory, Value

Points = Annotated[float, Field(ge=0, le=100)]
Weight = Annotated[float, Field(gt=0, le=1000)]


class Input(Received):
    """A figure that counts. Its points are its rank among all accounts of the day, or on a `curve` of (value, points) by the
    straight line between two of them, or those of a word; `better` says which way points rise."""

    name: Name
    value: Figure
    better: Literal["more", "less"] = "more"
    curve: tuple[tuple[float, Points], ...] | None = None
    words: dict[str, Points] | None = None
    otherwise: Points = 50
    """the points of a word that is not among `words`"""
    weight: Weight

    @model_validator(mode="after")
    def _points_follow(self) -> Self:
        if isinstance(self.value, OfCategory) and self.curve is not None:
            raise ValueError("a category has `words`, not a `curve`")
        if not isinstance(self.value, OfCategory) and self.words is not None:
            raise ValueError("a number has a `curve`, not `words`")
        if self.curve is not None:
            if len(self.curve) < 2:
                raise ValueError("a curve has two points at least")
            for (value, points), (after, then) in pairwise(self.curve):
                if after <= value:
                    raise ValueError(f"the values of a curve rise: {after:g} stands after {value:g}")
                if (then < points) if self.better == "more" else (then > points):
                    raise ValueError(
                        f"`better: {self.better}` and {then:g} points at {after:g} after {points:g} at {value:g}"
                    )
        return self

    def points_of(self, value: Value) -> float | None:
        """The points of a figure by the curve or the words."""
        if value is None:
            return None
        if isinstance(value, str):
            return (self.words or {}).get(value, self.otherwise)
        curve = self.curve or ()
        at = bisect_right(curve, value, key=lambda one: one[0])
        if at in (0, len(curve)):
            return curve[0 if at == 0 else -1][1]
        (left, low), (right, high) = curve[at - 1], curve[at]
        return low + (high - low) * (value - left) / (right - left)

    @property
    def by_rank(self) -> bool:
        """True if points are ranks among the accounts of a day."""
        return self.curve is None and not isinstance(self.value, OfCategory)


class Chance(Received):
    """How likely an account with a score leaves, by a logistic curve: fitted on a past period, which `fitted_on` names."""

    at_zero: float
    per_point: Annotated[float, Field(le=0)]
    fitted_on: str


class HealthProfile(Received):
    """A profile. Its score is the mean of the inputs' points by weight; null while less than `least_known` of the weight is known."""

    profile: Name
    version: Annotated[int, Field(ge=1)]
    about: str = ""
    inputs: Annotated[tuple[Input, ...], Field(min_length=1, max_length=60)]
    healthy: Points = 70
    watch: Points = 40
    least_known: Annotated[float, Field(ge=0, le=1)] = 0.5
    chance: Chance | None = None

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [one.name for one in self.inputs]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"two inputs are named {twice!r}")
        if self.watch >= self.healthy:
            raise ValueError(f"watch from {self.watch:g} lies not below healthy from {self.healthy:g}")
        return self


@dataclass(frozen=True)
class Scored:
    """A score from 0 to 100, null if too little is known, with the points of each input in the profile's order."""

    score: float | None
    points: tuple[float | None, ...]


def score(profile: HealthProfile, cohort: Sequence[Mapping[str, Value]]) -> list[Scored]:
    """The scores of all accounts of one day, each given as its figures by the names of inputs."""
    columns = [_points(one, [values.get(one.name) for values in cohort]) for one in profile.inputs]
    weights = [one.weight for one in profile.inputs]
    return [_scored(profile.least_known, weights, points) for points in zip(*columns, strict=True)]


def without(profile: HealthProfile, at: int) -> HealthProfile:
    """The profile without one input."""
    return profile.model_copy(update={"inputs": (*profile.inputs[:at], *profile.inputs[at + 1 :])})


def band(profile: HealthProfile, scored: float | None) -> str:
    """The band of a score: `critical`, `watch`, `healthy`, or `unknown`."""
    if scored is None:
        return "unknown"
    return "healthy" if scored >= profile.healthy else "watch" if scored >= profile.watch else "critical"


def _scored(least: float, weights: Sequence[float], points: tuple[float | None, ...]) -> Scored:
    known = [(weight, one) for weight, one in zip(weights, points, strict=True) if one is not None]
    weight = sum(weight for weight, _ in known)
    if not known or weight < least * sum(weights):
        return Scored(None, points)
    return Scored(sum(weight * one for weight, one in known) / weight, points)


def _points(one: Input, values: Sequence[Value]) -> list[float | None]:
    return _ranks(one, values) if one.by_rank else [one.points_of(value) for value in values]


def _ranks(one: Input, values: Sequence[Value]) -> list[float | None]:
    """Middle ranks in percent, so that equals have the same one."""
    known = sorted(value for value in values if isinstance(value, (int, float)))
    if not known:
        return [None] * len(values)
    found: dict[float, float] = {}
    for value in dict.fromkeys(known):
        share = 50 * (bisect_left(known, value) + bisect_right(known, value)) / len(known)
        found[value] = share if one.better == "more" else 100 - share
    return [found[value] if isinstance(value, (int, float)) else None for value in values]
