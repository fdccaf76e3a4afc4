"""A case from its opening to its end: what it may become, what it does by itself and when, and what others hear of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from domain.frame.case_words import CaseState, Level, Priority
from domain.kernel.refusals import Refusal
from domain.service import case_changes, case_handling, case_merging
from domain.service.case import Happened, Recorded
from domain.service.case_progress import CaseChanged
from domain.service.case_requests import (
    AddNote,
    Assign,
    Cancel,
    DeEscalate,
    Escalate,
    Merge,
    Prioritise,
    Resolve,
    Respond,
    Wait,
    WaitFor,
)
from domain.service.casework import Work
from domain.service.lifecycle import allowed_after
from tests.domain.service.asking import (
    DAY,
    HOUR,
    MONDAY,
    WAYS,
    cancel,
    close,
    customer_writes,
    in_state,
    merge,
    other,
    reopen,
    resolve,
    respond,
    resume,
    wait_for,
)
from tests.domain.service.living import STAFF, Life, refused

REQUESTS: dict[str, tuple[Callable[[Work], None], CaseState]] = {
    "wait for the customer": (wait_for(WaitFor.CUSTOMER), CaseState.WAITING_CUSTOMER),
    "wait for ourselves": (wait_for(WaitFor.INTERNAL), CaseState.WAITING_INTERNAL),
    "wait for others": (wait_for(WaitFor.THIRD_PARTY), CaseState.WAITING_THIRD_PARTY),
    "resolve": (resolve, CaseState.RESOLVED),
    "close": (close, CaseState.CLOSED),
    "cancel": (cancel, CaseState.CANCELLED),
    "merge": (merge, CaseState.MERGED),
}


# What it may become


@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize("state", WAYS, ids=lambda state: state.value)
def test_a_request_is_carried_out_or_refused_with_what_is_allowed_instead(state: CaseState, name: str) -> None:
    decide, to = REQUESTS[name]
    life = in_state(state)
    if to in allowed_after(state):
        life.do(decide)
        assert life.case.status is to
        return
    said = str(refused(life, decide))
    assert all(one.value in said for one in allowed_after(state)) or "nothing else" in said


@pytest.mark.parametrize("state", WAYS, ids=lambda state: state.value)
def test_only_what_waits_goes_on_and_only_what_has_ended_is_reopened(state: CaseState) -> None:
    waits = state.value.startswith("waiting")
    ended = state in (CaseState.RESOLVED, CaseState.CLOSED)
    for decide, fits in ((resume, waits), (reopen, ended)):
        life = in_state(state)
        if fits:
            life.do(decide)
            assert life.case.status is CaseState.OPEN
        else:
            refusal = refused(life, decide)
            assert refusal.type == "TransitionNotAllowed"
            assert all(one.value in str(refusal) for one in allowed_after(state))


def note(work: Work) -> None:
    case_changes.note(work, AddNote(body="They are away.", by="AG-1"))


@pytest.mark.parametrize("stirs", [note, respond, customer_writes(), resume])
def test_the_journey_hears_once_that_a_case_is_not_quiet_any_more(stirs: Callable[[Work], None]) -> None:
    life = Life(MONDAY, impact=Level.HIGH, urgency=Level.HIGH)
    life.wait(HOUR)
    life.do(respond)
    life.do(wait_for(WaitFor.CUSTOMER))
    life.wait(31 * DAY)
    told = len(life.told)
    life.do(stirs)
    assert life.told[told:] in (["standing"], ["escalated"])  # what was late by now is told at the same time
    life.do(note)
    assert len(life.told) == told + 1


def test_what_a_change_needs_is_asked_for() -> None:
    life = in_state(CaseState.OPEN)
    assert "resolution code" in str(refused(life, lambda work: case_changes.resolve(work, Resolve(by="AG-1"))))
    assert "reason" in str(refused(life, lambda work: case_changes.cancel(work, Cancel(by="AG-1"))))
    past = Wait(reason="parts", until=MONDAY - HOUR, by="AG-1")
    assert "has passed" in str(refused(life, lambda work: case_changes.wait(work, past)))
    future = Respond(body="x", at=MONDAY + DAY, by="AG-1")
    assert "must lie between" in str(refused(life, lambda work: case_changes.respond(work, future)))


def test_a_case_that_ended_long_ago_is_not_reopened() -> None:
    life = in_state(CaseState.RESOLVED)
    life.wait(15 * DAY)
    assert "open a new case" in str(refused(life, reopen))
    assert life.do(customer_writes())["new_case"]


def test_an_answer_to_an_ended_case_says_where_to_write() -> None:
    life = in_state(CaseState.MERGED)
    assert "write to 'C-2'" in str(refused(life, respond))
    assert "write to 'C-2'" in str(refused(life, customer_writes()))
    assert "reopen it first" in str(refused(in_state(CaseState.CLOSED), respond))


def test_a_message_of_the_customer_does_what_the_state_calls_for() -> None:
    for state, effect, after in (
        (CaseState.OPEN, "continues", CaseState.OPEN),
        (CaseState.WAITING_CUSTOMER, "resumes", CaseState.OPEN),
        (CaseState.RESOLVED, "reopens", CaseState.OPEN),
        (CaseState.CLOSED, "reopens", CaseState.OPEN),
    ):
        life = in_state(state)
        assert life.do(customer_writes())["effect"] == effect
        assert life.case.status is after
    robot = in_state(CaseState.WAITING_CUSTOMER)
    assert robot.do(customer_writes("I am away.", automatic=True))["effect"] == "kept"
    assert robot.case.status is CaseState.WAITING_CUSTOMER
    twice = in_state(CaseState.OPEN)
    twice.do(customer_writes(message_id="<1@customer.example>"))
    assert twice.do(customer_writes(message_id="<1@customer.example>")) == {"known": True}
    assert twice.kinds().count("customer_message") == 1


# Who, and how urgently


def test_who_is_unknown_gets_no_case_and_known_teams_are_named() -> None:
    life = in_state(CaseState.OPEN)
    unknown = Assign(owner="AG-404", by="AG-1")
    assert "none of our people" in str(refused(life, lambda work: case_handling.assign(work, unknown)))
    refusal = refused(life, lambda work: case_handling.assign(work, Assign(team="nights", by="AG-1")))
    assert "there are service" in str(refusal)
    life.do(lambda work: case_handling.assign(work, Assign(owner="AG-2", by="AG-1")))
    assert life.case.owner_id == "AG-2"
    assert life.notices[-1][2] == "AG-2"
    for state in (CaseState.CLOSED, CaseState.MERGED):
        ended = in_state(state)
        for decide in (
            lambda work: case_handling.assign(work, Assign(owner="AG-2", by="AG-1")),
            lambda work: case_handling.escalate(work, Escalate(reason="x", by="AG-1")),
            lambda work: case_handling.prioritise(work, Prioritise(priority=Priority.URGENT, by="AG-1")),
        ):
            assert f"is {state.value}" in str(refused(ended, decide))


def test_the_flag_goes_up_once_for_a_reason_and_down_with_one() -> None:
    life = in_state(CaseState.OPEN)
    for _ in range(2):
        life.do(lambda work: case_handling.escalate(work, Escalate(reason="the shop is closed", by="AG-1")))
    assert life.kinds().count("escalated") == 1
    assert {staff for _, _, staff in life.notices} == {"AG-1", "LEAD", "MANAGER"}
    life.do(lambda work: case_handling.de_escalate(work, DeEscalate(reason="a spare one", by="AG-1")))
    down = DeEscalate(reason="again", by="AG-1")
    assert "not escalated" in str(refused(life, lambda work: case_handling.de_escalate(work, down)))
    assert [what for what in life.told if "escalated" in what] == ["escalated", "de_escalated"]


def test_a_second_reason_to_escalate_is_kept_beside_the_first_and_told() -> None:
    life = in_state(CaseState.OPEN)
    life.do(lambda work: case_handling.escalate(work, Escalate(reason="the shop is closed", by="AG-1")))
    told = len(life.notices)
    again = Escalate(reason="the press has called", by="AG-2")
    answer = life.do(lambda work: case_handling.escalate(work, again))
    assert answer["escalated_for"] == ["the shop is closed", "the press has called"]
    assert life.kinds().count("escalated") == 2
    assert {staff for _, _, staff in life.notices[told:]} == {"AG-1", "LEAD", "MANAGER"}
    assert any("the press has called" in line for line in life.lines)


def test_what_was_done_is_told_however_often_it_was_done_on_one_day() -> None:
    life = Life(MONDAY)
    for _ in range(4):
        life.do(resolve)
        life.do(reopen)
    assert life.templates().count("case_resolved") == 4


# What it does by itself


def test_what_an_agent_writes_bears_the_name_of_that_agent() -> None:
    """Whoever has the case may be somebody else."""
    life, signed = Life(MONDAY), []

    def answered(by: str, resolved: bool = False) -> None:
        def act(work: Work) -> None:
            if resolved:
                case_changes.resolve(work, Resolve(code="fixed", text="A new cable.", by=by))
            else:
                case_changes.respond(work, Respond(body="Which model?", by=by))
            signed.append(work.mails[-1].context["sender_name"])

        life.do(act)

    for by in ("AG-1", "AG-2", "program"):
        answered(by)
    answered("AG-2", resolved=True)
    assert signed == [STAFF[by].name for by in ("AG-1", "AG-2", "AG-1", "AG-2")]


# How it was


# Merging


def recorded(n: int, at: datetime, kind: Happened, **detail: Any) -> Recorded:
    return Recorded(sequence=n, at=at, recorded_at=at, kind=kind, by="x", detail=detail)


@pytest.mark.parametrize(
    ("answered", "heard_at", "target", "since"),
    [
        (False, None, {}, MONDAY),
        (True, None, {}, None),
        (False, MONDAY + HOUR / 2, {}, None),  # the target's answer came after the message
        (False, MONDAY - HOUR, {}, MONDAY),
        (False, None, {"opened_at": MONDAY + HOUR / 2}, MONDAY + HOUR / 2),
        (False, None, {"status": CaseState.RESOLVED}, MONDAY + HOUR),
    ],
)
def test_a_merge_takes_along_the_answer_that_is_owed(
    answered: bool, heard_at: datetime | None, target: dict[str, Any], since: datetime | None
) -> None:
    life = Life(MONDAY)
    if answered:
        life.do(respond)
    life.wait(HOUR)
    others = {"C-2": other(life.case, **target)}
    life.do(lambda work: case_merging.merge(work, Merge(into="C-2", by="AG-1"), others, {}, heard_at))
    assert life.last.owed_since == since
    assert [(one.what, one.into) for one in life.last.tell] == [("absorbed", "C-2"), ("closed", None)]


def test_what_is_late_stays_on_the_merged_cases_record() -> None:
    life = Life(MONDAY, impact=Level.HIGH, urgency=Level.HIGH)
    life.wait(2 * HOUR)
    life.do(merge)
    assert life.last.owed_since == MONDAY + 2 * HOUR
    row = life.promise("first_response")
    assert (row.state, row.violated_at) == ("stopped", MONDAY + HOUR)


def test_the_case_that_absorbs_another_owes_its_answer() -> None:
    life = in_state(CaseState.WAITING_CUSTOMER)
    life.do(respond)
    life.wait(HOUR)
    number = len(life.known.events) + 1
    owed = life.now - HOUR / 2
    life.known.events.append(
        recorded(number, life.now, Happened.ABSORBED, case_id="C-0", unanswered_since=owed.isoformat())
    )
    told = CaseChanged(id="C-0:3:absorbed", at=life.now, case_id="C-0", what="absorbed", into="C-1")
    life.do(lambda work: case_merging.absorbed(work, told))
    assert life.case.status is CaseState.OPEN
    row = life.promise("next_response")
    assert (row.state, row.started_at) == ("open", owed)
    assert life.next_at is not None
    assert row.due_at is not None
    assert life.next_at <= row.due_at


def test_refusals_carry_their_type() -> None:
    circle = in_state(CaseState.OPEN)
    with pytest.raises(Refusal, match="circle") as said:
        circle.do(lambda work: case_merging.merge(work, Merge(into="C-1", by="AG-1"), {}, {}))
    assert said.value.type == "MergeRefused"
