"""Signing in and out: by the identity provider of the company, or on loopback by choosing who one is."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from starlette.responses import RedirectResponse, Response

from activities.frame import access_rows, audit_rows, draft_rows, session_rows, sign_in_rows
from activities.kernel.clock import present
from activities.kernel.pool import Connection
from gateway.acting import DONE
from gateway.console.arrivals import TurnedAwayError, arrived
from gateway.console.hosts import cookie_name, is_loopback, origin
from gateway.console.identity import Attempt, NotBelievedError, ProviderAwayError
from gateway.console.visit import DRAFT, ENTRY, SESSION, Visit, may_enter, safe_path

_log = logging.getLogger(__name__)
BACK = "/sign-in/back"
"""Where the provider sends people back to; it is registered there."""


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
    provider = visit.place.provider
    shown = {"local": local, "people": people, "provider": provider.host if provider else "", "back": back}
    return visit.page("sign_in.html", status, wrong=wrong, late=bool(visit.cookie(DRAFT)), **shown)


async def sign_in(visit: Visit) -> Response:
    """Begins a session of whom somebody chose, under an id that nobody has seen before."""
    if not is_local(visit):
        return await _entrance(visit, HTTPStatus.NOT_FOUND, "")
    async with visit.place.doors.pool.acquire() as connection:
        rows = await access_rows.people(connection, visit.form.get("staff_id", ""), None)
        person = next((row for row in rows if may_enter(row)), None)
        if person is None:
            return await _entrance(visit, HTTPStatus.FORBIDDEN, visit.words("sign_in.unknown"))
        return await _let_in(visit, connection, person, visit.form.get("back", "/"))


async def by_ticket(visit: Visit) -> Response:
    """Begins the session of whom a ticket names, on loopback; it is good once. A spent one leads to the page on which people choose."""
    ticket, back = str(visit.request.path_params["ticket"]), safe_path(visit.asked("back", 2000) or "/")
    if not is_local(visit):
        return await _entrance(visit, HTTPStatus.NOT_FOUND, "")
    async with visit.place.doors.pool.acquire() as connection:
        session = await session_rows.session_of(connection, ticket, present())
        rows = await access_rows.people(connection, session.staff_id, None) if session else []
        person = next((row for row in rows if may_enter(row)), None)
        if person is not None:
            await session_rows.end_session(connection, ticket)
            return await _let_in(visit, connection, person, back)
    return visit.to(back) if visit.person else await _entrance(visit, HTTPStatus.OK, "")


async def to_provider(visit: Visit) -> Response:
    """On to the provider, who comes back with a code. By a link: browsers let no form lead to another host by a detour."""
    back = safe_path(visit.asked("back", 2000) or "/")
    provider = visit.place.provider
    if provider is None or visit.person is not None:
        return visit.to(back) if visit.person else await _entrance(visit, HTTPStatus.NOT_FOUND, "")
    attempt = Attempt.of(visit.secret, secrets.token_urlsafe(32))
    try:
        leads_to = await provider.way_in(attempt, origin(visit.request) + BACK)
    except ProviderAwayError as error:
        return await _away(visit, error)
    async with visit.place.doors.pool.acquire() as connection:
        await sign_in_rows.begin(connection, visit.secret, attempt.state, back, present())
    return visit.finished(RedirectResponse(leads_to, HTTPStatus.SEE_OTHER))


async def from_provider(visit: Visit) -> Response:
    """Back from the provider: a session begins for whoever its proof names, if this browser has left for it and not come back before."""
    provider, state = visit.place.provider, visit.asked("state")
    if provider is None:
        return await _entrance(visit, HTTPStatus.NOT_FOUND, "")
    async with visit.place.doors.pool.acquire() as connection:
        back = await sign_in_rows.come_back(connection, visit.secret, state, present())
    if back is None:
        return visit.to("/") if visit.person else await _turned_away(visit, "again")
    if not (code := visit.asked("code", 4096)):
        return await _turned_away(visit, "denied")
    attempt, here = Attempt.of(visit.secret, state), origin(visit.request) + BACK
    try:
        proof = await provider.proof(attempt, here, code, visit.asked("iss", 2000))
    except ProviderAwayError as error:
        return await _away(visit, error)
    except NotBelievedError as error:
        _log.warning("not signed in: %s", error)
        return await _turned_away(visit, "not_believed")
    roles = provider.roles_of(proof.claims)
    async with visit.place.doors.pool.acquire() as connection:
        try:
            person = await arrived(connection, proof, provider.registration, roles)
        except TurnedAwayError as error:
            return await _turned_away(visit, str(error), error.called)
        return await _let_in(visit, connection, person, back, roles, proof.token)


async def _let_in(
    visit: Visit,
    connection: Connection,
    person: dict[str, Any],
    back: str,
    roles: Sequence[str] | None = None,
    id_token: str | None = None,
) -> Response:
    secret = secrets.token_urlsafe(32)
    await session_rows.end_session(connection, visit.secret)
    await session_rows.begin_session(connection, secret, person["staff_id"], present(), roles, id_token)
    await _noted(connection, person["staff_id"], "sign_in", "by the provider" if id_token else "by choice, on loopback")
    draft = await draft_rows.kept(connection, visit.cookie(DRAFT), person["staff_id"], present())
    response = visit.to(safe_path(draft.path if draft else back))
    visit.set_cookie(response, SESSION, secret)
    response.delete_cookie(cookie_name(visit.request, ENTRY), path="/")
    return response


async def _noted(connection: Connection, staff_id: str, operation: str, reason: str) -> None:
    """Who comes and goes stands in the audit log."""
    at = present()
    entry = audit_rows.Entry(at, f"staff:{staff_id}", "console", operation, f"staff/{staff_id}", "", reason)
    await audit_rows.settle(connection, await audit_rows.note(connection, entry), DONE, at)


async def _away(visit: Visit, error: ProviderAwayError) -> Response:
    _log.warning("the identity provider cannot be used: %s", error)
    return await _entrance(visit, HTTPStatus.SERVICE_UNAVAILABLE, visit.words("sign_in.away"))


async def _turned_away(visit: Visit, why: str, called: str = "") -> Response:
    said = visit.words(f"sign_in.why.{why}", who=called or visit.words("sign_in.somebody"))
    return await _entrance(visit, HTTPStatus.FORBIDDEN, said)


async def sign_out(visit: Visit) -> Response:
    """Ends the session, here and in the table. Where the provider offers to end its own as well, the next page leads there."""
    async with visit.place.doors.pool.acquire() as connection:
        shown = await session_rows.end_session(connection, visit.secret)
        await _noted(connection, visit.who.by, "sign_out", "")
    provider = visit.place.provider
    leads_to = await provider.way_out() if provider and shown else None
    visit.leave()
    if provider is None or leads_to is None:
        response = visit.to("/sign-in")
    else:
        told = {
            "id_token_hint": shown,
            "client_id": provider.registration.client_id,
            "post_logout_redirect_uri": origin(visit.request) + "/sign-in",
        }
        response = visit.page("signed_out.html", leads_to=leads_to, told=told, provider=provider.host)
        visit.let_forms_lead_to(response, leads_to)
    response.delete_cookie(cookie_name(visit.request, SESSION), path="/")
    return response


async def choose_language(visit: Visit) -> Response:
    """English or Japanese, as the reader chose."""
    return visit.choose_language(visit.form.get("language", ""))
