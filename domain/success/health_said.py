"""What people and programs say that bears on health: a band that somebody knows better."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from domain.frame.decision import Decision, JournalLine
from domain.frame.health_facts import HealthEvidence, HealthOverride
from domain.frame.situation import Situation
from domain.frame.state import Outcome
from domain.kernel.refusals import INVALID_REQUEST, Problem, Refusal
from domain.success import health_plays
from domain.success.health import assess
from domain.success.requests import MOST_OVERRIDDEN, OverrideHealth
from domain.success.score_profiles import ScoreProfile
from domain.success.writes import RecordHealthOverride


def override(
    situation: Situation,
    request: OverrideHealth,
    override_id: str,
    evidence: HealthEvidence,
    profiles: Sequence[ScoreProfile],
) -> Decision:
    """The band is what a person says, from now on for a while; the score of now says so."""
    now = situation.as_of
    until = request.until if request.until is not None else now + timedelta(days=request.days or 0)
    if not now < until <= now + MOST_OVERRIDDEN:
        days = MOST_OVERRIDDEN.days
        problem = Problem(
            field="until", problem=f"{until.isoformat()} is not within {days} days from now; name an end within them"
        )
        raise Refusal(INVALID_REQUEST, "the health cannot be overridden", [problem])
    said = HealthOverride(
        band=request.band, reason=request.reason, by=situation.named(request.by), since=now, until=until
    )
    health = assess(evidence.having(override=said), profiles)
    ends = situation.customer.day_of(until)
    says = f"{said.by} says that health is {request.band}, until {ends}: {request.reason}"
    answer = {"override_id": override_id, "until": until.isoformat(), "band": health.band.value, "score": health.score}
    record = RecordHealthOverride(override_id, request.band, request.reason, said.by, now, until)
    return Decision(JournalLine(says), Outcome(said=[says], answer=answer), [record]) + health_plays.scored(
        situation, health
    )
