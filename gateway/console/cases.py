"""Cases: their list, and one of them with its thread, its promises, the customer beside it, and what can be done."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from starlette.responses import Response

from activities.journey.account_pages import looked_after_by
from activities.kernel.clock import present
from activities.kernel.pool import Connection
from activities.service.case_reports import CaseFilter, list_cases
from activities.service.case_rows import account_of_case
from domain.journey.registry import CASE
from domain.kernel.ids import case_workflow_id
from domain.kernel.refusals import UNKNOWN_CASE, Refusal
from gateway.acting import of_case
from gateway.console.acts import act, offered, what_became
from gateway.console.visit import Visit
from gateway.views.cases import case as case_view
from gateway.views.customer import customer as customer_view
from gateway.views.shown import shown
from gateway.views.whose import whose

MOST = 100
IN_PLACE = ("respond", "note", "resolve", "escalate", "claim_price_match")
"""The commonest acts."""
_FILTERS = ("mine", "escalated", "late")


async def cases(visit: Visit) -> Response:
    """Cases that are not over, the next promise first."""
    asked = {name: bool(visit.asked(name)) for name in _FILTERS}
    wanted = CaseFilter(
        owner_id=visit.who.staff_id if asked["mine"] else None, escalated=asked["escalated"], late=asked["late"]
    )
    async with visit.place.doors.pool.acquire() as connection:
        rows = await list_cases(connection, wanted, MOST)
        if visit.who.own_only and visit.who.staff_id is not None:
            known = [row["account_id"] for row in rows if row["account_id"]]
            theirs = set(await looked_after_by(connection, known, visit.who.staff_id))
            rows = [row for row in rows if row["account_id"] in theirs]
    return visit.page("cases.html", rows=rows, asked=asked, now=present())


async def one_case(visit: Visit) -> Response:
    """A case with everything around it."""
    case_id = visit.id("case_id", UNKNOWN_CASE)
    await visit.place.acting.sees_case(visit.who, case_id)
    async with visit.place.doors.pool.acquire() as connection, connection.transaction(readonly=True):
        now, zone, customer = await _around(connection, visit, case_id)
        found = await case_view(connection, case_id, now)
        if found is None:
            raise Refusal(UNKNOWN_CASE, f"there is no case {case_id!r}")
    subject, back = of_case(case_id), f"/cases/{case_id}"
    forms = [act(visit, subject, update, back) for update in IN_PLACE if visit.who.may_ask(CASE[update])]
    return visit.page(
        "case.html",
        case=shown(found, visit.who),
        customer=customer,
        now=now,
        zone=zone,
        forms=forms,
        more=offered(visit.who, of_case=True),
        said=await what_became(visit),
        run=visit.place.run_of(case_workflow_id(case_id)),
    )


async def _around(connection: Connection, visit: Visit, case_id: str) -> tuple[datetime, str, dict[str, Any] | None]:
    """The time of the case, and its customer; nobody for a case of somebody unknown."""
    account_id = await account_of_case(connection, case_id)
    if account_id is None:
        return present(), "UTC", None
    of = await whose(connection, account_id)
    return of.now, of.time_zone, shown(await customer_view(connection, of), visit.who)
