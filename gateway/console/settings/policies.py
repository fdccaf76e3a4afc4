"""What customers are promised, by which rules: support and its times, price protection, the desk; and what a customer is owed."""

from __future__ import annotations

from http import HTTPStatus

from starlette.responses import Response

from activities.claims.claim_rows import latest_policy
from activities.health_profiles import read_score_profiles
from activities.journey import playbook_pages
from domain.frame.access import FieldGroup, WriteAct
from domain.frame.case_words import Priority
from domain.service.desk import LOCAL, EntitlementDocument
from gateway.api.problems import status_of
from gateway.console.settings.changes import Sent, read, reason_of, request_id_of, shown, taken
from gateway.console.visit import Visit
from gateway.writing import Writing


async def policies(visit: Visit) -> Response:
    """Every rule that is kept apart from code, and what it says."""
    return await shown(visit, _page)


async def change_policies(visit: Visit) -> Response:
    """What support a customer is owed from a day on."""
    return await taken(visit, {"entitle": _entitle}, _page)


async def _entitle(visit: Visit) -> None:
    acts = Writing(visit.place.doors, "console", reason_of(visit))
    await acts.put_entitlement(visit.who, read(visit, EntitlementDocument), request_id_of(visit))


async def _page(sent: Sent) -> Response:
    visit = sent.visit
    book = visit.place.service_book
    async with visit.place.doors.pool.acquire() as connection:
        terms = await latest_policy(connection) or book.claims
        segments = await playbook_pages.segments(connection)
    return visit.page(
        "settings/policies.html",
        status_of(sent.refusal) if sent.refusal else HTTPStatus.OK,
        policies=book.policies.policies,
        priorities=tuple(Priority),
        local=LOCAL,
        desk=book.desk,
        terms=terms if visit.sees(FieldGroup.PRICES) else None,
        segments=segments,
        profiles=read_score_profiles() if visit.sees(FieldGroup.HEALTH) else (),
        form=sent.form(
            "entitle", EntitlementDocument, choices={"policy_id": [one.id for one in book.policies.policies]}
        )
        if visit.who.may_do(WriteAct.PUT_ENTITLEMENT)
        else None,
        done=visit.asked("done"),
    )
