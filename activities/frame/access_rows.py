"""Who may come in: keys of services, and what our people may; the secrets of keys are kept as digests alone."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from activities.kernel.inserts import Insert, or_update
from activities.kernel.pool import Connection
from activities.kernel.queries import Column, Query
from domain.frame.access import AccessRole, Principal

_SEEN_EVERY = timedelta(minutes=1)
"""A key's last use is written at most so often."""


@dataclass(frozen=True)
class ApiKey:
    """A key of a service: what it may, under the name that requests and the audit log give it."""

    key_id: str
    name: str
    roles: tuple[str, ...]
    titles: tuple[str, ...]
    scopes: tuple[str, ...]
    made_at: datetime
    made_by: str
    expires_at: datetime | None = None


@dataclass(frozen=True)
class StaffAccess:
    """What one of our people may. own_only: they see some customers alone, their own, and with `team` their team's. `subject` is who they
    are for the identity provider."""

    staff_id: str
    roles: tuple[str, ...]
    titles: tuple[str, ...]
    own_only: bool
    subject: str | None
    granted_at: datetime
    granted_by: str
    team: bool = False


_KEY = Insert("api_key", "key_id name digest roles titles scopes made_at made_by expires_at").of(ApiKey, "digest")
_ACCESS = Insert(
    "staff_access",
    "staff_id roles titles own_only team subject granted_at granted_by",
    or_update("staff_id", "roles titles own_only team subject granted_at granted_by"),
).of(StaffAccess)


def _digest(secret: str) -> bytes:
    # A secret of 256 random bits needs no salt and no slow hash: there is nothing to guess.
    return hashlib.sha256(secret.encode()).digest()


async def add_key(connection: Connection, key: ApiKey, secret: str) -> None:
    """Keeps a key; whoever gives its secret comes in from now on."""
    await _KEY.put(connection, [key], digest=_digest(secret))


async def principal_of_key(connection: Connection, key_id: str, secret: str, as_of: datetime) -> Principal | None:
    """Who comes with a key; null for one that is unknown, wrong, revoked or expired. Its use is noted."""
    row = await connection.fetchrow("select * from api_key where key_id = $1", key_id)
    if row is None or not hmac.compare_digest(row["digest"], _digest(secret)):
        return None
    if row["revoked_at"] is not None or (row["expires_at"] is not None and row["expires_at"] <= as_of):
        return None
    if row["used_at"] is None or row["used_at"] < as_of - _SEEN_EVERY:
        await connection.execute("update api_key set used_at = $2 where key_id = $1", key_id, as_of)
    roles = frozenset(map(AccessRole, row["roles"]))
    return Principal(f"key:{row['name']}", row["name"], roles, tuple(row["titles"]), tuple(row["scopes"]))


list_keys = Query(
    "select key_id, name, roles, titles, scopes, made_at, made_by, expires_at, revoked_at, used_at"
    " from api_key order by made_at desc, key_id"
)
"""Every key without its digest, newest first."""


async def live_key(connection: Connection, name: str, as_of: datetime) -> ApiKey | None:
    """The newest key of a name that lets somebody in at `as_of`, and is not on its way out."""
    row = await connection.fetchrow(
        "select key_id, name, roles, titles, scopes, made_at, made_by, expires_at from api_key"
        " where name = $1 and revoked_at is null and (expires_at is null or expires_at > $2)"
        " order by made_at desc, key_id limit 1 for update",
        name,
        as_of,
    )
    if row is None:
        return None
    lists = {column: tuple(row[column]) for column in ("roles", "titles", "scopes")}
    return ApiKey(**{**dict(row), **lists})


async def expire_key(connection: Connection, key_id: str, at: datetime) -> None:
    """A key lets nobody in from `at` on."""
    await connection.execute(
        "update api_key set expires_at = least(expires_at, $2::timestamptz) where key_id = $1", key_id, at
    )


async def revoke_keys(connection: Connection, name: str, as_of: datetime) -> int:
    """No key of this name lets anybody in any more; how many did until now."""
    done = await connection.execute(
        "update api_key set revoked_at = $2 where name = $1 and revoked_at is null", name, as_of
    )
    return int(done.rpartition(" ")[2])


async def grant(connection: Connection, access: StaffAccess) -> None:
    """What one of our people may from now on, in place of what they might."""
    await _ACCESS.put(connection, [access])


_PEOPLE = """
select s.staff_id, s.name, s.email, s.left_at, s.language,
       coalesce(g.roles, array_remove(array[
         case when exists (select from account a where a.owner_id = s.staff_id) then 'sales' end,
         case when exists (select from account a where a.success_manager_id = s.staff_id) then 'success' end,
         case when exists (select from service_agent v where v.staff_id = s.staff_id) then 'service' end], null)) as roles,
       coalesce(g.titles, '{}') as titles, coalesce(g.own_only, false) as own_only, coalesce(g.team, false) as team, g.subject,
       g.granted_at, g.granted_by
from staff s left join staff_access g using (staff_id)
where ($1::text is null or s.staff_id = $1) and ($2::text is null or g.subject = $2)
order by s.name, s.staff_id
"""

people = Query(_PEOPLE)
"""Our people, by name, with their roles: those that were granted, else those that follow from what they look after. Of one, by id or
by who they are for the identity provider, if one of both is given."""

called = Column[str](
    "select staff_id from staff where lower(email) = lower($1) or staff_id = $1 order by left_at nulls first, staff_id"
)
"""Those of our people that a provider calls by this address or id; who has left comes last."""


def principal_of(person: dict[str, object]) -> Principal:
    """One of our people, as a row of `people`."""
    return Principal(
        f"staff:{person['staff_id']}",
        str(person["staff_id"]),
        frozenset(AccessRole(role) for role in _texts(person["roles"])),
        tuple(_texts(person["titles"])),
        own_only=bool(person["own_only"]),
        staff_id=str(person["staff_id"]),
    )


def _texts(value: object) -> Sequence[str]:
    return [str(one) for one in value] if isinstance(value, list | tuple) else []
