"""The first page: what whoever is signed in has before them today, and each of its lists as a page of its own where it is long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from activities.frame.staff_rows import list_staff
from activities.journey import today_rows
from activities.journey.task_lists import list_tasks
from activities.kernel.clock import present
from activities.kernel.pool import Connection
from activities.kernel.queries import Query
from domain.frame.access import FieldGroup, WriteAct
from domain.journey.registry import JOURNEY
from domain.kernel.refusals import Refusal
from gateway.console.acts import new_request_id, what_became
from gateway.console.visit import Visit

MOST = 50
_TASKS = "tasks"
_OF_PEOPLE: Mapping[str, Query] = {
    "promises": today_rows.promises_ahead,
    "renewals": today_rows.renewals_ahead,
    "fallen": today_rows.bands_fallen,
    "holds": today_rows.holds_in_force,
}
_OF_NOBODY: Mapping[str, Query] = {"mails": today_rows.mails_for_a_person, "events": today_rows.events_for_a_person}
"""What nobody has yet."""
_ACTS = ("finish_staff_task", "snooze_staff_task", "hand_over_staff_task")


@dataclass(frozen=True)
class Part:
    """A list, as far as it is shown. more: where all of it is; empty if that is all."""

    name: str
    rows: list[dict[str, Any]]
    more: str = ""


async def today(visit: Visit) -> Response:
    """Tasks by their days with what can be done about them, renewals, health, promises, holds, mails and events."""
    everybody, whose = _whose(visit)
    async with visit.place.doors.pool.acquire() as connection:
        tasks, *others = [
            _cut(visit, name, await _rows(connection, name, whose, present(), 0)) for name in _names(visit)
        ]
        people = [one for one in await list_staff(connection) if one["left_at"] is None]
    return visit.page(
        "today.html",
        tasks=tasks,
        days=_by_day(tasks.rows),
        parts=others,
        people=people,
        everybody=everybody,
        said=await what_became(visit),
        done=visit.asked("done"),
        may={update: visit.who.may_ask(JOURNEY[update]) for update in _ACTS},
        new_id=new_request_id,
    )


async def one_list(visit: Visit) -> Response:
    """One of the lists, page by page."""
    name = str(visit.request.path_params["part"])
    if name not in _names(visit):
        raise Refusal("UnknownPage", f"there is no list {name[:40]!r} for {visit.who.by}")
    everybody, whose = _whose(visit)
    asked = visit.asked("from", 9)
    first = int(asked) if asked.isdecimal() else 0
    async with visit.place.doors.pool.acquire() as connection:
        rows = await _rows(connection, name, whose, present(), first)
        people = [one for one in await list_staff(connection) if one["left_at"] is None]
    shown = rows[:MOST]
    return visit.page(
        "today_list.html",
        part=Part(name, shown),
        days=_by_day(shown) if name == _TASKS else [],
        people=people,
        everybody=everybody,
        before=_path(visit, name, max(first - MOST, 0)) if first else "",
        behind=_path(visit, name, first + MOST) if len(rows) > MOST else "",
        may={update: visit.who.may_ask(JOURNEY[update]) for update in _ACTS},
        new_id=new_request_id,
    )


def _whose(visit: Visit) -> tuple[bool, str | None]:
    """Whether everybody's is looked at, and else whose."""
    everybody = bool(visit.asked("all")) and not visit.who.own_only
    return everybody, None if everybody else visit.who.staff_id


def _names(visit: Visit) -> list[str]:
    """The lists that somebody sees, in their order."""
    hidden = {
        "fallen": not visit.sees(FieldGroup.HEALTH),
        "mails": not visit.who.may_do(WriteAct.SETTLE_MAIL),
        "events": not visit.who.may_do(WriteAct.SETTLE_EVENT),
    }
    return [name for name in (_TASKS, *_OF_PEOPLE, *_OF_NOBODY) if not hidden.get(name)]


async def _rows(
    connection: Connection, name: str, whose: str | None, now: datetime, first: int
) -> list[dict[str, Any]]:
    """A list from its `first` row on, with one more than a page has, if there is one."""
    if name == _TASKS:
        return (await list_tasks(connection, now, whose, None, False, False))[first : first + MOST + 1]
    if name in _OF_NOBODY:
        return await _OF_NOBODY[name](connection, MOST + 1, first)
    return await _OF_PEOPLE[name](connection, now, whose, MOST + 1, first)


def _cut(visit: Visit, name: str, rows: list[dict[str, Any]]) -> Part:
    return Part(name, rows[:MOST], _path(visit, name, 0) if len(rows) > MOST else "")


def _path(visit: Visit, name: str, first: int) -> str:
    query = {"all": "1" if _whose(visit)[0] else "", "from": str(first) if first else ""}
    given = urlencode({key: value for key, value in query.items() if value})
    return f"/today/{name}" + (f"?{given}" if given else "")


def _by_day(tasks: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """What is late, what is to come, and what rests, each in the order of their days."""
    parts: dict[str, list[dict[str, Any]]] = {"late": [], "open": [], "snoozed": []}
    for task in tasks:
        parts["late" if task["late"] else str(task["state"])].append(task)
    return [(name, found) for name, found in parts.items() if found]
