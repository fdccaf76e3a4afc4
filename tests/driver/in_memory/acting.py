"""What an activity comes to: the real one, called with what the workflow gave, its result as the workflow gets it."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from temporalio import activity
from temporalio.api.failure.v1 import ActivityFailureInfo, CanceledFailureInfo, Failure
from temporalio.bridge.proto.activity_result import ActivityResolution, Cancellation, Success
from temporalio.bridge.proto.activity_result import Failure as Failed
from temporalio.converter import DataConverter
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput

from gateway.logged import Logged
from tests.driver.in_memory.run import Pending
from tests.driver.tally import Tally

MOST_ATTEMPTS = 30
"""More often nothing is tried again: whoever is away here stays away."""


class _Plain(ActivityInboundInterceptor):
    """The end of the chain of interceptors: the activity itself."""

    def __init__(self) -> None:
        """Nobody is next."""

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        return await input.fn(*input.args)


def _called(fn: Callable[..., Any], arguments: Sequence[Any]) -> ExecuteActivityInput:
    return ExecuteActivityInput(fn=fn, args=arguments, executor=None, headers={})


class Acting:
    """The activities by their names."""

    def __init__(
        self,
        activities: Sequence[Callable[..., Any]],
        converter: DataConverter,
        tally: Tally,
        *,
        most_attempts: int = MOST_ATTEMPTS,
    ) -> None:
        found = [activity._Definition.must_from_callable(one) for one in activities]
        self._activities = {one.name or "": one for one in found}
        self._converter = converter
        self._tally = tally
        self._most_attempts = most_attempts
        self._inbound = Logged().intercept_activity(_Plain())

    async def perform(self, pending: Pending, at: datetime) -> ActivityResolution | timedelta:
        """One attempt at `at`: its end, or how long until the next."""
        call = pending.call
        known = self._activities[call.activity_type]
        arguments = await self._converter.decode(call.arguments, known.arg_types)
        environment = ActivityEnvironment()
        environment.info = replace(
            environment.info,
            activity_id=call.activity_id,
            activity_type=call.activity_type,
            attempt=pending.attempts,
            current_attempt_scheduled_time=at,
            scheduled_time=pending.asked_at,
            started_time=at,
            heartbeat_timeout=None,
            start_to_close_timeout=call.start_to_close_timeout.ToTimedelta(),
        )
        try:
            result = await environment.run(self._inbound.execute_activity, _called(known.fn, arguments))
        except Exception as error:
            return await self._failed(pending, error)
        self._tally.activities[call.activity_type] += 1
        (payload,) = await self._converter.encode([result])
        return ActivityResolution(completed=Success(result=payload))

    async def _failed(self, pending: Pending, error: Exception) -> ActivityResolution | timedelta:
        call, says = pending.call, "".join(traceback.format_exception(error.__cause__ or error))
        final = isinstance(error, ApplicationError) and error.non_retryable
        if isinstance(error, ApplicationError) and error.type == "StepFailed":
            self._tally.failures.append(f"StepFailed in {call.activity_type} with {call.arguments}\n{says}")
        if not final and pending.attempts < self._most_attempts:
            return _pause(pending, error)
        if not final:
            self._tally.failures.append(f"{call.activity_type} with {call.arguments} never succeeded\n{says}")
        cause = Failure()
        await self._converter.encode_failure(error, cause)
        return ActivityResolution(failed=Failed(failure=_of_activity(pending, cause)))


def cancelled(pending: Pending) -> ActivityResolution:
    """The end of an activity that the workflow does not want any more."""
    cause = Failure(message="cancelled", canceled_failure_info=CanceledFailureInfo())
    return ActivityResolution(cancelled=Cancellation(failure=_of_activity(pending, cause)))


def _of_activity(pending: Pending, cause: Failure) -> Failure:
    info = ActivityFailureInfo(scheduled_event_id=1, started_event_id=2, identity="in memory")
    info.activity_type.name, info.activity_id = pending.call.activity_type, pending.call.activity_id
    return Failure(message="Activity task failed", cause=cause, activity_failure_info=info)


def _pause(pending: Pending, error: Exception) -> timedelta:
    if isinstance(error, ApplicationError) and error.next_retry_delay is not None:
        return error.next_retry_delay
    policy = pending.call.retry_policy
    first, longest = policy.initial_interval.ToTimedelta(), policy.maximum_interval.ToTimedelta()
    return min(longest, first * policy.backoff_coefficient ** (pending.attempts - 1))
