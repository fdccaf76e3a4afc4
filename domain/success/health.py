"""The health score: which figures count how much, what is missing, and why the result is what it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from domain.frame.customer import AssetFacts, Customer
from domain.frame.playbook import Playbook
from domain.frame.state import HealthView
from domain.frame.success_facts import UsageFacts
from domain.kernel.money import half_up
from domain.orders.order import ProductKind
from domain.success.rhythm import order_rhythm


class Band(StrEnum):
    """Below 40 critical, from 40 watch, from 70 healthy; unknown while less than half of the weight has data."""

    CRITICAL = "critical"
    WATCH = "watch"
    HEALTHY = "healthy"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class ScorePart:
    """One input of the score: its value from 0 to 100 (null: no data), its weight, and what it says in words."""

    name: str
    value: Decimal | None
    weight: int
    says: str

    def as_json(self) -> dict[str, str | int | None]:
        """The part as it is stored."""
        value = None if self.value is None else str(half_up(1).apply(self.value))
        return {"name": self.name, "value": value, "weight": self.weight, "says": self.says}


@dataclass(frozen=True)
class Health:
    """A score from 0 to 100 with its band and its parts."""

    score: int | None
    band: Band
    parts: tuple[ScorePart, ...]

    def view(self) -> HealthView:
        """What the briefing shows."""
        known = [part.says for part in self.parts if part.value is not None]
        return HealthView(score=self.score, band=self.band.value, why="; ".join(known) or "no figures yet")


@dataclass(frozen=True)
class SeatUse:
    """Seats of one asset in use: paid `seats`, `active` users, their `share`, and the change against the 28 days before.

    `active` is the mean of the last 28 days in whole users, or the last figure, of the day `counted_on`, if there is none. All
    else is counted from what is shown, so that count, share and threshold never contradict each other.
    """

    asset: AssetFacts
    seats: int
    active: int
    share: Decimal
    trend: Decimal | None
    counted_on: date | None = None

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
        if today - facts.latest_day > timedelta(days=playbook.adoption.stale_days):
            continue
        seats = _seats_of(customer, asset.product, at)
        active = int(half_up().apply(facts.last if facts.recent is None else facts.recent))
        counted_on = facts.latest_day if facts.recent is None else None
        share = Decimal(active) / seats
        uses[asset.product] = SeatUse(asset, seats, active, share, _trend(facts), counted_on)
    return sorted(uses.values(), key=lambda use: (use.share, use.asset.asset_id))


def _seats_of(customer: Customer, product: str, at: datetime) -> int:
    """Paid seats of a product over all its assets: usage is reported by product."""
    periods = (asset.at(at) for asset in customer.assets if asset.product == product)
    return sum(period.quantity for period in periods if period)


def _trend(facts: UsageFacts) -> Decimal | None:
    return facts.recent / facts.earlier - 1 if facts.recent is not None and facts.earlier else None


def assess(customer: Customer, playbook: Playbook, at: datetime) -> Health:
    """The health of a customer at `at`. Missing figures are left out and their weight falls to the others; never 0 or 100."""
    parts = tuple(_parts(customer, playbook, at))
    total = sum(part.weight for part in parts)
    known = [(part.value, part.weight) for part in parts if part.value is not None]
    weight = sum(part_weight for _, part_weight in known)
    if not known or 2 * weight < total:
        return Health(None, Band.UNKNOWN, parts)
    mean = sum((value * part_weight for value, part_weight in known), Decimal(0)) / weight
    score = int(half_up().apply(mean))
    return Health(score, band_of(score), parts)


def band_of(score: int) -> Band:
    """The band of a score."""
    return Band.CRITICAL if score < 40 else Band.WATCH if score < 70 else Band.HEALTHY


def _parts(customer: Customer, playbook: Playbook, at: datetime) -> list[ScorePart]:
    parts = []
    if any(asset.kind is ProductKind.SUBSCRIPTION and asset.at(at) for asset in customer.assets):
        parts += _usage_parts(seat_use(customer, playbook, at))
    if customer.purchases:
        parts.append(_recency_part(customer, playbook, customer.day_of(at)))
    if customer.tasks:
        parts.append(_onboarding_part(customer, at))
    parts.append(_sentiment_part(customer, at))
    return parts


def _usage_parts(uses: list[SeatUse]) -> list[ScorePart]:
    if not uses:
        return [ScorePart("adoption", None, 40, "usage unknown"), ScorePart("trend", None, 20, "trend unknown")]
    seats = sum(use.seats for use in uses)
    share = Decimal(sum(use.active for use in uses)) / seats
    average = "" if any(use.counted_on for use in uses) else " on average"
    says = f"{_percent(share)} of {seats} seats in use{average}"
    adoption = ScorePart("adoption", _scale(share, "0", "0.8"), 40, says)
    trends = [use.trend for use in uses if use.trend is not None]
    if not trends:
        return [adoption, ScorePart("trend", None, 20, "trend unknown")]
    trend = min(trends)
    return [adoption, ScorePart("trend", _scale(trend, "-0.5", "0.2"), 20, f"use {_signed(trend)} in 28 days")]


def _recency_part(customer: Customer, playbook: Playbook, today: date) -> ScorePart:
    days = [purchase.day for purchase in customer.purchases]
    rhythm = order_rhythm(days, playbook.reorder)
    silent = (today - max(days)).days
    value = _scale(Decimal(silent) / rhythm, "3", "1")
    return ScorePart("order rhythm", value, 60, f"last order {silent} days ago, usual rhythm {rhythm} days")


def _onboarding_part(customer: Customer, at: datetime) -> ScorePart:
    settled = sum(not task.is_open for task in customer.tasks)
    late = sum(task.is_open and task.due_at < at for task in customer.tasks)
    total = len(customer.tasks)
    value = Decimal(100) if settled == total else max(Decimal(0), Decimal(80) - Decimal(80) * late / total)
    said = (
        "onboarding done"
        if settled == total
        else f"onboarding {settled} of {total}" + (f", {late} late" if late else "")
    )
    return ScorePart("onboarding", value, 20, said)


def _sentiment_part(customer: Customer, at: datetime) -> ScorePart:
    fresh = [s for s in customer.surveys if s.score is not None and at - s.sent_at <= timedelta(days=180)]
    if not fresh:
        return ScorePart("sentiment", None, 20, "no survey answered")
    score = max(fresh, key=lambda survey: survey.sent_at).score or 0
    return ScorePart("sentiment", Decimal(score * 10), 20, f"would recommend: {score} of 10")


def _scale(value: Decimal, worst: str, best: str) -> Decimal:
    """`value` on a line from 0 at `worst` to 100 at `best`, clamped."""
    low, high = Decimal(worst), Decimal(best)
    return max(Decimal(0), min(Decimal(100), (value - low) / (high - low) * 100))


def _percent(share: Decimal) -> str:
    return f"{half_up().apply(share * 100)} %"


def _signed(share: Decimal) -> str:
    return f"{int(half_up().apply(share * 100)):+} %"
