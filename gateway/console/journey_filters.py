"""Saved filters that are the Temporal UI's queries in people's words: the engine is asked the same, and says which journeys they are."""

from __future__ import annotations

from activities.kernel.clock import present
from domain.kernel.ids import journey_id
from gateway.console.visit import Place
from gateway.saved_views import JOURNEYS

MOST = 1000
"""So many journeys are listed; of more the page says so."""
FILTERS = ("attention", "overdue", "renewals", "talks", "paused", "stuck")
"""Those that say more than the page's own filters do."""
_PREFIX = journey_id("")


async def accounts_of(place: Place, name: str) -> tuple[list[str], bool]:
    """The accounts whose journeys such a filter finds, and whether there are more."""
    runs = place.doors.temporal.list_workflows(JOURNEYS[name].query(present()), limit=MOST + 1)
    found = [run.id.removeprefix(_PREFIX) async for run in runs]
    return found[:MOST], len(found) > MOST


def in_ui(place: Place, name: str) -> str:
    """The same list in the Temporal UI; empty without one."""
    return JOURNEYS[name].link(place.lists, present()) if place.lists else ""
