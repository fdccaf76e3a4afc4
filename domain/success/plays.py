"""Plays, the steps of a playbook's own: what one does on its day, and what follows if nobody does what it asked for. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from domain.frame.customer import ContractFacts
from domain.frame.decision import Decision, JournalLine, Mail, Notice, OpenStaffTask
from domain.frame.keys import StageId, StageKind, StepKey
from domain.frame.mail_names import mail_in_words
from domain.frame.playbook import Playbook
from domain.frame.plays import OF_PEOPLE, Play, PlayTemplate
from domain.frame.situation import TOLERATED_DELAY, Situation
from domain.frame.staff_tasks import StaffTaskFacts
from domain.frame.state import Outcome, Step
from domain.success import introducing, people_changes, reorder
from domain.success.people_changes import Occasion
from domain.success.play_days import day_of, in_business_days
from domain.success.play_facts import About, PlayValue

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
    return next((play for play in situation.playbook.every_play if play.name == step.about), None)


def contract_of(situation: Situation, step: Step) -> ContractFacts | None:
    """The contract that a step of a play is about, if it is about one: its name begins with the contract and the term's number."""
    contract_id = step.name.rpartition(":")[0]
    return next((one for one in situation.customer.contracts if one.contract_id == contract_id), None)


def about(situation: Situation, step: Step) -> About:
    """What a step of a play is about, beside the customer."""
    return About(contract_of(situation, step), people_changes.contact_of(situation, step))


def escalates(playbook: Playbook, task: StaffTaskFacts) -> bool:
    """True for a task of which the playbook says itself who hears that it is not done, and when; until a person gives it another day."""
    stage = StepKey.parse(task.key).stage
    found = next((one for one in playbook.every_play if stage_of(one) == stage), None)
    return found is not None and found.task is not None and found.task.escalation is not None and task.as_asked


def task_key(step: Step) -> str:
    """The key of the task that a step asks a person for."""
    return f"{step.stage}/{step.name.removesuffix(_ESCALATES)}"


def escalation_after(then: Situation, play: Play, step: Step) -> Step | None:
    """The look whether the task that a step asks for at `then` is done, some business days after it was due."""
    if play.task is None or play.task.escalation is None:
        return None
    days = play.task.due_in + play.task.escalation.after
    day = in_business_days(then.today, days, then.customer.account.country)
    return then.step(ESCALATION, step.stage, f"{step.name}{_ESCALATES}", day)


def play(
    situation: Situation,
    step: Step,
    met: Met,
    tasks: Sequence[StaffTaskFacts] = (),
    welcomed: frozenset[str] = frozenset(),
) -> Decision:
    """What a step of a playbook's own does: nothing if its condition does not hold, with the reason and the facts on record.

    tasks: what is to be done for the customer, of which a briefing tells. welcomed: contacts who are new themselves, and read in their
    welcome who looks after them: one mail suffices.
    """
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
    title, occasion = found.title, people_changes.behind(situation, found, step)
    why = _why_not(situation, found, step, met, occasion)
    if why is not None:
        return Decision(JournalLine(f"{title} left out: {why}", kind="skipped", detail=detail | {"why": why}))
    if found.task is not None:
        return _ask(situation, found, step, detail, tasks)
    mail = _mail_of(situation, found, occasion, welcomed)
    if mail is None:
        why = "there is nothing to say to them"
        return Decision(JournalLine(f"{title} left out: {why}", kind="skipped", detail=detail | {"why": why}))
    return Decision(JournalLine(f"{title}: {mail_in_words(mail.template)} on its way", detail=detail), mails=[mail])


def _why_not(situation: Situation, found: Play, step: Step, met: Met, occasion: Occasion | None) -> str | None:
    """Why a play does nothing on its day; null if it does."""
    if found.anchor in OF_PEOPLE and occasion is None:
        return "it was taken back"
    if not met.met:
        return met.why
    return f"it was due on {step.on}" if situation.as_of - step.at > TOLERATED_DELAY else None


def welcomes(situation: Situation, since: date) -> Iterator[tuple[Play, Step, str]]:
    """The welcomes that are due on a day or later: the play, its step, and who is new."""
    for found in situation.playbook.every_play:
        if found.mail is None or found.mail.template is not PlayTemplate.CONTACT_WELCOME:
            continue
        for occasion in people_changes.occasions(situation, found):
            day = day_of(situation, found, occasion.day)
            if day >= since:
                yield found, situation.step(KIND, stage_of(found), occasion.of, day), occasion.change.about


def _mail_of(
    situation: Situation, found: Play, occasion: Occasion | None, welcomed: frozenset[str] = frozenset()
) -> Mail | None:
    """The mail of a play, and to whom; null if there is nothing to say, or nobody to say it to."""
    if found.mail is None:
        return None
    template = found.mail.template
    if template is PlayTemplate.CONTACT_WELCOME:
        new = occasion.change.about if occasion is not None else None
        contact = situation.customer.contact(contact_id=new) if new is not None else None
        if contact is None:
            return None
        return Mail(template.value, introducing.welcome(situation, contact), contact_id=contact.contact_id)
    context = _says(situation, found, occasion)
    reader = situation.customer.contact(found.mail.role)
    if context is None or (reader is not None and reader.contact_id in welcomed):
        return None
    return Mail(template.value, context, asked_of=found.mail.role, but=welcomed)


def _says(situation: Situation, found: Play, occasion: Occasion | None) -> dict[str, Any] | None:
    """What the mail of a play says; null for one that has nothing to say to this customer."""
    if found.mail is None:
        return None
    if found.mail.template is PlayTemplate.INTRODUCTION:
        return introducing.introduction(situation, found, occasion) if occasion is not None else None
    if found.mail.template is PlayTemplate.REORDER:
        return reorder.asked(situation)
    words = found.mail.words
    return {
        "title": {language: one.subject for language, one in words.items()},
        "words": {language: one.text for language, one in words.items()},
    }


def _ask(
    situation: Situation, found: Play, step: Step, detail: dict[str, Any], tasks: Sequence[StaffTaskFacts]
) -> Decision:
    task = found.task
    if task is None:
        raise TypeError(f"play {found.name} asks nobody")
    due = in_business_days(situation.today, task.due_in, situation.customer.account.country)
    due_at, _ = situation.customer.morning(due)
    to = task.owner.value
    why = "Their playbook asks for it."
    lines = [why, *(introducing.briefing(situation, tasks) if task.briefing else ())]
    return Decision(
        JournalLine(f"{found.title}: asked of the {to.replace('_', ' ')}", detail=detail),
        writes=[OpenStaffTask(task_key(step), task.title, to, due_at, why)],
        notices=[Notice(f"To do: {task.title}", lines, to=to, due=due_at)],
    )


def escalate(situation: Situation, step: Step, task: StaffTaskFacts | None = None) -> Decision:
    """What a play asked of a person is still open: somebody else hears of it, once. `task`: as it stands, if it is open."""
    found, key = of_step(situation, step), task_key(step)
    if found is None or found.task is None or found.task.escalation is None:
        return Decision(JournalLine(f"Not needed any more: {step.about}", kind="skipped"))
    if key not in situation.customer.staff_tasks:
        return Decision(JournalLine(f"{found.title}: done, nobody has to hear of it", kind="skipped"))
    if task is not None and (task.escalated_at is not None or not task.as_asked):
        why = "somebody has heard of it" if task.escalated_at is not None else "it has another day by now"
        return Decision(JournalLine(f"{found.title}: {why}", kind="skipped"))
    says = f"Still to do: {found.task.title}"
    owner = found.task.owner.value.replace("_", " ")
    notice = Notice(says, [f"It was asked of the {owner}."], to=found.task.escalation.to.value, due=situation.as_of)
    return Decision(
        JournalLine(says, detail={"play": found.name, "playbook": situation.playbook.named, "task": key}),
        Outcome(said=[says]),
        notices=[notice],
    )
