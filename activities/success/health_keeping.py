"""What people and programs say of a customer's health, and what a journey looks up of it."""

from __future__ import annotations

from activities.frame.unit_of_work import Activities, UnitOfWork
from activities.health_profiles import read_score_profiles
from activities.success.health_evidence import load_evidence
from activities.success.scoring import untold_of
from domain.frame.health_facts import HealthEvidence
from domain.frame.situation import Situation
from domain.frame.state import Step
from domain.success.health import Health, assess
from domain.success.health_plays import ScoreNews
from domain.success.requests import OverrideHealth
from domain.success.score_profiles import ScoreProfile


async def _evidence(
    work: UnitOfWork, situation: Situation, _: OverrideHealth
) -> tuple[HealthEvidence, tuple[ScoreProfile, ...]]:
    found = await load_evidence(work.connection, [work.unit.account_id], situation.as_of)
    return found[0], read_score_profiles()


async def health_of(work: UnitOfWork, situation: Situation, _: object) -> tuple[Health]:
    """The health of a journey's customer now."""
    evidence = await load_evidence(work.connection, [work.unit.account_id], situation.as_of)
    return (assess(evidence[0], read_score_profiles()),)


async def untold(work: UnitOfWork, situation: Situation, _: Step) -> tuple[list[ScoreNews]]:
    """The scores on record of which a journey has not heard yet, in their order."""
    return ([news for _, news in await untold_of(work.connection, [work.unit.account_id], situation.as_of)],)


class HealthKeeping(Activities):
    """What is looked up for it."""

    looks = {"override_health": _evidence}
