"""The first page: what whoever is signed in has before them today."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from activities.frame.staff_rows import list_staff
from activities.journey import today_rows
from activities.journey.task_lists import list_tasks
from activities.kernel.clock import present
from domain.frame.access import AccessRole, FieldGroup
from domain.journey.registry import JOURNEY
from gateway.console.acts import new_request_id, what_became
from gateway.console.visit import Visit

MOST = 50
_READ_MAIL = frozenset({AccessRole.SERVICE, AccessRole.OPERATOR, AccessRole.ADMIN})
_ACTS = ("finish_staff_task", "snooze_staff_task", "hand_over_staff_task")


async def today(visit: Visit) -> Response:
    """Tasks by their days with what can be done about them, renewals, health, promises, holds, and mails."""
    everybody = bool(visit.asked("all")) and not visit.who.own_only
    whose = None if everybody else visit.who.staff_id
    now = present()
    async with visit.place.doors.pool.acquire() as connection:
        tasks = (await list_tasks(connection, now, whose, None, False, False))[:MOST]
        about = (now, whose, MOST)
        renewals = await today_rows.renewals_ahead(connection, *about)
        fallen = await today_rows.bands_fallen(connection, *about) if visit.sees(FieldGroup.HEALTH) else []
        promises = await today_rows.promises_ahead(connection, *about)
        holds = await today_rows.holds_in_force(connection, *about)
        reads = not visit.who.roles.isdisjoint(_READ_MAIL)
        mails = await today_rows.mails_for_a_person(connection, MOST) if reads else None
        people = [one for one in await list_staff(connection) if one["left_at"] is None]
    return visit.page(
        "today.html",
        days=_by_day(tasks),
        renewals=renewals,
        fallen=fallen,
        promises=promises,
        holds=holds,
        mails=mails,
        people=people,
        everybody=everybody,
        said=await what_became(visit),
        may={update: visit.who.may_ask(JOURNEY[update]) for update in _ACTS},
        new_id=new_request_id,
    )


def _by_day(tasks: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """What is late, what is to come, and what rests, each in the order of their days."""
    parts: dict[str, list[dict[str, Any]]] = {"late": [], "open": [], "snoozed": []}
    for task in tasks:
        parts["late" if task["late"] else str(task["state"])].append(task)
    return [(name, found) for name, found in parts.items() if found]
