"""The seller's people: added, changed, given roles, and those who leave; by any door, each with its line in the audit log."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Annotated, Any

from pydantic import Field

from activities.frame import access_rows, staff_rows
from activities.frame.access_rows import StaffAccess
from activities.kernel.clock import present
from activities.kernel.pool import Connection, Pool
from domain.frame.access import AccessRole, Principal, WriteAct, require_act
from domain.kernel.base import Received
from domain.kernel.calendar import ZoneName
from domain.kernel.ids import StaffRef
from domain.kernel.refusals import INVALID_REQUEST, Problem, Refusal
from domain.kernel.requests import read_document
from domain.orders.order import Country, Staff, Text
from gateway.acting import Subject, written
from gateway.client import PerennialClient

UNKNOWN_PERSON = "UnknownPerson"
STAFF_CONFLICT = "StaffConflict"
_WRONG = "the person cannot be recorded"


class Person(Staff):
    """One of our people, with where they work (without a place where most of their customers are), and whom they report to."""

    time_zone: ZoneName | None = None
    country: Country | None = None
    manager: StaffRef | None = None


class Grant(Received):
    """What one of our people may from now on. `titles`: words under which they may approve, the highest last. `own_only`: they see the
    customers that they own or look after; with `team` also those of whoever reports to them, and of whoever reports to the same person.
    `subject`: who they are for the identity provider."""

    roles: Annotated[tuple[AccessRole, ...], Field(min_length=1)]
    titles: tuple[Text, ...] = ()
    own_only: bool = False
    team: bool = False
    subject: Text | None = None


class Staffing:
    """Our people, as one door sees to them. Whatever is refused changes nothing."""

    def __init__(self, pool: Pool, door: str) -> None:
        self._pool = pool
        self._door = door

    async def add(self, who: Principal, document: dict[str, Any], request_id: str, reason: str = "") -> None:
        """Somebody new. Raises `Refusal`: StaffConflict, InvalidRequest, NotAllowed."""
        require_act(who, WriteAct.ADD_STAFF)
        person = read_document(Person, document, INVALID_REQUEST, _WRONG)
        async with self._written(who, WriteAct.ADD_STAFF, person.staff_id, request_id, reason) as connection:
            if not await staff_rows.add_staff(connection, person, who.by, present()):
                said = f"{person.staff_id!r} is taken; change them with `perennial staff change {person.staff_id}`"
                raise Refusal(STAFF_CONFLICT, said)
            await _placed(connection, person)

    async def change(
        self, who: Principal, staff_id: str, changes: dict[str, Any], request_id: str, reason: str = ""
    ) -> dict[str, Any]:
        """Another name, address, language, place or manager, for every customer at once; what is not said stays. Who they were before."""
        require_act(who, WriteAct.CHANGE_STAFF)
        async with self._written(who, WriteAct.CHANGE_STAFF, staff_id, request_id, reason) as connection:
            known = named(await staff_rows.list_staff(connection), staff_id)
            kept = {name: known[name] for name in ("name", "email", "language")}
            person = read_document(Person, {"staff_id": staff_id, **kept, **changes}, INVALID_REQUEST, _WRONG)
            await staff_rows.change_staff(connection, person, who.by, present())
            await _placed(connection, person)
        return known

    async def grant(
        self, who: Principal, staff_id: str, document: dict[str, Any], request_id: str, reason: str = ""
    ) -> None:
        """What somebody may from now on, in place of what they might."""
        require_act(who, WriteAct.GRANT_ACCESS)
        given = read_document(Grant, document, INVALID_REQUEST, "the roles cannot be granted")
        if AccessRole.PROGRAM in given.roles:
            said = "program is the role of services' keys; give people another one"
            raise Refusal(INVALID_REQUEST, "the roles cannot be granted", [Problem(field="roles", problem=said)])
        roles = tuple(sorted({role.value for role in given.roles}))
        some = given.own_only or given.team
        access = StaffAccess(staff_id, roles, given.titles, some, given.subject, present(), who.by, given.team)
        async with self._written(who, WriteAct.GRANT_ACCESS, staff_id, request_id, reason) as connection:
            named(await staff_rows.list_staff(connection), staff_id)
            await access_rows.grant(connection, access)

    async def leave(
        self, who: Principal, staff_id: str, to: str, request_id: str, reason: str = ""
    ) -> list[dict[str, Any]]:
        """Somebody is not with us any more; what is to be handed over of theirs, a row for each customer (`hand_over`)."""
        require_act(who, WriteAct.RETIRE_STAFF)
        if to == staff_id:
            raise Refusal(INVALID_REQUEST, f"{staff_id} leaves; name somebody else with --to")
        async with self._written(who, WriteAct.RETIRE_STAFF, staff_id, request_id, reason) as connection:
            rows = await staff_rows.list_staff(connection)
            person = named(rows, staff_id)
            if named(rows, to)["left_at"] is not None:
                raise Refusal(INVALID_REQUEST, f"{to} has left as well; name somebody who is there")
            if person["takes_cases"]:
                said = f"{staff_id} takes cases still; take them off their team first (`put_agent`, active false)"
                raise Refusal(INVALID_REQUEST, said)
            await staff_rows.leaves(connection, staff_id, who.by, present())
            return await staff_rows.left_to_hand_over(connection, staff_id)

    def _written(
        self, who: Principal, act: WriteAct, staff_id: str, request_id: str, reason: str
    ) -> AbstractAsyncContextManager[Connection]:
        return written(self._pool, self._door, who, Subject("staff", staff_id[:80]), act, request_id, reason)


async def _placed(connection: Connection, person: Person) -> None:
    """Where they work, and whom they report to, as far as it is said."""
    await staff_rows.place_staff(connection, person.staff_id, person.time_zone, person.country)
    if person.manager is None:
        return
    if person.manager == person.staff_id:
        said = f"nobody reports to themselves; name somebody else than {person.staff_id} with --manager"
        raise Refusal(INVALID_REQUEST, _WRONG, [Problem(field="manager", problem=said)])
    named(await staff_rows.list_staff(connection), person.manager)
    await staff_rows.report_to(connection, person.staff_id, person.manager)


async def hand_over(
    client: PerennialClient, rows: list[dict[str, Any]], to: str, why: dict[str, str]
) -> AsyncIterator[str]:
    """All that somebody had goes to their successor, one customer after the other; each by its id once that is done. why: `reason`
    and `by`."""
    for row in rows:
        parts = {name: to for name, had in (("owner", row["owns"]), ("success_manager", row["looks_after"])) if had}
        if parts:
            await client.ask(row["account_id"], "change_account", {**parts, **why})
        for task_id in [] if parts else row["tasks"]:
            request = {"task_id": task_id, "to": to, "role": "manager", **why}
            await client.ask(row["account_id"], "hand_over_staff_task", request)
        yield row["account_id"]


def named(rows: list[dict[str, Any]], staff_id: str) -> dict[str, Any]:
    """Somebody among our people. Raises `Refusal` (UnknownPerson)."""
    found = next((row for row in rows if row["staff_id"] == staff_id), None)
    if found is None:
        raise Refusal(UNKNOWN_PERSON, f"{staff_id!r} is none of our people; `perennial staff list` shows them")
    return found
