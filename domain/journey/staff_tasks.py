"""What becomes of the tasks of our people when somebody acts on one: done, snoozed, handed over, open again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from domain.frame.customer import StaffFacts
from domain.frame.decision import CloseStaffTasks, Decision, JournalLine, Notice
from domain.frame.messages import OwnWords
from domain.frame.situation import Situation
from domain.frame.staff_tasks import StaffTaskFacts, TaskState
from domain.frame.state import Outcome
from domain.journey.account_changes import UNKNOWN_STAFF
from domain.journey.task_follow_up import acts_of, how
from domain.journey.task_matters import matter_of
from domain.journey.task_requests import (
    FinishStaffTask,
    HandOverStaffTask,
    ReopenStaffTask,
    SnoozeStaffTask,
    TaskRequest,
)
from domain.journey.writes import HandOverTask, ReopenTask, SnoozeTask
from domain.kernel.refusals import INVALID_REQUEST, NOT_ALLOWED, UNKNOWN_TASK, Problem, Refusal

People = Mapping[str, StaffFacts]
"""Those whom a request names, and who has the task, as far as they are on record."""


def finish(situation: Situation, request: FinishStaffTask, task: StaffTaskFacts | None, people: People) -> Decision:
    """Done, with a word on what came of it, unless only a fact can end it."""
    task = _open(situation, request, task, people)
    matter = matter_of(task.key)
    if (instead := matter.instead(situation, task)) is not None:
        raise Refusal(NOT_ALLOWED, f"task {task.task_id} is not ended by a word: {instead}")
    says = f"Task done by {situation.named(request.by)}: {task.title}"
    write = CloseStaffTasks(task.key, situation.as_of, TaskState.DONE, request.by, request.outcome)
    done = Decision(
        JournalLine(f"{says}: {request.outcome}", detail=_detail(task)),
        Outcome(said=[says], answer=_answer(task, TaskState.DONE, task.person, outcome=request.outcome)),
        [write],
        notices=_told(situation, request, task, says, [OwnWords(request.outcome)]),
    )
    return done + matter.ended(situation, task, request.by, request.outcome) + matter.looked_at(situation)


def snooze(situation: Situation, request: SnoozeStaffTask, task: StaffTaskFacts | None, people: People) -> Decision:
    """Silent until nine o'clock of a business day; then it is asked for again."""
    task = _open(situation, request, task, people)
    most = situation.playbook.staff_tasks.snooze_days
    if not situation.today < request.until <= situation.in_days(most):
        latest = situation.in_days(most)
        says = f"{request.until} is not from tomorrow to {latest}, {most} days from today at the latest"
        raise Refusal(INVALID_REQUEST, "the task cannot rest until then", [Problem(field="until", problem=says)])
    until, day = situation.customer.morning(request.until)
    says = f"Task snoozed by {situation.named(request.by)} until {day}: {task.title}"
    decision = Decision(
        JournalLine(says, detail=_detail(task, reason=request.reason)),
        Outcome(said=[says], answer=_answer(task, TaskState.SNOOZED, task.person, until=until)),
        [SnoozeTask(task.task_id, until)],
        notices=_told(situation, request, task, says, _own(request.reason)),
    )
    return decision + matter_of(task.key).looked_at(situation)


def hand_over(
    situation: Situation, request: HandOverStaffTask, task: StaffTaskFacts | None, people: People
) -> Decision:
    """It is somebody else's from now on, who hears of it with all that is known."""
    task = _open(situation, request, task, people)
    to = _successor(request.to, people)
    if to.staff_id == task.person.staff_id:
        raise Refusal(NOT_ALLOWED, f"task {task.task_id} is {to.name}'s already")
    by = situation.named(request.by)
    says = f"Task handed over by {by} to {to.name}: {task.title}"
    lines = [f"Why: {task.reason}", f"Until now it was up to {task.person.name}.", *_own(request.reason), how(task)]
    decision = Decision(
        JournalLine(says, detail=_detail(task, reason=request.reason, to=to.staff_id)),
        Outcome(said=[says], answer=_answer(task, task.state(situation.as_of), to)),
        [HandOverTask(task.task_id, to.staff_id)],
        notices=[
            Notice(f"Handed over to you: {task.title}", lines, due=task.counts_from, person=to, acts=acts_of(task)),
            *_told(situation, request, task, says, _own(request.reason)),
        ],
    )
    return decision + matter_of(task.key).looked_at(situation)


def reopen(situation: Situation, request: ReopenStaffTask, task: StaffTaskFacts | None, people: People) -> Decision:
    """Open again with a new day, as if it had never been over; the journal keeps what was."""
    task = _known(task, request)
    _check_whose(situation, request, task, people)
    if task.closed_at is None:
        raise Refusal(NOT_ALLOWED, f"task {task.task_id} is open; its day is {situation.customer.day_of(task.due_at)}")
    if task.twin is not None:
        raise Refusal(NOT_ALLOWED, f"task {task.twin} about the same is open: {task.title}")
    matter = matter_of(task.key)
    begins = matter.again(situation, task)
    if isinstance(begins, str):
        raise Refusal(NOT_ALLOWED, f"task {task.task_id} stays over: {begins}")
    due_at = _new_day(situation, request.due)
    person = task.person if task.person.left_at is None else situation.customer.owner
    says = f"Task open again, by {situation.named(request.by)}: {task.title}"
    decision = Decision(
        JournalLine(f"{says}: {request.reason}", detail=_detail(task, reason=request.reason)),
        Outcome(said=[says], answer=_answer(task, TaskState.OPEN, person, due_at=due_at)),
        [ReopenTask(task.task_id, person.staff_id, due_at)],
        notices=[
            Notice(
                f"Open again: {task.title}",
                [f"Why: {task.reason}", OwnWords(request.reason), *_outcome_of(task), how(task)],
                due=due_at,
                person=person,
                acts=acts_of(task),
            )
        ],
    )
    return decision + begins + matter.looked_at(situation)


def _known(task: StaffTaskFacts | None, request: TaskRequest) -> StaffTaskFacts:
    if task is None:
        says = f"there is no task {request.task_id!r} of this customer; `perennial task list --all` shows them"
        raise Refusal(UNKNOWN_TASK, says)
    return task


def _open(situation: Situation, request: TaskRequest, task: StaffTaskFacts | None, people: People) -> StaffTaskFacts:
    task = _known(task, request)
    _check_whose(situation, request, task, people)
    if task.closed_at is not None:
        state = "done" if task.state(situation.as_of) is TaskState.DONE else "taken back"
        on, by = situation.customer.day_of(task.closed_at), situation.named(task.ended_by or "system")
        word = f": {task.outcome}" if task.outcome else ""
        says = f"task {task.task_id} was {state} on {on} by {by}{word}; `perennial task reopen` opens it again"
        raise Refusal(NOT_ALLOWED, says)
    return task


def _check_whose(situation: Situation, request: TaskRequest, task: StaffTaskFacts, people: People) -> None:
    """Whoever has it, and whoever answers for the customer; anybody else says that they act as a manager: else nobody could act for
    somebody who is away, and anybody could close what they know nothing of."""
    if request.by not in people:
        says = f"{request.by!r} is none of our people; `perennial staff list` shows them"
        raise Refusal(UNKNOWN_STAFF, "nobody has asked for this", [Problem(field="by", problem=says)])
    customer = situation.customer
    theirs = {task.person.staff_id, customer.owner.staff_id, customer.success_manager.staff_id}
    if request.by not in theirs and request.role != "manager":
        says = f"task {task.task_id} is {task.person.name}'s ({task.person.staff_id})"
        raise Refusal(NOT_ALLOWED, f"{says}; whoever acts for them as their manager says so with role `manager`")


def _successor(staff_id: str, people: People) -> StaffFacts:
    to = people.get(staff_id)
    if to is None:
        says = f"{staff_id!r} is none of our people; `perennial staff list` shows them"
        raise Refusal(UNKNOWN_STAFF, "the task cannot be handed over", [Problem(field="to", problem=says)])
    if to.left_at is not None:
        problem = Problem(field="to", problem=f"{to.name} has left; name somebody who is there")
        raise Refusal(NOT_ALLOWED, "the task cannot be handed over", [problem])
    return to


def _new_day(situation: Situation, due: date | None) -> datetime:
    if due is not None and due <= situation.today:
        problem = Problem(field="due", problem=f"{due} is not after today, {situation.today}")
        raise Refusal(INVALID_REQUEST, "the task cannot be opened again", [problem])
    return situation.customer.morning(due or situation.in_days(2))[0]


def _told(
    situation: Situation, request: TaskRequest, task: StaffTaskFacts, says: str, lines: list[str]
) -> list[Notice]:
    """Whoever has the task hears what somebody else did with it."""
    if request.by == task.person.staff_id:
        return []
    return [Notice(says, [*lines, f"Why: {task.reason}"], person=task.person)]


def _own(words: str) -> list[str]:
    return [OwnWords(words)] if words else []


def _outcome_of(task: StaffTaskFacts) -> list[str]:
    return [f"It was over until now: {task.outcome}"] if task.outcome else []


def _detail(task: StaffTaskFacts, **more: str) -> dict[str, Any]:
    return {"task_id": task.task_id, "task": task.key, **{name: value for name, value in more.items() if value}}


def _answer(
    task: StaffTaskFacts,
    state: TaskState,
    person: StaffFacts,
    *,
    until: datetime | None = None,
    due_at: datetime | None = None,
    outcome: str = "",
) -> dict[str, Any]:
    found = {
        "task_id": task.task_id,
        "state": state.value,
        "owner": person.staff_id,
        "due_at": (due_at or task.due_at).isoformat(),
        "snoozed_until": until.isoformat() if until else None,
        "outcome": outcome or None,
    }
    return {name: value for name, value in found.items() if value is not None}
