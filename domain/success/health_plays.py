"""What comes of a score: a fall of band is somebody's task by the next business day, and so is health that is unknown for long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.frame.decision import CloseStaffTasks, Decision, JournalLine, Notice, OpenStaffTask
from domain.frame.situation import Situation
from domain.frame.state import HealthView, Outcome, Step
from domain.kernel.base import Write
from domain.kernel.shown import counted
from domain.success.health import Health, News
from domain.success.score_rules import Band
from domain.success.writes import RecordHealth, TellHealth

TASKS = "health"
UNKNOWN_TASK = f"{TASKS}/unknown"
UNKNOWN_WITHIN = 5
"""Days within which somebody finds out what is not known."""


@dataclass(frozen=True)
class ScoreNews:
    """A score on record of which the journey has not heard yet."""

    at: datetime
    score: int | None
    band: Band
    since: datetime
    news: News
    why: str
    cause: str


def scored(situation: Situation, health: Health) -> Decision:
    """A score of now goes on record, and what comes of it is done in the same breath."""
    record = RecordHealth(
        situation.as_of,
        health.score,
        health.band.value,
        [part.as_json() for part in health.parts],
        health.profile,
        health.version,
        health.why,
        health.cause,
        [rule.as_json() for rule in health.rules],
        health.trend.as_json() if health.trend else None,
        health.since,
        health.news.value if health.news else None,
        situation.as_of,
    )
    found = Decision(JournalLine(""), Outcome(health=health.view()), [record])
    known = situation.customer.health
    was_critical = bool(known) and known[-1].band == Band.CRITICAL.value
    if health.band is Band.CRITICAL or was_critical:
        found += Outcome(attention=_attention(health.band, health.why))
    if health.news is None:
        return found
    news = ScoreNews(situation.as_of, health.score, health.band, health.since, health.news, health.why, health.cause)
    return found + _come_of(situation, news)


def hear(situation: Situation, step: Step, untold: Sequence[ScoreNews]) -> Decision:
    """The daily look has found another band: what comes of each such score that the journey has not heard of."""
    if not untold:
        return Decision(JournalLine("Health: heard of already", kind="skipped"))
    latest = untold[-1]
    found = Decision(
        JournalLine(_said(latest), kind="health_changed", detail={"score": latest.score, "band": latest.band.value}),
        Outcome(
            health=HealthView(score=latest.score, band=latest.band.value, why=latest.why),
            attention=_attention(latest.band, latest.why),
        ),
        [TellHealth(latest.at, situation.as_of)],
    )
    # Of a band that was left again since, nobody has to hear.
    return found + _come_of(situation, latest)


def _attention(band: Band, why: str) -> dict[str, str | None]:
    return {"health_critical": f"health is critical: {why}" if band is Band.CRITICAL else None}


def _said(news: ScoreNews) -> str:
    score = "" if news.score is None else f" {news.score},"
    match news.news:
        case News.FELL | News.ROSE:
            return f"Health {news.news.value} to {news.band.value}:{score} {news.why}"
        case News.LONG_UNKNOWN:
            return f"Health is unknown since {news.since.date()}"
        case _:
            return f"Health:{score} {news.band.value}"


def _come_of(situation: Situation, news: ScoreNews) -> Decision:
    match news.news:
        case News.FELL:
            return _fell(situation, news)
        case News.LONG_UNKNOWN:
            return _long_unknown(situation, news)
        case _:
            prefix = UNKNOWN_TASK if news.news is News.BECAME else f"{TASKS}/"
            return Decision(JournalLine(""), writes=_settled(situation, prefix, news))


def _settled(situation: Situation, prefix: str, news: ScoreNews) -> list[Write]:
    """The open plays end once the band is better, or the health is known again."""
    if news.band is Band.UNKNOWN or not any(key.startswith(prefix) for key in situation.customer.staff_tasks):
        return []
    return [CloseStaffTasks(prefix, situation.as_of, outcome=f"health is {news.band.value}")]


def _fell(situation: Situation, news: ScoreNews) -> Decision:
    """One play for one cause: who has it open already has it on their desk."""
    key, title = f"{TASKS}/{news.cause}", f"Health fell to {news.band.value}"
    due_at, due_on = situation.customer.morning(situation.in_days(1))
    if due_at <= situation.soon[0]:  # they hear of it on that very morning
        due_at = situation.customer.closing(due_on)
    to = "owner" if news.band is Band.CRITICAL else "success_manager"
    waiting = key in situation.customer.staff_tasks
    asked = f"Please find out what to do about it by {due_on}."
    writes = _settled(situation, UNKNOWN_TASK, news)
    if not waiting:
        writes.append(OpenStaffTask(key, title, to, due_at, news.why))
    return Decision(
        JournalLine(""),
        writes=writes,
        notices=[Notice(title, [news.why, asked], to=to, due=due_at, task=key)],
    )


def _long_unknown(situation: Situation, news: ScoreNews) -> Decision:
    days = counted((situation.today - situation.customer.day_of(news.since)).days, "day")
    title = f"Health is unknown for {days}"
    if UNKNOWN_TASK in situation.customer.staff_tasks:
        return Decision(JournalLine(""))
    due_at, due_on = situation.customer.morning(situation.in_days(UNKNOWN_WITHIN))
    lines = [news.why, f"Ask the customer how they use it, or see to it that use is reported, by {due_on}."]
    return Decision(
        JournalLine(""),
        writes=[OpenStaffTask(UNKNOWN_TASK, title, "success_manager", due_at, news.why)],
        notices=[Notice(title, lines, due=due_at, task=UNKNOWN_TASK)],
    )
