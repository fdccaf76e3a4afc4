"""What an import has written into the facts becomes part of the journey."""

from __future__ import annotations

from temporalio import activity

from activities.carrying_out import Performer, business_errors, effect_key
from domain.asking import asked_by
from domain.journey import Outcome, RequestCall
from domain.requests import read_request
from domain.taking_up import TakeUpHoldings, take_up


class InstalledBase:
    """Assets and contracts that another system kept until now."""

    def __init__(self, performer: Performer) -> None:
        self._performer = performer

    @activity.defn
    async def take_up_holdings(self, call: RequestCall) -> Outcome:
        """Imported contracts get their renewals, the customer their check-ins."""
        async with business_errors():
            request = read_request(TakeUpHoldings, call.body)
            return await self._performer.once(
                call.account_id,
                effect_key(call.account_id, f"take_up_holdings:{call.request_id}"),
                call.as_of,
                lambda situation: take_up(situation, request, opening=call.opening),
                stage="relationship",
                kind="take_up_holdings",
                run=call.run if not call.repeated else "again",
                actor=request.by,
                asked=asked_by(request, call.request_id),
            )
