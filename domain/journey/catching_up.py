"""What came due while nothing was done: each step is asked again whether it is still of use, and the rest is planned anew. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from domain.billing import dunning
from domain.contracts import renewal_notices
from domain.frame import pace
from domain.frame.decision import JournalLine
from domain.frame.situation import Situation
from domain.frame.state import Step
from domain.frame.step_words import within_words
from domain.frame.success_facts import TaskFacts
from domain.frame.task_steps import INVITATION, OVERDUE, REMINDER, TASK_STEPS, task_of
from domain.kernel.shown import counted
from domain.success import adoption, asking, onboarding_steps, thanks

LATE_GREETING = timedelta(days=3)
"""A mail about a day, such as the first one or an anniversary, says nothing any more this long after it."""

_CONTRACTUAL = frozenset({"renewal_notice", "renewal_quote"})
_MONEY = frozenset({"billing_dunning"})
"""what is overdue, by the customer"""
_ACCESS = frozenset({"onboarding_provisioning"})
"""what the customer hears of as soon as it is there"""
_AMONG_US = frozenset(
    {"play_escalation", "quote_reminder", "reorder_lapse", *(step.kind for step in TASK_STEPS if step.among_us)}
)
_LATEST_ONLY = frozenset(
    {
        "billing_dunning",
        "renewal_notice",
        "renewal_quote",
        "adoption_check_in",
        "adoption_follow_up",
        "adoption_mail",
        "adoption_usage_review",
        "adoption_survey",
        "reorder_check_in",
    }
)
_LOOKED_AT = frozenset({"adoption_follow_up", "adoption_usage_review"})
_ASKING = frozenset({"fulfilment_follow_up", "relationship_win_back", "play"})
_GREETINGS = frozenset({"onboarding_touch", "relationship_anniversary"})
_TASKS = frozenset({"onboarding_mail", *(step.kind for step in TASK_STEPS)})
_BY_NIGHT = frozenset({"relationship_morning"})
_FIRST = _CONTRACTUAL | _MONEY | _ACCESS | _AMONG_US | _BY_NIGHT
_TO_CUSTOMERS = _CONTRACTUAL | _MONEY | _LATEST_ONLY | _GREETINGS | _TASKS | _ASKING


@dataclass
class CaughtUp:
    """The overdue steps as they are planned now, and those that are dropped with a line each."""

    plan: list[Step] = field(default_factory=list)
    drop: list[str] = field(default_factory=list)
    lines: list[JournalLine] = field(default_factory=list)


def catch_up(situation: Situation, overdue: Sequence[Step]) -> CaughtUp:
    """What becomes of `overdue`, in the order of their instants.

    What the ledger and the facts wait for (terms, invoices, what takes effect) keeps its instant and is done at once, the
    earliest first. What a person reads leaves at the promised hour: contractual mails, access to what was bought, and what our
    own people have to know on the next business morning, everything else one a morning after that.
    """
    found = CaughtUp()
    first = day = next_morning(situation)
    latest = _latest(overdue)
    looked_at = any(step.kind == "adoption_check_in" for step in overdue)
    for step in sorted(overdue, key=lambda step: (step.kind not in _FIRST, step.at, step.key)):
        if step.kind not in _TO_CUSTOMERS | _FIRST:
            found.plan.append(step)
            continue
        slot = first if step.kind in _FIRST else day
        why = _no_use(situation, step, slot, latest)
        if why is None and step.kind in _LOOKED_AT and looked_at:
            why = "the check-in looks at it, too"
        if why is None:
            found.plan.append(_on(situation, step, slot))
            if step.kind not in _AMONG_US:
                day = situation.customer.morning(slot + timedelta(days=1))[1]
            continue
        found.drop.append(step.key)
        found.lines.append(_dropped(step, why))
        found.plan += _instead(situation, step)
    return found


def _dropped(step: Step, why: str) -> JournalLine:
    says = f"Dropped: {within_words(step)}; {why}"
    return JournalLine(says, name=f"dropped-{step.key}", kind="dropped", detail={"step": step.key, "why": why})


def without(situation: Situation, step: Step) -> list[Step]:
    """What is planned when a step is left out: what comes in a rhythm, or one after the other, goes on with the next one."""
    following: dict[str, Callable[[], list[Step]]] = {
        "adoption_check_in": lambda: [adoption.next_check_in(situation)],
        asking.KIND: lambda: asking.without(situation, step),
        "renewal_notice": lambda: renewal_notices.without_notice(situation, step),
        REMINDER.kind: lambda: _still_open(situation, step),
        OVERDUE.kind: lambda: _still_open(situation, step, step.on),
        dunning.KIND: lambda: dunning.without(situation, step),
    }
    return following[step.kind]() if step.kind in following else _instead(situation, step)


def may_be_left_out(kind: str) -> bool:
    """True for what a person reads; false for what the ledger and the facts wait for."""
    return kind in _TO_CUSTOMERS | _AMONG_US


def next_morning(situation: Situation) -> date:
    """The business day on whose morning, from now on, what people read leaves."""
    at, day = situation.customer.morning(situation.today)
    return day if at >= situation.as_of else situation.customer.morning(situation.in_days(1))[1]


def _on(situation: Situation, step: Step, day: date) -> Step:
    at, on = situation.customer.morning(day)
    return step.having(at=at, on=on, along=False)


def _latest(overdue: Iterable[Step]) -> set[str]:
    """Of what says the same again, the last: by kind and stage, of surveys and mails of their own by what they are."""
    found: dict[tuple[str, str, str], Step] = {}
    for step in overdue:
        asked = step.name.partition("-")[0] if step.kind in (asking.KIND, pace.APART) else ""
        kept = found.get((step.kind, step.stage, asked))
        if kept is None or (step.at, step.key) > (kept.at, kept.key):
            found[step.kind, step.stage, asked] = step
    return {step.key for step in found.values()}


def _no_use(situation: Situation, step: Step, day: date, latest: set[str]) -> str | None:
    """Why a step is of no use any more on `day`; null if it is."""
    if step.kind in _LATEST_ONLY and step.key not in latest:
        return "a later one says it, too"
    if step.kind in _GREETINGS and day - step.on > LATE_GREETING:
        return f"{counted((day - step.on).days, 'day')} late"
    if step.kind in _TASKS:
        return "the task is done or not wanted any more" if _task(situation, step) is None else None
    if step.kind in _CONTRACTUAL:
        contract = next((c for c in situation.customer.contracts if c.stage == step.stage), None)
        if contract is None or contract.term.until <= day:
            return "the term is over"
    return None


def _task(situation: Situation, step: Step) -> TaskFacts | None:
    name = task_of(step.name)
    return next((t for t in situation.customer.tasks if t.stage == step.stage and t.name == name and t.is_open), None)


def _instead(situation: Situation, step: Step) -> list[Step]:
    """What takes the place of a step that is dropped: the reminder of a task, the next anniversary."""
    instead: dict[str, Callable[[], list[Step]]] = {
        INVITATION.kind: lambda: _reminder(situation, step),
        "relationship_anniversary": lambda: [thanks.anniversary_after(situation, step)],
    }
    return instead[step.kind]() if step.kind in instead else []


def _reminder(situation: Situation, step: Step) -> list[Step]:
    task = _task(situation, step)
    return [] if task is None else [REMINDER.on(situation, step.stage, task.name, next_morning(situation), task.turn)]


def _still_open(situation: Situation, step: Step, since: date | None = None) -> list[Step]:
    """What comes of a task that nobody is reminded of; since: the day of a reminder that is left out before it comes."""
    task = _task(situation, step)
    promised = situation.playbook.onboarding.task(task.name) if task else None
    return onboarding_steps.late_steps(situation, step.stage, promised, task, since) if task and promised else []
