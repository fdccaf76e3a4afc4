"""Journeys whose commands come in another order than the recorded ones: what a careless release would be."""

from __future__ import annotations

from temporalio import workflow

from domain.frame.state import JourneyStart, Step
from workflows.customer_journey import CustomerJourney


@workflow.defn(name="CustomerJourney")
class SleepsFirst(CustomerJourney):
    """Has a timer where there was none."""

    @workflow.init
    def __init__(self, start: JourneyStart | None = None) -> None:
        super().__init__(start)

    @workflow.run
    async def run(self, start: JourneyStart | None = None) -> None:
        """Sleeps, then lives as it always did."""
        await workflow.sleep(1)
        await super().run(start)


@workflow.defn(name="CustomerJourney")
class StepsRenamed(CustomerJourney):
    """Calls another activity for each step."""

    @workflow.init
    def __init__(self, start: JourneyStart | None = None) -> None:
        super().__init__(start)

    @workflow.run
    async def run(self, start: JourneyStart | None = None) -> None:
        """Lives as it always did."""
        await super().run(start)

    async def perform(self, step: Step) -> None:
        """The step under a new name."""
        await super().perform(step.having(kind=f"{step.kind}_v2"))
