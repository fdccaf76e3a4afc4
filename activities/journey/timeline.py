"""Pages of a customer's timeline. The items are written by triggers of the tables that hold the facts."""

from __future__ import annotations

from collections.abc import Sequence

from activities.kernel.pool import Connection
from domain.journey.customer_timeline import (
    LONGEST_PAGE,
    PAGE,
    Audience,
    Cursor,
    TimelineItem,
    TimelineKind,
    TimelinePage,
    Visibility,
)

_COLUMNS = "key, at, kind, title, actor, link, visibility"


def page_query(kinds: Sequence[TimelineKind], visibilities: Sequence[Visibility], rows: int, *, behind: bool) -> str:
    """The statement of one page of so many rows. $1: account, and with `behind` $2 and $3: the cursor.

    Each visibility (and kind) is a branch that an index has in order, and the branches are merged: so no more rows are
    read than the page shows, and one more for each branch, however long the timeline is. The number of rows stands in
    the text, for the planner to know it.
    """
    after = " and (at, key) < ($2, $3)" if behind else ""
    wanted = [f" and kind = '{kind.value}'" for kind in kinds] or [""]
    branches = [
        f"(select {_COLUMNS} from timeline_item where account_id = $1 and visibility = '{visibility.value}'{kind}{after}"
        f" order by at desc, key desc limit {rows})"
        for visibility in visibilities
        for kind in wanted
    ]
    return f"select * from ({' union all '.join(branches)}) item order by at desc, key desc limit {rows}"


async def timeline_page(
    connection: Connection,
    account_id: str,
    *,
    before: Cursor | None = None,
    kinds: Sequence[TimelineKind] = (),
    audience: Audience = Audience.SERVICE,
    limit: int = PAGE,
) -> TimelinePage:
    """A page of what happened, newest first, of some kinds or all; at most `LONGEST_PAGE` items."""
    limit = min(max(limit, 1), LONGEST_PAGE)
    query = page_query(list(dict.fromkeys(kinds)), audience.sees, limit + 1, behind=before is not None)
    rows = await connection.fetch(query, account_id, *(before or ()))
    items = tuple(TimelineItem.model_validate(dict(row)) for row in rows[:limit])
    return TimelinePage(items=items, next=str(items[-1].cursor) if len(rows) > limit else None)
