"""What an agent looks at before money is given back, straight from the facts: purchases, price matches, earlier claims."""

from __future__ import annotations

from datetime import datetime
from functools import cache

from activities.service_policies import read_service_book
from activities.store import claims
from activities.store.cases import load_account
from activities.store.pool import Pool
from domain.calendar import local_day
from domain.refusals import Refusal
from domain.service.claim_policy import ClaimPolicy
from domain.service.claim_preview import PricePreview, preview_of
from domain.service.claim_rules import assess
from domain.service.claims import UNKNOWN_LINE, BoughtLine, Claim, Claimant, ClaimKind


@cache
def _usual_terms() -> ClaimPolicy:
    return read_service_book().claims


class PriceDesk:
    """Reading for agents: nothing here changes anything, and no history grows by it."""

    _pool: Pool

    async def purchases(self, account_id: str) -> list[BoughtLine]:
        """What a customer bought, the latest first, with what is left of each line and what was claimed on it."""
        async with self._pool.acquire() as connection:
            return await claims.lines_of(connection, account_id)

    async def claims_of(self, account_id: str) -> list[Claim]:
        """All that was ever claimed for a customer, the latest first."""
        async with self._pool.acquire() as connection:
            return await claims.claims_of_account(connection, account_id)

    async def preview_price_match(
        self,
        account_id: str,
        order_id: str,
        line_id: str,
        *,
        as_of: datetime,
        quantity: int | None = None,
        policy: ClaimPolicy | None = None,
    ) -> PricePreview:
        """What claiming a line would give back at `as_of`, the customer's own time: paid, now, difference, tax, window end,
        earlier claims, what is left, and who has to approve it. What would be refused says so in `refused` and `says`.

        Args:
            quantity: only so many units.
            policy: the terms; by default those of the latest claim, else those that come along.

        Raises:
            Refusal: UnknownLine, for a line that the account did not buy.
        """
        async with self._pool.acquire() as connection, connection.transaction(readonly=True):
            line = await claims.find_line(connection, account_id, order_id, line_id)
            account = await load_account(connection, account_id)
            if line is None or account is None:
                raise Refusal(UNKNOWN_LINE, f"{account_id} bought no line {line_id!r} of an order {order_id!r}")
            terms = policy or await claims.latest_policy(connection) or _usual_terms()
            today = local_day(as_of, account.time_zone)
            price, elsewhere = await claims.price_now(connection, line, today)
            used = await claims.used_in_year(connection, account_id, line.currency, ClaimKind.PRICE_MATCH, today.year)
        who = Claimant(segment=account.segment, today=today, used_year=used)
        return preview_of(assess(terms, line, price, who, quantity=quantity, elsewhere=elsewhere))
