"""Calls: a number, an address or a name opens the whole customer before the first question."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

from activities.holds.hold_rows import active_holds
from activities.kernel.clock import present
from activities.kernel.pool import Pool
from activities.service.callers import find_callers, load_view
from domain.kernel.refusals import Refusal
from domain.service.callers import CallAnswer
from gateway.client import PerennialClient


class CallDesk:
    """What an agent sees when the telephone rings.

    Args:
        pool: the facts.
        client: tells the time of customers whose clock was moved; without it everybody lives in the present.
    """

    def __init__(self, pool: Pool, client: PerennialClient | None = None) -> None:
        self._pool = pool
        self._client = client

    async def look_up(self, asked: str, *, country: str | None = None) -> CallAnswer:
        """Whom a telephone number, a mail address, an account id or a part of a name belongs to.

        One customer is opened at once; of several, `callers` says which there are. A number without its country's code is
        read as dialled in `country` ("JP").
        """
        async with self._pool.acquire() as connection:
            callers = await find_callers(connection, asked, country)
            answer = CallAnswer(asked=asked, callers=callers)
            if len(answer.accounts) != 1:
                return answer
            account_id = answer.accounts[0]
            as_of = await self._now(account_id)
            view = await load_view(connection, account_id, as_of)
            if view is None:
                return answer
            holds = await active_holds(connection, account_id, as_of)
        return answer.having(customer=view.having(holds=holds))

    async def _now(self, account_id: str) -> datetime:
        if self._client is not None:
            with suppress(Refusal):  # no journey: the customer is on record all the same
                return await self._client.now(account_id)
        return present()
