"""Activities done once more from what they were given the first time, beside the engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any, get_type_hints

from temporalio.testing import ActivityEnvironment

from activities.frame.errors import PATIENT_ATTEMPTS
from activities.frame.once_more import once_more

_LONGEST = timedelta(minutes=5)


class Redo:
    """Does what an activity did, at the same instant and under the same key: what is on record already stays as it is."""

    def __init__(self, activities: Iterable[Callable[..., Any]]) -> None:
        self._activities = {activity.__name__: activity for activity in activities}

    async def __call__(self, name: str, given: dict[str, Any], key: str, later: timedelta) -> None:
        """`given` as the engine's history has it; `later`: at an attempt so long after the first. Raises what the activity raises;
        LookupError for one that is not known."""
        activity = self._activities.get(name)
        if activity is None:
            raise LookupError(f"this release knows no {name}")
        hints = get_type_hints(activity)
        hints.pop("return", None)
        (model,) = hints.values()
        environment = ActivityEnvironment()
        environment.info = replace(
            environment.info,
            activity_id=key,
            activity_type=name,
            attempt=PATIENT_ATTEMPTS,
            current_attempt_scheduled_time=environment.info.scheduled_time + later,
            start_to_close_timeout=_LONGEST,
            heartbeat_timeout=None,
        )
        given_then = model.model_validate(given)

        async def again() -> None:
            once_more.set(True)
            await activity(given_then)

        await environment.run(again)
