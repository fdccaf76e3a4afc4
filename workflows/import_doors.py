"""The door of a journey for what another system kept until now."""

from __future__ import annotations

from typing import Any

from temporalio import workflow

from domain.journey.taking_up import TakeUpHoldings
from domain.kernel.requests import read_request
from workflows.journey import Journey
from workflows.refusing import refusals


class ImportDoors(Journey):
    """A journey with this handler. The assets themselves are in the facts: only their number and the contracts' ids come here."""

    @workflow.update(
        description="Imported assets and contracts, in the facts already, are looked after: {assets, contracts, request_id}"
    )
    async def take_up_holdings(self, request: Any) -> dict[str, Any]:
        """Plans what imported contracts hold; begins the journey if there is none."""
        return await self.ask_by("take_up_holdings", request)

    @take_up_holdings.validator
    def _check_take_up_holdings(self, request: Any) -> None:
        with refusals():
            read_request(TakeUpHoldings, request)
