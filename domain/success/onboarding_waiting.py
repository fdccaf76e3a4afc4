"""A task of onboarding that waits for the customer or for us, one that waits for too long, and one that was not done after all. Pure."""

from __future__ import annotations

from datetime import timedelta

from domain.frame import standing
from domain.frame.decision import CloseStaffTasks, Decision, JournalLine, Notice, OpenStaffTask
from domain.frame.keys import about
from domain.frame.playbook import OnboardingTask, TaskOwner
from domain.frame.situation import Situation
from domain.frame.state import Outcome, Step
from domain.frame.success_facts import OnboardingTaskStatus, TaskFacts
from domain.frame.task_steps import BLOCKED, keys_of, task_of
from domain.kernel.calendar import days_between
from domain.kernel.refusals import INVALID_REQUEST, NOT_ALLOWED, Problem, Refusal
from domain.kernel.shown import counted
from domain.success import adoption, asking
from domain.success.onboarding_dates import CUSTOMER, clock_stands, dated, following, moving
from domain.success.onboarding_steps import too_long
from domain.success.onboarding_tasks import find_task, named, not_needed, promise, waits_for
from domain.success.requests import BlockTask, ReopenMilestone, UnblockTask
from domain.success.writes import KeepTaskWaiting, LetTaskGoOn, OpenTaskAgain

REOPENED_FOR = 7
"""Days within which a task that is open again should be done, if nobody says otherwise."""


def _of_people(facts: TaskFacts) -> None:
    """Refuses a task that the system does itself."""
    if facts.owner == TaskOwner.SYSTEM.value:
        says = f"task {facts.name!r} is done by the system, which waits for nobody; `move_step` moves its step to another day"
        raise Refusal(NOT_ALLOWED, says)


def whom(waits_for: str) -> str:
    """Whom a task waits for, to go on a sentence with."""
    return "the customer" if waits_for == CUSTOMER else "us"


def block(situation: Situation, request: BlockTask) -> Decision:
    """From now on a task waits. Where that is not our own doing, its reminders stop with its clock."""
    facts = find_task(situation, request.task, request.order_id)
    _of_people(facts)
    if facts.waits_for is not None:
        raise Refusal(
            NOT_ALLOWED,
            f"task {facts.name!r} waits for {whom(facts.waits_for)} already ({facts.waits_why}); unblock it first",
        )
    waits = facts.having(waits_for=request.waits_for, waits_since=situation.as_of, blocks=facts.blocks + 1)
    stands = clock_stands(waits)
    says = f"{named(situation, facts)} waits for {whom(request.waits_for)}"
    return Decision(
        JournalLine(f"{says}: {request.reason}", kind="onboarding_waits"),
        Outcome(
            plan=[too_long(situation, facts.stage, waits, situation.as_of)],
            drop=keys_of(facts.stage, facts.name) if stands else [],
            said=[says],
            answer={"task": facts.name, "waits_for": request.waits_for, "date_stands_still": stands},
        ),
        [KeepTaskWaiting(facts.stage, facts.name, situation.as_of, request.waits_for, request.reason, request.by)],
    )


def unblock(situation: Situation, request: UnblockTask) -> Decision:
    """A task goes on: if its clock stood still, it has as many days more as it waited, and what comes after it moves along."""
    facts = find_task(situation, request.task, request.order_id)
    if facts.waits_for is None or facts.waits_since is None:
        raise Refusal(NOT_ALLOWED, f"task {facts.name!r} waits for nobody")
    days = days_between(facts.waits_since, situation.as_of)
    waited = f"it waited {counted(days, 'day')} for {whom(facts.waits_for)}"
    key = f"{facts.stage}/{facts.name}"
    says = f"{named(situation, facts)} goes on: {waited}"
    promised = situation.playbook.onboarding.task(facts.name)
    stood = clock_stands(facts) and promised is not None
    day = facts.due_on + timedelta(days=days)
    answer = {"task": facts.name, "days": days, "due_on": facts.due_on.isoformat()}
    decision = Decision(
        JournalLine(says, kind="onboarding_goes_on", detail={"note": request.note} if request.note else {}),
        Outcome(
            drop=[f"{BLOCKED.key(*_place(facts))}*"], attention={f"blocked:{key}": None}, said=[says], answer=answer
        ),
        [
            LetTaskGoOn(facts.stage, facts.name, situation.as_of, request.note, request.by),
            CloseStaffTasks(f"{key}/blocked", situation.as_of, outcome=waited),
        ],
    )
    if not stood or promised is None:
        return decision
    moved = dated(situation, promised, facts, day)
    decision += Outcome(answer={**answer, "due_on": moved.facts.due_on.isoformat()})
    after = following(situation, [moved.facts], {facts.name}) if moved.by_days else []
    return decision + moving(
        situation,
        [moved, *after],
        f"{facts.title['en']} waited {counted(days, 'day')} for {whom(facts.waits_for)}",
        request.by,
    )


def _place(facts: TaskFacts) -> tuple[str, str]:
    return facts.stage, facts.name


def blocked(situation: Situation, step: Step) -> Decision:
    """A task has waited for too long: that is a risk, and somebody's task, until it goes on."""
    task, facts = promise(situation, step.stage, task_of(step.name))
    if task is None or facts is None or facts.waits_for is None or facts.waits_since is None:
        return not_needed(step)
    since = situation.customer.day_of(facts.waits_since)
    says = f"{named(situation, facts)} has waited for {whom(facts.waits_for)} since {since}"
    due_at, due = situation.customer.morning(situation.in_days(2))
    to = "success_manager" if facts.waits_for == CUSTOMER else "owner"
    key = f"{facts.stage}/{facts.name}"
    title = f"Onboarding at risk: {says}"
    lines = [
        f"The reason: {facts.waits_why}",
        f"It was due on {facts.due_on}.",
        f"Please see to it by {due} that it goes on.",
    ]
    return Decision(
        JournalLine(f"At risk: {says}"),
        Outcome(attention={f"blocked:{key}": says}, said=[says]),
        [OpenStaffTask(f"{key}/blocked", title, to, due_at, facts.waits_why)],
        notices=[Notice(title, lines, to, due_at)],
    )


def reopen(situation: Situation, request: ReopenMilestone) -> Decision:
    """A task that was done too early is open again, with its steps from the invitation or the reminder on."""
    facts = find_task(situation, request.task, request.order_id, OnboardingTaskStatus.DONE)
    _of_people(facts)
    promised = situation.playbook.onboarding.task(facts.name)
    if promised is None or facts.over:
        raise Refusal(
            NOT_ALLOWED,
            f"what order {about(facts.stage)} sold is over, or its playbook has no task {facts.name!r} any more",
        )
    day = request.due_on or situation.in_days(REOPENED_FOR)
    if day < situation.today:
        problem = Problem(field="due_on", problem=f"{day} is over; give a day from {situation.today} on")
        raise Refusal(INVALID_REQUEST, "the task cannot be opened again", [problem])
    again = facts.having(status=OnboardingTaskStatus.OPEN, completed_at=None, evidence="")
    moved = dated(situation, promised, again, day)
    says = f"{named(situation, facts)} is open again"
    left = [t.name for t in situation.customer.tasks if t.stage == facts.stage and t.is_open]
    value = facts.name == situation.playbook.onboarding.value_task
    decision = Decision(
        JournalLine(
            f"{says}: {request.reason}",
            kind="onboarding_reopened",
            detail={"evidence": facts.evidence} if facts.evidence else {},
        ),
        Outcome(
            stages={facts.stage: waits_for([*left, facts.name])},
            said=[says],
            answer={"task": facts.name, "due_on": moved.facts.due_on.isoformat(), "open_tasks": [*left, facts.name]},
        ),
        [
            OpenTaskAgain(facts.stage, facts.name, situation.as_of, request.reason, request.by, value=value),
            CloseStaffTasks(f"{facts.stage}/{facts.name}/outcome", situation.as_of, outcome=says),
        ],
    )
    if facts.name == situation.playbook.onboarding.last_task:
        decision += _not_live(situation, facts, promised)
    return decision + moving(situation, [moved], f"{facts.title['en']} is open again", request.by)


def _not_live(situation: Situation, facts: TaskFacts, promised: OnboardingTask) -> Outcome:
    """Go-live was none: the surveys that follow on it wait for the real one, and the next check-in comes as if there had been none,
    unless they are live with another order."""
    others = [
        t
        for t in situation.customer.tasks
        if t.name == promised.name and t.stage != facts.stage and t.status == OnboardingTaskStatus.DONE
    ]
    if others or not situation.customer.holds_term(situation.as_of):
        return Outcome()
    order = standing.placed(situation, about(facts.stage))
    since = situation.customer.day_of(order.activated_at if order else situation.customer.account.since)
    left = situation.playbook.adoption.latest_start - (situation.today - since).days
    following = adoption.check_in_after(situation, max(situation.playbook.adoption.every_days if left < 1 else left, 1))
    return Outcome(plan=[following], drop=[f"{adoption.STAGE}/check-in-*", *asking.without_go_live(situation)])
