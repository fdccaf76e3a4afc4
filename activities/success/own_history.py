"""The company's own past: customers at the beginning of each quarter as they were known then, and who of them left within half a year."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime

from activities.frame.customers import accounts_after
from activities.health_profiles import read_score_profiles
from activities.kernel.pool import Pool
from activities.success.health_evidence import load_evidence
from domain.kernel.calendar import add_months, start_of_day
from domain.success.own_past import LEAVES_WITHIN, seen_of
from domain.success.proof import Seen

AT_ONCE = 500


def quarters(since: date, present: date) -> list[date]:
    """The first days of quarters from `since` on of which it is known by now who left afterwards."""
    first = date(since.year, (since.month - 1) // 3 * 3 + 1, 1)
    found = []
    while first + LEAVES_WITHIN <= present:
        if first >= since:
            found.append(first)
        first = add_months(first, 3)
    return found


async def own_history(
    pool: Pool, days: Sequence[date], on_progress: Callable[[int], None] = lambda seen: None
) -> list[Seen]:
    """Each customer as of each of these days who still had something then. Nothing that was recorded later is looked at, but for
    who left."""
    profiles, found = read_score_profiles(), []
    for day in days:
        after = ""
        while True:
            async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
                page = await accounts_after(connection, after, AT_ONCE)
                if not page:
                    break
                then = {one.account_id: one for one in await load_evidence(connection, page, _midnight(day))}
                later = await load_evidence(connection, page, _midnight(day + LEAVES_WITHIN))
            stayed = {one.account_id for one in later if one.stays}
            found += [
                seen_of(one, profiles, day, left=one.account_id not in stayed) for one in then.values() if one.stays
            ]
            after = page[-1]
            on_progress(len(found))
    return found


def _midnight(day: date) -> datetime:
    return start_of_day(day, "UTC")
