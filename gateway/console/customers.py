"""The page on which customers are found."""

from __future__ import annotations

import json
from urllib.parse import urlencode

from starlette.responses import Response

from activities.frame.account_filters import AccountFilter
from activities.frame.account_search import LONGEST_QUERY, find_accounts, owners, segments
from domain.frame.access import FieldGroup
from domain.kernel.refusals import Problem, Refusal
from gateway.console.journey_filters import FILTERS, MOST, accounts_of, in_ui
from gateway.console.visit import Visit

BANDS = ("healthy", "watch", "critical", "unknown")
HOLDS = ("any", "block", "warn")
_FIELDS = ("q", "segment", "owner", "band", "hold", "mine", "journey")
SAVED: tuple[tuple[str, dict[str, str]], ...] = (
    ("all", {}),
    ("mine", {"mine": "1"}),
    ("held", {"hold": "any"}),
    ("critical", {"band": "critical"}),
    ("watch", {"band": "watch"}),
    *((name, {"journey": name}) for name in FILTERS),
)
"""Filters by their names, each as its query."""


async def customers(visit: Visit) -> Response:
    """Customers by a part of anything that names them, and by what is so of them."""
    asked = {name: visit.asked(name, LONGEST_QUERY) for name in _FIELDS}
    healthy = visit.sees(FieldGroup.HEALTH)
    journey = asked["journey"] if asked["journey"] in FILTERS else ""
    among, cut = await accounts_of(visit.place, journey) if journey else (None, False)
    wanted = AccountFilter(
        segment=asked["segment"] or None,
        owner=asked["owner"] or None,
        band=asked["band"] or None if healthy else None,
        hold=asked["hold"] or None,
        of_staff=visit.who.staff_id if asked["mine"] else None,
        seen_by=visit.who.staff_id if visit.who.own_only else None,
        among=None if among is None else tuple(among),
    )
    async with visit.place.doors.pool.acquire() as connection:
        found = await find_accounts(connection, asked["q"], wanted, after=_cursor(visit.asked("after", 600)))
        choices = {"segment": await segments(connection), "owner": await owners(connection)}
    given = {name: value for name, value in asked.items() if value}
    more = urlencode({**given, "after": json.dumps(found.next, ensure_ascii=False)}) if found.next else ""
    saved = [
        (name, urlencode(query), query == {key: value for key, value in given.items() if key != "q"})
        for name, query in SAVED
        if healthy or "band" not in query
    ]
    return visit.page(
        "customers.html",
        asked=asked,
        found=found.accounts,
        more=more,
        choices=choices,
        saved=saved,
        bands=BANDS,
        holds=HOLDS,
        journeys=FILTERS,
        cut=MOST if cut else 0,
        in_ui=in_ui(visit.place, journey) if journey else "",
    )


def _cursor(text: str) -> tuple[int, str, str] | None:
    """Where the page before ended. Raises `Refusal` for what is no such place."""
    if not text:
        return None
    try:
        place, name, account_id = json.loads(text)
        return int(place), str(name), str(account_id)
    except (ValueError, TypeError):
        problem = Problem(field="after", problem="take the link on the page before, or leave it out")
        raise Refusal("InvalidCursor", "the list cannot go on from there", [problem]) from None
