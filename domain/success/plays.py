"""Plays, the steps of a playbook's own: what one does on its day, and what follows if nobody does what it asked for. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

from domain.frame.customer import ContractFacts
from domain.frame.decision import Decision, JournalLine, Mail, Notice, OpenStaffTask
from domain.frame.keys import StageId, StageKind
from domain.frame.mail_names import mail_in_words
from domain.frame.plays import Play, PlayDays, PlayTemplate
from domain.frame.situation import TOLERATED_DELAY, Situation
from domain.frame.state import Outcome, Step
from domain.kernel.calendar import is_business_day
from domain.success import reorder
from domain.success.play_facts import PlayValue

KIND: Final = "play"
ESCALATION: Final = "play_escalation"
_ESCALATES = "-escalate"


@dataclass(frozen=True)
class Met:
    """Whether the condition of a play holds, with the facts that it was asked of, and why not."""

    met: bool
    facts: Mapping[str, PlayValue] = field(default_factory=dict)
    why: str = ""


def stage_of(play: Play) -> str:
    """The stage under which the steps of a play are kept."""
    return str(StageId(StageKind.PLAY, play.name))


def of_step(situation: Situation, step: Step) -> Play | None:
    """The play behind a step; null if the customer's playbook has none of that name any more."""
    return next((play for play in situation.playbook.plays if play.name == step.about), None)


def contract_of(situation: Situation, step: Step) -> ContractFacts | None:
    """The contract that a step of a play is about, if it is about one: its name begins with the contract and the term's number."""
    contract_id = step.name.rpartition(":")[0]
    return next((one for one in situation.customer.contracts if one.contract_id == contract_id), None)


def day_of(situation: Situation, play: Play, anchor: date) -> date:
    """The local day on which a play is due that counts from the day `anchor`: one on which people work, and which is not quiet."""
    country = situation.customer.account.country
    day = _in_business_days(anchor, play.days, country) if play.count is PlayDays.BUSINESS else anchor
    if play.count is PlayDays.CALENDAR:
        day += timedelta(days=play.days)
    return _open_day(play, day, country)


def again_on(situation: Situation, play: Play, first: date, number: int) -> date:
    """The day of the occurrence `number` of a play whose first one is planned from the day `first`."""
    every = play.repeat.every if play.repeat else 0
    return _open_day(play, first + timedelta(days=every * (number - 1)), situation.customer.account.country)


def _open_day(play: Play, day: date, country: str) -> date:
    while any(time.covers(day) for time in play.quiet) or not is_business_day(day, country):
        day += timedelta(days=1)
    return day


def _in_business_days(day: date, days: int, country: str) -> date:
    one = timedelta(days=1 if days >= 0 else -1)
    for _ in range(abs(days)):
        day += one
        while not is_business_day(day, country):
            day += one
    return day


def task_key(step: Step) -> str:
    """The key of the task that a step asks a person for."""
    return f"{step.stage}/{step.name.removesuffix(_ESCALATES)}"


def escalation_after(then: Situation, play: Play, step: Step) -> Step | None:
    """The look whether the task that a step asks for at `then` is done, some business days after it was due."""
    if play.task is None or play.task.escalation is None:
        return None
    days = play.task.due_in + play.task.escalation.after
    day = _in_business_days(then.today, days, then.customer.account.country)
    return then.step(ESCALATION, step.stage, f"{step.name}{_ESCALATES}", day)


def play(situation: Situation, step: Step, met: Met) -> Decision:
    """What a step of a playbook's own does: nothing if its condition does not hold, with the reason and the facts on record."""
    found = of_step(situation, step)
    if found is None:
        return Decision(JournalLine(f"Not needed any more: {step.about} is in no playbook of theirs", kind="skipped"))
    detail: dict[str, Any] = {
        "play": found.name,
        "playbook": situation.playbook.named,
        "anchor": f"{found.anchor.value} {found.days:+d} {found.count.value} days",
        "when": found.when,
        "facts": dict(met.facts),
    }
    title = found.title
    if not met.met:
        return Decision(JournalLine(f"{title} left out: {met.why}", kind="skipped", detail=detail | {"why": met.why}))
    if situation.as_of - step.at > TOLERATED_DELAY:
        why = f"it was due on {step.on}"
        return Decision(JournalLine(f"{title} left out: {why}", kind="skipped", detail=detail | {"why": why}))
    if found.task is not None:
        return _ask(situation, found, step, detail)
    context = _says(situation, found)
    if found.mail is None or context is None:
        why = "there is nothing to say to them"
        return Decision(JournalLine(f"{title} left out: {why}", kind="skipped", detail=detail | {"why": why}))
    template = found.mail.template.value
    line = JournalLine(f"{title}: {mail_in_words(template)} on its way", detail=detail)
    return Decision(line, mails=[Mail(template, context, asked_of=found.mail.role)])


def _says(situation: Situation, found: Play) -> dict[str, Any] | None:
    """What the mail of a play says; null for one that has nothing to say to this customer."""
    if found.mail is None:
        return None
    if found.mail.template is PlayTemplate.REORDER:
        return reorder.asked(situation)
    words = found.mail.words
    return {
        "title": {language: one.subject for language, one in words.items()},
        "words": {language: one.text for language, one in words.items()},
    }


def _ask(situation: Situation, found: Play, step: Step, detail: dict[str, Any]) -> Decision:
    task = found.task
    if task is None:
        raise TypeError(f"play {found.name} asks nobody")
    due = _in_business_days(situation.today, task.due_in, situation.customer.account.country)
    due_at, _ = situation.customer.morning(due)
    to = task.owner.value
    why = f"The playbook {situation.playbook.named} asks for it."
    return Decision(
        JournalLine(f"{found.title}: asked of the {to.replace('_', ' ')}", detail=detail),
        writes=[OpenStaffTask(task_key(step), task.title, to, due_at, why)],
        notices=[Notice(f"To do: {task.title}", [why], to=to, due=due_at)],
    )


def escalate(situation: Situation, step: Step) -> Decision:
    """What a play asked of a person is still open: somebody else hears of it."""
    found, key = of_step(situation, step), task_key(step)
    if found is None or found.task is None or found.task.escalation is None:
        return Decision(JournalLine(f"Not needed any more: {step.about}", kind="skipped"))
    if key not in situation.customer.staff_tasks:
        return Decision(JournalLine(f"{found.title}: done, nobody has to hear of it", kind="skipped"))
    says = f"Still to do: {found.task.title}"
    owner = found.task.owner.value.replace("_", " ")
    notice = Notice(says, [f"It was asked of the {owner}."], to=found.task.escalation.to.value, due=situation.as_of)
    return Decision(
        JournalLine(says, detail={"play": found.name, "playbook": situation.playbook.named, "task": key}),
        Outcome(said=[says]),
        notices=[notice],
    )
