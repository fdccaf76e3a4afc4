"""A customer's case: one workflow per case, beside the customer's journey, until the case is closed."""

from __future__ import annotations

from temporalio import workflow

from domain.service.case_progress import CaseStart
from workflows.case import Case


@workflow.defn(name="ServiceCase")
class ServiceCase(Case):
    """The loop. Whatever comes in is only noted by handlers; what is done is done here, one thing at a time. How each thing is done
    is in `case.py`, as for journeys.
    """

    @workflow.init
    def __init__(self, start: CaseStart | None = None) -> None:
        super().__init__(start)

    @workflow.run
    async def run(self, start: CaseStart | None = None) -> None:
        """Waits for the next instant or request, does it, and goes on, until the case is over."""
        while not self.is_over():
            self.keep_going()
            if not self.has_work():
                self.show()
                await workflow.wait_condition(self.has_work)
            if arrival := self.deliveries.arrived():
                self.settle(*arrival)
            elif self.unheard:
                await self.journal_unheard(self.unheard.popleft())
            elif self.pending:
                await self.answer(self.pending.popleft())
            elif self.should_roll_over():
                await self.roll_over()
            elif self.is_due():
                await self.wake()
        self.show()
        await workflow.wait_condition(workflow.all_handlers_finished)
