"""A workflow of another company, which runs in Temporal's sandbox and knows of Perennial its contract alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from temporalio import activity, workflow

from gateway.contract import ENDPOINT, OfAccount, Perennial


@workflow.defn(name="Shop")
class Shop:
    """Places an order, and asks for something about what was bought."""

    @workflow.run
    async def run(
        self,
        document: dict[str, Any],
        asked: dict[str, Any] | None,
        wish: str = "amend_assets",
        endpoint: str = ENDPOINT,
    ) -> list[dict[str, Any]]:
        perennial: workflow.NexusClient[Any] = workflow.create_nexus_client(service=Perennial, endpoint=endpoint)
        patience = timedelta(minutes=1)
        placed = await perennial.execute_operation(
            "place_order", document, output_type=dict, schedule_to_close_timeout=patience
        )
        if asked is None:
            return [placed]
        request = OfAccount(account_id=document["account"]["account_id"], request=asked)
        changed = await perennial.execute_operation(wish, request, output_type=dict, schedule_to_close_timeout=patience)
        return [placed, changed]


@activity.defn
async def one_more(seats: int) -> int:
    """An activity of theirs."""
    return seats + 1


@workflow.defn(name="Counting")
class Counting:
    """Has one activity of theirs done."""

    @workflow.run
    async def run(self, seats: int) -> int:
        return await workflow.execute_activity(one_more, seats, start_to_close_timeout=timedelta(seconds=10))
