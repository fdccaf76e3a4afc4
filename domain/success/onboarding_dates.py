"""What comes before a task of onboarding, and the dates that move with what came late: never silently, and told once. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from domain.frame.decision import CloseStaffTasks, Decision, JournalLine, Mail, Notice
from domain.frame.playbook import OnboardingTask, TaskOwner
from domain.frame.situation import Situation
from domain.frame.staff_tasks import TaskState
from domain.frame.state import Outcome, Step
from domain.frame.success_facts import TaskFacts
from domain.frame.task_steps import keys_of
from domain.kernel.base import Write
from domain.kernel.shown import counted
from domain.success.onboarding_steps import steps_of_turn
from domain.success.writes import DateTask, HoldTask

CUSTOMER, US = "customer", "us"


@dataclass(frozen=True)
class Redated:
    """A task with its new date, beside what it was."""

    promised: OnboardingTask
    facts: TaskFacts
    was: TaskFacts

    @property
    def by_days(self) -> bool:
        """False if its steps begin anew for the same date."""
        return self.facts.due_on != self.was.due_on


def clock_stands(facts: TaskFacts) -> bool:
    """True for a task that waits for somebody, if its own time stands still until then: it does not while we wait for ourselves."""
    return facts.waits_for == CUSTOMER or (facts.waits_for == US and facts.owner == TaskOwner.CUSTOMER.value)


def open_before(situation: Situation, task: OnboardingTask, stage: str) -> list[TaskFacts]:
    """The tasks that come before this one and are not done."""
    return [t for t in situation.customer.tasks if t.stage == stage and t.is_open and t.name in task.after]


def held(situation: Situation, step: Step, task: OnboardingTask, facts: TaskFacts, says: str) -> Decision | None:
    """The decision of a step that is not done, because something comes first; null if nothing does. `says`: the task by its name."""
    if clock_stands(facts):
        why = f"it waits for {'the customer' if facts.waits_for == CUSTOMER else 'us'}"
    elif first := open_before(situation, task, step.stage):
        why = f"{', '.join(one.title['en'] for one in first)} comes first"
    else:
        return None
    return Decision(
        JournalLine(f"Held: {says}; {why}", kind="onboarding_held"),
        writes=[HoldTask(step.stage, task.name, situation.as_of)],
    )


def dated(situation: Situation, promised: OnboardingTask, was: TaskFacts, day: date) -> Redated:
    """A task that is due on `day`, or the next business day, from now on."""
    at, on = (was.due_at, was.due_on) if day == was.due_on else situation.customer.morning(day)
    facts = was.having(
        due_on=on,
        due_at=at,
        turn=was.turn + 1,
        dated_at=situation.as_of,
        held_at=None,
        waits_for=None,
        waits_since=None,
    )
    return Redated(promised, facts, was)


def following(situation: Situation, first: Iterable[TaskFacts], late: set[str]) -> list[Redated]:
    """The tasks whose date moves, or whose steps begin, with those of `first`, of one onboarding, as they are now: done at `completed_at`,
    or due later than before. late: those of `first` that came later than they were due; what came in time moves nothing."""
    known = {task.name: task for task in first}
    stage = next(iter(known.values())).stage
    tasks = {t.name: t for t in situation.customer.tasks if t.stage == stage} | known
    moving, found = set(late), dict[str, Redated]()
    terms = situation.playbook.onboarding
    for promised in sorted(terms.tasks, key=lambda task: len(terms.first_of(task.name))):
        was = tasks.get(promised.name)
        if was is None or not was.is_open or was.name in known or not set(promised.after) & (set(known) | set(found)):
            continue
        day = was.due_on
        for name in promised.after:
            before, comes_before = tasks.get(name), terms.task(name)
            if before is not None and comes_before is not None and name in moving:
                day = max(
                    day, _expected(situation, before) + timedelta(days=promised.due_after - comes_before.due_after)
                )
        free = all(not tasks[name].is_open for name in promised.after if name in tasks)
        own = (
            promised.owner is TaskOwner.SYSTEM and was.held_at is None
        )  # under way already, if it is not still to come
        if clock_stands(was) or own or (day == was.due_on and not (free and was.held_at)):
            continue
        moved = dated(situation, promised, was, day)
        found[was.name], tasks[was.name] = moved, moved.facts
        if moved.by_days:
            moving.add(was.name)
    return list(found.values())


def _expected(situation: Situation, task: TaskFacts) -> date:
    return situation.customer.day_of(task.completed_at) if task.completed_at else task.due_on


def moving(situation: Situation, moved: list[Redated], because: str, by: str) -> Decision:
    """The decision that sets new dates: what was planned falls away, what comes is planned by the new date, and whoever has to do with
    it is told. because: why, to go on a sentence with."""
    plan: list[Step] = []
    drop: list[str] = []
    writes: list[Write] = []
    attention: dict[str, str | None] = {}
    lines = []
    for one in moved:
        stage, name = one.facts.stage, one.facts.name
        drop += keys_of(stage, name)
        plan += steps_of_turn(situation, stage, one.promised, one.facts)
        writes.append(
            DateTask(
                stage,
                name,
                situation.as_of,
                one.facts.due_on,
                one.facts.due_at,
                one.facts.turn,
                one.was.due_on,
                because,
                by,
            )
        )
        if one.by_days:
            taken_back = f"It is due on {one.facts.due_on} now"
            writes += [
                CloseStaffTasks(f"{stage}/{name}{more}", situation.as_of, TaskState.TAKEN_BACK, outcome=taken_back)
                for more in ("", "/")
            ]
            attention[f"late:{stage}/{name}"] = None
            title = one.facts.title["en"]
            lines.append(
                JournalLine(
                    f"{title} is due on {one.facts.due_on} instead of {one.was.due_on}, as {because}",
                    name=f"moved-{name}.{one.facts.turn}",
                    kind="onboarding_moved",
                )
            )
    told = [one for one in moved if one.by_days and not _told_by_another(situation, one)]
    return Decision(
        JournalLine(""),
        Outcome(plan=plan, drop=drop, **({"attention": attention} if attention else {})),
        writes,
        _mails(told),
        _notices(told, because),
        more_lines=lines,
    )


def _told_by_another(situation: Situation, moved: Redated) -> bool:
    """True if the same task of another onboarding has been moved to that day before, and whoever has to do with it was told."""
    return any(
        other.stage != moved.facts.stage
        and other.is_open
        and (other.name, other.due_on) == (moved.facts.name, moved.facts.due_on)
        and other.turn > 0
        for other in situation.customer.tasks
    )


def _mails(moved: list[Redated]) -> list[Mail]:
    """One mail of all that the customer has to do with: their own tasks, and those that they were invited to."""
    theirs = [one for one in moved if one.facts.owner == TaskOwner.CUSTOMER.value or one.was.invited_at is not None]
    if not theirs:
        return []
    tasks = [
        {"title": one.facts.title, "due": one.facts.due_on.isoformat(), "was": one.was.due_on.isoformat()}
        for one in theirs
    ]
    return [Mail("onboarding_moved", {"tasks": tasks})]


def _notices(moved: list[Redated], because: str) -> list[Notice]:
    """A notice to each of our people who has to do with it."""
    by_owner: dict[str, list[Redated]] = defaultdict(list)
    for one in moved:
        if one.facts.owner in (TaskOwner.OWNER.value, TaskOwner.SUCCESS_MANAGER.value):
            by_owner[one.facts.owner].append(one)
    return [
        Notice(
            "Moved: {}".format(", ".join(one.facts.title["en"] for one in own)),
            [
                *(f"{one.facts.title['en']} is due on {one.facts.due_on} instead of {one.was.due_on}." for one in own),
                f"The reason: {because}.",
            ],
            to=owner,
            due=min(one.facts.due_at for one in own),
        )
        for owner, own in by_owner.items()
    ]


def lateness(situation: Situation, facts: TaskFacts) -> str:
    """Such as: Kickoff meeting was done 3 days late."""
    days = (situation.today - facts.due_on).days
    return f"{facts.title['en']} was done {counted(days, 'day')} late"
