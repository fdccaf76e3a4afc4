"""The floor that placing an order is measured against."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from temporalio import workflow


@workflow.defn
class BareJourney:
    """A workflow with one update that awaits one activity."""

    def __init__(self) -> None:
        self.done = False

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: self.done and workflow.all_handlers_finished())

    @workflow.update
    async def insert(self, document: dict[str, Any]) -> dict[str, Any]:
        answer: dict[str, Any] = await workflow.execute_activity(
            "insert_rows", document, start_to_close_timeout=timedelta(seconds=20)
        )
        self.done = True
        return answer
