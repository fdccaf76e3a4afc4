"""The tasks of an onboarding: what they are called, that they are done, and go-live with the last of them."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from domain.frame import standing
from domain.frame.decision import CloseStaffTasks, Decision, JournalLine, Mail, Notice, OpenStaffTask
from domain.frame.keys import StageId, StageKind, about
from domain.frame.playbook import OnboardingTask
from domain.frame.situation import TOLERATED_DELAY, Situation
from domain.frame.state import Outcome, Stage, Step
from domain.frame.success_facts import OnboardingTaskStatus, TaskFacts
from domain.frame.task_steps import keys_of
from domain.kernel.base import Write
from domain.kernel.calendar import days_between
from domain.kernel.refusals import NOT_ALLOWED, Refusal
from domain.kernel.shown import counted
from domain.success import adoption, low_scores, onboarding_dates
from domain.success.requests import CompleteTask
from domain.success.writes import CompleteOnboardingTask, NoteOutcome, OpenOnboardingTask


def stage_of(order_id: str) -> str:
    """The id of an order's onboarding."""
    return str(StageId(StageKind.ONBOARDING, order_id))


def waits_for(tasks: list[str]) -> Stage | None:
    """The stage of an onboarding that waits for these tasks; null once there are none."""
    return Stage(status=OnboardingTaskStatus.OPEN, tasks=tasks) if tasks else None


def starts_on(situation: Situation, start: date) -> date:
    """The local day from which the promises of an order of the day `start` count: one that comes to us late is onboarded from
    the day on which we hear of it, so that nothing promised falls away."""
    late = not situation.imported and start < situation.in_days(-TOLERATED_DELAY.days)
    return situation.today if late else start


def tasks_of(situation: Situation, order_id: str, start: date) -> list[OpenOnboardingTask]:
    """The tasks that the playbook promises for an order activated on the local day `start`."""
    opened = []
    for task in situation.playbook.onboarding.tasks:
        at, on = situation.customer.morning(start + timedelta(days=task.due_after))
        past = situation.imported and at < situation.as_of
        status = OnboardingTaskStatus.PAST if past else OnboardingTaskStatus.OPEN
        opened.append(OpenOnboardingTask(stage_of(order_id), task.name, task.title, task.owner, on, at, status))
    return opened


def went_live_before(situation: Situation, start: date) -> bool:
    """True for an order of the local day `start` that is taken over after the day on which the customer was to go live."""
    last = situation.playbook.onboarding.last_task
    tasks = tasks_of(situation, "", start)
    return any(task.name == last and task.status == OnboardingTaskStatus.PAST for task in tasks)


def promise(situation: Situation, stage: str, name: str) -> tuple[OnboardingTask | None, TaskFacts | None]:
    """The playbook's task and the promised one; a step whose task is settled is no longer wanted."""
    task = next((task for task in situation.playbook.onboarding.tasks if task.name == name), None)
    facts = next((t for t in situation.customer.tasks if t.stage == stage and t.name == name and t.is_open), None)
    return task, facts


def named(situation: Situation, facts: TaskFacts) -> str:
    """A task by its title, and by its order if it is not the only one that could be meant."""
    return with_order(situation, facts, facts.title["en"])


def with_order(situation: Situation, facts: TaskFacts, says: str) -> str:
    alone = all(task.stage == facts.stage for task in situation.customer.tasks)
    return says if alone else f"{says} of order {about(facts.stage)}"


def not_needed(step: Step) -> Decision:
    return Decision(JournalLine(f"Not needed any more: {step.name}", kind="skipped"))


def find_task(
    situation: Situation,
    name: str,
    order_id: str | None,
    status: OnboardingTaskStatus = OnboardingTaskStatus.OPEN,
) -> TaskFacts:
    """The task of that name and status. Raises `Refusal` (NotAllowed) if there is none, or several orders have one."""
    tasks = [t for t in situation.customer.tasks if t.status == status]
    wanted = {stage_of(order_id)} if order_id else {t.stage for t in tasks}
    found = [t for t in tasks if t.stage in wanted and t.name == name]
    if not found:
        there = ", ".join(f"{t.name} ({t.stage})" for t in tasks) or "none"
        raise Refusal(NOT_ALLOWED, f"task {name!r} is not {status}; {status} tasks: {there}")
    if len(found) > 1:
        orders = ", ".join(about(t.stage) for t in found)
        raise Refusal(NOT_ALLOWED, f"task {name!r} is {status} for several orders ({orders}); name one as order_id")
    return found[0]


def complete(situation: Situation, request: CompleteTask) -> Decision:
    """A task is done, by update; or what it has brought is told later."""
    if (done := _without_evidence(situation, request)) is not None:
        return _told_later(situation, done, request.evidence)
    facts = find_task(situation, request.task, request.order_id)
    return completion(situation, facts, by=request.by, evidence=request.evidence)


def _without_evidence(situation: Situation, request: CompleteTask) -> TaskFacts | None:
    """The task of first value that was done without a word on what was reached, if this is it."""
    wanted = stage_of(request.order_id) if request.order_id else None
    own = [t for t in situation.customer.tasks if t.name == request.task and wanted in (None, t.stage)]
    if not request.evidence or request.task != situation.playbook.onboarding.value_task:
        return None
    if any(t.is_open for t in own):
        return None
    return max(
        (t for t in own if t.status == OnboardingTaskStatus.DONE and not t.evidence),
        key=lambda t: (t.due_at, t.stage),
        default=None,
    )


def _told_later(situation: Situation, facts: TaskFacts, evidence: str) -> Decision:
    says = f"{named(situation, facts)}: what was reached is known now"
    left = [t.name for t in situation.customer.tasks if t.stage == facts.stage and t.is_open]
    done_at = facts.completed_at.isoformat() if facts.completed_at else None
    return Decision(
        JournalLine(says, detail={"evidence": evidence}),
        Outcome(said=[says], answer={"task": facts.name, "completed_at": done_at, "open_tasks": left}),
        [
            NoteOutcome(facts.stage, facts.name, evidence),
            CloseStaffTasks(f"{facts.stage}/{facts.name}/outcome", situation.as_of, outcome=evidence),
        ],
    )


def completion(situation: Situation, facts: TaskFacts, *, by: str, evidence: str = "") -> Decision:
    """A task is settled: its steps fall away, what comes after it moves or begins, and the last one closes the stage."""
    terms = situation.playbook.onboarding
    stage, title = facts.stage, named(situation, facts)
    left = [t.name for t in situation.customer.tasks if t.stage == stage and t.is_open and t.name != facts.name]
    value = facts.name == terms.value_task
    writes: list[Write] = [
        CompleteOnboardingTask(stage, facts.name, situation.as_of, by, evidence, value=value),
        CloseStaffTasks(f"{stage}/{facts.name}", situation.as_of, by=by, outcome=evidence),
        CloseStaffTasks(f"{stage}/{facts.name}/", situation.as_of, by=by, outcome=evidence),
    ]
    stages: dict[str, Stage | None] = {stage: waits_for(left)}
    plan, drop, mails, said = [], keys_of(stage, facts.name), list[Mail](), [f"{title} done"]
    days = days_between(_since(situation, stage), situation.as_of)
    if value:
        said.append(f"First value after {counted(days, 'day')}")
    if facts.name == terms.last_task:
        mails += _live(situation, facts, days if value else None)
        adopting = adoption.after_go_live(situation, told=bool(mails))
        plan, drop = adopting.plan, drop + adopting.drop
    outcome = Outcome(
        plan=plan,
        drop=drop,
        stages=stages,
        attention={f"late:{stage}/{facts.name}": None, f"blocked:{stage}/{facts.name}": None},
        said=said,
        answer={"task": facts.name, "completed_at": situation.as_of.isoformat(), "open_tasks": left},
    )
    line = JournalLine(f"{title} done", detail={"evidence": evidence} if evidence else {})
    done = Decision(line, outcome, writes, mails)
    if value and not evidence and by != "system":
        done += _asked_what_was_reached(situation, facts)
    return done + _what_follows(situation, facts, by)


def _what_follows(situation: Situation, facts: TaskFacts, by: str) -> Decision:
    """The tasks that come after one that is done now: later than promised if this one is late, and at last if it held them."""
    late = {facts.name} if situation.today > facts.due_on else set[str]()
    done = facts.having(status=OnboardingTaskStatus.DONE, completed_at=situation.as_of)
    moved = onboarding_dates.following(situation, [done], late)
    return onboarding_dates.moving(situation, moved, onboarding_dates.lateness(situation, facts), by)


def _asked_what_was_reached(situation: Situation, facts: TaskFacts) -> Decision:
    """First value is what the customer has reached, not that a box is ticked: somebody asks them."""
    title = f"Find out what was reached: {named(situation, facts)}"
    due_at, due = situation.customer.morning(situation.in_days(3))
    reason = "It was marked as done without a word or a figure on what the customer has reached"
    task = OpenStaffTask(f"{facts.stage}/{facts.name}/outcome", title, "success_manager", due_at, reason)
    lines = [f"{reason}.", f"Please ask them by {due}, and complete the task again with what they say."]
    return Decision(JournalLine(""), writes=[task], notices=[Notice(title, lines, due=due_at)])


def _since(situation: Situation, stage: str) -> datetime:
    """Since when the customer waits for what an onboarding is about: its order."""
    order = standing.placed(situation, about(stage))
    return order.activated_at if order else situation.customer.account.since


def _live(situation: Situation, facts: TaskFacts, days: int | None) -> list[Mail]:
    """The congratulation to go-live: one for all that went live on a day. `days`: to the first value, if that is of now."""
    of_today = [
        t
        for t in situation.customer.tasks
        if t.name == facts.name and t.completed_at and situation.customer.day_of(t.completed_at) == situation.today
    ]
    if any(other.stage != facts.stage for other in of_today):
        return []
    order_id = about(facts.stage)
    first = standing.standing(situation, order_id) is standing.Standing.NEW
    context = {
        "days_to_value": _days_to_value(situation, facts.stage, days),
        "products": [] if first else standing.products_of(situation, order_id),
        "unhappy": low_scores.is_open(situation),
    }
    return [Mail("go_live", context)]


def _days_to_value(situation: Situation, stage: str, now: int | None) -> int | None:
    if now is not None:
        return now
    value = situation.playbook.onboarding.value_task
    done = [t.completed_at for t in situation.customer.tasks if (t.stage, t.name) == (stage, value) and t.completed_at]
    return days_between(_since(situation, stage), max(done)) if done else None
