"""Scores from 0 to 100 as others have them: any number of bands, points of any range, and the rule of good, average and poor."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum

from domain.kernel.base import Carried


class ScoreBand(Carried):
    """A band of scores that starts at `start`; the next band ends it."""

    name: str
    start: Decimal


class ClosedEnd(StrEnum):
    """To which band a score belongs that equals a band's start."""

    LOWER = "lower"
    """to that band"""
    UPPER = "upper"
    """to the band below, except in the lowest"""


def band_of(score: Decimal, bands: Sequence[ScoreBand], closed: ClosedEnd = ClosedEnd.LOWER) -> str | None:
    """The band of a score; bands ascend, the lowest takes everything below, and without bands there is none."""
    found = bands[0].name if bands else None
    for band in bands:
        if score > band.start or (closed is ClosedEnd.LOWER and score == band.start):
            found = band.name
    return found


class Outside(StrEnum):
    """What a value outside the range of a linear map gives."""

    CLAMP = "clamp"
    """the points of the nearer end"""
    NONE = "none"
    """no points"""


def linear_points(
    value: Decimal,
    values: tuple[Decimal, Decimal],
    points: tuple[Decimal, Decimal],
    outside: Outside = Outside.CLAMP,
) -> Decimal:
    """Points on the line that maps the range `values` to the range `points`.

    Raises:
        ValueError: a range of values without length.
    """
    first, last = values
    if first == last:
        raise ValueError(f"the values {first} to {last} are no range; give two different ends")
    low, high = min(values), max(values)
    if not low <= value <= high:
        if outside is Outside.NONE:
            return Decimal(0)
        value = min(max(value, low), high)
    return points[0] + (value - first) / (last - first) * (points[1] - points[0])


class Grade(StrEnum):
    """How one attribute, or a whole customer, stands by rule."""

    GOOD = "good"
    AVERAGE = "average"
    POOR = "poor"


def rule_grade(attributes: Sequence[Grade | None]) -> Grade | None:
    """Poor when anything is poor, good when everything is good, else average; unknown attributes are left out."""
    known = [attribute for attribute in attributes if attribute is not None]
    if not known:
        return None
    if Grade.POOR in known:
        return Grade.POOR
    return Grade.GOOD if set(known) == {Grade.GOOD} else Grade.AVERAGE
