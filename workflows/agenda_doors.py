"""What a journey has on its agenda, and the door by which it is brought to what follows from the facts."""

from __future__ import annotations

from typing import Any

from temporalio import workflow

from domain.journey.agenda import Running
from domain.journey.requests import Reconcile
from domain.kernel.requests import read_request
from workflows.journey import Journey
from workflows.refusing import refusals


class AgendaDoors(Journey):
    """A journey with these handlers."""

    @workflow.query(description="Stages, steps, parked steps and what is on its way out")
    def agenda(self) -> Running:
        """What the journey has on its agenda, at its own time."""
        return Running.of(self.state, workflow.now())

    @workflow.update(
        description="Bring the agenda to what follows from the facts: {by?}. Begins the journey if none runs"
    )
    async def reconcile(self, request: Any) -> dict[str, Any]:
        """Adds what is missing, takes off what nothing calls for; the answer says what was otherwise."""
        return await self.ask_by("reconcile", request)

    @reconcile.validator
    def _check_reconcile(self, request: Any) -> None:
        with refusals():
            read_request(Reconcile, request)
