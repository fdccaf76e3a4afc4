"""What a mean does not say: the band with its hysteresis, and what caps or overrides a score, each by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from domain.frame.customer import ContractStatus
from domain.frame.health_facts import HealthEvidence, HealthOverride, PaymentStatus
from domain.kernel.money import half_up
from domain.kernel.shown import counted
from domain.success.score_inputs import pressing_since
from domain.success.score_profiles import ScoreProfile

BLOCKED = "blocked"


class Band(StrEnum):
    """Below 40 critical, from 40 watch, from 70 healthy, where the profile says nothing else; unknown while too little is known."""

    CRITICAL = "critical"
    WATCH = "watch"
    HEALTHY = "healthy"
    UNKNOWN = "unknown"

    @property
    def rank(self) -> int:
        """0 for the worst; what is not known lies in the middle."""
        return {Band.CRITICAL: 0, Band.HEALTHY: 2}.get(self, 1)


@dataclass(frozen=True)
class Rule:
    """A rule that bore on a score, and what it says."""

    name: str
    says: str

    def as_json(self) -> dict[str, str]:
        """The rule as it is stored."""
        return {"name": self.name, "says": self.says}


@dataclass(frozen=True)
class Judged:
    """A score with its band once all rules have spoken, those that cap it first; `unblocked`: the band if nothing held sales back."""

    score: int | None
    band: Band
    unblocked: Band
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class _Amiss:
    """What is amiss: the score is at most `cap`, the band at most `best`, or one lower than it would be."""

    rule: Rule
    cap: int = 100
    best: Band = Band.HEALTHY
    lowers: bool = False

    def binds(self, score: int, band: Band) -> bool:
        """True if it changes a score or a band."""
        return self.cap < score or self.best.rank < band.rank or self.lowers


def judge(profile: ScoreProfile, evidence: HealthEvidence, mean: int | None) -> Judged:
    """The score that comes of a rounded mean, null for too little to tell: what people said, and what is amiss, counts all the same."""
    amiss = _amiss(profile, evidence)
    override = evidence.override
    said = [] if override is None else [_override(evidence, override)]
    if mean is None:
        band = Band.UNKNOWN if override is None else _limited(Band(override.band), amiss)
        return Judged(None, band, band, (*(one.rule for one in amiss), *said))
    score = min([mean, *(one.cap for one in amiss)])
    natural, kept = band_of(profile, score), _kept(profile, evidence, score)
    held = [] if said or kept is natural else [_held(profile, score, kept)]
    chosen = kept if override is None else Band(override.band)
    band = _limited(chosen, amiss)
    if band is not chosen and not said:
        score = min(score, _top(profile, band))
    binding = sorted(amiss, key=lambda one: not one.binds(mean, band_of(profile, mean)))
    unblocked = _limited(chosen, [one for one in amiss if one.rule.name != BLOCKED])
    return Judged(score, band, unblocked, (*(one.rule for one in binding), *said, *held))


def band_of(profile: ScoreProfile, score: int) -> Band:
    """The band of a score: a number belongs to the band that it begins."""
    return Band.HEALTHY if score >= profile.healthy else Band.WATCH if score >= profile.watch else Band.CRITICAL


def _limited(band: Band, amiss: Sequence[_Amiss]) -> Band:
    if any(one.lowers for one in amiss):
        band = Band.WATCH if band is Band.HEALTHY else Band.CRITICAL
    return min([band, *(one.best for one in amiss)], key=lambda one: one.rank)


def _top(profile: ScoreProfile, band: Band) -> int:
    return {Band.CRITICAL: profile.watch - 1, Band.WATCH: profile.healthy - 1}.get(band, 100)


def _kept(profile: ScoreProfile, evidence: HealthEvidence, score: int) -> Band:
    """The band of a score, or the one before while the score lies within the hysteresis of the edge between them."""
    natural = band_of(profile, score)
    if evidence.last is None or evidence.last.band == Band.UNKNOWN.value:
        return natural
    before = Band(evidence.last.band)
    if before.rank > natural.rank:  # it fell: how far below the edge of the band before?
        edge = profile.healthy if before is Band.HEALTHY else profile.watch
        return before if edge - score < profile.hysteresis else natural
    edge = profile.healthy if natural is Band.HEALTHY else profile.watch
    return before if before.rank < natural.rank and score - edge < profile.hysteresis else natural


def _held(profile: ScoreProfile, score: int, band: Band) -> Rule:
    within = counted(profile.hysteresis, "point")
    return Rule("hysteresis", f"{score} is less than {within} beyond the edge of its band, so it is still {band.value}")


def _override(evidence: HealthEvidence, said: HealthOverride) -> Rule:
    return Rule("override", f"{said.by} says {said.band} until {evidence.day_of(said.until)}: {said.reason}")


def _amiss(profile: ScoreProfile, evidence: HealthEvidence) -> list[_Amiss]:
    """All that is amiss, the gravest first."""
    found = []
    for status in (ContractStatus.GRACE, ContractStatus.DECLINED):
        if says := _renewal_amiss(evidence, status):
            found.append(_Amiss(Rule(status.value, says), best=Band.WATCH))
    since = pressing_since(evidence)
    if since is not None and evidence.as_of - since > timedelta(days=profile.caps.pressing_case_days):
        days = counted((evidence.as_of - since).days, "day")
        cap = int(half_up().apply(profile.caps.pressing_case))
        found.append(_Amiss(Rule("pressing_case", f"an urgent case is open for {days}: at most {cap}"), cap=cap))
    if evidence.blocks:
        says = f"service holds sales back ({evidence.blocks[0].says}): at most watch"
        found.append(_Amiss(Rule(BLOCKED, says), best=Band.WATCH))
    if evidence.sponsor is None and evidence.sponsor_left_at is not None:
        cap = int(half_up().apply(profile.caps.sponsor_left))
        found.append(_Amiss(Rule("sponsor_left", f"the sponsor has left: at most {cap}"), cap=cap))
    overdue = sum(one.status is PaymentStatus.OVERDUE for one in evidence.payments)
    if overdue:
        found.append(_Amiss(Rule("overdue", f"{counted(overdue, 'invoice')} overdue: one band lower"), lowers=True))
    return found


def _renewal_amiss(evidence: HealthEvidence, status: ContractStatus) -> str | None:
    for sign in evidence.renewals:
        if sign.status is status:
            last = sign.until - timedelta(days=1)
            ran = f"{sign.contract_id} ran out on {last} and is in grace" if status is ContractStatus.GRACE else ""
            return f"{ran or f'the renewal of {sign.contract_id} is declined'}: never healthy"
    return None
