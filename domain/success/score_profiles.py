"""Profiles by which customers are scored, as versioned data: groups of inputs, how each becomes points, weights, bands and caps."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from domain.frame.playbook import Name
from domain.kernel.base import Received

WORST, BEST = Decimal(0), Decimal(100)
Mark = Annotated[Decimal, Field(ge=0, le=100)]
Heft = Annotated[Decimal, Field(gt=0, le=1000)]
Limit = Annotated[int, Field(ge=1, le=1100)]


class LifeStage(StrEnum):
    """Whether a customer is still being onboarded."""

    ONBOARDING = "onboarding"
    STEADY = "steady"


class Measure(StrEnum):
    """What is looked at. Those in `WORDS` are words, all others numbers."""

    SEATS = "seats"
    """share of the paid seats in use"""
    TREND = "trend"
    """change of use against the 28 days before, of the product that does worst"""
    BREADTH = "breadth"
    """share of the products that anybody uses"""
    ORDER_RHYTHM = "order_rhythm"
    """time since the last order of goods, in their own usual rhythms"""
    ONBOARDING = "onboarding"
    """share of the onboarding tasks that are late"""
    OPEN_CASES = "open_cases"
    """the most pressing case that is open"""
    BACKLOG = "backlog"
    """age of the oldest open case in days"""
    BROKEN_PROMISES = "broken_promises"
    """cases of the last half year whose resolution was late"""
    REOPENED = "reopened"
    """cases of the last half year that were reopened"""
    MONEY_BACK = "money_back"
    """claims of the last half year: prices that fell, goodwill"""
    RATINGS = "ratings"
    """mean of what they said of cases, one to five"""
    RECOMMENDS = "recommends"
    """whether they would recommend us, nought to ten"""
    SILENCE = "silence"
    """days since the customer last said or did something"""
    SPONSOR = "sponsor"
    """whether a sponsor is known, or has left"""
    RENEWAL = "renewal"
    """how far the renewal has come that is next"""
    INVOICES = "invoices"
    """days that the oldest unpaid invoice is overdue"""


WORDS: dict[Measure, frozenset[str]] = {
    Measure.OPEN_CASES: frozenset({"none", "low", "medium", "high", "urgent", "escalated", "refund_dispute"}),
    Measure.SPONSOR: frozenset({"known", "left"}),
    Measure.RENEWAL: frozenset(
        {"renewed", "requested", "by_itself", "quoted", "open", "no_answer", "declined", "grace"}
    ),
}
"""The words of a measure that is none of numbers."""


class ScoredBy(Received):
    """An input: its weight within its group, and how it becomes points.

    line: the number that is worth 0 and the one that is worth 100; between them a straight line, beyond them no more.
    words: the points of each word. fresh_days: what is older counts as not known.
    """

    measure: Measure
    weight: Heft
    line: tuple[Decimal, Decimal] | None = None
    words: dict[str, Mark] | None = None
    fresh_days: Limit | None = None

    @model_validator(mode="after")
    def _becomes_points(self) -> Self:
        wanted = WORDS.get(self.measure)
        if wanted is None and (self.line is None or self.words is not None):
            raise ValueError(f"{self.measure.value} is a number: give its `line` of two numbers, and no `words`")
        if wanted is not None and (self.words is None or self.line is not None or set(self.words) != wanted):
            raise ValueError(f"{self.measure.value} needs `words` with points for each of {', '.join(sorted(wanted))}")
        if self.line is not None and self.line[0] == self.line[1]:
            raise ValueError(f"the line of {self.measure.value} needs two different numbers")
        return self

    def points_of(self, value: Decimal | str) -> Decimal:
        """The points of a value."""
        if isinstance(value, str):
            return (self.words or {})[value]
        low, high = self.line or (WORST, BEST)
        return max(WORST, min(BEST, (value - low) / (high - low) * BEST))


class ScoreGroup(Received):
    """Inputs that stand for one another: what is not known of one falls to the others of its group."""

    group: Name
    weight: Heft
    inputs: Annotated[tuple[ScoredBy, ...], Field(min_length=1)]


class ScoreCaps(Received):
    """What no mean outweighs: the most a score can be."""

    pressing_case_days: Limit = 7
    pressing_case: Mark = Decimal(40)
    """with an urgent case that is open for longer than `pressing_case_days`"""
    sponsor_left: Mark = Decimal(60)


class ScoreProfile(Received):
    """How customers of `segments` (none: all) in a stage of life (none: both) are scored.

    A band holds from its number on: `watch`, `healthy`; below is critical. Less than `least_known` of the weight known: no score.
    hysteresis: a band is left only this many points beyond its edge. drop: this many points less than 30 days ago is dropping.
    unknown_days: for so long nothing may be known until it is somebody's task. onboarding_days: so long onboarding is a stage of life.
    """

    profile: Name
    version: Annotated[int, Field(ge=1)]
    about: str = ""
    segments: tuple[Name, ...] = ()
    stage: LifeStage | None = None
    groups: Annotated[tuple[ScoreGroup, ...], Field(min_length=1)]
    watch: Annotated[int, Field(ge=1, le=99)] = 40
    healthy: Annotated[int, Field(ge=2, le=100)] = 70
    least_known: Annotated[Decimal, Field(gt=0, le=1)] = Decimal("0.5")
    hysteresis: Annotated[int, Field(ge=0, le=10)] = 3
    drop: Annotated[int, Field(ge=1, le=100)] = 10
    unknown_days: Limit = 45
    onboarding_days: Limit = 90
    caps: ScoreCaps = ScoreCaps()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        names = [group.group for group in self.groups]
        measures = [one.measure.value for group in self.groups for one in group.inputs]
        for listed in (names, measures):
            if twice := next((name for name in listed if listed.count(name) > 1), None):
                raise ValueError(f"{twice!r} stands twice; each group and each measure counts once")
        if self.healthy - self.watch <= 2 * self.hysteresis:
            raise ValueError(f"watch from {self.watch} and healthy from {self.healthy} are too near for the hysteresis")
        return self

    @property
    def named(self) -> str:
        """Its name and version, such as `standard 3`."""
        return f"{self.profile} {self.version}"

    def fits(self, segment: str, stage: LifeStage) -> int | None:
        """How closely it is meant for a customer; null if it is not."""
        if (self.segments and segment not in self.segments) or self.stage not in (None, stage):
            return None
        return 2 * bool(self.segments) + bool(self.stage)


def profile_for(profiles: Sequence[ScoreProfile], segment: str, stage: LifeStage) -> ScoreProfile:
    """The profile that is meant most closely for a customer: one for the segment before one for the stage of life."""
    fitting = [(fits, one) for one in profiles if (fits := one.fits(segment, stage)) is not None]
    return max(fitting, key=lambda pair: pair[0])[1]


def shares_of(groups: Sequence[tuple[Decimal, Sequence[Decimal | None]]]) -> list[list[Decimal]]:
    """What each input counts of the whole, which is 1; null weights are those of inputs that are not known.

    Each group comes with its weight. The weight of what is not known falls to the others of its group; a group of which nothing
    is known is left out.
    """
    known = [(weight, sum((one for one in inputs if one is not None), Decimal(0))) for weight, inputs in groups]
    whole = sum((weight for weight, within in known if within), Decimal(0))
    return [
        [weight / whole * one / within if one is not None else Decimal(0) for one in inputs]
        for (weight, inputs), (_, within) in zip(groups, known, strict=True)
    ]
