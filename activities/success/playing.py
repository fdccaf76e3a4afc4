"""Plays: the step that a playbook lists by itself, with its condition asked in the transaction that does it."""

from __future__ import annotations

from activities.frame.unit_of_work import Activities, StepKind, UnitOfWork
from activities.playbooks.conditions import met
from domain.frame.situation import Situation
from domain.frame.state import Step
from domain.success import plays
from domain.success.plays import Met


async def _asked(_: UnitOfWork, situation: Situation, step: Step) -> tuple[Met]:
    play = plays.of_step(situation, step)
    return (met(situation, play, step) if play is not None else Met(False),)


class Plays(Activities):
    """What a playbook has done by itself, and who hears if it is not."""

    steps = {
        "play": StepKind(plays.play, paced=True, look=_asked),
        "play_escalation": StepKind(plays.escalate),
    }
