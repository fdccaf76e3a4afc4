"""Who may be asked: how often a contact gets a survey, which cases earn one, how long an answer counts, what it calls for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from domain.frame.sales_holds import DETRACTOR_UP_TO, AskedBefore, SurveyKind
from domain.kernel.base import Carried


class SurveyRules(Carried):
    """The spans that keep surveys from becoming a burden."""

    after_resolution: timedelta = timedelta(hours=2)
    answer_within: timedelta = timedelta(days=7)
    edit_within: timedelta = timedelta(hours=24)
    contact_every: timedelta = timedelta(days=30)
    """between two surveys to one contact, of whatever kind"""
    effort_after_relationship: timedelta = timedelta(days=42)
    """from the question whether a customer would recommend us to the one how easy it was to begin"""
    relationship_every: timedelta = timedelta(days=182)
    """between two relationship surveys to one customer"""
    relationship_after_case: timedelta = timedelta(days=14)
    unhappy_up_to: int = 2
    """the CSAT up to which somebody calls"""
    hard_up_to: int = 3
    """the CES up to which somebody calls"""
    follow_up_business_days: int = 1
    shown_from: int = 10
    """fewer answers than this are told as counts, not as a percentage"""


class Withheld(StrEnum):
    """Why no survey is sent."""

    ALREADY_ASKED = "already_asked"
    """once per case and about the beginning, half-yearly about the relationship"""
    ASKED_RECENTLY = "asked_recently"
    """this contact got a survey of some kind not long ago, or, asked how it was to begin, this customer another one"""
    NOT_EARNED = "not_earned"
    """merged, spam, closed without an answer of ours, or open again"""
    BLOCKED = "blocked"
    """sales has to keep still for the customer's sake"""
    CASE_RECENTLY = "case_recently"
    UNSUBSCRIBED = "unsubscribed"
    """this contact wants no optional mails"""


class CaseToAskAbout(Carried):
    """A case as far as asking about it goes."""

    case_id: str
    contact_id: str
    resolved: bool
    """false once it is open again, merged, cancelled or closed by itself without a resolution"""
    spam: bool = False
    unsubscribed: bool = False


def case_survey_withheld(
    case: CaseToAskAbout, asked: Sequence[AskedBefore], at: datetime, rules: SurveyRules | None = None
) -> Withheld | None:
    """Why a case's survey must not go out at `at`; none when it may.

    Args:
        asked: the surveys that this contact and this case got before; others do no harm.
    """
    if not case.resolved or case.spam:
        return Withheld.NOT_EARNED
    if case.unsubscribed:
        return Withheld.UNSUBSCRIBED
    if any(one.case_id == case.case_id for one in asked):
        return Withheld.ALREADY_ASKED
    return _asked_recently(asked_last(case.contact_id, SurveyKind.CSAT, asked, rules), at)


def relationship_survey_withheld(
    contact_id: str,
    asked: Sequence[AskedBefore],
    at: datetime,
    *,
    kind: SurveyKind = SurveyKind.NPS,
    blocked: bool,
    last_case_at: datetime | None,
    unsubscribed: bool = False,
    rules: SurveyRules | None = None,
) -> Withheld | None:
    """Why a survey about the relationship, or about its beginning, must not go out at `at`; none when it may.

    Args:
        asked: the surveys that this customer got before.
        kind: NPS comes every half year, CES once.
        blocked: a hold of level block is in force.
        last_case_at: when a case of the customer was last opened, moved or resolved.
    """
    limits = rules or SurveyRules()
    if unsubscribed:
        return Withheld.UNSUBSCRIBED
    if blocked:
        return Withheld.BLOCKED
    if last_case_at is not None and at - last_case_at < limits.relationship_after_case:
        return Withheld.CASE_RECENTLY
    earlier = [one for one in asked if one.kind is kind]
    if any(kind is SurveyKind.CES or at - one.sent_at < limits.relationship_every for one in earlier):
        return Withheld.ALREADY_ASKED
    return _asked_recently(asked_last(contact_id, kind, asked, limits), at)


class AskedLast(NamedTuple):
    """The survey that stands longest in the way of the next one, and from when on it does not."""

    survey: AskedBefore
    until: datetime


def asked_last(
    contact_id: str, kind: SurveyKind, asked: Sequence[AskedBefore], rules: SurveyRules | None = None
) -> AskedLast | None:
    """What stands in the way of a survey of this kind to this contact; none if they were never asked."""
    limits = rules or SurveyRules()
    found = [AskedLast(one, one.sent_at + limits.contact_every) for one in asked if one.contact_id == contact_id]
    if kind is SurveyKind.CES:
        found += [
            AskedLast(one, one.sent_at + limits.effort_after_relationship)
            for one in asked
            if one.kind is SurveyKind.NPS
        ]
    return max(found, key=lambda one: one.until, default=None)


def _asked_recently(last: AskedLast | None, at: datetime) -> Withheld | None:
    return Withheld.ASKED_RECENTLY if last is not None and at < last.until else None


def answer_counts(
    sent_at: datetime, first_answer_at: datetime | None, at: datetime, rules: SurveyRules | None = None
) -> bool:
    """Whether an answer at `at` is taken: within the window, and a change of it within the time for second thoughts."""
    limits = rules or SurveyRules()
    if first_answer_at is not None:
        return at - first_answer_at <= limits.edit_within
    return at - sent_at <= limits.answer_within


def calls_for_follow_up(kind: SurveyKind, score: int, rules: SurveyRules | None = None) -> bool:
    """Whether an answer is so bad that somebody talks to the customer within `follow_up_business_days`."""
    match kind:
        case SurveyKind.NPS:
            return score <= DETRACTOR_UP_TO
        case SurveyKind.CSAT:
            return score <= (rules or SurveyRules()).unhappy_up_to
        case SurveyKind.CES:
            return score <= (rules or SurveyRules()).hard_up_to
