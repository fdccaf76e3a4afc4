"""Choices: what can be answered on the page of a mail's question, and how an answer is written in the subject under which it is kept."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from enum import StrEnum

from domain.frame.mail_kinds import MailTopic
from domain.frame.renewal_facts import ChurnReason
from domain.kernel.base import Carried

MOST_UNITS = 10_000_000
MOST_MONTHS = 240
_TERM = re.compile(r"(months|#[A-Za-z0-9_.-]{1,64})=([0-9]{1,8})", re.ASCII)
_EVERY = re.compile(r"every=(14|30)", re.ASCII)
_STEP = re.compile(
    r"step (done|day|help) ([a-z][a-z0-9_]{0,30}) ([A-Za-z0-9_.-]{1,64})(?: (\d{4}-\d\d-\d\d))?", re.ASCII
)
_SCORE = re.compile(r"[0-9]{1,2}", re.ASCII)


class Pick(StrEnum):
    """What somebody picked."""

    SCORE = "score"
    YES = "yes"
    NO = "no"
    ACCEPT = "accept"
    DECLINE = "decline"
    REVISE = "revise"
    MAILS = "mails"
    """which optional mails they get"""
    STEP = "step"
    """how a step of their onboarding stands"""
    WHY = "why"
    """why they do not go on"""
    SAY = "say"
    """words of their own, which somebody reads as they read a reply"""


class StepWord(StrEnum):
    """What somebody says of a step."""

    DONE = "done"
    DAY = "day"
    """another day would suit better"""
    HELP = "help"


class StepSaid(Carried):
    """What is said of a task of an order's onboarding; with another day the day that would suit."""

    word: StepWord
    task: str
    order_id: str
    day: date | None = None


class PageChoice(Carried):
    """An answer: the `score` of a survey, the `version` that is accepted, the reason of a no, or the terms that are wished: units by the
    asset that they are of, and months; or what is said of a `step`."""

    pick: Pick
    score: int | None = None
    version: int | None = None
    units: Mapping[str, int] = {}
    months: int | None = None
    why: ChurnReason | None = None
    declined: tuple[MailTopic, ...] = ()
    every_days: int | None = None
    step: StepSaid | None = None

    @property
    def written(self) -> str:
        """In one line: `9`, `yes`, `accept 2`, `decline price`, `revise #SO-1.1=30 months=24`,
        `mails -offers every=30`, `step day kickoff SO-1 2027-03-01`."""
        if self.pick is Pick.SCORE:
            return str(self.score)
        if self.pick is Pick.MAILS:
            every = [] if self.every_days is None else [f"every={self.every_days}"]
            return " ".join([self.pick.value, *(f"-{topic.value}" for topic in self.declined), *every])
        if self.step is not None:
            one = self.step
            day = [] if one.day is None else [one.day.isoformat()]
            return " ".join([self.pick.value, one.word.value, one.task, one.order_id, *day])
        terms = [f"#{asset_id}={count}" for asset_id, count in self.units.items()]
        terms += [f"months={self.months}"] if self.months is not None else []
        beside = [str(one) for one in (self.version, self.why and self.why.value) if one is not None]
        return " ".join([self.pick.value, *beside, *terms])

    @classmethod
    def read(cls, written: str) -> PageChoice | None:
        """A choice as it was written; null for anything else."""
        word, *rest = written.split() or [""]
        if _SCORE.fullmatch(word) and not rest:
            return cls(pick=Pick.SCORE, score=int(word))
        match word, rest:
            case (("yes" | "no" | "accept" | "decline" | "say"), []):
                return cls(pick=Pick(word))
            case "accept", [version] if _SCORE.fullmatch(version) and int(version):
                return cls(pick=Pick.ACCEPT, version=int(version))
            case (("decline" | "why"), [why]) if why in set(ChurnReason):
                return cls(pick=Pick(word), why=ChurnReason(why))
            case "revise", [_, *_]:
                return _other_terms(rest)
            case "mails", _:
                return _mails(rest)
            case "step", _:
                return _step(written)
            case _:
                return None


def _step(written: str) -> PageChoice | None:
    said = _STEP.fullmatch(" ".join(written.split()))
    if said is None or (said[1] == StepWord.DAY) != (said[4] is not None):
        return None
    try:
        day = date.fromisoformat(said[4]) if said[4] else None
    except ValueError:
        return None
    return PageChoice(pick=Pick.STEP, step=StepSaid(word=StepWord(said[1]), task=said[2], order_id=said[3], day=day))


def _mails(said: list[str]) -> PageChoice | None:
    *topics, last = said or [""]
    every = _EVERY.fullmatch(last)
    named = [one.removeprefix("-") for one in (topics if every or not last else said)]
    if len(set(named)) < len(named) or not set(named) <= {topic.value for topic in MailTopic}:
        return None
    return PageChoice(
        pick=Pick.MAILS, declined=tuple(map(MailTopic, named)), every_days=int(every[1]) if every else None
    )


def _other_terms(said: list[str]) -> PageChoice | None:
    found = [_TERM.fullmatch(one) for one in said]
    terms = {one[1]: int(one[2]) for one in found if one is not None}
    months = terms.pop("months", None)
    units = {name.removeprefix("#"): count for name, count in terms.items()}
    if None in found or any(count > MOST_UNITS for count in units.values()):
        return None
    if months is not None and not 1 <= months <= MOST_MONTHS:
        return None
    return PageChoice(pick=Pick.REVISE, units=units, months=months)
