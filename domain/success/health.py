"""The health score: a mean of what is known, what caps it, its band and trend; and why it is what it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from domain.frame.customer import AssetFacts, Customer
from domain.frame.health_facts import HealthEvidence
from domain.frame.playbook import Playbook
from domain.frame.state import HealthView
from domain.frame.success_facts import UsageFacts
from domain.kernel.money import half_up
from domain.orders.order import ProductKind
from domain.success import score_inputs, score_rules
from domain.success.score_inputs import MeasuredValue
from domain.success.score_profiles import BEST, LifeStage, ScoredBy, ScoreGroup, ScoreProfile, profile_for, shares_of
from domain.success.score_rules import Band, Rule


@dataclass(frozen=True)
class ScorePart:
    """One input of the score: its points from 0 to 100 (null: not known), its weight in percent of the profile's, what it brings to
    the score, and what it says. `state`: known, missing, stale or absent (nothing that the customer could have)."""

    name: str
    group: str
    value: Decimal | None
    weight: Decimal
    says: str
    state: str
    source: str
    day: date | None
    brings: Decimal = Decimal(0)
    costs: Decimal = Decimal(0)
    """what it would bring more with all points"""
    fell: Decimal = Decimal(0)
    """by how much more that is than at the best of the last two months"""
    bad: bool = True
    """false for what is no reason of a fall"""

    def as_json(self) -> dict[str, Any]:
        """The part as it is stored."""
        return {
            "name": self.name,
            "group": self.group,
            "value": None if self.value is None else str(half_up(1).apply(self.value)),
            "weight": float(half_up(1).apply(self.weight)),
            "brings": None if self.value is None else str(half_up(1).apply(self.brings)),
            "costs": None if self.value is None else str(half_up(1).apply(self.costs)),
            "says": self.says,
            "state": self.state,
            "source": self.source,
            "day": self.day.isoformat() if self.day else None,
        }


WHY_SHOWN = 3
MEAN_OF_DAYS = 28


_TOLD_BY = {
    "grace": "renewal",
    "declined": "renewal",
    "overdue": "invoices",
    "sponsor_left": "sponsor",
}
"""Inputs of which a rule says the same."""


class News(StrEnum):
    """What a journey has to hear of a score: that the band is another one, or that nothing has been known for long."""

    FELL = "fell"
    ROSE = "rose"
    BECAME = "became"
    """another band, neither better nor worse: known for the first time, or not known any more"""
    LONG_UNKNOWN = "long_unknown"


@dataclass(frozen=True)
class Trend:
    """Against the score of about 30 days ago: `points` more or less; `dropping` if it fell by much, or into a worse band."""

    since: date
    score: int
    points: int
    dropping: bool

    def as_json(self) -> dict[str, Any]:
        """The trend as it is stored."""
        return {"since": self.since.isoformat(), "score": self.score, "points": self.points, "dropping": self.dropping}


@dataclass(frozen=True)
class Health:
    """A score from 0 to 100 with its band, its parts, and the rules that bore on it.

    unblocked: the band that it would have if nothing held sales back; since: since when the band is what it is.
    """

    score: int | None
    band: Band
    unblocked: Band
    parts: tuple[ScorePart, ...]
    profile: str
    version: int
    rules: tuple[Rule, ...]
    trend: Trend | None
    since: datetime
    news: News | None

    @property
    def why(self) -> str:
        """The reasons in a sentence, those that cap the score first; of the rest what costs most, of a fall what has lowered it."""
        told = {_TOLD_BY.get(rule.name) for rule in self.rules}
        known = [part for part in self.parts if part.value is not None and part.name not in told]
        lowered = sorted(
            (part for part in known if part.bad and part.fell >= 1), key=lambda part: (-part.fell, part.name)
        )
        if self.news is News.FELL and (self.rules or lowered):
            return "; ".join([*(rule.says for rule in self.rules), *(part.says for part in lowered[:WHY_SHOWN])])
        costly = sorted((part for part in known if part.costs >= 1), key=lambda part: (-part.costs, part.name))
        found = [rule.says for rule in self.rules] + [part.says for part in costly[:WHY_SHOWN]]
        found += [part.says for part in known if part.says not in found][: max(0, 2 - len(found))]
        return "; ".join(found) or "no figures yet"

    def view(self) -> HealthView:
        """What the briefing shows."""
        return HealthView(score=self.score, band=self.band.value, why=self.why)

    @property
    def cause(self) -> str:
        """What weighs on it most, by name: a rule that caps it, else the input that costs most."""
        if self.rules:
            return self.rules[0].name
        known = [part for part in self.parts if part.value is not None]
        return max(known, key=lambda part: (part.costs, part.name)).name if known else "unknown"


@dataclass(frozen=True)
class SeatUse:
    """Seats of one asset in use: paid `seats`, `active` users, their `share`, and the change against the 28 days before.

    `active` is the mean of the last 28 days in whole users, since the day `since` if the product has been in use for fewer, or the last
    figure, of the day `counted_on`, if there is none. All else is counted from what is shown, so that count, share and threshold never
    contradict each other.
    """

    asset: AssetFacts
    seats: int
    active: int
    share: Decimal
    trend: Decimal | None
    counted_on: date | None = None
    since: date | None = None

    @property
    def says(self) -> str:
        """The count for people, without the product."""
        return f"{self.active} of {self.seats} seats in use {'at the last count' if self.counted_on else 'on average'}"


def seat_use(customer: Customer, playbook: Playbook, at: datetime) -> list[SeatUse]:
    """The use of each subscribed product in force at `at` whose usage is fresh; the least used first."""
    usage = {facts.product: facts for facts in customer.usage}
    today = customer.day_of(at)
    uses: dict[str, SeatUse] = {}
    for asset in customer.assets:
        period = asset.at(at)
        facts = usage.get(asset.product)
        if (
            asset.product in uses
            or asset.kind is not ProductKind.SUBSCRIPTION
            or period is None
            or period.quantity == 0
            or facts is None
        ):
            continue
        if is_stale(facts, playbook, today):
            continue
        seats = _seats_of(customer, asset.product, at)
        active = active_users(facts)
        counted_on = facts.latest_day if facts.recent is None else None
        share = Decimal(active) / seats
        uses[asset.product] = SeatUse(asset, seats, active, share, _trend(facts), counted_on, _since(facts, today))
    return sorted(uses.values(), key=lambda use: (use.share, use.asset.asset_id))


def is_stale(facts: UsageFacts, playbook: Playbook, today: date) -> bool:
    """Whether use was reported too long ago to say anything of `today`."""
    return today - facts.latest_day > timedelta(days=playbook.adoption.stale_days)


def active_users(facts: UsageFacts) -> int:
    """Those who use a product: the mean of the last days in whole users, or the last figure if there is none."""
    return int(half_up().apply(facts.last if facts.recent is None else facts.recent))


def _since(facts: UsageFacts, today: date) -> date | None:
    """The first day of use, that day included, of a product that has been in use for fewer days than its mean is of."""
    new = (
        facts.recent is not None and facts.since is not None and facts.since > today - timedelta(days=MEAN_OF_DAYS - 1)
    )
    return facts.since if new else None


def _seats_of(customer: Customer, product: str, at: datetime) -> int:
    """Paid seats of a product over all its assets: usage is reported by product."""
    periods = (asset.at(at) for asset in customer.assets if asset.product == product)
    return sum(period.quantity for period in periods if period)


def _trend(facts: UsageFacts) -> Decimal | None:
    return facts.recent / facts.earlier - 1 if facts.recent is not None and facts.earlier else None


def assess(evidence: HealthEvidence, profiles: Sequence[ScoreProfile]) -> Health:
    """The health of a customer by what is on record. What is missing or stale is left out: never 0, never 100."""
    profile = profile_for(profiles, evidence.segment, life_stage(evidence, profiles))
    parts, mean = _weighed(profile, [_group(evidence, group) for group in profile.groups])
    before = evidence.best.costs if evidence.best else {}
    parts = tuple(replace(part, fell=part.costs - before.get(part.name, Decimal(0))) for part in parts)
    judged = score_rules.judge(profile, evidence, None if mean is None else int(half_up().apply(mean)))
    last = evidence.last
    same = last is not None and last.band == judged.band.value
    since = (last.since or last.at) if last is not None and same else evidence.as_of
    trend = _trend_of(profile, evidence, judged.score, judged.band)
    health = Health(
        judged.score,
        judged.band,
        judged.unblocked,
        parts,
        profile.profile,
        profile.version,
        judged.rules,
        trend,
        since,
        None,
    )
    return replace(health, news=_news(profile, evidence, health))


def life_stage(evidence: HealthEvidence, profiles: Sequence[ScoreProfile]) -> LifeStage:
    """Onboarding is a stage of life while its tasks are open, for as long after the first order as the profile says."""
    profile = profile_for(profiles, evidence.segment, LifeStage.ONBOARDING)
    tasks = evidence.tasks
    young = evidence.as_of - evidence.since < timedelta(days=profile.onboarding_days)
    return LifeStage.ONBOARDING if young and tasks and tasks.settled < tasks.total else LifeStage.STEADY


def _group(evidence: HealthEvidence, group: ScoreGroup) -> list[tuple[ScoredBy, ScorePart]]:
    """The inputs of a group; each weighs its share of what applies to the customer."""
    found = [(one, score_inputs.find(evidence, one.measure)) for one in group.inputs]
    whole = sum((one.weight for one, its in found if its.applies), Decimal(0))
    return [(one, _part(evidence, group, one, its, whole)) for one, its in found]


def _part(
    evidence: HealthEvidence, group: ScoreGroup, one: ScoredBy, found: MeasuredValue, whole: Decimal
) -> ScorePart:
    stale = one.fresh_days is not None and found.day is not None and (evidence.today - found.day).days > one.fresh_days
    value, says = found.value, found.says
    state = "absent" if not found.applies else "missing" if value is None else "stale" if stale else "known"
    if state == "stale":
        says = f"{says}: too old to count, the last is of {found.day}"
    points = one.points_of(value) if value is not None and state == "known" else None
    weight = group.weight * one.weight / whole if found.applies else Decimal(0)
    return ScorePart(
        one.measure.value,
        group.group,
        points,
        weight,
        says,
        state,
        found.source,
        found.day,
        bad=found.bad,
    )


def _weighed(
    profile: ScoreProfile, groups: Sequence[Sequence[tuple[ScoredBy, ScorePart]]]
) -> tuple[tuple[ScorePart, ...], Decimal | None]:
    """All parts with what each brings, and the weighted mean of the groups' means; null if too little is known.

    Within a group the weight of what is not known falls to the others; a group of which nothing is known is left out.
    """
    in_all = sum((part.weight for group in groups for _, part in group), Decimal(0))
    counted = sum((part.weight for group in groups for _, part in group if part.value is not None), Decimal(0))
    shares = shares_of(
        [
            (
                sum((part.weight for _, part in group), Decimal(0)),
                [one.weight if part.value is not None else None for one, part in group],
            )
            for group in groups
        ]
    )
    parts, mean = [], Decimal(0)
    for group, of_group in zip(groups, shares, strict=True):
        for (_, part), share in zip(group, of_group, strict=True):
            brings = share * (part.value or Decimal(0))
            mean += brings
            weighs = part.weight / in_all * BEST if in_all else Decimal(0)
            parts.append(replace(part, brings=brings, weight=weighs, costs=share * BEST - brings))
    enough = counted > 0 and counted >= profile.least_known * in_all
    return tuple(parts), mean if enough else None


def _trend_of(profile: ScoreProfile, evidence: HealthEvidence, score: int | None, band: Band) -> Trend | None:
    then = evidence.month_ago
    if then is None or then.score is None or score is None:
        return None
    points = score - then.score
    dropping = points <= -profile.drop or band.rank < Band(then.band).rank
    return Trend(evidence.day_of(then.at), then.score, points, dropping)


def _news(profile: ScoreProfile, evidence: HealthEvidence, health: Health) -> News | None:
    last, known = evidence.last, evidence.known
    if health.band is Band.UNKNOWN:
        if last is not None and last.band != Band.UNKNOWN.value:
            return News.BECAME
        limit = evidence.as_of - timedelta(days=profile.unknown_days)
        asked = evidence.asked_to_look_at
        return News.LONG_UNKNOWN if health.since <= limit and (asked is None or asked <= limit) else None
    if last is None:  # nobody has to hear that somebody new is well
        return News.FELL if health.band is Band.CRITICAL else None
    if last.band == health.band.value:
        return None
    before = Band.WATCH.rank if known is None else Band(known.band).rank
    if health.band.rank < before:
        return News.FELL
    return News.ROSE if health.band.rank > before else News.BECAME
