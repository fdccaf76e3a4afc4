"""Forms that were sent after their session had ended: put aside for whoever filled them in, and shown to them filled in.

Nothing of them is in an address. Whose a form was is known by its token, which no other site and nobody else has; where it is kept, by
a cookie of the browser that it was typed in. It is shown when both come together again, and carries the id of its request from then.
"""

from __future__ import annotations

import secrets

from starlette.responses import Response

from activities.frame import draft_rows, session_rows
from activities.frame.draft_rows import KEPT_FOR, Draft
from activities.kernel.clock import present
from gateway.console.hosts import cookie_name
from gateway.console.visit import DRAFT, Visit


async def put_aside(visit: Visit) -> Response | None:
    """Keeps a form of an earlier session, and leads on: to signing in, or for whoever has done so meanwhile to the form. Null for a
    form that is not of whoever is signed in, or of nobody's session."""
    if not visit.is_from_here:
        return None
    secret, draft = secrets.token_urlsafe(32), Draft(visit.request.url.path, visit.form)
    async with visit.place.doors.pool.acquire() as connection:
        staff_id = await session_rows.whose_form(connection, visit.form.get("token", ""), present())
        if staff_id is None or (visit.person is not None and visit.person["staff_id"] != staff_id):
            return None
        await draft_rows.keep(connection, secret, staff_id, draft, present())
    response = visit.to(draft.path if visit.person else "/sign-in")
    visit.set_cookie(response, DRAFT, secret, int(KEPT_FOR.total_seconds()))
    return response


async def kept(visit: Visit) -> Draft | None:
    """What this browser keeps for whoever is signed in, of the form that is asked for."""
    if not (secret := visit.cookie(DRAFT)):
        return None
    async with visit.place.doors.pool.acquire() as connection:
        draft = await draft_rows.kept(connection, secret, visit.who.by, present())
    return draft if draft and draft.path == visit.request.url.path else None


async def done(visit: Visit, response: Response) -> Response:
    """The form was sent; it is kept no longer."""
    if secret := visit.cookie(DRAFT):
        async with visit.place.doors.pool.acquire() as connection:
            await draft_rows.forget(connection, secret, visit.who.by)
        response.delete_cookie(cookie_name(visit.request, DRAFT), path="/")
    return response
