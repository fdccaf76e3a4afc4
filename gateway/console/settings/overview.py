"""The pages of settings, for those whose role reads them."""

from __future__ import annotations

from starlette.responses import Response

from domain.frame.access import FieldGroup, Principal
from gateway.console.visit import Visit

_SHOWN_TO = {"prices": FieldGroup.PRICES, "keys": FieldGroup.KEYS}
PAGES = ("prices", "calendars", "policies", "templates", "staff", "keys")


def open_to(who: Principal) -> tuple[str, ...]:
    """Those that somebody reads."""
    return tuple(page for page in PAGES if page not in _SHOWN_TO or who.sees(_SHOWN_TO[page]))


async def settings(visit: Visit) -> Response:
    """What there is to set."""
    return visit.page("settings/overview.html", pages=open_to(visit.who))
