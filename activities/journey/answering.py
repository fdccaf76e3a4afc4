"""The activities that do steps and answer requests by rules: one for each kind, none of them written by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from temporalio import activity

from activities.frame.unit_of_work import Activities, FollowUp, Look, Performer, StepKind
from activities.service.case_work import Accounts, CaseActivities, CaseLook, CaseWorker
from domain.frame.calls import RequestCall, StepCall
from domain.frame.state import Outcome
from domain.journey.registry import CASE, JOURNEY, Kind
from domain.service.case_progress import CaseCall, CaseOutcome


def journey_steps(performer: Performer, areas: Iterable[object]) -> list[Callable[..., Any]]:
    """What a journey does by itself, by the kinds of steps of its areas."""
    kinds = {name: kind for area in areas if isinstance(area, Activities) for name, kind in area.steps.items()}
    return [_of_step(performer, name, kind) for name, kind in kinds.items()]


def _of_step(performer: Performer, name: str, kind: StepKind) -> Callable[..., Any]:
    @activity.defn(name=name)
    async def step(call: StepCall) -> Outcome:
        return await performer.step(call, kind)

    return step


def journey_answers(performer: Performer, areas: Iterable[object]) -> list[Callable[..., Any]]:
    """What a journey is asked; what a rule needs beside the situation is looked up by its area."""
    ours = [area for area in areas if isinstance(area, Activities)]
    looks = {name: look for area in ours for name, look in area.looks.items()}
    follows = {name: follow for area in ours for name, follow in area.follows.items()}
    kinds = {kind.answered_by: kind for kind in JOURNEY.values() if kind.rule}
    return [_of_journey(performer, kind, looks.get(name), follows.get(name)) for name, kind in kinds.items()]


def case_answers(worker: CaseWorker, areas: Iterable[object]) -> list[Callable[..., Any]]:
    """What a case is asked, alike."""
    ours = [area for area in areas if isinstance(area, CaseActivities)]
    looks = {name: look for area in ours for name, look in area.looks.items()}
    accounts = {name: found for area in ours for name, found in area.accounts.items()}
    kinds = {kind.answered_by: kind for kind in CASE.values() if kind.rule}
    return [_of_case(worker, kind, looks.get(name), accounts.get(name)) for name, kind in kinds.items()]


def _of_journey(
    performer: Performer, kind: Kind, look: Look[Any] | None, follow: FollowUp | None
) -> Callable[..., Any]:
    @activity.defn(name=kind.answered_by)
    async def answer(call: RequestCall) -> Outcome:
        return await performer.answer(call, kind, look, follow)

    return answer


def _of_case(worker: CaseWorker, kind: Kind, look: CaseLook | None, accounts: Accounts | None) -> Callable[..., Any]:
    @activity.defn(name=kind.answered_by)
    async def answer(call: CaseCall) -> CaseOutcome:
        return await worker.answer(call, kind, look, accounts)

    return answer
