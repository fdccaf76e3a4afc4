"""Plays: the step that a playbook lists by itself, with its condition asked in the transaction that does it."""

from __future__ import annotations

from activities.frame.staff_rows import open_tasks
from activities.frame.unit_of_work import Activities, StepKind, UnitOfWork
from activities.playbooks.conditions import met
from domain.frame.plays import Play, PlayTemplate
from domain.frame.situation import Situation
from domain.frame.staff_tasks import StaffTaskFacts
from domain.frame.state import Step
from domain.success import plays
from domain.success.plays import Met


async def _asked(
    work: UnitOfWork, situation: Situation, step: Step
) -> tuple[Met, list[StaffTaskFacts], frozenset[str]]:
    """Whether the play's condition holds, what is to be done for the customer, and who is welcomed instead of reading its mail."""
    play = plays.of_step(situation, step)
    if play is None:
        return Met(False), [], frozenset()
    briefs = play.task is not None and play.task.briefing
    tasks = await open_tasks(work.connection, work.unit.account_id) if briefs else []
    return met(situation, play, step), tasks, _welcomed(situation, play, step)


def _welcomed(situation: Situation, play: Play, step: Step) -> frozenset[str]:
    """Contacts who are new, and are told by a welcome of this day or a later one what an introduction says."""
    if play.mail is None or play.mail.template is not PlayTemplate.INTRODUCTION:
        return frozenset()
    wanted = {one.contact_id for one in situation.customer.contacts if one.wants("contact_welcome")}
    found = plays.welcomes(situation, step.on)
    return frozenset(new for welcome, due, new in found if new in wanted and met(situation, welcome, due).met)


async def _still_open(work: UnitOfWork, _: Situation, step: Step) -> tuple[StaffTaskFacts | None]:
    """The task of a step, if it is open."""
    tasks = await open_tasks(work.connection, work.unit.account_id)
    return (next((task for task in tasks if task.key == plays.task_key(step)), None),)


class Plays(Activities):
    """What a playbook has done by itself, and who hears if it is not."""

    steps = {
        "play": StepKind(plays.play, paced=True, look=_asked),
        "play_escalation": StepKind(plays.escalate, look=_still_open),
    }
