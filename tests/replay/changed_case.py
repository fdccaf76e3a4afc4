"""A case whose commands come in another order than the recorded ones: what a careless release would be."""

from __future__ import annotations

from temporalio import workflow

from domain.service.case_progress import CaseStart
from workflows.service_case import ServiceCase


@workflow.defn(name="ServiceCase")
class CaseSleepsFirst(ServiceCase):
    """Has a timer where there was none."""

    @workflow.init
    def __init__(self, start: CaseStart | None = None) -> None:
        super().__init__(start)

    @workflow.run
    async def run(self, start: CaseStart | None = None) -> None:
        """Sleeps, then lives as it always did."""
        await workflow.sleep(1)
        await super().run(start)
