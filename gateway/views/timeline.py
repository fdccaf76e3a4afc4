"""What happened between the customer and us, as somebody of ours may see it."""

from __future__ import annotations

from collections.abc import Sequence

from activities.journey.timeline import timeline_page
from activities.kernel.pool import Connection
from domain.frame.access import FieldGroup, Principal
from domain.journey.customer_timeline import Audience, Cursor, TimelineItem, TimelineKind
from domain.kernel.money import without_sums
from gateway.views.pages import Page
from gateway.views.whose import Whose

_OF_GROUP = {
    FieldGroup.PRICES: (TimelineKind.INVOICE, TimelineKind.CREDIT),
    FieldGroup.HEALTH: (TimelineKind.HEALTH,),
}
"""Kinds whose words name what only some see."""


async def events_page(
    connection: Connection,
    whose: Whose,
    who: Principal,
    place: Cursor | None,
    limit: int,
    kinds: Sequence[TimelineKind] = (),
) -> Page[TimelineItem]:
    """Items of these kinds or of all that `who` sees, the latest that has happened first."""
    hidden = {kind for group, kinds in _OF_GROUP.items() if not who.sees(group) for kind in kinds}
    shown = [kind for kind in kinds or TimelineKind if kind not in hidden]
    if not shown:
        return Page[TimelineItem](items=[])
    wanted = shown if kinds or hidden else ()
    page = await timeline_page(
        connection,
        whose.account_id,
        before=place or Cursor.as_of(whose.now),
        kinds=wanted,
        audience=_audience(who),
        limit=limit,
    )
    items = page.items
    if not who.sees(FieldGroup.PRICES):
        items = tuple(item.having(title=without_sums(item.title)) for item in items)
    return Page[TimelineItem](items=list(items), next=page.next)


def _audience(who: Principal) -> Audience:
    if who.sees(FieldGroup.INTERNAL):
        return Audience.SERVICE
    return Audience.SALES if who.sees(FieldGroup.NOTES) else Audience.CUSTOMER
