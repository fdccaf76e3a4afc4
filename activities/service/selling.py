"""Service sells in a case: quote, order, assets and credit in one transaction."""

from __future__ import annotations

from dataclasses import replace

from temporalio import activity

from activities.frame.errors import business_errors
from activities.frame.situations import reads
from activities.frame.unit_of_work import Activities, Unit, UnitOfWork
from activities.quotes import quote_rows as quote_store
from activities.quotes.quoting import sources_of
from domain.frame.calls import RequestCall
from domain.frame.situation import Needs, Situation
from domain.frame.state import Outcome
from domain.holds.requests import SellFromCase
from domain.journey import acceptance
from domain.kernel.ids import opaque_id
from domain.kernel.refusals import NOT_ALLOWED, Refusal
from domain.kernel.requests import read_request
from domain.quotes import deciding
from domain.quotes.requests import AcceptQuote
from domain.service import selling

_NEEDS = Needs(ledger=True, service=True, names=True)


class CaseSales(Activities):
    """What service sells without leaving the case."""

    @activity.defn
    async def sell_from_case(self, call: RequestCall) -> Outcome:
        """The quote is made and accepted at once, or nothing is written."""
        async with business_errors():
            request = read_request(SellFromCase, call.body)
            async with self._performer.begin(Unit.of_request(call, request, "quote"), reads(_NEEDS)) as work:
                return work.before or await work.record(*await _sold(work, request))


async def _sold(work: UnitOfWork, request: SellFromCase) -> tuple[Outcome, Situation]:
    lead_id = opaque_id(work.unit.key)
    situation = await work.load_first(_NEEDS)
    alone = selling.without_case(situation, request)
    wanted = selling.quote_request(request, f"S-{lead_id}")
    quoted = deciding.ask(alone, wanted, await sources_of(work.connection, alone, wanted), None)
    made = replace(work.unit, key=f"{work.unit.key}/quote", kind="request_quote", asked=None)
    await work.also(alone, selling.only_written(quoted), made)
    stored = await quote_store.load_quote(work.connection, wanted.quote_id)
    case = situation.service.case(request.case_id)
    if stored is None or case is None:
        raise Refusal(NOT_ALLOWED, f"quote {wanted.quote_id} could not be made")
    selling.check_value(situation, stored.file.current)
    taken = await quote_store.taken_ids(work.connection, wanted.quote_id, wanted.quote_id)
    accepted = acceptance.accept(alone, AcceptQuote(quote_id=wanted.quote_id, by=request.by), stored, taken)
    outcome = await work.carry_out(alone, selling.sold(situation, request, case, quoted, accepted, lead_id))
    return outcome, situation
