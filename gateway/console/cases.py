"""Cases: their list, and one of them with its thread, its promises, the customer beside it, and what can be done."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from activities.kernel.clock import present
from activities.kernel.pool import Connection
from activities.service.case_reports import CaseFilter, in_their_time, list_cases
from activities.service.case_rows import account_of_case
from domain.journey.customer_timeline import Cursor, read_cursor
from domain.journey.registry import CASE
from domain.kernel.ids import case_workflow_id
from domain.kernel.refusals import UNKNOWN_CASE, Refusal
from gateway.acting import of_case
from gateway.console.acts import Act, act, offered, what_became
from gateway.console.choices import MOST as MOST_CHOICES
from gateway.console.choices import Asked, choices_of
from gateway.console.fields import choosing, questions_of
from gateway.console.openings import of_claim, of_hold
from gateway.console.visit import Visit
from gateway.views.cases import case as case_view
from gateway.views.customer import customer as customer_view
from gateway.views.shown import shown
from gateway.views.whose import Whose, nobody, whose

MOST = 50
IN_PLACE = ("respond", "note", "resolve", "escalate", "claim_price_match")
"""The commonest acts."""
_FILTERS = ("mine", "pressing", "escalated", "late")


async def cases(visit: Visit) -> Response:
    """Cases that are not over, the next promise first."""
    asked = {name: bool(visit.asked(name)) for name in _FILTERS}
    wanted = CaseFilter(
        owner_id=visit.who.staff_id if asked["mine"] else None,
        escalated=asked["escalated"],
        late=asked["late"],
        pressing=asked["pressing"],
        seen_by=visit.who.staff_id if visit.who.own_only else None,
    )
    after = read_cursor(visit.asked("after", 400), "after") if visit.asked("after") else None
    async with visit.place.doors.pool.acquire() as connection:
        found = await list_cases(connection, wanted, MOST + 1, after)
        rows = found[:MOST]
        accounts = [row["account_id"] for row in rows if row["account_id"]]
        theirs = {one["account_id"]: one for one in await in_their_time(connection, accounts, present())}
    whose = [theirs.get(row["account_id"], {"company": "", "time_zone": "UTC", "now": present()}) for row in rows]
    given = {name: "1" for name, on in asked.items() if on}
    more = (
        urlencode({**given, "after": str(Cursor(rows[-1]["place"], rows[-1]["case_id"]))}) if len(found) > MOST else ""
    )
    first = urlencode(given) if after else None
    return visit.page("cases.html", rows=list(zip(rows, whose, strict=True)), asked=asked, more=more, first=first)


async def one_case(visit: Visit) -> Response:
    """A case with everything around it."""
    case_id = visit.id("case_id", UNKNOWN_CASE)
    await visit.place.acting.sees_case(visit.who, case_id)
    async with visit.place.doors.pool.acquire() as connection, connection.transaction(readonly=True):
        of = await _whose(connection, case_id)
        now, zone = (of.now, of.time_zone) if of else (present(), "UTC")
        customer = shown(await customer_view(connection, of), visit.who) if of else None
        found = await case_view(connection, case_id, now)
        if found is None:
            raise Refusal(UNKNOWN_CASE, f"there is no case {case_id!r}")
        forms = await _in_place(connection, visit, case_id, of)
    account_id, open_cases = (
        (of.account_id, [one["case_id"] for one in customer["cases"]]) if of and customer else ("", [])
    )
    seen = shown(found, visit.who)
    return visit.page(
        "case.html",
        case=seen,
        customer=customer,
        now=now,
        zone=zone,
        forms=forms,
        hold_acts=[of_hold(visit, account_id, one, open_cases) for one in seen["holds"]],
        of_claim=of_claim,
        more=offered(visit.who, of_case=True),
        said=await what_became(visit),
        run=visit.place.run_of(case_workflow_id(case_id)),
    )


async def _in_place(connection: Connection, visit: Visit, case_id: str, of: Whose | None) -> list[Act]:
    """The forms that stand on the page, each with what can be chosen in it."""
    read: dict[Any, Any] = {}
    forms = []
    for update in IN_PLACE:
        if visit.who.may_ask(CASE[update]):
            form = act(visit, of_case(case_id), update, f"/cases/{case_id}")
            asked = Asked(connection, visit, update, of or nobody(present()), case_id, read)
            known = await choices_of(asked, questions_of(form.fields), {})
            forms.append(replace(form, fields=choosing(form.fields, known, MOST_CHOICES)))
    return forms


async def _whose(connection: Connection, case_id: str) -> Whose | None:
    """Whose case it is; null for one of somebody unknown."""
    account_id = await account_of_case(connection, case_id)
    return await whose(connection, account_id) if account_id is not None else None
