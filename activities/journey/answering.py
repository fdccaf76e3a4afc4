"""The activities that do steps and answer requests by rules: one for each kind, none of them written by hand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from temporalio import activity

from activities.frame.unit_of_work import Performer
from activities.service.case_work import CaseWorker
from domain.frame.calls import RequestCall, StepCall
from domain.frame.state import Outcome
from domain.journey.registry import CASE, JOURNEY
from domain.service.case_progress import CaseCall, CaseOutcome


def made_activities(performer: Performer, worker: CaseWorker, areas: Sequence[object]) -> list[Callable[..., Any]]:
    """What journeys do by themselves, and what they and cases are asked: by the kinds of steps of the areas, and the registry's requests.

    What a rule needs beside the situation is looked up by its area, which says so in its `looks`, `follows` and `accounts`.
    """

    def said(what: str) -> dict[str, Any]:
        return {name: found for area in areas for name, found in getattr(area, what, {}).items()}

    looks, follows, accounts = said("looks"), said("follows"), said("accounts")
    made = [_made(name, StepCall, Outcome, performer.step, kind) for name, kind in said("steps").items()]
    for kind in filter(lambda kind: kind.rule, JOURNEY.values()):
        name = kind.answered_by
        made.append(_made(name, RequestCall, Outcome, performer.answer, kind, looks.get(name), follows.get(name)))
    for kind in filter(lambda kind: kind.rule, CASE.values()):
        name = kind.answered_by
        made.append(_made(name, CaseCall, CaseOutcome, worker.answer, kind, looks.get(name), accounts.get(name)))
    return made


def _made(
    name: str, call_type: type, outcome_type: type, do: Callable[..., Awaitable[Any]], *about: Any
) -> Callable[..., Any]:
    """An activity of a name: it does what its call says. The types are those that Temporal reads and writes."""

    async def made(call: Any) -> Any:
        return await do(call, *about)

    made.__name__ = name
    made.__annotations__ = {"call": call_type, "return": outcome_type}
    return activity.defn(name=name)(made)
