"""Signing in and out."""

from __future__ import annotations

import secrets
from http import HTTPStatus

from starlette.responses import Response

from activities.frame import access_rows, session_rows
from activities.kernel.clock import present
from gateway.console.visit import ENTRY, SESSION, Visit, cookie_name, is_loopback, may_enter, safe_path


def is_local(visit: Visit) -> bool:
    """True where people choose who they are: a stack on loopback that is spoken to as such. A name that leads here by somebody
    else's doing is none of its names."""
    return visit.place.local and is_loopback(visit.request.url.hostname)


async def entrance(visit: Visit) -> Response:
    """The page on which somebody signs in."""
    return await _entrance(visit, HTTPStatus.OK, "")


async def _entrance(visit: Visit, status: HTTPStatus, wrong: str) -> Response:
    local = is_local(visit)
    people = []
    if local:
        async with visit.place.doors.pool.acquire() as connection:
            people = [row for row in await access_rows.people(connection, None, None) if may_enter(row)]
    back = safe_path(visit.form.get("back") or visit.asked("back", 2000) or "/")
    return visit.page("sign_in.html", status, local=local, people=people, back=back, wrong=wrong)


async def sign_in(visit: Visit) -> Response:
    """Begins a session of whom somebody chose, under an id that nobody has seen before."""
    if not is_local(visit):
        return await _entrance(visit, HTTPStatus.NOT_FOUND, "")
    async with visit.place.doors.pool.acquire() as connection:
        rows = await access_rows.people(connection, visit.form.get("staff_id", ""), None)
        person = next((row for row in rows if may_enter(row)), None)
        if person is None:
            return await _entrance(visit, HTTPStatus.FORBIDDEN, visit.words("sign_in.unknown"))
        secret = secrets.token_urlsafe(32)
        await session_rows.end_session(connection, visit.secret)
        await session_rows.begin_session(connection, secret, person["staff_id"], present())
    response = visit.to(safe_path(visit.form.get("back", "/")))
    visit.set_cookie(response, SESSION, secret)
    response.delete_cookie(cookie_name(visit.request, ENTRY), path="/")
    return response


async def sign_out(visit: Visit) -> Response:
    """Ends the session, here and in the table."""
    async with visit.place.doors.pool.acquire() as connection:
        await session_rows.end_session(connection, visit.secret)
    response = visit.to("/sign-in")
    response.delete_cookie(cookie_name(visit.request, SESSION), path="/")
    return response


async def choose_language(visit: Visit) -> Response:
    """English or Japanese, as the reader chose."""
    return visit.choose_language(visit.form.get("language", ""))
