"""The doors of a journey for single steps, left out or moved, and for what is on its way out."""

from __future__ import annotations

from typing import Any

from temporalio import workflow

from domain.journey.requests import RescheduleStep, RetryDeliveries, SkipStep
from workflows.journey import Journey


class StepDoors(Journey):
    """A journey with these handlers."""

    @workflow.update(description="Try whatever is on its way out now: mails, notices, provisioning, webhooks: {by?}")
    async def retry_deliveries(self, request: Any) -> dict[str, Any]:
        """Tries what waits for its next attempt, and what is stuck."""
        return await self.ask_by("retry_deliveries", request)

    @retry_deliveries.validator
    def _check_retry_deliveries(self, request: Any) -> None:
        self.check(RetryDeliveries, request)

    @workflow.update(
        description="Leave out a planned or parked step for good: {step: its key, reason, by?, request_id?}"
    )
    async def skip_step(self, request: Any) -> dict[str, Any]:
        """Leaves a step out; what comes in a rhythm goes on with the next one."""
        return await self.ask_by("skip_step", request)

    @skip_step.validator
    def _check_skip_step(self, request: Any) -> None:
        self.check(SkipStep, request)

    @workflow.update(
        description="Move a planned or parked step to the morning of another day: {step: its key, day, reason?, by?, request_id?}"
    )
    async def reschedule_step(self, request: Any) -> dict[str, Any]:
        """Moves a step."""
        return await self.ask_by("reschedule_step", request)

    @reschedule_step.validator
    def _check_reschedule_step(self, request: Any) -> None:
        self.check(RescheduleStep, request)
