"""Customers, listed or found by anything that is known of them."""

from __future__ import annotations

from pydantic import AwareDatetime

from activities.journey.account_pages import accounts_listed, looked_after_by
from activities.kernel.pool import Connection
from activities.service.callers import find_callers
from domain.frame.access import Principal
from domain.journey.customer_timeline import Cursor
from domain.service.callers import Caller, MatchedBy
from gateway.views.pages import Page, page_of
from gateway.views.shown import View


class AccountLine(View):
    """A customer in a list. `found_by` says what a search knew it by, and `contact` who of theirs."""

    account_id: str
    company: str
    country: str
    segment: str
    owner: str
    success_manager: str
    since: AwareDatetime
    closed_at: AwareDatetime | None
    found_by: MatchedBy | None = None
    contact: str | None = None


async def accounts_page(
    connection: Connection, who: Principal, asked: str | None, place: Cursor | None, limit: int
) -> Page[AccountLine]:
    """Those customers that `who` sees: all, who came last first; or those that `asked` may mean, the likeliest first and on one page."""
    staff_id = who.staff_id if who.own_only else None
    if asked is None:
        return await page_of(AccountLine, accounts_listed, connection, place, limit, staff_id, None)
    found = await search(connection, asked, staff_id)
    first = {one.account_id: one for one in reversed(found)}
    listed = await page_of(AccountLine, accounts_listed, connection, None, len(first) or 1, staff_id, list(first))
    known = {one.account_id: one for one in listed.items}
    wanted = dict.fromkeys(one.account_id for one in found)
    items = [_found(known[id], first[id]) for id in wanted if id in known]
    return Page[AccountLine](items=items[:limit])


async def search(connection: Connection, asked: str, staff_id: str | None) -> list[Caller]:
    """Whom a number, an address, an id or a part of a name may mean, the likeliest first; of one of our people's alone, if that is given."""
    found = await find_callers(connection, asked)
    if staff_id is None:
        return found
    theirs = set(await looked_after_by(connection, [one.account_id for one in found], staff_id))
    return [one for one in found if one.account_id in theirs]


def _found(line: AccountLine, by: Caller) -> AccountLine:
    return line.model_copy(update={"found_by": by.by, "contact": by.contact_name})
