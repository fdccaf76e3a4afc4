"""Failures as small as the server keeps them: what is longer it replaces by a sentence of its own, and nobody can read what was wrong."""

from __future__ import annotations

from temporalio import activity
from temporalio.api.failure.v1 import Failure
from temporalio.converter import (
    DefaultFailureConverter,
    FailureConverter,
    NexusSerializationContext,
    PayloadConverter,
    SerializationContext,
    WithSerializationContext,
)

from gateway.payloads.packing import AS_IT_IS

KEPT = 3500
"""Bytes. Of an activity that waits for its next attempt the server keeps 4,096, and adds a few of its own."""
SEALED_MESSAGE = "sealed; `perennial` and the Temporal UI read it with the key"
"""In place of a message that nobody reads without one."""
_TRACE = 800
"""Characters of a stack trace that has to be short: its last calls."""
_MESSAGE = 800
"""Characters of a message that has to be short."""


class SmallFailureConverter(DefaultFailureConverter):
    """Failures of attempts that keep what was wrong, first of all, and as much as there is room for of where.

    What is not tried again goes into the history, whole: a refusal with everything it says.
    """

    def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
        """Writes the exception and its causes into `failure`.

        Traces of the causes go first, then the beginnings of its own, then the ends of messages, and last the causes.
        """
        super().to_failure(exception, payload_converter, failure)
        if not activity.in_activity():
            _readable(failure)
        if not activity.in_activity() or failure.application_failure_info.non_retryable:
            return
        for shorter in (_without_traces_of_causes, _with_last_calls, _with_short_messages, _without_causes):
            if failure.ByteSize() <= KEPT:
                return
            shorter(failure)


def _readable(failure: Failure) -> None:
    """Whoever asked reads what was wrong, without any codec."""
    for one in _chain(failure):
        for detail in one.application_failure_info.details.payloads:
            detail.metadata[AS_IT_IS] = b""


def _chain(failure: Failure) -> list[Failure]:
    found = [failure]
    while found[-1].HasField("cause"):
        found.append(found[-1].cause)
    return found


def _without_traces_of_causes(failure: Failure) -> None:
    for cause in _chain(failure)[1:]:
        cause.stack_trace = ""


def _with_last_calls(failure: Failure) -> None:
    lines = failure.stack_trace.splitlines(keepends=True)
    while len("".join(lines)) > _TRACE:
        del lines[0]
    failure.stack_trace = "".join(lines)


def _with_short_messages(failure: Failure) -> None:
    for one in _chain(failure):
        if len(one.message) > _MESSAGE:
            one.message = f"{one.message[:_MESSAGE]} …"


def _without_causes(failure: Failure) -> None:
    failure.ClearField("cause")


class SealedFailureConverter(FailureConverter, WithSerializationContext):
    """The same failures, their messages and traces as payloads, which the codec seals."""

    def __init__(self) -> None:
        self._small = SmallFailureConverter()

    def to_failure(self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure) -> None:
        """Writes the exception and its causes into `failure`, as short as ever."""
        self._small.to_failure(exception, payload_converter, failure)
        for one in _chain(failure):
            if one.HasField("encoded_attributes"):
                continue
            said = {"message": one.message, "stack_trace": one.stack_trace}
            one.encoded_attributes.CopyFrom(payload_converter.to_payload(said))
            one.message, one.stack_trace = SEALED_MESSAGE, ""

    def from_failure(self, failure: Failure, payload_converter: PayloadConverter) -> BaseException:
        """The exception again, whether it was sealed or not."""
        return self._small.from_failure(failure, payload_converter)

    def with_context(self, context: SerializationContext) -> FailureConverter:  # type: ignore[override]
        """Over Nexus a caller reads what was wrong."""
        return self._small if isinstance(context, NexusSerializationContext) else self
