"""Low scores: whoever gave one is thanked, is asked nothing more and congratulated on nothing until a person has followed it up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from domain.frame.decision import Mail
from domain.frame.sales_holds import SurveyKind
from domain.frame.situation import Situation
from domain.frame.success_facts import SurveyFacts
from domain.success.throttling import calls_for_follow_up

TASKS = "survey/"
"""What our people have to follow up, by the answer."""
HIGHEST = {SurveyKind.NPS: 10, SurveyKind.CES: 7}
_LATELY = timedelta(days=365)
NOT_FOLLOWED_UP = "a low score of theirs has not been followed up yet"


def is_open(situation: Situation) -> bool:
    """True while somebody owes the customer a word about a low score, of a case or of ours."""
    return any(key.startswith(TASKS) for key in situation.customer.staff_tasks)


def thanks(situation: Situation, survey: SurveyFacts, kind: SurveyKind, score: int, call_by: date) -> list[Mail]:
    """A word to whoever has just given a low score for the first time: by when who gets in touch with them, as it is a task now."""
    known = (one for one in situation.customer.contacts if one.email.lower() == survey.sent_to and not one.rejected)
    contact = next(known, None)
    if contact is None or survey.answered_at is not None:
        return []
    said = {
        "score": score,
        "of": HIGHEST[kind],
        "caller": situation.customer.success_manager.name,
        "call_by": call_by.isoformat(),
    }
    return [Mail("survey_thanks", said, contact_id=contact.contact_id)]


def since(situation: Situation, at: datetime | None) -> dict[str, Any] | None:
    """The latest low score that was given after `at`, as a check-in speaks of it; null if there is none."""
    found = [(one.answered_at, kind, one) for kind, one in _low(situation) if one.answered_at is not None]
    answered_at, kind, latest = max(found, key=lambda one: (one[0], one[2].survey_id), default=(None, None, None))
    if answered_at is None or kind is None or latest is None or (at is not None and answered_at <= at):
        return None
    said = {
        "survey_id": latest.survey_id,
        "question_kind": kind.value,
        "score": latest.score,
        "of": HIGHEST[kind],
        "on": situation.customer.day_of(answered_at).isoformat(),
    }
    return as_it_stands(situation, said)


def as_it_stands(situation: Situation, said: dict[str, Any]) -> dict[str, Any]:
    """What was said of a low score, as it is now: `open` while it has not been followed up."""
    return {**said, "open": f"{TASKS}{said['survey_id']}" in situation.customer.staff_tasks}


def again(situation: Situation, survey_id: str) -> list[str]:
    """What our people are told of a low score beside earlier ones of a year: which it is, and whether anybody has called; nothing of a
    first one."""
    after = situation.as_of - _LATELY
    earlier = [
        one for _, one in _low(situation) if one.survey_id != survey_id and one.answered_at and one.answered_at > after
    ]
    if not earlier:
        return []
    uncalled = sum(f"{TASKS}{one.survey_id}" in situation.customer.staff_tasks for one in earlier)
    says = [f"It is low answer number {len(earlier) + 1} of theirs within a year."]
    return [*says, f"Nobody has called them after {uncalled} of those before."] if uncalled else says


def _low(situation: Situation) -> Iterator[tuple[SurveyKind, SurveyFacts]]:
    asked = {SurveyKind.NPS: situation.customer.surveys, SurveyKind.CES: situation.customer.efforts}
    for kind, given in asked.items():
        yield from ((kind, one) for one in given if one.score is not None and calls_for_follow_up(kind, one.score))
