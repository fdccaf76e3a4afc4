"""Random lives of cases: whatever is asked in whatever order and however late the timers are, what must hold holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.frame.case_words import RUNNING, CaseState, Priority
from domain.kernel.refusals import Refusal
from domain.service import case_changes, case_handling, case_surveys
from domain.service.case import Happened
from domain.service.case_requests import (
    AnswerCsat,
    Assign,
    Cancel,
    Close,
    CustomerMessage,
    DeEscalate,
    Escalate,
    Prioritise,
    Reopen,
    Resolve,
    Respond,
    Resume,
    Wait,
    WaitFor,
)
from domain.service.casework import Work
from tests.domain.service.living import Life
from tests.properties import examples

Request = Callable[[Work, timedelta], None]
"""What is asked; the span is how long ago it is said to have happened."""
HOUR = timedelta(hours=1)


def _ago(work: Work, span: timedelta) -> datetime:
    return max(work.case.opened_at, work.as_of - span)


REQUESTS: dict[str, Request] = {
    "respond": lambda work, ago: case_changes.respond(work, Respond(body="x", by="AG-1", at=_ago(work, ago))),
    "customer": lambda work, ago: case_changes.customer_message(work, CustomerMessage(body="x", at=_ago(work, ago))),
    "robot": lambda work, ago: case_changes.customer_message(work, CustomerMessage(body="x", automatic=True)),
    "wait": lambda work, ago: case_changes.wait(work, Wait(reason="x", by="AG-1", at=_ago(work, ago))),
    "wait for others": lambda work, ago: case_changes.wait(
        work, Wait(waiting_for=WaitFor.THIRD_PARTY, reason="x", by="AG-1", until=work.as_of + 2 * ago + HOUR)
    ),
    "resume": lambda work, ago: case_changes.resume(work, Resume(by="AG-1", at=_ago(work, ago))),
    "resolve": lambda work, ago: case_changes.resolve(work, Resolve(code="x", text="x", at=_ago(work, ago))),
    "reopen": lambda work, ago: case_changes.reopen(work, Reopen(reason="x")),
    "close": lambda work, ago: case_changes.close(work, Close(at=_ago(work, ago))),
    "cancel": lambda work, ago: case_changes.cancel(work, Cancel(reason="x")),
    "escalate": lambda work, ago: case_handling.escalate(work, Escalate(reason="x", by="AG-1")),
    "calm down": lambda work, ago: case_handling.de_escalate(work, DeEscalate(reason="x", by="AG-1")),
    "urgent": lambda work, ago: case_handling.prioritise(work, Prioritise(priority=Priority.URGENT)),
    "low": lambda work, ago: case_handling.prioritise(work, Prioritise(priority=Priority.LOW)),
    "assign": lambda work, ago: case_handling.assign(work, Assign(owner="AG-2", by="AG-1")),
    "hand back": lambda work, ago: case_handling.assign(work, Assign(by="AG-1")),
    "rate low": lambda work, ago: case_surveys.answer(work, AnswerCsat(score=1)),
    "rate high": lambda work, ago: case_surveys.answer(work, AnswerCsat(score=5)),
}

spans = st.integers(min_value=0, max_value=60 * 24 * 12).map(lambda minutes: timedelta(minutes=minutes))
steps = st.lists(
    st.tuples(st.sampled_from(sorted(REQUESTS)), spans, st.integers(0, 60 * 8), st.booleans()), min_size=1, max_size=25
)
begins = st.integers(0, 60 * 24 * 60).map(lambda n: datetime(2026, 4, 1, tzinfo=UTC) + timedelta(minutes=n))


class Checked(Life):
    """A case that is looked at after every piece of work."""

    def _keep(self, work: Work) -> None:
        before = self.known.case.version
        super()._keep(work)
        if not work.fresh:
            assert work.case.version == before + (1 if work.changed() else 0)
        assert work.next_at is None or work.next_at > work.as_of
        assert work.case.next_action_at == work.next_at
        self._once()
        self._never_too_many()
        self._record_and_state_agree()

    def _once(self) -> None:
        fired = Counter(
            (event.detail["occurrence"], event.detail["action"])
            for event in self.known.events
            if event.kind is Happened.FIRED and "occurrence" in event.detail
        )
        # A promise that another priority set anew warns anew.
        anew = sum(event.kind is Happened.PRIORITISED for event in self.known.events)
        assert all(times <= 1 + anew for times in fired.values())
        keys = Counter(id for _, id, _ in self.notices)
        assert all(times == 1 for times in keys.values())
        violated = Counter(e.detail["occurrence"] for e in self.known.events if e.kind is Happened.VIOLATED)
        reversed_ = Counter(e.detail["occurrence"] for e in self.known.events if e.kind is Happened.REVERSED)
        for row in self.known.milestones:
            live = row.violated_at is not None and row.reversed_at is None
            assert violated[row.key] - reversed_[row.key] == (1 if live else 0)

    def _never_too_many(self) -> None:
        automatic = [at for at, template, is_automatic in self.mails if is_automatic]
        by_itself = [at for at, template, is_automatic in self.mails if is_automatic and template != "case_resolved"]
        for at in by_itself:
            assert sum(at - timedelta(days=1) < one <= at for one in automatic) <= 3

    def _record_and_state_agree(self) -> None:
        case = self.known.case
        assert [event.sequence for event in self.known.events] == list(range(1, len(self.known.events) + 1))
        assert all(event.at <= event.recorded_at for event in self.known.events)
        for row in self.known.milestones:
            if case.status in RUNNING and row.completed_at is None and row.target is not None:
                paused = case.status in self.known.desk.rules.pausing and row.kind != "first_response"
                assert row.state == ("paused" if paused else "open"), row
        assert (case.resolved_at is not None) <= (case.status in (CaseState.RESOLVED, CaseState.CLOSED))
        assert not (case.escalated and case.status not in RUNNING | {CaseState.RESOLVED})


@examples(150)
@given(begins=begins, steps=steps, enterprise=st.booleans())
def test_whatever_is_asked_and_however_late_the_timers_are(
    begins: datetime, steps: list[tuple[str, timedelta, int, bool]], enterprise: bool
) -> None:
    life = Checked(begins, enterprise=enterprise)
    for name, gap, ago, in_time in steps:
        if in_time:
            life.wait(gap)
        else:
            life.now += gap  # the worker was away
        version, known = life.case.version, life.known
        try:
            life.do(lambda work, name=name, ago=ago: REQUESTS[name](work, timedelta(minutes=ago)))  # type: ignore[misc]
        except Refusal:
            assert life.known is known
        assert life.case.version >= version
    life.wait(timedelta(days=60))
    if life.case.status in (CaseState.RESOLVED, CaseState.CLOSED):
        assert life.case.status is CaseState.CLOSED
        assert life.next_at is None
    count = len(life.known.events)
    life.wake()  # asked again, it does nothing twice
    assert len(life.known.events) == count
