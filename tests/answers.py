"""Whatever a journey or a case answers in a test is held against the shape that the API describes."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import ValidationError

from domain.journey.registry import BEGINNINGS, CASE
from gateway.entity import Entities
from gateway.views.answers.table import ANSWERS
from tests import examples

_Ask = Callable[..., Awaitable[dict[str, Any]]]


def watch() -> None:
    """From now on a test fails that gets an answer which is not as it is described."""
    for name in ("ask", "begin_and_ask"):
        setattr(Entities, name, _watched(getattr(Entities, name)))


def _watched(ask: _Ask) -> _Ask:
    @functools.wraps(ask)
    async def asked(self: Entities, workflow_id: str, update: str, *about: Any, **more: Any) -> dict[str, Any]:
        answer = await ask(self, workflow_id, update, *about, **more)
        if (operation := _operation(workflow_id, update)) in ANSWERS and (says := unlike(operation, answer)):
            raise AssertionError(says)
        if examples.WANTED and operation in ANSWERS and operation not in BEGINNINGS:
            examples.record(operation, answer)
        return answer

    return asked


def _operation(workflow_id: str, update: str) -> str:
    of_case = workflow_id.startswith("case-") and update in CASE and not CASE[update].opens
    return f"case_{update}" if of_case else update


def unlike(operation: str, answer: dict[str, Any]) -> str | None:
    """What an answer has that its description does not say, or lacks; null if it is as it says."""
    try:
        read = ANSWERS[operation].model_validate(answer).model_dump(mode="json")
    except ValidationError as error:
        return f"{operation} answered {answer}: {error}"
    # What begins something is read as its model by the door itself, which tells nothing else.
    more = [] if operation in BEGINNINGS else sorted(_more(answer, read))
    return f"{operation} answered {', '.join(more)} beside what is described: {answer}" if more else None


def _more(document: Any, read: Any) -> set[str]:
    """The names that only the document has."""
    if isinstance(document, dict) and isinstance(read, dict):
        inner = (_more(document[name], read[name]) for name in document.keys() & read.keys())
        return (document.keys() - read.keys()).union(*inner)
    if isinstance(document, list) and isinstance(read, list):
        return set[str]().union(*(_more(one, other) for one, other in zip(document, read, strict=True)))
    return set()
