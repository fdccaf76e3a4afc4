"""Proof of a health score against what became of the accounts: how well it tells who leaves, and how sure that is."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import exp, sqrt

from domain.kernel.calendar import quarter_of
from domain.success.figures import Value
from domain.success.profiles import HealthProfile, Scored, band, score, without

SURE = 0.55
"""A score has power if its whole interval lies above this; 0.5 is what a coin reaches."""
FEWEST = 30
"""So many who left and who stayed have to be known for a verdict."""
_Z95 = 1.959964


@dataclass(frozen=True)
class Seen:
    """An account as of a day: its figures by the names of inputs, whether it left afterwards, and was still active (null: nobody knows)."""

    account: str
    day: date
    values: Mapping[str, Value]
    left: bool
    active: bool | None = None


@dataclass(frozen=True)
class Auc:
    """How often somebody who left was scored lower than somebody who stayed, with the interval of 95 percent."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Tenth:
    """A tenth of the accounts by score, the riskiest first: who left, and the chance that the profile gave them."""

    accounts: int
    left: int
    lowest: float
    highest: float
    foretold: float | None


@dataclass(frozen=True)
class Quarter:
    """A quarter: `false_greens` were healthy and left, `false_reds` were critical and stayed."""

    quarter: str
    accounts: int
    left: int
    healthy: int
    false_greens: int
    critical: int
    false_reds: int


@dataclass(frozen=True)
class Carries:
    """An input: how many accounts it is known of, what it tells by itself, and what the score tells without it."""

    name: str
    weight: float
    known: int
    alone: float | None
    without: float | None


@dataclass(frozen=True)
class Proof:
    """All that is known of a score. `lift`: how many times more of the riskiest tenth left than of all."""

    profile: str
    version: int
    accounts: int
    scored: int
    left: int
    auc: Auc | None
    active: Auc | None
    rule: float | None
    """what the same figures by rank tell, each with the same weight"""
    lift: float | None
    tenths: tuple[Tenth, ...]
    quarters: tuple[Quarter, ...]
    inputs: tuple[Carries, ...]

    @property
    def reliable(self) -> bool:
        """True if it is sure that the score tells something."""
        return self.auc is not None and self.auc.low > SURE and min(self.left, self.scored - self.left) >= FEWEST

    @property
    def says(self) -> str:
        """The verdict in a sentence."""
        if self.auc is None:
            return "No verdict: among the accounts that could be scored nobody left, or nobody stayed."
        if min(self.left, self.scored - self.left) < FEWEST:
            few = min(self.left, self.scored - self.left)
            return f"No verdict: {few} accounts of one kind are too few; {FEWEST} are needed of those who left and who stayed."
        if not self.reliable:
            return (
                f"This score has no power here: by it {self.auc.value:.2f} of pairs are in the right order"
                f" ({self.auc.low:.2f} to {self.auc.high:.2f}), a coin reaches 0.50. Do not act on it."
            )
        return f"This score tells who leaves: {self.auc.value:.2f} of pairs are in the right order ({self.auc.low:.2f} to {self.auc.high:.2f})."


def prove(profile: HealthProfile, seen: Sequence[Seen]) -> Proof:
    """What became of the accounts against their scores, each as of its own day."""
    scores = _scores(profile, seen)
    known = [(one, scored.score) for one, scored in zip(seen, scores, strict=True) if scored.score is not None]
    overall = auc(known)
    return Proof(
        profile=profile.profile,
        version=profile.version,
        accounts=len(seen),
        scored=len(known),
        left=sum(one.left for one, _ in known),
        auc=overall,
        active=auc([(one, its) for one, its in known if one.active]),
        rule=_value(auc(_known(seen, _scores(_by_rank(profile), seen)))),
        lift=_lift(known),
        tenths=_tenths(profile, known),
        quarters=_quarters(profile, known),
        inputs=tuple(_carries(profile, seen, scores, at) for at in range(len(profile.inputs))),
    )


def auc(known: Sequence[tuple[Seen, float]]) -> Auc | None:
    """The area under the curve with its interval by DeLong, by account: days of the same one are no new evidence.

    Source: DeLong, DeLong and Clarke-Pearson 1988; Obuchowski 1997 for several days of an account.
    """
    gone = sorted(its for one, its in known if one.left)
    stayed = sorted(its for one, its in known if not one.left)
    if not gone or not stayed:
        return None
    placed = []
    for one, its in known:
        against = stayed if one.left else gone
        below = (bisect_left(against, its) + bisect_right(against, its)) / 2 / len(against)
        placed.append((one, 1 - below if one.left else below))
    value = sum(place for one, place in placed if one.left) / len(gone)
    by_account: dict[str, float] = defaultdict(float)
    for one, place in placed:
        by_account[one.account] += (place - value) / (len(gone) if one.left else len(stayed))
    many = len(by_account)
    error = sqrt(many / (many - 1) * sum(part * part for part in by_account.values())) if many > 1 else 1.0
    return Auc(value, max(0.0, value - _Z95 * error), min(1.0, value + _Z95 * error))


def _scores(profile: HealthProfile, seen: Sequence[Seen]) -> list[Scored]:
    """The scores in the order of `seen`; ranks are among the accounts of the same day."""
    days: dict[date, list[int]] = defaultdict(list)
    for at, one in enumerate(seen):
        days[one.day].append(at)
    found: dict[int, Scored] = {}
    for places in days.values():
        found.update(zip(places, score(profile, [seen[at].values for at in places]), strict=True))
    return [found[at] for at in range(len(seen))]


def _known(seen: Sequence[Seen], scores: Sequence[Scored]) -> list[tuple[Seen, float]]:
    return [(one, its.score) for one, its in zip(seen, scores, strict=True) if its.score is not None]


def _value(found: Auc | None) -> float | None:
    return None if found is None else found.value


def _by_rank(profile: HealthProfile) -> HealthProfile:
    """The same figures with one weight, by rank; words keep their points."""
    plain = tuple(one.model_copy(update={"curve": None, "weight": 1.0}) for one in profile.inputs)
    return profile.model_copy(update={"inputs": plain})


def _carries(profile: HealthProfile, seen: Sequence[Seen], scores: Sequence[Scored], at: int) -> Carries:
    one = profile.inputs[at]
    alone = [(who, its) for who, scored in zip(seen, scores, strict=True) if (its := scored.points[at]) is not None]
    others = None
    if len(profile.inputs) > 1:
        others = _value(auc(_known(seen, _scores(without(profile, at), seen))))
    return Carries(one.name, one.weight, len(alone), _value(auc(alone)), others)


def _lift(known: Sequence[tuple[Seen, float]]) -> float | None:
    """Who left among the riskiest tenth, against all; of equals at its edge a share counts."""
    left = sum(one.left for one, _ in known)
    tenth = len(known) / 10
    if not left or tenth < 1:
        return None
    by_score: dict[float, list[bool]] = defaultdict(list)
    for one, its in known:
        by_score[its].append(one.left)
    room, caught = tenth, 0.0
    for _, equals in sorted(by_score.items()):
        taken = min(room, float(len(equals)))
        caught += sum(equals) * taken / len(equals)
        room -= taken
        if room <= 0:
            break
    return caught / tenth / (left / len(known))


def _tenths(profile: HealthProfile, known: Sequence[tuple[Seen, float]]) -> tuple[Tenth, ...]:
    ranked = sorted(known, key=lambda pair: pair[1])
    cuts = [round(len(ranked) * part / 10) for part in range(11)]
    return tuple(
        Tenth(
            len(group),
            sum(one.left for one, _ in group),
            group[0][1],
            group[-1][1],
            sum(chances) / len(chances) if (chances := _chances(profile, [its for _, its in group])) else None,
        )
        for part in range(10)
        if (group := ranked[cuts[part] : cuts[part + 1]])
    )


def _chances(profile: HealthProfile, scores: Sequence[float]) -> list[float]:
    if (chance := profile.chance) is None:
        return []
    return [1 / (1 + exp(-max(-60.0, min(60.0, chance.at_zero + chance.per_point * its)))) for its in scores]


def _quarters(profile: HealthProfile, known: Sequence[tuple[Seen, float]]) -> tuple[Quarter, ...]:
    quarters: dict[str, list[tuple[bool, str]]] = defaultdict(list)
    for one, its in known:
        quarters[quarter_of(date.fromordinal(one.day.toordinal() - 1))].append((one.left, band(profile, its)))
    return tuple(
        Quarter(
            quarter=name,
            accounts=len(found),
            left=sum(left for left, _ in found),
            healthy=sum(colour == "healthy" for _, colour in found),
            false_greens=sum(left and colour == "healthy" for left, colour in found),
            critical=sum(colour == "critical" for _, colour in found),
            false_reds=sum(not left and colour == "critical" for left, colour in found),
        )
        for name, found in sorted(quarters.items())
    )
