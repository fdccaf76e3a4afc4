"""How many mails leave in a second, for all workers on all hosts together: one row says when the next one may."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from activities.channels.errors import PacedError
from activities.kernel.pool import Pool

WAITS_AT_MOST = timedelta(seconds=15)
"""So long a mail waits in the process that sends it; what is farther off leaves its place to others."""

_TAKE = """
with now as (select clock_timestamp() as at),
taken as (update mail_pace p set free_at = greatest(p.free_at, now.at) + $1::interval from now
    where greatest(p.free_at, now.at) < now.at + $2::interval returning p.free_at - $1::interval as turn)
select taken.turn - now.at as waits, greatest(p.free_at, now.at) - now.at as full_for from now, mail_pace p left join taken on true
"""


class MailPace:
    """Turns of mails, `per_second` of them. A server that was quiet takes one at once, and no burst after it."""

    def __init__(self, pool: Pool, per_second: float) -> None:
        self._pool = pool
        self._each = timedelta(seconds=1 / per_second)

    async def turn(self) -> None:
        """Returns when a mail may leave. Raises PacedError if that is too far off."""
        async with self._pool.acquire() as connection:
            ((waits, full_for),) = await connection.fetch(_TAKE, self._each, WAITS_AT_MOST)
        if waits is None:
            raise PacedError(full_for)
        await asyncio.sleep(waits.total_seconds())
