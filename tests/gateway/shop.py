"""A workflow of another company, which runs in Temporal's sandbox and knows of Perennial its contract alone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from temporalio import workflow

from gateway.contract import ENDPOINT, OfAccount, Perennial


@workflow.defn(name="Shop")
class Shop:
    """Places an order, and asks for more seats of what was bought."""

    @workflow.run
    async def run(self, document: dict[str, Any], asked: dict[str, Any] | None) -> list[dict[str, Any]]:
        perennial: workflow.NexusClient[Any] = workflow.create_nexus_client(service=Perennial, endpoint=ENDPOINT)
        patience = timedelta(minutes=1)
        placed = await perennial.execute_operation(
            "place_order", document, output_type=dict, schedule_to_close_timeout=patience
        )
        if asked is None:
            return [placed]
        request = OfAccount(account_id=document["account"]["account_id"], request=asked)
        changed = await perennial.execute_operation(
            "amend_assets", request, output_type=dict, schedule_to_close_timeout=patience
        )
        return [placed, changed]
