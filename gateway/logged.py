"""One line for each step, request and delivery: whose it was, its key, the run, how long it took, and what came of it.

No line says what was asked or written, or names a person: of an error there is its kind, and its words stay in the engine's history.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.kernel import traces

LOG = logging.getLogger("perennial.work")
FIELDS = "perennial_fields"
"""What a line says, as an attribute of its record."""


class Logged(Interceptor):
    """Writes the line of every activity that a worker does."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _LoggedActivity(next)


class _LoggedActivity(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        if not LOG.isEnabledFor(logging.INFO):
            return await super().execute_activity(input)
        began, outcome = time.monotonic(), "done"
        try:
            return await super().execute_activity(input)
        except BaseException as error:
            kind = error.type if isinstance(error, ApplicationError) else None
            outcome = kind or type(error).__name__
            raise
        finally:
            level = logging.INFO if outcome == "done" else logging.WARNING
            said = _told(input.args, outcome, time.monotonic() - began)
            LOG.log(level, "%(event)s %(kind)s: %(outcome)s", said, extra={FIELDS: said})


@cache
def _events() -> Mapping[str, Collection[str]]:
    """The names of activities by what a line calls them. Loaded with the first line: a client, which does no work, has none."""
    from domain.frame.batches import Batch
    from domain.frame.flight import TOGETHER, Channel
    from domain.frame.step_words import STEPS

    return {"step": STEPS, "delivery": frozenset({TOGETHER, *Channel}), "batch": frozenset(Batch)}


def _told(arguments: Any, outcome: str, seconds: float) -> Mapping[str, Any]:
    """What the line says of this activity, whose one argument is a call."""
    info, call = activity.info(), arguments[0] if arguments else None
    name = info.activity_type
    step, deliveries = getattr(call, "step", None), getattr(call, "deliveries", None)
    key = step.key if step else " ".join(deliveries) if deliveries else _first(call, "delivery_id", "request_id")
    said = {
        "event": next((event for event, names in _events().items() if name in names), "request"),
        "kind": name,
        "account": _first(call, "account_id"),
        "case": _first(call, "case_id"),
        "key": key,
        "workflow": info.workflow_id,
        "run": info.workflow_run_id,
        "attempt": info.attempt,
        "seconds": round(seconds, 3),
        "outcome": outcome,
        "trace": traces.present(),
    }
    return {
        name: traces.opaque(value) if isinstance(value, str) else value
        for name, value in said.items()
        if value not in ("", None)
    }


def _first(call: object, *names: str) -> str:
    return next((str(value) for name in names if (value := getattr(call, name, None))), "")
