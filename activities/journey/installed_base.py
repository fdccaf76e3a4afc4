"""What an import has written into the facts becomes part of the journey."""

from __future__ import annotations

from temporalio import activity

from activities.frame import customers
from activities.frame.errors import business_errors
from activities.frame.unit_of_work import Activities, Unit
from activities.journey.planning import with_agenda, with_contracts
from domain.frame.calls import RequestCall
from domain.frame.state import Outcome
from domain.journey.taking_up import TakeUpHoldings, brings_check_ins, take_up
from domain.kernel.requests import read_request


class InstalledBase(Activities):
    """Assets and contracts that another system kept until now."""

    @activity.defn
    async def take_up_holdings(self, call: RequestCall) -> Outcome:
        """Imported contracts get their renewals and their days of billing, the customer their check-ins."""
        async with business_errors():
            request = read_request(TakeUpHoldings, call.body)
            async with self._performer.begin(Unit.of_request(call, request, "relationship")) as work:
                if work.before is not None:
                    if work.before.repeated and call.opening:
                        return await with_agenda(work.connection, call, Outcome(answer=work.before.answer))
                    return work.before
                if call.opening:
                    await customers.reopen(work.connection, call.account_id)
                situation = await work.load()
                outcome = await work.carry_out(situation, take_up(situation, request))
                if call.opening:
                    outcome = await with_agenda(work.connection, call, outcome)
                else:
                    first = brings_check_ins(situation, request)
                    outcome = await with_contracts(work.connection, call, outcome, request.contracts, check_ins=first)
                return await work.record(outcome, situation)
