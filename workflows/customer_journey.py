"""A customer's life after the sale: one workflow per customer, for as long as the customer stays."""

from __future__ import annotations

from temporalio import workflow

from domain.frame.state import JourneyStart
from workflows.journey import Journey


@workflow.defn(name="CustomerJourney")
class CustomerJourney(Journey):
    """The loop. Whatever comes in is only noted by handlers; what is done is done here, one thing at a time. How each thing is done
    is in `journey.py`.
    """

    @workflow.init
    def __init__(self, start: JourneyStart | None = None) -> None:
        super().__init__(start)

    @workflow.run
    async def run(self, start: JourneyStart | None = None) -> None:
        """Waits for the next instant or message, does it, and goes on, until the journey is over."""
        while not self.is_over():
            self.take_out()
            if not self.has_work():
                self.show()
                await workflow.wait_condition(self.has_work)
            if arrival := self.deliveries.arrived():
                self.settle(*arrival)
            elif self.pending:
                await self.answer(self.pending.popleft())
            elif self.noted:
                self.take_note(self.noted.popleft())
            elif self.state.opened_at is None:
                break  # its first order was refused: nothing was begun, nothing is left
            elif self.should_roll_over():
                await self.roll_over()
            elif self.pause_is_over():
                await self.resume_by_itself()
            elif step := self.state.due(workflow.now()):
                await self.perform(step)
        self.show()
        await workflow.wait_condition(workflow.all_handlers_finished)
