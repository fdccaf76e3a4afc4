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


LOOKS_FIRST = "looks-first"


@workflow.defn(name="CustomerJourney")
class LooksFirst(CustomerJourney):
    """Does something more before each step, as releases do: behind a patch, so that runs of before go on as they did."""

    @workflow.init
    def __init__(self, start: JourneyStart | None = None) -> None:
        super().__init__(start)

    @workflow.run
    async def run(self, start: JourneyStart | None = None) -> None:
        """Lives as it always did."""
        await super().run(start)

    async def perform(self, step: Step) -> None:
        """The step, a moment later."""
        if workflow.patched(LOOKS_FIRST):
            await workflow.sleep(0.001)
        await super().perform(step)
