"""The seller's people, and where what they have to do is put in."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from activities.kernel.inserts import Insert
from activities.kernel.pool import Connection
from activities.kernel.queries import Query
from domain.frame.customer import StaffFacts
from domain.frame.staff_tasks import StaffTaskFacts
from domain.orders.order import Staff

STAFF_TASK = Insert(
    "staff_task", "task_id account_id key opened_at title reason staff_id due_at", "on conflict do nothing"
)
STAFF = Insert("staff", "staff_id name email language changed_at changed_by", "on conflict do nothing")
_PERSON = STAFF.of(Staff, "changed_at changed_by")


async def introduce_staff(connection: Connection, people: Iterable[Staff]) -> None:
    """Who is new is written down; who is known stays as they are."""
    await STAFF.add(connection, rows_of(people))


def rows_of(people: Iterable[Staff]) -> list[tuple[Any, ...]]:
    """Each person once, as a row of `STAFF`."""
    new = {person.staff_id: _PERSON.row(person, changed_at=None, changed_by=None) for person in people}
    return list(new.values())


async def find_staff(connection: Connection, ids: Iterable[str]) -> dict[str, StaffFacts]:
    """Those of the ids that are on record."""
    rows = await connection.fetch(
        "select staff_id, name, email, language, left_at from staff where staff_id = any($1)", list(ids)
    )
    return {row["staff_id"]: StaffFacts(**dict(row)) for row in rows}


list_staff = Query(
    "select s.staff_id, s.name, s.email, s.language, s.time_zone, s.country, s.manager_id, s.left_at, s.changed_at, s.changed_by,"
    " (select count(*) from account a where a.owner_id = s.staff_id) as owns,"
    " (select count(*) from account a where a.success_manager_id = s.staff_id) as looks_after,"
    " exists (select from service_agent g where g.staff_id = s.staff_id and g.active) as takes_cases"
    " from staff s order by s.staff_id"
)
"""Everybody, with how many customers each owns and looks after, and whether they take cases."""


async def add_staff(connection: Connection, person: Staff, by: str, as_of: datetime) -> bool:
    """Somebody new; false if the id is taken."""
    return await STAFF.is_new(connection, _PERSON.row(person, changed_at=as_of, changed_by=by))


async def change_staff(connection: Connection, person: Staff, by: str, as_of: datetime) -> None:
    """Another name, address or language, for every customer at once."""
    await connection.execute(
        "update staff set name = $2, email = $3, changed_at = $4, changed_by = $5, language = $6 where staff_id = $1",
        person.staff_id,
        person.name,
        person.email,
        as_of,
        by,
        person.language,
    )


async def place_staff(connection: Connection, staff_id: str, time_zone: str | None, country: str | None) -> None:
    """Where somebody works; null leaves what is on record."""
    await connection.execute(
        "update staff set time_zone = coalesce($2, time_zone), country = coalesce($3, country) where staff_id = $1",
        staff_id,
        time_zone,
        country,
    )


async def report_to(connection: Connection, staff_id: str, manager_id: str | None) -> None:
    """Whom somebody reports to; null leaves what is on record."""
    await connection.execute(
        "update staff set manager_id = coalesce($2, manager_id) where staff_id = $1", staff_id, manager_id
    )


async def leaves(connection: Connection, staff_id: str, by: str, as_of: datetime) -> None:
    """Somebody is not with us any more, from now on."""
    await connection.execute(
        "update staff set left_at = coalesce(left_at, $2), changed_at = $2, changed_by = $3 where staff_id = $1",
        staff_id,
        as_of,
        by,
    )


left_to_hand_over = Query(
    "select a.account_id, a.owner_id = $1 as owns, a.success_manager_id = $1 as looks_after,"
    " array(select t.task_id from staff_task t where t.account_id = a.account_id and t.staff_id = $1 and t.closed_at is null"
    "       order by t.task_id) as tasks"
    " from account a where a.closed_at is null and (a.owner_id = $1 or a.success_manager_id = $1 or exists ("
    "   select from staff_task t where t.account_id = a.account_id and t.staff_id = $1 and t.closed_at is null))"
    " order by a.account_id"
)
"""The customers of one of our people, whether they own them, look after them, and the tasks that they have there."""


TASK = "to_jsonb(t) || jsonb_build_object('person', to_jsonb(s))"
"""A row of `staff_task t join staff s using (staff_id)` as facts."""

_OPEN = f"""
select {TASK} from staff_task t join staff s using (staff_id) where t.account_id = $1 and t.closed_at is null
order by greatest(t.due_at, t.snoozed_until), t.task_id
"""


async def open_tasks(connection: Connection, account_id: str) -> list[StaffTaskFacts]:
    """What is to be done for a customer, the first due first."""
    return [StaffTaskFacts.model_validate(row[0]) for row in await connection.fetch(_OPEN, account_id)]
