"""Service sells in a case: quote, order, assets and credit in one transaction."""

from __future__ import annotations

import hashlib
from typing import Any

from temporalio import activity

from activities.frame.carrying_out import Performer, business_errors, effect_key, load_situation, naming
from activities.kernel.pool import Connection
from activities.quotes import quote_rows as quote_store
from activities.quotes.quoting import sources_of
from domain.frame.state import Outcome, RequestCall
from domain.holds.sales_requests import SellFromCase
from domain.journey import acceptance
from domain.kernel.fingerprints import Asked, asked_by
from domain.kernel.refusals import NOT_ALLOWED, Refusal
from domain.kernel.requests import read_request
from domain.quotes import deciding
from domain.quotes.requests import AcceptQuote
from domain.service import selling


class CaseSales:
    """What service sells without leaving the case."""

    def __init__(self, performer: Performer) -> None:
        self._performer = performer

    @activity.defn
    async def sell_from_case(self, call: RequestCall) -> Outcome:
        """The quote is made and accepted at once, or nothing is written."""
        run = call.run if not call.repeated else "again"
        key = effect_key(call.account_id, f"sell_from_case:{call.request_id}")
        async with business_errors():
            request = read_request(SellFromCase, call.body)
            asked = asked_by(request, call.request_id)
            async with self._performer.holding(key, call.account_id, asked=asked) as (connection, done):
                if done:
                    return done.outcome if done.run == run else done.outcome.again()
                return await self._sold(connection, call, key, request, asked)

    async def _sold(
        self, connection: Connection, call: RequestCall, key: str, request: SellFromCase, asked: Asked
    ) -> Outcome:
        run = call.run if not call.repeated else "again"
        lead_id = hashlib.sha256(key.encode()).hexdigest()[:16]
        situation = await load_situation(connection, call.account_id, call.as_of, ledger=True, service=True)
        situation = await naming(connection, situation, request.by)
        alone = selling.without_case(situation, request)
        wanted = selling.quote_request(request, f"S-{lead_id}")
        quoted = deciding.ask(alone, wanted, await sources_of(connection, alone, wanted), None)
        told: dict[str, Any] = {"stage": "quote", "run": run, "actor": request.by}
        await self._performer.carry_out(
            connection, alone, selling.only_written(quoted), f"{key}/quote", kind="request_quote", **told
        )
        stored = await quote_store.load_quote(connection, wanted.quote_id)
        case = situation.service.case(request.case_id)
        if stored is None or case is None:
            raise Refusal(NOT_ALLOWED, f"quote {wanted.quote_id} could not be made")
        selling.check_value(situation, stored.file.current)
        taken = await quote_store.taken_ids(connection, wanted.quote_id, wanted.quote_id)
        accepted = acceptance.accept(alone, stored, AcceptQuote(quote_id=wanted.quote_id, by=request.by), taken)
        decision = selling.sold(situation, request, case, quoted, accepted, lead_id)
        return await self._performer.carry_out(
            connection, alone, decision, key, kind="sell_from_case", asked=asked, **told
        )
