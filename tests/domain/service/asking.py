"""What agents and customers ask of a case in tests, each as the decision that answers it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.frame.case_words import CaseState
from domain.service import case_changes, case_merging
from domain.service.case import CaseFile
from domain.service.case_requests import (
    Cancel,
    Close,
    CustomerMessage,
    Merge,
    Reopen,
    Resolve,
    Respond,
    Resume,
    Wait,
    WaitFor,
)
from domain.service.casework import Work
from tests.domain.service.living import Life

MONDAY = datetime(2026, 6, 1, 0, 0, tzinfo=UTC)
"""nine o'clock in Tokyo, in a month without holidays"""


DAY = timedelta(days=1)


HOUR = timedelta(hours=1)


def tokyo(day: str, clock: str = "09:00") -> datetime:
    return datetime.fromisoformat(f"{day}T{clock}:00+09:00")


def respond(work: Work) -> None:
    case_changes.respond(work, Respond(body="Which model?", by="AG-1"))


def resolve(work: Work) -> None:
    case_changes.resolve(work, Resolve(code="fixed", text="A new cable.", by="AG-1"))


def wait_for(whom: WaitFor) -> Callable[[Work], None]:
    return lambda work: case_changes.wait(work, Wait(waiting_for=whom, reason="the model", by="AG-1"))


def resume(work: Work) -> None:
    case_changes.resume(work, Resume(by="AG-1"))


def reopen(work: Work) -> None:
    case_changes.reopen(work, Reopen(reason="still down", by="AG-1"))


def close(work: Work) -> None:
    case_changes.close(work, Close(by="AG-1"))


def cancel(work: Work) -> None:
    case_changes.cancel(work, Cancel(by_customer=True, by="AG-1"))


def merge(work: Work) -> None:
    case_merging.merge(work, Merge(into="C-2", by="AG-1"), {"C-2": other(work.case)}, {})


def other(case: CaseFile, **changes: Any) -> CaseFile:
    return case.having(
        **{"case_id": "C-2", "status": CaseState.OPEN, "resolved_at": None, "closed_at": None, **changes}
    )


def customer_writes(text: str = "A T-1000.", **more: Any) -> Callable[[Work], None]:
    return lambda work: case_changes.customer_message(work, CustomerMessage(body=text, **more))


WAYS: dict[CaseState, tuple[Callable[[Work], None], ...]] = {
    CaseState.OPEN: (),
    CaseState.WAITING_CUSTOMER: (wait_for(WaitFor.CUSTOMER),),
    CaseState.WAITING_INTERNAL: (wait_for(WaitFor.INTERNAL),),
    CaseState.WAITING_THIRD_PARTY: (wait_for(WaitFor.THIRD_PARTY),),
    CaseState.RESOLVED: (resolve,),
    CaseState.CLOSED: (resolve, close),
    CaseState.MERGED: (merge,),
    CaseState.CANCELLED: (cancel,),
}


def in_state(state: CaseState) -> Life:
    life = Life(MONDAY)
    for decide in WAYS[state]:
        life.wait(HOUR)
        life.do(decide)
    assert life.case.status is state
    return life
