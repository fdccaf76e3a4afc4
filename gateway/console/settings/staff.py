"""Our people: added and changed, what each may, who takes cases in which team, and who leaves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from starlette.responses import Response

from activities.frame import access_rows, staff_rows
from activities.service import desks
from domain.frame.access import AccessRole, FieldGroup, WriteAct
from domain.service.desk import AgentDocument, TeamDocument
from gateway.api.problems import status_of
from gateway.console.jobs import Job, Jobs
from gateway.console.settings.changes import Sent, read, reason_of, request_id_of, shown, taken, ticked
from gateway.console.visit import Visit
from gateway.staffing import UNKNOWN_PERSON, Grant, Person, Staffing, hand_over, named
from gateway.writing import Writing

ROLES = tuple(role.value for role in AccessRole if role is not AccessRole.PROGRAM)
_ID, _BESIDE, _STAFF = frozenset({"staff_id"}), frozenset({"roles", "own_only", "team"}), frozenset({"staff"})


class StaffPages:
    """The list, one of our people, and what is done there."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs

    async def everybody(self, visit: Visit) -> Response:
        """All of them, and the teams of service."""
        return await shown(visit, self._list)

    async def change_all(self, visit: Visit) -> Response:
        """Somebody new, or a team."""
        return await taken(visit, {"add": self._add, "team": self._team}, self._list)

    async def one(self, visit: Visit) -> Response:
        """One of them."""
        return await shown(visit, self._one)

    async def change_one(self, visit: Visit) -> Response:
        """Another name or place, other roles, a team, or the end."""
        work = {"change": self._change, "grant": self._grant, "agent": self._agent, "leave": self._leave}
        return await taken(visit, work, self._one)

    async def _list(self, sent: Sent) -> Response:
        visit = sent.visit
        async with visit.place.doors.pool.acquire() as connection:
            rows = await staff_rows.list_staff(connection)
            roles = {row["staff_id"]: row["roles"] for row in await access_rows.people(connection, None, None)}
            teams = await desks.load_teams(connection)
        return visit.page(
            "settings/staff.html",
            status_of(sent.refusal) if sent.refusal else HTTPStatus.OK,
            rows=sorted(rows, key=lambda row: (row["left_at"] is not None, row["name"], row["staff_id"])),
            roles=roles if visit.sees(FieldGroup.KEYS) else None,
            teams=sorted(teams.values(), key=lambda team: team.team),
            form=sent.form("add", Person) if visit.who.may_do(WriteAct.ADD_STAFF) else None,
            team_form=sent.form("team", TeamDocument) if visit.who.may_do(WriteAct.PUT_TEAM) else None,
            done=visit.asked("done"),
        )

    async def _one(self, sent: Sent) -> Response:
        visit, who = sent.visit, sent.visit.who
        staff_id = visit.id("staff_id", UNKNOWN_PERSON)
        async with visit.place.doors.pool.acquire() as connection:
            rows = await staff_rows.list_staff(connection)
            person = named(rows, staff_id)
            access = (await access_rows.people(connection, staff_id, None))[0]
            agents = {one.staff.staff_id: one for one in await desks.load_agents(connection)}
            teams = await desks.load_teams(connection)
        agent = agents.get(staff_id)
        known = {name: str(person[name] or "") for name in Person.model_fields if name in person}
        known["manager"] = person["manager_id"] or ""
        given = {"titles": "\n".join(access["titles"]), "subject": access["subject"] or ""}
        serves: dict[str, str] = {"active": "yes"}
        if agent is not None:
            serves |= {"team": agent.team, "skills": "\n".join(agent.skills), "shift": agent.shift or ""}
            serves |= {"case_limit": str(agent.case_limit or "")}
        serving = {"team": sorted(teams), "shift": sorted(visit.place.service_book.calendars)}
        may_grant = who.may_do(WriteAct.GRANT_ACCESS)
        return visit.page(
            "settings/person.html",
            status_of(sent.refusal) if sent.refusal else HTTPStatus.OK,
            person=person,
            access=access if visit.sees(FieldGroup.KEYS) else None,
            agent=agent,
            roles=ROLES,
            others=[row for row in rows if row["left_at"] is None and row["staff_id"] != staff_id],
            change_form=sent.form("change", Person, known=known, aside=_ID)
            if who.may_do(WriteAct.CHANGE_STAFF)
            else None,
            grant=sent.form("grant", Grant, known=given, aside=_BESIDE) if may_grant else None,
            agent_form=sent.form("agent", AgentDocument, known=serves, aside=_STAFF, choices=serving)
            if who.may_do(WriteAct.PUT_AGENT)
            else None,
            leave=sent.form("leave") if who.may_do(WriteAct.RETIRE_STAFF) else None,
            job=self._jobs.of(_subject(staff_id)),
            done=visit.asked("done"),
        )

    async def _add(self, visit: Visit) -> None:
        await _staffing(visit).add(visit.who, read(visit, Person), request_id_of(visit), reason_of(visit))

    async def _team(self, visit: Visit) -> None:
        acts = Writing(visit.place.doors, "console", reason_of(visit))
        await acts.put_team(visit.who, read(visit, TeamDocument), request_id_of(visit))

    async def _change(self, visit: Visit) -> None:
        staff_id, changes = visit.id("staff_id", UNKNOWN_PERSON), read(visit, Person, _ID)
        await _staffing(visit).change(visit.who, staff_id, changes, request_id_of(visit), reason_of(visit))

    async def _grant(self, visit: Visit) -> None:
        staff_id = visit.id("staff_id", UNKNOWN_PERSON)
        document = {
            **read(visit, Grant, _BESIDE),
            "roles": ticked(visit, "role", ROLES),
            "own_only": bool(visit.form.get("own_only")),
            "team": bool(visit.form.get("team")),
        }
        await _staffing(visit).grant(visit.who, staff_id, document, request_id_of(visit), reason_of(visit))

    async def _agent(self, visit: Visit) -> None:
        staff_id = visit.id("staff_id", UNKNOWN_PERSON)
        async with visit.place.doors.pool.acquire() as connection:
            person = named(await staff_rows.list_staff(connection), staff_id)
        staff = {name: person[name] for name in ("staff_id", "name", "email", "language")}
        document = {**read(visit, AgentDocument, _STAFF), "staff": staff}
        acts = Writing(visit.place.doors, "console", reason_of(visit))
        await acts.put_agent(visit.who, document, request_id_of(visit))

    async def _leave(self, visit: Visit) -> None:
        staff_id, to = visit.id("staff_id", UNKNOWN_PERSON), visit.form.get("to", "")
        reason = reason_of(visit)
        left = await _staffing(visit).leave(visit.who, staff_id, to, request_id_of(visit), reason)
        if left:
            why = {"reason": reason, "by": visit.who.by}
            job = Job("leave", _subject(staff_id), visit.who.by, total=len(left))
            self._jobs.begin(job, _hands_over(visit, left, to, why))


def _hands_over(
    visit: Visit, left: list[dict[str, Any]], to: str, why: dict[str, str]
) -> Callable[[Job], Awaitable[None]]:
    async def work(job: Job) -> None:
        async for _ in hand_over(visit.place.doors.client, left, to, why):
            job.done += 1

    return work


def _subject(staff_id: str) -> str:
    return f"staff/{staff_id}"


def _staffing(visit: Visit) -> Staffing:
    return Staffing(visit.place.doors.pool, "console")
