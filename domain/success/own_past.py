"""The score that runs, tried on the company's own past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from domain.frame.health_facts import HealthEvidence
from domain.success.figures import OfColumn
from domain.success.health import assess
from domain.success.profiles import HealthProfile, Input
from domain.success.proof import Proof, Seen, prove
from domain.success.score_inputs import seats_in_use
from domain.success.score_profiles import Measure, ScoreProfile

LEAVES_WITHIN = timedelta(days=180)
"""Whoever has nothing any more after so long has left."""
_SCORE = "score"


def seen_of(evidence: HealthEvidence, profiles: Sequence[ScoreProfile], day: date, *, left: bool) -> Seen:
    """A customer as of a day: the score that they would have had, and the points of each measure."""
    plain = evidence.having(last=None, known=None, month_ago=None)
    health = assess(plain, profiles)
    values = {part.name: None if part.value is None else float(part.value) for part in health.parts}
    reported = [use for use in evidence.products if use.latest_day is not None]
    active = any(seats_in_use(use) for use in reported) if reported else None
    score = None if health.score is None else float(health.score)
    return Seen(evidence.account_id, day, {**values, _SCORE: score}, left, active)


def prove_own(profiles: Sequence[ScoreProfile], seen: Sequence[Seen]) -> Proof:
    """How well the scores told who left, caps included; what carries them is shown by the measures alone."""
    usual = next(one for one in profiles if not one.segments and one.stage is None)
    weights = {one.measure: float(group.weight * one.weight) for group in usual.groups for one in group.inputs}
    whole = _as_profile(usual, {_SCORE: 1.0})
    parts = prove(_as_profile(usual, {one.value: weights.get(one, 1.0) for one in Measure}), seen)
    return replace(prove(whole, seen), inputs=parts.inputs, rule=parts.rule)


def _as_profile(usual: ScoreProfile, weights: dict[str, float]) -> HealthProfile:
    """Points as they are, with the bands of the profile that most customers have."""
    inputs = tuple(
        Input(name=name, value=OfColumn(column=name), curve=((0, 0), (100, 100)), weight=weight)
        for name, weight in weights.items()
    )
    return HealthProfile(
        profile=usual.profile,
        version=usual.version,
        inputs=inputs,
        healthy=usual.healthy,
        watch=usual.watch,
        least_known=0,
    )
