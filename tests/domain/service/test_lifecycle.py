from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.frame.case_words import CaseState
from domain.service.errors import MergeRefusedError, StaleCaseError, TransitionNotAllowedError
from domain.service.lifecycle import (
    AfterMessage,
    CaseFacts,
    ChangeRequest,
    after_message,
    allowed_after,
    automatic_mail_allowed_at,
    check_change,
    check_merge,
    closes_at,
    merge_target,
    nudges_at,
)
from tests.domain.service.samples import at, hours, office_clock

NOW = at("2026-01-05 09:00")
DONE = {"resolution_code": "fixed", "resolution_text": "replaced the part"}


def change(to: CaseState, **more: Any) -> ChangeRequest:
    return ChangeRequest(to=to, at=NOW, **more)


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        (CaseFacts(state=CaseState.NEW, owner="S1"), change(CaseState.OPEN)),
        (CaseFacts(state=CaseState.OPEN), change(CaseState.WAITING_CUSTOMER, reason="serial number")),
        (CaseFacts(state=CaseState.WAITING_CUSTOMER), change(CaseState.OPEN)),
        (CaseFacts(state=CaseState.OPEN), change(CaseState.RESOLVED, **DONE)),
        (CaseFacts(state=CaseState.RESOLVED, ended_at=NOW - timedelta(days=14)), change(CaseState.OPEN)),
        (CaseFacts(state=CaseState.RESOLVED), change(CaseState.CLOSED)),
        (CaseFacts(state=CaseState.OPEN), change(CaseState.CANCELLED, by_customer=True)),
        (CaseFacts(state=CaseState.OPEN, version=3), change(CaseState.MERGED, seen_version=3)),
    ],
)
def test_changes_that_are_allowed(facts: CaseFacts, wanted: ChangeRequest) -> None:
    check_change(facts, wanted)


@pytest.mark.parametrize(
    ("facts", "wanted", "advice"),
    [
        (CaseFacts(state=CaseState.NEW), change(CaseState.OPEN), "assign an owner"),
        (CaseFacts(state=CaseState.OPEN), change(CaseState.WAITING_INTERNAL), "what it waits for"),
        (CaseFacts(state=CaseState.OPEN), change(CaseState.RESOLVED, resolution_code="x"), "resolution code"),
        (CaseFacts(state=CaseState.OPEN, open_children=2), change(CaseState.RESOLVED, **DONE), "2 open child cases"),
        (CaseFacts(state=CaseState.OPEN), change(CaseState.CANCELLED), "give the reason"),
        (
            CaseFacts(state=CaseState.CLOSED, ended_at=NOW - timedelta(days=15)),
            change(CaseState.OPEN),
            "open a new case linked to it",
        ),
    ],
)
def test_changes_that_lack_something(facts: CaseFacts, wanted: ChangeRequest, advice: str) -> None:
    with pytest.raises(TransitionNotAllowedError, match=advice):
        check_change(facts, wanted)


def test_a_change_that_does_not_exist_is_answered_with_those_that_do() -> None:
    with pytest.raises(TransitionNotAllowedError, match="it can become open, closed, merged") as refusal:
        check_change(CaseFacts(state=CaseState.RESOLVED), change(CaseState.WAITING_CUSTOMER, reason="x"))
    assert refusal.value.allowed == ("open", "closed", "merged")
    with pytest.raises(TransitionNotAllowedError, match="nothing else"):
        check_change(CaseFacts(state=CaseState.MERGED), change(CaseState.OPEN))


def test_every_state_says_what_may_follow_and_never_itself() -> None:
    for state in CaseState:
        assert state not in allowed_after(state)
    assert [state for state in CaseState if not allowed_after(state)] == [CaseState.MERGED]


def test_of_two_agents_at_once_the_second_is_told() -> None:
    with pytest.raises(StaleCaseError, match="version 4, not 3"):
        check_change(CaseFacts(state=CaseState.OPEN, version=4), change(CaseState.RESOLVED, seen_version=3, **DONE))


@pytest.mark.parametrize(
    ("state", "ended_days_ago", "meaning"),
    [
        (CaseState.NEW, None, AfterMessage.CONTINUES),
        (CaseState.WAITING_THIRD_PARTY, None, AfterMessage.RESUMES),
        (CaseState.RESOLVED, 14, AfterMessage.REOPENS),
        (CaseState.CLOSED, 13, AfterMessage.REOPENS),
        (CaseState.CLOSED, 15, AfterMessage.NEW_LINKED_CASE),
        (CaseState.CANCELLED, 1, AfterMessage.NEW_LINKED_CASE),
        (CaseState.MERGED, 1, AfterMessage.GOES_TO_MERGE_TARGET),
    ],
)
def test_a_message_is_never_dropped(state: CaseState, ended_days_ago: int | None, meaning: AfterMessage) -> None:
    ended = None if ended_days_ago is None else NOW - timedelta(days=ended_days_ago)
    assert after_message(CaseFacts(state=state, ended_at=ended), NOW) is meaning


def test_business_days_decide_when_a_case_nudges_and_closes() -> None:
    clock = office_clock(holidays=[{"on": "2026-01-06"}])
    assert nudges_at(NOW, clock) == (at("2026-01-08 09:00"), at("2026-01-13 09:00"))
    assert closes_at(NOW, clock) == at("2026-01-13 09:00")


def test_automatic_mails_are_capped_a_day() -> None:
    sent = [NOW - hours(30), NOW - hours(20), NOW - hours(2)]
    assert automatic_mail_allowed_at(sent, NOW) == NOW
    assert automatic_mail_allowed_at([*sent, NOW - hours(1)], NOW) > NOW


def test_merging_follows_earlier_merges_and_refuses_circles() -> None:
    accounts = dict.fromkeys("ABCD", "customer") | {"X": "other"}
    assert merge_target("A", {"A": "B", "B": "C"}) == "C"
    assert check_merge("D", "A", accounts=accounts, merged_into={"A": "B"}) == "B"
    for source, target, merged, advice in (
        ("B", "A", {"A": "B"}, "would be a circle"),
        ("A", "A", {}, "would be a circle"),
        ("A", "X", {}, "different customers"),
        ("A", "?", {}, "check the id"),
        ("A", "C", {"A": "B"}, "merged into 'B' before"),
        ("D", "A", {"A": "B", "B": "A"}, "go in a circle"),
    ):
        with pytest.raises(MergeRefusedError, match=advice):
            check_merge(source, target, accounts=accounts, merged_into=merged)
