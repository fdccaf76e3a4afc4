"""Refusals and failures, turned into what the sender of an update is told."""

from __future__ import annotations

from temporalio.exceptions import ActivityError, ApplicationError

from domain.kernel.refusals import Refusal


class refusals:  # noqa: N801 - reads as a phrase: with refusals()
    """Turns a refusal into the failure that the sender of an update is told."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Refusal):
            problems = [problem.model_dump() for problem in error.problems]
            raise ApplicationError(str(error), problems, type=error.type, non_retryable=True) from None


def cause_of(error: ActivityError) -> ApplicationError:
    """What an activity said when it failed for good."""
    cause = error.cause
    return cause if isinstance(cause, ApplicationError) else ApplicationError(str(cause or error), type="StepFailed")
