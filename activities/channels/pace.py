"""How many mails leave in a second, for all workers on all hosts together: one row says when the next one may.

A mail whose turn is soon waits for it where it is sent. One whose turn is far off is given a turn of its own, which nobody else has, and
comes again for it: so nobody waits in a worker's slot, and each mail comes once, however many there are.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

from activities.channels.errors import PacedError
from activities.kernel.pool import Pool
from activities.kernel.queries import Value

WAITS_AT_MOST = timedelta(seconds=2)
"""So long a mail waits in the process that sends it; what is farther off leaves its place to others."""

# A turn says when to come, `next_at` when one may leave: turns that nobody came for, because no worker ran, make no burst. They are given
# anew, behind those that others have.
_TAKE = """
with pace as (select free_at, next_at, clock_timestamp() as now from mail_pace for update),
asked as (
    select p.*, t.turn as given, coalesce(t.turn, greatest(p.free_at, p.now)) as turn, greatest(p.next_at, p.now) as leaves,
        greatest(p.free_at, p.next_at, p.now) as last
    from pace p left join mail_turn t on t.mail = md5($1)::uuid),
said as (
    select *, greatest(turn, leaves) <= now + $3::interval as goes, coalesce(given > now + $3::interval, false) as early from asked),
moved as (
    update mail_pace p set next_at = case when s.goes then s.leaves + $2::interval else s.next_at end,
        free_at = case when not s.goes then s.last + $2::interval when s.given is null then s.turn + $2::interval else s.free_at end
    from said s where not s.early),
gone as (delete from mail_turn t using said s where s.goes and t.mail = md5($1)::uuid),
kept as (
    insert into mail_turn (mail, turn) select md5($1)::uuid, last from said where not goes and not early
    on conflict (mail) do update set turn = excluded.turn)
select goes, case when goes then leaves when early then given else last end - now as waits from said
"""
_given = Value[timedelta | None]("select turn - clock_timestamp() from mail_turn where mail = md5($1)::uuid")


class MailPace:
    """Turns of mails, `per_second` of them. A server that was quiet takes one at once, and no burst after it."""

    def __init__(self, pool: Pool, per_second: float) -> None:
        self._pool = pool
        self._each = timedelta(seconds=1 / per_second)

    async def turn(self, delivery_id: str) -> None:
        """Returns when this mail may leave. Raises PacedError if that is too far off: it has its turn then, and is to come again for it."""
        async with self._pool.acquire() as connection:
            ((goes, waits),) = await connection.fetch(_TAKE, delivery_id, self._each, WAITS_AT_MOST)
        if not goes:
            raise PacedError(waits)
        await asyncio.sleep(waits.total_seconds())

    async def given(self, delivery_id: str) -> timedelta | None:
        """In what time a mail has its turn; null if it was given none."""
        async with self._pool.acquire() as connection:
            return await _given(connection, delivery_id)
