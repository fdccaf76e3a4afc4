"""Who serves and what is owed: teams, agents, entitlements, and the versions of policies and calendars that cases keep."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from activities.frame.staff_rows import introduce_staff
from activities.kernel.inserts import Insert, or_update
from activities.kernel.pool import Connection
from activities.kernel.queries import Models
from domain.kernel.business_calendar import BusinessCalendar
from domain.service.desk import AgentDocument, AgentFacts, EntitlementDocument, TeamDocument, TeamFacts
from domain.service.entitlements import Entitlement, ServicePolicy

_TEAMS = """
select t.team, t.name, to_jsonb(l) as lead, to_jsonb(m) as manager, to_jsonb(d) as director
from service_team t left join staff l on l.staff_id = t.lead_id left join staff m on m.staff_id = t.manager_id
left join staff d on d.staff_id = t.director_id
"""

_AGENTS = """
select a.team, a.skills, a.shift, a.case_limit, a.assigned_at, to_jsonb(s) as staff,
  (select count(*) from service_case c where c.owner_id = a.staff_id
     and c.status in ('new', 'open', 'waiting_customer', 'waiting_internal', 'waiting_third_party')) as open_cases
from service_agent a join staff s using (staff_id) where a.active order by a.staff_id
"""


async def load_teams(connection: Connection) -> dict[str, TeamFacts]:
    """Every team with the people who answer for it."""
    return {row["team"]: TeamFacts.model_validate(dict(row)) for row in await connection.fetch(_TEAMS)}


load_agents = Models(AgentFacts, _AGENTS)
"""Everybody who takes cases, with how many each has."""


_TEAM = Insert(
    "service_team",
    "team name lead_id manager_id director_id",
    or_update("team", "name lead_id manager_id director_id"),
)
_AGENT = Insert(
    "service_agent",
    "staff_id=staff.staff_id team skills shift case_limit active",
    or_update("staff_id", "team skills shift case_limit active"),
).of(AgentDocument, "skills")
_ENTITLEMENT = Insert(
    "entitlement",
    "entitlement_id account_id policy_id product_code=product contract_id starts_on ends_on",
    or_update("entitlement_id", "policy_id product_code contract_id starts_on ends_on"),
).of(EntitlementDocument)
_POLICY = Insert("service_policy", "policy_id=id version body", "on conflict do nothing").of(ServicePolicy, "body")
_CALENDAR = Insert("business_calendar", "calendar_id=id version body", "on conflict do nothing").of(
    BusinessCalendar, "body"
)


async def save_team(connection: Connection, team: TeamDocument) -> None:
    """A team, as told last; its people are introduced if they are new."""
    await introduce_staff(connection, filter(None, (team.lead, team.manager, team.director)))
    ids = [person.staff_id if person else None for person in (team.lead, team.manager, team.director)]
    await _TEAM.add(connection, [(team.team, team.name, *ids)])


async def save_agent(connection: Connection, agent: AgentDocument) -> None:
    """An agent, as told last; introduced to staff if they are new."""
    await introduce_staff(connection, [agent.staff])
    await _AGENT.put(connection, [agent], skills=list(agent.skills))


async def save_entitlement(connection: Connection, entitlement: EntitlementDocument) -> None:
    """An entitlement, as told last."""
    await _ENTITLEMENT.put(connection, [entitlement])


load_entitlements = Models(
    Entitlement,
    "select entitlement_id as id, account_id as account, policy_id, product_code as product,"
    " contract_id as contract, starts_on, ends_on from entitlement where account_id = $1 order by entitlement_id",
)
"""What an account is or was owed."""


async def keep_policy(connection: Connection, policy: ServicePolicy) -> None:
    """A policy's version, kept as it is when the first case comes under it."""
    await _POLICY.put(connection, [policy], body=policy.model_dump(mode="json", exclude_defaults=True))


async def keep_calendars(connection: Connection, calendars: Iterable[BusinessCalendar]) -> None:
    """Versions of calendars, kept as they are when the first case counts in them."""
    dumped = [(one, one.model_dump(mode="json", exclude_defaults=True)) for one in calendars]
    await _CALENDAR.insert.add(connection, [_CALENDAR.row(one, body=body) for one, body in dumped])


async def load_policy(connection: Connection, policy_id: str, version: int) -> ServicePolicy:
    """A policy as a case came under it."""
    body = await connection.fetchval(
        "select body from service_policy where policy_id = $1 and version = $2", policy_id, version
    )
    return ServicePolicy.model_validate(body)


async def load_calendar(connection: Connection, calendar_id: str, version: int) -> BusinessCalendar:
    """A calendar as a case counts in it."""
    body: dict[str, Any] = await connection.fetchval(
        "select body from business_calendar where calendar_id = $1 and version = $2", calendar_id, version
    )
    return BusinessCalendar.model_validate(body)
