"""Saved filters that are the Temporal UI's queries in people's words: the engine is asked the same, and says which journeys they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from urllib.parse import urlencode

from activities.kernel.clock import present
from domain.kernel.ids import journey_id
from gateway.console.visit import Place

MOST = 1000
"""So many journeys are listed; of more the page says so."""
AHEAD = timedelta(weeks=6)
_PREFIX = journey_id("")
_RUNNING = "WorkflowType = 'CustomerJourney' AND ExecutionStatus = 'Running'"


def _at(instant: datetime) -> str:
    return f"'{instant:%Y-%m-%dT%H:%M:%SZ}'"


JOURNEYS: Mapping[str, Callable[[datetime], str]] = {
    "attention": lambda now: "AttentionReasons IS NOT NULL",
    "overdue": lambda now: f"NextActionAt < {_at(now)}",
    "renewals": lambda now: f"RenewalAt BETWEEN {_at(now)} AND {_at(now + AHEAD)}",
    "talks": lambda now: "JourneyStage = 'renewal'",
    "stuck": lambda now: "TemporalReportedProblems IS NOT NULL",
}
"""Each as what it adds to the query of all journeys that run, as of an instant."""


async def accounts_of(place: Place, name: str) -> tuple[list[str], bool]:
    """The accounts whose journeys such a filter finds, and whether there are more."""
    query = f"{JOURNEYS[name](present())} AND {_RUNNING}"
    runs = place.doors.temporal.list_workflows(query, limit=MOST + 1)
    found = [run.id.removeprefix(_PREFIX) async for run in runs]
    return found[:MOST], len(found) > MOST


def in_ui(place: Place, name: str) -> str:
    """The same list in the Temporal UI; empty without one."""
    query = f"{JOURNEYS[name](present())} AND {_RUNNING}"
    return f"{place.lists}?{urlencode({'query': query})}" if place.lists else ""
