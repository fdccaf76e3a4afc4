"""The way from a line of a page into the Temporal UI: to the event of what did it, or to its run where no event is kept."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote

from starlette.responses import Response

from domain.kernel.ids import case_workflow_id, journey_id
from domain.kernel.refusals import UNKNOWN_ACCOUNT, UNKNOWN_CASE, Refusal
from gateway.console.visit import Visit
from gateway.histories import find_scheduled

_LONGEST = 400


async def of_customer(visit: Visit) -> Response:
    """What a customer's journey did."""
    account_id = visit.id("account_id", UNKNOWN_ACCOUNT)
    await visit.place.acting.sees(visit.who, account_id)
    return await _led(visit, journey_id(account_id))


async def of_case(visit: Visit) -> Response:
    """What a case did."""
    case_id = visit.id("case_id", UNKNOWN_CASE)
    await visit.place.acting.sees_case(visit.who, case_id)
    return await _led(visit, case_workflow_id(case_id))


async def _led(visit: Visit, workflow_id: str) -> Response:
    run = visit.place.run_of(workflow_id)
    if not run:
        raise Refusal("UnknownPlace", "nothing says where the Temporal UI is; PERENNIAL_TEMPORAL_UI_URL does")
    temporal = visit.place.doors.temporal
    found = await find_scheduled(temporal, workflow_id, visit.asked("of", _LONGEST), _instant(visit.asked("at")))
    return visit.to(f"{run}/{quote(found.run_id, safe='')}/history/events/{found.event_id}" if found else run)


def _instant(said: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(said)
    except ValueError:
        return None
    return at if at.tzinfo else None
