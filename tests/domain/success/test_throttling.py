"""How often people are asked, and what a bad answer calls for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from domain.frame.sales_holds import AskedBefore, SurveyKind
from domain.success.throttling import (
    CaseToAskAbout,
    Withheld,
    answer_counts,
    asked_last,
    calls_for_follow_up,
    case_survey_withheld,
    relationship_survey_withheld,
)

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)
CASE = CaseToAskAbout(case_id="C-1", contact_id="P-1", resolved=True)


def asked(kind: SurveyKind, days_ago: float, contact: str = "P-1", case: str | None = None) -> AskedBefore:
    return AskedBefore(kind=kind, contact_id=contact, sent_at=NOW - timedelta(days=days_ago), case_id=case)


def test_a_resolved_case_is_asked_about() -> None:
    assert case_survey_withheld(CASE, [], NOW) is None


@pytest.mark.parametrize("change", [{"resolved": False}, {"spam": True}])
def test_what_was_not_resolved_earns_no_survey(change: dict[str, bool]) -> None:
    assert case_survey_withheld(CASE.having(**change), [], NOW) is Withheld.NOT_EARNED


def test_a_case_is_asked_about_once_however_long_ago_and_whoever_answered() -> None:
    before = [asked(SurveyKind.CSAT, 400, contact="P-2", case="C-1")]
    assert case_survey_withheld(CASE, before, NOW) is Withheld.ALREADY_ASKED


@pytest.mark.parametrize("kind", list(SurveyKind))
def test_a_contact_is_asked_once_in_thirty_days_whatever_the_kind(kind: SurveyKind) -> None:
    assert case_survey_withheld(CASE, [asked(kind, 29.9, case="C-0")], NOW) is Withheld.ASKED_RECENTLY
    assert case_survey_withheld(CASE, [asked(kind, 30, case="C-0")], NOW) is None
    assert case_survey_withheld(CASE, [asked(kind, 1, contact="P-2", case="C-0")], NOW) is None


def relationship(*before: AskedBefore, blocked: bool = False, case_days_ago: float | None = None) -> Withheld | None:
    last = None if case_days_ago is None else NOW - timedelta(days=case_days_ago)
    return relationship_survey_withheld("P-1", before, NOW, blocked=blocked, last_case_at=last)


def test_the_relationship_is_asked_about_half_yearly_and_never_while_service_is_at_work() -> None:
    assert relationship() is None
    assert relationship(blocked=True) is Withheld.BLOCKED
    assert relationship(case_days_ago=13) is Withheld.CASE_RECENTLY
    assert relationship(case_days_ago=14) is None
    assert relationship(asked(SurveyKind.NPS, 181, contact="P-2")) is Withheld.ALREADY_ASKED
    assert relationship(asked(SurveyKind.NPS, 182)) is None
    assert relationship(asked(SurveyKind.CSAT, 12)) is Withheld.ASKED_RECENTLY


def test_how_it_was_to_begin_is_not_asked_within_six_weeks_of_a_recommendation() -> None:
    def withheld(days: float, contact: str = "P-2", kind: SurveyKind = SurveyKind.CES) -> Withheld | None:
        other = SurveyKind.NPS if kind is SurveyKind.CES else SurveyKind.CES
        before = [asked(other, days, contact=contact)]
        return relationship_survey_withheld("P-1", before, NOW, kind=kind, blocked=False, last_case_at=None)

    assert withheld(41.9) is Withheld.ASKED_RECENTLY
    assert withheld(42) is None
    assert withheld(29.9, "P-1", SurveyKind.NPS) is Withheld.ASKED_RECENTLY
    assert withheld(30, "P-1", SurveyKind.NPS) is None
    before = [asked(SurveyKind.NPS, 10, contact="P-2"), asked(SurveyKind.CSAT, 5)]
    last = asked_last("P-1", SurveyKind.CES, before)
    assert last == (before[0], NOW + timedelta(days=32)), "the one that stands longest in the way"


def test_an_answer_counts_for_a_week_and_may_be_changed_for_a_day() -> None:
    sent = NOW - timedelta(days=7)
    assert answer_counts(sent, None, NOW)
    assert not answer_counts(sent, None, NOW + timedelta(seconds=1))
    assert answer_counts(sent, NOW - timedelta(hours=24), NOW)
    assert not answer_counts(sent, NOW - timedelta(hours=24, seconds=1), NOW)


@pytest.mark.parametrize(
    ("kind", "score", "expected"),
    [
        (SurveyKind.CSAT, 2, True),
        (SurveyKind.CSAT, 3, False),
        (SurveyKind.NPS, 6, True),
        (SurveyKind.NPS, 7, False),
        (SurveyKind.CES, 3, True),
        (SurveyKind.CES, 4, False),
    ],
)
def test_a_bad_answer_calls_for_a_talk(kind: SurveyKind, score: int, expected: bool) -> None:
    assert calls_for_follow_up(kind, score) is expected
