"""What takes back what: for each request that can be undone by another one, how that one is made of what was asked and answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Fields = Mapping[str, Any]


@dataclass(frozen=True)
class WayBack:
    """The request that takes one back, by its name among all operations; `made` of what was asked and what was answered.

    `when` says of what was asked whether this is a way back; `says` what then is as it was.
    """

    by: str
    made: Callable[[Fields, Fields], dict[str, Any]]
    says: str
    when: Callable[[Fields], bool] = lambda asked: True


def _same(*names: str) -> Callable[[Fields, Fields], dict[str, Any]]:
    """The same thing, by the fields that name it."""
    return lambda asked, answer: {name: asked[name] for name in names if asked.get(name) is not None}


def _answered(name: str) -> Callable[[Fields, Fields], dict[str, Any]]:
    """What was made, by the id that the answer gave it."""
    return lambda asked, answer: {name: answer[name]}


def _changed(asked: Fields, answer: Fields) -> dict[str, Any]:
    """One of the assets: all that was changed together goes back together."""
    return {"asset_id": answer["assets"][0]["asset_id"]}


def _accepted(asked: Fields, answer: Fields) -> dict[str, Any]:
    return {"contract_id": asked["contract_id"], "decision": "accept"}


def _declined(asked: Fields) -> bool:
    return asked.get("decision") == "decline"


_ROLLBACK = WayBack("rollback", _changed, "assets and contract are as they were; only before the change begins")

WAYS_BACK: Mapping[str, WayBack] = {
    "amend_assets": _ROLLBACK,
    "renew_assets": _ROLLBACK,
    "cancel_assets": _ROLLBACK,
    "answer_renewal": WayBack("answer_renewal", _accepted, "the contract renews; until its term ends", _declined),
    "place_hold": WayBack("lift_hold", _answered("hold_id"), "sales is not held back by it any more"),
    "pause": WayBack("resume", _same(), "the journey goes on, and catches up with what came due"),
    "complete_task": WayBack("reopen_task", _same("task", "order_id"), "the task of onboarding is open again"),
    "block_task": WayBack("unblock_task", _same("task", "order_id"), "the task of onboarding waits for nobody"),
    "finish_staff_task": WayBack("reopen_staff_task", _same("task_id"), "the task of our people is open again"),
    "case_wait": WayBack("case_resume", _same(), "the case's promises run again"),
    "case_resolve": WayBack("case_reopen", _same(), "the case is open again"),
    "case_close": WayBack("case_reopen", _same(), "the case is open again, if it closed lately"),
    "case_escalate": WayBack("case_de_escalate", _same(), "the case is escalated no more"),
}


def way_back_of(operation: str, asked: Fields) -> WayBack | None:
    """How a request is taken back; null for one that is for good."""
    way = WAYS_BACK.get(operation)
    return way if way is not None and way.when(asked) else None
