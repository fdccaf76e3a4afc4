"""The audit log: what was asked through the gateway, by whom and of whom, and what came of it."""

from __future__ import annotations

from pydantic import AwareDatetime

from activities.frame.audit_rows import entries
from activities.kernel.pool import Connection
from domain.journey.customer_timeline import Cursor
from domain.kernel.refusals import INVALID_REQUEST, Problem, Refusal
from gateway.views.pages import Page
from gateway.views.shown import View

_MOST_DIGITS = 18


class AuditEntry(View):
    """An act. `outcome`: done, open, failed, or the name of its refusal; null while it is under way."""

    audit_id: int
    at: AwareDatetime
    actor: str
    door: str
    operation: str
    subject: str
    request_id: str
    reason: str
    outcome: str | None
    settled_at: AwareDatetime | None


async def audit_page(
    connection: Connection, subject: str | None, actor: str | None, place: Cursor | None, limit: int
) -> Page[AuditEntry]:
    """Acts of a subject, of an actor or of all, the latest first."""
    rows = await entries(connection, subject, actor, None if place is None else _number(place), limit + 1)
    items = [AuditEntry.model_validate(row) for row in rows[:limit]]
    more = str(Cursor(items[-1].at, str(items[-1].audit_id))) if len(rows) > limit else None
    return Page[AuditEntry](items=items, next=more)


def _number(place: Cursor) -> int:
    if not (place.key.isascii() and place.key.isdigit() and len(place.key) <= _MOST_DIGITS):
        problem = Problem(field="cursor", problem="is of another list; give `next` of a page of this one")
        raise Refusal(INVALID_REQUEST, "the page cannot be found", [problem])
    return int(place.key)
