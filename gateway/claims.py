"""What an agent looks at before money is given back, straight from the facts: purchases, price matches, earlier claims."""

from __future__ import annotations

from datetime import datetime
from functools import cache

from activities.claims import claim_rows
from activities.kernel.pool import Pool
from activities.service.case_rows import load_account
from activities.service_policies import read_service_book
from domain.claims.claims import UNKNOWN_LINE, BoughtLine, Claim, Claimant, ClaimKind
from domain.claims.policy import ClaimPolicy
from domain.claims.preview import PricePreview, preview_of
from domain.claims.rules import assess
from domain.kernel.calendar import local_day
from domain.kernel.refusals import Refusal


@cache
def _usual_terms() -> ClaimPolicy:
    return read_service_book().claims


class PriceDesk:
    """Reading for agents: nothing here changes anything, and no history grows by it."""

    _pool: Pool

    async def purchases(self, account_id: str) -> list[BoughtLine]:
        """What a customer bought, the latest first, with what is left of each line and what was claimed on it."""
        async with self._pool.acquire() as connection:
            return await claim_rows.lines_of(connection, account_id)

    async def claims_of(self, account_id: str) -> list[Claim]:
        """All that was ever claimed for a customer, the latest first."""
        async with self._pool.acquire() as connection:
            return await claim_rows.claims_of_account(connection, account_id)

    async def preview_price_match(
        self,
        account_id: str,
        order_id: str,
        line_id: str,
        *,
        as_of: datetime,
        quantity: int | None = None,
    ) -> PricePreview:
        """What claiming a line would give back at `as_of`, the customer's own time: paid, now, difference, tax, window end,
        earlier claims, what is left, and who has to approve it. What would be refused says so in `refused` and `says`.

        Args:
            quantity: only so many units.

        Raises:
            Refusal: UnknownLine, for a line that the account did not buy.
        """
        async with self._pool.acquire() as connection, connection.transaction(readonly=True):
            line = await claim_rows.find_line(connection, account_id, order_id, line_id)
            account = await load_account(connection, account_id)
            if line is None or account is None:
                raise Refusal(UNKNOWN_LINE, f"{account_id} bought no line {line_id!r} of an order {order_id!r}")
            terms = await claim_rows.latest_policy(connection) or _usual_terms()
            today = local_day(as_of, account.time_zone)
            price, elsewhere = await claim_rows.price_now(connection, line, today)
            used = await claim_rows.used_in_year(
                connection, account_id, line.currency, ClaimKind.PRICE_MATCH, today.year
            )
        who = Claimant(segment=account.segment, today=today, used_year=used)
        return preview_of(assess(terms, line, price, who, quantity=quantity, elsewhere=elsewhere))
