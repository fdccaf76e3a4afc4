"""What another system's log of a case means: its record and how its promises went."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.frame.case_words import CaseState, Priority
from domain.service.case import Happened
from domain.service.case_log import LoggedState, changes_of, history_from, promises_of, record_of
from domain.service.definitions import Milestone, MilestoneKind
from domain.service.entitlements import ServicePolicy
from domain.service.milestones import MilestoneState
from tests.domain.service.samples import at, hours, office_clock

OPENED = at("2026-01-05 09:00")
NOW = at("2026-06-01 00:00")
POLICY = ServicePolicy(
    id="p",
    calendar_id="default",
    milestones=(
        Milestone(name="first_response", kind=MilestoneKind.FIRST_RESPONSE, targets={Priority.HIGH: hours(1)}, order=1),
        Milestone(name="resolution", kind=MilestoneKind.RESOLUTION, targets={Priority.HIGH: hours(8)}, order=2),
    ),
)


def log(*lines: str) -> list[LoggedState]:
    """Lines such as `2026-01-05 09:30 open`."""
    return [LoggedState(at(line[:16]), CaseState(line[17:])) for line in lines]


def told(*lines: str) -> list[str]:
    return [event.kind.value for event in record_of(OPENED, log(*lines), NOW)]


def test_the_first_line_that_is_not_new_is_the_first_response() -> None:
    record = record_of(OPENED, log("2026-01-05 09:05 new", "2026-01-05 09:30 new", "2026-01-05 09:40 open"), NOW)
    assert [(event.kind, event.at) for event in record] == [
        (Happened.CREATED, OPENED),
        (Happened.FIRST_RESPONSE, at("2026-01-05 09:40")),
    ]


def test_lines_that_change_nothing_are_left_out_and_late_ones_take_their_place() -> None:
    lines = log("2026-01-05 11:00 resolved", "2026-01-05 09:30 open", "2026-01-05 10:00 open")
    assert [line.state for line in changes_of(lines)] == [CaseState.OPEN, CaseState.RESOLVED]
    assert told("2026-01-05 11:00 resolved", "2026-01-05 09:30 open") == ["created", "first_response", "resolved"]


def test_waiting_stops_the_clock_only_where_it_is_the_customers_or_a_third_partys_turn() -> None:
    record = record_of(
        OPENED,
        log(
            "2026-01-05 10:00 waiting_customer",
            "2026-01-05 12:00 waiting_internal",
            "2026-01-05 13:00 waiting_third_party",
            "2026-01-05 15:00 open",
            "2026-01-05 16:00 resolved",
        ),
        NOW,
    )
    history = history_from(record)
    assert history.pauses == (
        (at("2026-01-05 10:00"), at("2026-01-05 12:00")),
        (at("2026-01-05 13:00"), at("2026-01-05 15:00")),
    )
    assert history.ended_at == at("2026-01-05 16:00")


def test_a_resolution_from_waiting_ends_the_pause() -> None:
    record = record_of(OPENED, log("2026-01-05 10:00 waiting_customer", "2026-01-05 12:00 resolved"), NOW)
    history = history_from(record)
    assert history.pauses == ((at("2026-01-05 10:00"), at("2026-01-05 12:00")),)
    assert history.paused_since is None


@pytest.mark.parametrize("ending", ["resolved", "closed"])
def test_work_after_an_ending_reopens(ending: str) -> None:
    lines = (f"2026-01-05 10:00 {ending}", "2026-01-06 10:00 waiting_customer", "2026-01-06 11:00 closed")
    assert told(*lines) == ["created", "first_response", ending, "reopened", "waiting", "closed"]
    history = history_from(record_of(OPENED, log(*lines), NOW))
    assert history.closed_spans == ((at("2026-01-05 10:00"), at("2026-01-06 10:00")),)
    assert history.reopen_count == 1


def test_closing_a_resolved_case_moves_nothing() -> None:
    lines = log("2026-01-05 10:00 resolved", "2026-01-09 10:00 closed")
    promises = promises_of(POLICY, Priority.HIGH, record_of(OPENED, lines, NOW), {"default": office_clock()})
    assert promises[1].completed_at == at("2026-01-05 10:00")


def test_promises_are_judged_by_open_time_without_pauses() -> None:
    lines = log("2026-01-05 10:30 open", "2026-01-05 11:00 waiting_customer", "2026-01-06 11:00 open")
    lines += log("2026-01-06 16:00 resolved")
    response, resolution = promises_of(
        POLICY, Priority.HIGH, record_of(OPENED, lines, NOW), {"default": office_clock()}
    )
    assert (response.elapsed, response.state) == (timedelta(minutes=90), MilestoneState.MISSED)
    assert (resolution.elapsed, resolution.state) == (hours(7), MilestoneState.MET)


def test_a_case_that_the_log_leaves_open_is_judged_at_its_end() -> None:
    record = record_of(OPENED, log("2026-01-05 09:30 open"), NOW)
    clocks = {"default": office_clock()}
    late = promises_of(POLICY, Priority.HIGH, record, clocks, as_of=at("2026-01-06 09:30"))[1]
    assert (late.state, late.violated_at) == (MilestoneState.OPEN, at("2026-01-05 17:00"))
    early = promises_of(POLICY, Priority.HIGH, record, clocks, as_of=at("2026-01-05 12:00"))[1]
    assert early.violated_at is None


def test_a_log_that_begins_before_its_own_opening_date_is_believed() -> None:
    record = record_of(OPENED, log("2026-01-05 08:00 new", "2026-01-05 09:30 open"), NOW)
    assert record[0].at == at("2026-01-05 08:00")
