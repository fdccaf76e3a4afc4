"""Keys of services: made and shown once, replaced by the next one, revoked; and when each was used last."""

from __future__ import annotations

import secrets
from datetime import timedelta
from http import HTTPStatus

from starlette.responses import Response

from activities.frame import access_rows
from activities.kernel.clock import present
from domain.frame.access import AccessRole, FieldGroup, require_sight
from gateway.api.problems import status_of
from gateway.api.resources import RESOURCES
from gateway.console.settings.changes import Sent, read, reason_of, request_id_of, shown, taken, ticked
from gateway.console.visit import Visit
from gateway.keyring import Keyring, NewKey
from gateway.tokens import Token

ROLES = tuple(role.value for role in AccessRole)
OVERLAPS = (0, 1, 24, 168)
"""For so many hours the key before may go on."""
_BESIDE = frozenset({"roles"})


async def keys(visit: Visit) -> Response:
    """Every key, and how to make one."""
    return await shown(visit, _page)


async def change_keys(visit: Visit) -> Response:
    """A key is made, replaced or revoked."""
    return await taken(visit, {"make": _make, "rotate": _rotate, "revoke": _revoke}, _page)


async def _make(visit: Visit) -> Response:
    document = {**read(visit, NewKey, _BESIDE), "roles": ticked(visit, "role", ROLES)}
    ring, reason = _ring(visit), reason_of(visit)
    token = await ring.add(visit.who, document, request_id_of(visit), reason, _token(visit))
    return await _page(Sent(visit), token)


async def _rotate(visit: Visit) -> Response:
    hours = visit.form.get("overlap", "")
    overlap = timedelta(hours=int(hours) if hours in map(str, OVERLAPS) else OVERLAPS[2])
    ring, reason, name = _ring(visit), reason_of(visit), visit.form.get("of", "")
    token = await ring.rotate(visit.who, name, request_id_of(visit), reason, overlap=overlap, token=_token(visit))
    return await _page(Sent(visit), token)


async def _revoke(visit: Visit) -> None:
    await _ring(visit).revoke(visit.who, visit.form.get("of", ""), request_id_of(visit), reason_of(visit))


def _ring(visit: Visit) -> Keyring:
    return Keyring(visit.place.doors.pool, "console")


def _token(visit: Visit) -> Token:
    """Sent twice, a form shows the same key twice: whoever clicks twice loses none."""
    return Token.of_form(visit.secret, visit.form.get("secret") or secrets.token_urlsafe(32))


async def _page(sent: Sent, token: Token | None = None) -> Response:
    visit, now = sent.visit, present()
    require_sight(visit.who, FieldGroup.KEYS)
    async with visit.place.doors.pool.acquire() as connection:
        rows = await access_rows.list_keys(connection)
    live = {row["name"] for row in rows if row["revoked_at"] is None and not _is_over(row["expires_at"], now)}
    return visit.page(
        "settings/keys.html",
        status_of(sent.refusal) if sent.refusal else HTTPStatus.OK,
        keys=rows,
        live=live,
        newest={name: next(row["key_id"] for row in rows if row["name"] == name) for name in live},
        now=now,
        token=token,
        roles=ROLES,
        overlaps=OVERLAPS,
        resources=sorted(RESOURCES),
        new_secret=lambda: secrets.token_urlsafe(32),
        form=sent.form("make", NewKey, aside=_BESIDE),
        sent=sent,
        done=visit.asked("done"),
    )


def _is_over(expires_at: object, now: object) -> bool:
    return expires_at is not None and expires_at <= now  # type: ignore[operator] # instants of a row
