"""Whom a proof of the identity provider lets in: one of our people who is here, by what the provider calls them."""

from __future__ import annotations

from typing import Any

from activities.frame import access_rows
from activities.kernel.pool import Connection
from gateway.console.identity import Proof, Registration
from gateway.console.visit import may_enter

UNVERIFIED, STRANGER, SEVERAL, ANOTHER, LEFT, NO_ROLE = (
    "unverified",
    "stranger",
    "several",
    "another",
    "left",
    "no_role",
)


class TurnedAwayError(Exception):
    """Somebody who is not let in; the message is the word for why, `called` what the provider calls them."""

    def __init__(self, why: str, called: str) -> None:
        super().__init__(why)
        self.called = called


async def arrived(
    connection: Connection, proof: Proof, registration: Registration, roles: tuple[str, ...] | None
) -> dict[str, Any]:
    """Who comes with a proof, as a row of our people. Raises TurnedAwayError.

    An admin may have said who somebody is for the provider; then that alone counts. roles: those of their groups, null where groups
    give none.
    """
    called = str(proof.claims.get(registration.claim) or "").strip()
    bound = await access_rows.people(connection, None, proof.subject)
    if bound:
        person = bound[0]
    else:
        person = await _called(connection, called, proof, registration)
    if person["left_at"] is not None:
        raise TurnedAwayError(LEFT, called)
    if roles is not None:
        person = {**person, "roles": roles}
    if not may_enter(person):
        raise TurnedAwayError(NO_ROLE, called)
    return person


async def _called(connection: Connection, called: str, proof: Proof, registration: Registration) -> dict[str, Any]:
    if registration.claim == "email" and proof.claims.get("email_verified") not in (True, "true"):
        raise TurnedAwayError(UNVERIFIED, called)
    found = await access_rows.called(connection, called) if called else []
    rows = [row for staff_id in found for row in await access_rows.people(connection, staff_id, None)]
    here = [row for row in rows if row["left_at"] is None] or rows[:1]
    if not here:
        raise TurnedAwayError(STRANGER, called)
    if len(here) > 1:
        raise TurnedAwayError(SEVERAL, called)
    if here[0]["subject"] is not None:
        raise TurnedAwayError(ANOTHER, called)
    return here[0]
