"""A term that is renewed before its end: all that the contract covers is billed by the months of the new one."""

from __future__ import annotations

from datetime import timedelta

from tests.asset_life import Life
from tests.conftest import Servers

CHARGED = (
    "select i.issued_on::text, l.amount::int, l.covers_from::text, l.covers_until::text"
    " from invoice i join invoice_line l using (invoice_id) where l.asset_id = $1 and i.issued_on >= $2 order by i.issued_on"
)


async def test_what_is_not_renewed_falls_due_by_the_new_term(servers: Servers) -> None:
    """Seats of 48,000 yen a month are paid until a day on which the new months have come far: the rest of that month falls due at once."""
    life = await Life.begin(servers, billing="monthly")
    await life.ask("cancel_assets", assets=[{"asset_id": life.seats}], effective="period_end")
    renewed = life.day(4) + timedelta(days=17)
    await life.reach(renewed)
    await life.ask("renew_assets", contract_id=life.contract, start=renewed.isoformat(), months=24)
    await life.reach(life.day(6))
    charged = [tuple(row) for row in await servers.pool.fetch(CHARGED, life.seats, renewed)]
    month, later = life.day(5), timedelta(days=17)
    until, next_ = (month + later).isoformat(), (life.day(6) + later).isoformat()
    rest = round(48_000 * 17 / (life.day(6) - month).days)
    first = (renewed.isoformat(), rest, month.isoformat(), until)
    assert charged == [first, (until, 48_000, until, next_)]
