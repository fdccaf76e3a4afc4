"""What an import has written into the facts becomes part of the journey."""

from __future__ import annotations

from temporalio import activity

from activities.frame import customers, effects
from activities.frame.carrying_out import Performer, business_errors, effect_key, load_situation
from activities.journey.planning import with_agenda, with_contracts
from domain.frame.state import Outcome, RequestCall
from domain.journey.taking_up import TakeUpHoldings, brings_check_ins, take_up
from domain.kernel.fingerprints import asked_by
from domain.kernel.requests import read_request


class InstalledBase:
    """Assets and contracts that another system kept until now."""

    def __init__(self, performer: Performer) -> None:
        self._performer = performer

    @activity.defn
    async def take_up_holdings(self, call: RequestCall) -> Outcome:
        """Imported contracts get their renewals and their days of billing, the customer their check-ins."""
        key = effect_key(call.account_id, f"take_up_holdings:{call.request_id}")
        run = call.run if not call.repeated else "again"
        async with business_errors():
            request = read_request(TakeUpHoldings, call.body)
            asked = asked_by(request, call.request_id)
            async with self._performer.transaction() as connection:
                if done := await effects.find_effect(connection, key, asked):
                    return done.outcome if done.run == run else done.outcome.again()
                if call.opening:
                    await customers.reopen(connection, call.account_id)
                situation = await load_situation(connection, call.account_id, call.as_of)
                decision = take_up(situation, request)
                outcome = await self._performer.carry_out(
                    connection,
                    situation,
                    decision,
                    key,
                    stage="relationship",
                    kind="take_up_holdings",
                    run=run,
                    actor=request.by,
                    asked=asked,
                )
                if call.opening:
                    outcome = await with_agenda(connection, call, outcome)
                else:
                    first = brings_check_ins(situation, request)
                    outcome = await with_contracts(connection, call, outcome, request.contracts, check_ins=first)
                await effects.amend_outcome(connection, key, outcome)
                return outcome
