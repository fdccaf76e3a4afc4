from __future__ import annotations

from datetime import timedelta

import pytest

from domain.frame.case_words import Priority
from domain.kernel.business_clock import BusinessClock
from domain.kernel.business_errors import ServiceRuleError
from domain.service.definitions import Milestone, MilestoneKind, Recurrence
from domain.service.milestone_timeline import follow
from domain.service.milestones import MilestoneState, Occurrence, occurrences
from tests.domain.service.around_the_clock import always_open
from tests.domain.service.samples import at, hours, minutes, office, office_clock, story
from tests.oracles.dialects.clock import ClockOptions, OtherClock, TargetBoundary
from tests.oracles.dialects.milestones import ExchangeMeasure, next_due, summary

ALWAYS = BusinessClock(always_open())
FIRST = Milestone(name="first", kind=MilestoneKind.FIRST_RESPONSE)
NEXT = Milestone(name="next", kind=MilestoneKind.NEXT_RESPONSE)
UPDATE = Milestone(name="update", kind=MilestoneKind.CUSTOMER_UPDATE)
RESOLUTION = Milestone(name="resolution", kind=MilestoneKind.RESOLUTION)


def only(found: tuple[Occurrence, ...]) -> Occurrence:
    [one] = found
    return one


def test_only_what_a_human_shows_the_customer_is_a_first_response() -> None:
    told = story("09:00 created", "09:01 agent_message automatic", "09:10 note", "09:20 pause", "09:40 agent_message")
    found = only(occurrences(FIRST, hours(1), told, ALWAYS))
    assert (found.elapsed, found.state, found.due) == (minutes(40), MilestoneState.MET, at("2026-01-05 10:00"))


def test_the_first_response_cannot_be_parked_but_the_resolution_can() -> None:
    told = story("09:00 created", "09:30 pause")
    first = only(occurrences(FIRST, hours(1), told, ALWAYS, as_of=at("2026-01-05 12:00")))
    assert (first.state, first.violated_at, first.headroom) == (MilestoneState.OPEN, at("2026-01-05 10:00"), -hours(2))
    resolution = only(occurrences(RESOLUTION, hours(1), told, ALWAYS, as_of=at("2026-01-05 12:00")))
    assert (resolution.state, resolution.due, resolution.violated_at) == (MilestoneState.PAUSED, None, None)
    assert (resolution.paused_since, resolution.headroom) == (at("2026-01-05 09:30"), minutes(30))
    resumed = story("09:00 created", "09:30 pause", "12:00 resume")
    assert only(occurrences(RESOLUTION, hours(1), resumed, ALWAYS)).due == at("2026-01-05 12:30")


def test_a_violation_stays_when_a_pause_follows() -> None:
    told = story("09:00 created", "11:00 pause")
    found = only(occurrences(RESOLUTION, hours(1), told, ALWAYS, as_of=at("2026-01-05 12:00")))
    assert (found.state, found.violated_at) == (MilestoneState.PAUSED, at("2026-01-05 10:00"))


def test_event_time_decides_whatever_order_the_events_arrive_in() -> None:
    late_news = story("12:00 note", "09:00 created", "09:59 agent_message")
    assert only(occurrences(FIRST, hours(1), late_news, ALWAYS)).state is MilestoneState.MET
    assert only(occurrences(FIRST, minutes(58), late_news, ALWAYS)).state is MilestoneState.MISSED


@pytest.mark.parametrize(("done", "state"), [("17:00", MilestoneState.MET), ("17:01", MilestoneState.MISSED)])
def test_work_after_closing_time_is_late_when_the_target_ended_there(done: str, state: MilestoneState) -> None:
    told = story("09:00 created", f"{done} resolved")
    assert only(occurrences(RESOLUTION, hours(8), told, office_clock())).state is state
    next_open = OtherClock(office(), ClockOptions(boundary=TargetBoundary.NEXT_OPEN))
    assert only(occurrences(RESOLUTION, hours(8), told, next_open)).state is MilestoneState.MET


def test_each_exchange_is_an_occurrence_and_a_summary_tells_longest_mean_and_total() -> None:
    told = story(
        "09:00 created",
        "09:00 customer_message",
        "09:05 customer_message",
        "09:30 agent_message",
        "10:00 customer_message",
        "10:10 agent_message",
        "11:00 customer_message",
    )
    found = occurrences(NEXT, minutes(20), told, ALWAYS)
    assert [one.key for one in found] == ["next:1", "next:2", "next:3"]
    assert [one.state for one in found] == [MilestoneState.MISSED, MilestoneState.MET, MilestoneState.OPEN]
    whole = summary("next", found)
    assert (whole.count, whole.longest, whole.mean, whole.total) == (2, minutes(30), minutes(20), minutes(40))
    assert (whole.state, whole.due, whole.headroom) == (MilestoneState.OPEN, at("2026-01-05 11:20"), -minutes(10))
    assert summary("next", found, ExchangeMeasure.MEAN).elapsed == minutes(20)
    assert summary("next", found, ExchangeMeasure.TOTAL).elapsed == minutes(40)
    assert summary("next", found[:2]).state is MilestoneState.MISSED
    assert summary("next", ()).state is MilestoneState.NONE


def test_updates_keep_their_rhythm_when_one_comes_early() -> None:
    told = story("2026-01-05 09:00 created", "2026-01-05 15:00 agent_message", "2026-01-07 10:00 agent_message")
    found = occurrences(UPDATE, timedelta(days=1), told, ALWAYS)
    assert [(one.started_at, one.due) for one in found] == [
        (at("2026-01-05 09:00"), at("2026-01-06 09:00")),
        (at("2026-01-06 09:00"), at("2026-01-07 09:00")),
        (at("2026-01-07 10:00"), at("2026-01-08 10:00")),
    ]
    assert [one.state for one in found] == [MilestoneState.MET, MilestoneState.MISSED, MilestoneState.OPEN]


@pytest.mark.parametrize(
    ("recurrence", "second_start"),
    [(Recurrence.INDEPENDENT, "12:00"), (Recurrence.SEQUENTIAL, "13:00"), (Recurrence.NONE, None)],
)
def test_a_custom_milestone_recurs_as_it_says(recurrence: Recurrence, second_start: str | None) -> None:
    part = Milestone(
        name="part",
        kind=MilestoneKind.CUSTOM,
        starts_with="ordered",
        completes_with="arrived",
        from_creation=False,
        recurrence=recurrence,
    )
    told = story("08:00 created", "09:00 custom ordered", "11:00 custom arrived", "12:00 custom ordered")
    found = occurrences(part, hours(4), told, ALWAYS)
    starts = [one.started_at for one in found]
    assert starts == [at("2026-01-05 09:00")] + ([at(f"2026-01-05 {second_start}")] if second_start else [])


def test_a_custom_milestone_may_start_with_the_case() -> None:
    check = Milestone(name="check", kind=MilestoneKind.CUSTOM, completes_with="checked")
    found = only(occurrences(check, hours(1), story("08:00 created", "08:30 custom checked"), ALWAYS))
    assert (found.started_at, found.state) == (at("2026-01-05 08:00"), MilestoneState.MET)


def test_reopening_goes_on_without_the_closed_time() -> None:
    told = story("09:00 created", "10:00 resolved", "13:00 reopened", "13:00 customer_message", "13:30 resolved")
    assert told.reopen_count == 1
    whole = only(occurrences(RESOLUTION, hours(2), told, ALWAYS))
    assert (whole.elapsed, whole.due, whole.state) == (hours(1.5), at("2026-01-05 14:00"), MilestoneState.MET)


def test_the_message_that_reopens_a_case_is_answered_even_when_it_comes_first() -> None:
    told = story("09:00 created", "10:00 resolved", "13:00 customer_message", "13:00 reopened", "13:20 agent_message")
    assert only(occurrences(NEXT, hours(1), told, ALWAYS)).elapsed == minutes(20)


def test_the_end_of_a_case_stops_what_is_open_and_ends_a_pause() -> None:
    told = story("09:00 created", "09:00 pause", "12:00 resolved", "13:00 agent_message", "14:00 closed")
    resolution = only(occurrences(RESOLUTION, hours(1), told, ALWAYS))
    assert (resolution.elapsed, resolution.state) == (hours(0), MilestoneState.MET)


def test_a_resolution_answers_who_waits() -> None:
    told = story("09:00 created", "09:30 resolved", "11:00 reopened", "11:00 customer_message", "13:00 resolved")
    first = only(occurrences(FIRST, hours(1), told, ALWAYS))
    assert (first.state, first.completed_at) == (MilestoneState.MET, at("2026-01-05 09:30"))
    asked_again = only(occurrences(NEXT, hours(1), told, ALWAYS))
    assert (asked_again.state, asked_again.violated_at) == (MilestoneState.MISSED, at("2026-01-05 12:00"))


def test_a_target_of_zero_promises_nothing() -> None:
    told = story("08:00 created", "08:30 agent_message")
    none = only(occurrences(FIRST, hours(0), told, office_clock()))
    assert (none.state, none.due, none.elapsed) == (MilestoneState.NONE, None, hours(0))


def test_following_a_case_uses_its_priority_and_the_calendar_of_each_milestone() -> None:
    targets = {Priority.URGENT: hours(1), Priority.LOW: hours(10)}
    milestones = [
        Milestone(name="resolution", kind=MilestoneKind.RESOLUTION, targets=targets, order=2),
        Milestone(name="first", kind=MilestoneKind.FIRST_RESPONSE, targets=targets, order=1, calendar_id="always"),
    ]
    clocks = {"office": office_clock(), "always": ALWAYS}
    told = story("08:00 created")
    low = follow(milestones, Priority.LOW, told, clocks, calendar_id="office")
    assert [one.occurrences[0].due for one in low] == [at("2026-01-05 18:00"), at("2026-01-06 11:00")]
    raised = follow(milestones, Priority.URGENT, told, clocks, calendar_id="office")
    assert [one.occurrences[0].due for one in raised] == [at("2026-01-05 09:00"), at("2026-01-05 10:00")]
    assert next_due(one for each in raised for one in each.occurrences) == raised[0].occurrences[0]
    medium = follow(milestones, Priority.MEDIUM, told, clocks, calendar_id="office")
    assert {one.occurrences[0].state for one in medium} == {MilestoneState.NONE}
    with pytest.raises(ServiceRuleError, match="load it"):
        follow(milestones, Priority.LOW, told, {"always": ALWAYS}, calendar_id="office")


def test_a_case_without_a_creation_has_no_milestone_that_starts_there() -> None:
    told = story("09:00 customer_message")
    assert occurrences(FIRST, hours(1), told, ALWAYS) == ()
    assert occurrences(RESOLUTION, hours(1), told, ALWAYS) == ()
    assert only(occurrences(NEXT, hours(1), told, ALWAYS)).due == at("2026-01-05 10:00")
