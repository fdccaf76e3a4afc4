"""Cases of the past, taken over from another system's log: written in bulk, with their true dates, and sent nobody."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from activities.frame.handlers import Place
from activities.frame.staff_rows import introduce_staff
from activities.frame.telling import AS_TOLD, INTO
from activities.kernel.inserts import Insert
from activities.kernel.pool import Connection
from activities.orders.order_rows import KEEP_PLAYBOOK
from domain.frame.case_words import CaseState, Level, Priority
from domain.frame.playbook import Playbook
from domain.journey.telling import Told, event_told, promise_told
from domain.journey.writes import KeepPlaybook
from domain.kernel.business_calendar import BusinessCalendar
from domain.orders.order import Staff
from domain.service.case import Happened, MilestoneFacts, Recorded
from domain.service.definitions import MilestoneKind
from domain.service.entitlements import ServicePolicy
from domain.service.milestones import Occurrence


@dataclass(frozen=True)
class CaseCustomer:
    """An account that only a log knows of, with its one contact."""

    account_id: str
    name: str
    country: str
    time_zone: str
    language: str
    contact_name: str
    contact_email: str
    since: datetime

    @property
    def contact_id(self) -> str:
        """Its one contact."""
        return f"{self.account_id}-1"


@dataclass(frozen=True)
class PastCase:
    """A case as the log leaves it: its row, its record and how its promises went."""

    case_id: str
    account_id: str
    subject: str
    channel: str
    category: str
    product: str | None
    priority: Priority
    state: CaseState
    owner: str | None
    digest: str
    record: tuple[Recorded, ...]
    promises: tuple[Occurrence, ...]


@dataclass(frozen=True)
class Terms:
    """The versions of policy and calendar that cases were promised."""

    policy: ServicePolicy
    policy_version: int
    calendar_id: str
    calendar_version: int

    def kind(self, milestone: str) -> MilestoneKind:
        """The kind of a milestone of the policy."""
        return next(one.kind for one in self.policy.milestones if one.name == milestone)


async def known_accounts(connection: Connection, account_ids: Iterable[str]) -> set[str]:
    """Those of the accounts that are on record."""
    rows = await connection.fetch("select account_id from account where account_id = any($1)", list(account_ids))
    return {row["account_id"] for row in rows}


async def cases_on_record(connection: Connection, case_ids: Iterable[str]) -> dict[str, tuple[str, bool]]:
    """The digest of each of the cases that are on record, and whether it was imported."""
    rows = await connection.fetch(
        "select case_id, digest, imported from service_case where case_id = any($1)", list(case_ids)
    )
    return {row["case_id"]: (row["digest"], row["imported"]) for row in rows}


async def keep_terms(connection: Connection, policy: ServicePolicy, calendar: BusinessCalendar) -> Terms:
    """Policy and calendar on record, as a new version if they differ from the latest one."""
    return Terms(
        policy=policy,
        policy_version=await _keep(
            connection, "service_policy", "policy_id", policy.id, policy.model_dump(mode="json")
        ),
        calendar_id=calendar.id,
        calendar_version=await _keep(
            connection, "business_calendar", "calendar_id", calendar.id, calendar.model_dump(mode="json")
        ),
    )


async def _keep(connection: Connection, table: str, column: str, id: str, body: dict[str, Any]) -> int:
    latest = await connection.fetchrow(
        f"select version, body - 'version' = $2::jsonb - 'version' as same from {table}"
        f" where {column} = $1 order by version desc limit 1",
        id,
        body,
    )
    if latest is not None and latest["same"]:
        return int(latest["version"])
    version = 1 if latest is None else latest["version"] + 1
    await connection.execute(
        f"insert into {table} ({column}, version, body) values ($1, $2, $3)", id, version, {**body, "version": version}
    )
    return version


async def add_customers(
    connection: Connection, customers: Sequence[CaseCustomer], owner: Staff, playbook: Playbook, as_of: datetime
) -> None:
    """Accounts that are not on record yet. None of them has a journey: that begins with an order."""
    await KEEP_PLAYBOOK(Place(connection, "", as_of), [KeepPlaybook(playbook)])
    await introduce_staff(connection, [owner])
    given = {
        "segment": playbook.segment,
        "playbook_version": playbook.version,
        "owner_id": owner.staff_id,
        "success_manager_id": owner.staff_id,
        "recorded_at": as_of,
    }
    await _ACCOUNT.put(connection, customers, **given)
    await _CONTACT.put(connection, customers, position=0, role="main")


_ACCOUNT = Insert(
    "account",
    "account_id name country time_zone language segment playbook_version owner_id success_manager_id since recorded_at",
    "on conflict do nothing",
).of(CaseCustomer, "segment playbook_version owner_id success_manager_id recorded_at")
_CONTACT = Insert(
    "contact",
    "account_id contact_id position name=contact_name email=contact_email role language time_zone",
    "on conflict do nothing",
).of(CaseCustomer, "position role")


_STAGES = """
create temp table staged_case (
    case_id text, account_id text, subject text, channel text, category text, product_code text, impact text,
    urgency text, priority text, status text, status_at timestamptz, owner_id text, opened_at timestamptz,
    first_response_at timestamptz, resolved_at timestamptz, closed_at timestamptz, last_activity_at timestamptz,
    reopen_count integer, digest text) on commit drop;
create temp table staged_event (
    case_id text, sequence integer, at timestamptz, kind text, by text, status text) on commit drop;
create temp table staged_milestone (
    case_id text, milestone text, number integer, kind text, started_at timestamptz, target interval,
    due_at timestamptz, completed_at timestamptz, violated_at timestamptz, violation_target interval,
    elapsed interval, state text) on commit drop;
"""

# `planned_at` is the take-over: what was due before it is on record and never acted on, whoever takes the case up.

# A case that an earlier import left otherwise is written anew: its log has grown.
_SETTLE = """
delete from timeline_item t using service_case c join staged_case using (case_id)
where t.account_id = c.account_id and t.link = 'case/' || c.case_id and (starts_with(t.key, 'case:') or starts_with(t.key, 'promise:'));
delete from case_event where case_id in (select case_id from staged_case);
delete from case_milestone where case_id in (select case_id from staged_case);
"""

_CASES = """
insert into service_case (case_id, account_id, contact_id, contact, subject, channel, category, product_code, impact,
    urgency, priority, status, status_at, owner_id, opened_at, first_response_at, resolved_at, closed_at,
    last_activity_at, reopen_count, digest, policy_id, policy_version, chosen_by, calendar_id, calendar_version,
    calendars, planned_at, imported, recorded_at)
select s.case_id, s.account_id, c.contact_id,
    coalesce(jsonb_build_object('contact_id', c.contact_id, 'name', c.name, 'email', c.email, 'language', c.language,
             'time_zone', c.time_zone), '{}'),
    s.subject, s.channel, s.category, s.product_code, s.impact, s.urgency, s.priority, s.status, s.status_at, s.owner_id,
    s.opened_at, s.first_response_at, s.resolved_at, s.closed_at, s.last_activity_at, s.reopen_count, s.digest,
    $1, $2, 'default', $3, $4, jsonb_build_object($3::text, $4::int), $5, true, $5
from staged_case s
left join lateral (select * from contact p where p.account_id = s.account_id order by p.position limit 1) c on true
on conflict (case_id) do update set account_id = excluded.account_id, contact_id = excluded.contact_id,
    contact = excluded.contact, subject = excluded.subject, channel = excluded.channel, category = excluded.category,
    product_code = excluded.product_code, impact = excluded.impact, urgency = excluded.urgency,
    priority = excluded.priority, status = excluded.status, status_at = excluded.status_at, owner_id = excluded.owner_id,
    opened_at = excluded.opened_at, first_response_at = excluded.first_response_at, resolved_at = excluded.resolved_at,
    closed_at = excluded.closed_at, last_activity_at = excluded.last_activity_at, reopen_count = excluded.reopen_count,
    digest = excluded.digest, policy_id = excluded.policy_id, policy_version = excluded.policy_version,
    calendar_id = excluded.calendar_id, calendar_version = excluded.calendar_version, calendars = excluded.calendars,
    planned_at = excluded.planned_at, version = service_case.version + 1
where service_case.imported
"""

_EVENTS = """
insert into case_event (case_id, sequence, at, recorded_at, kind, by, detail)
select case_id, sequence, at, $1, kind, by, jsonb_strip_nulls(jsonb_build_object('status', status)) from staged_event
"""

_MILESTONES = """
insert into case_milestone (case_id, milestone, number, kind, started_at, target, due_at, completed_at, violated_at,
    violation_target, elapsed, state)
select * from staged_milestone
"""


_TOLD = f"{INTO} select l.* from jsonb_populate_recordset(null::timeline_item, $1) l {AS_TOLD}"


async def save_past_cases(connection: Connection, cases: Sequence[PastCase], terms: Terms, as_of: datetime) -> None:
    """Cases with their records and promises, in the transaction of `connection`. Those on record must be imports."""
    await connection.execute(_STAGES)
    await connection.copy_records_to_table("staged_case", records=[_case_row(case) for case in cases])
    await connection.copy_records_to_table(
        "staged_event",
        records=[
            (case.case_id, event.sequence, event.at, event.kind.value, event.by, event.detail.get("status"))
            for case in cases
            for event in case.record
        ],
    )
    await connection.copy_records_to_table(
        "staged_milestone",
        records=[_milestone_row(case.case_id, promise, terms) for case in cases for promise in case.promises],
    )
    await connection.execute(_SETTLE)
    await connection.execute(
        _CASES, terms.policy.id, terms.policy_version, terms.calendar_id, terms.calendar_version, as_of
    )
    await connection.execute(_EVENTS, as_of)
    await connection.execute(_MILESTONES)
    await connection.execute(_TOLD, [line for case in cases for line in _told(case, terms)])


def _told(case: PastCase, terms: Terms) -> Iterator[Told]:
    for event in case.record:
        plainly = event.having(detail={"status": event.detail.get("status")}, visibility="shared")
        yield from event_told(case.account_id, case.case_id, case.subject, plainly, {})
    for promise in case.promises:
        facts = MilestoneFacts(
            milestone=promise.milestone,
            number=promise.number,
            kind=terms.kind(promise.milestone),
            started_at=promise.started_at,
            completed_at=promise.completed_at,
            violated_at=promise.violated_at,
            state=promise.state,
        )
        yield from (line for line in promise_told(case.account_id, case.case_id, facts) if line["at"])


_LEVELS = {
    Priority.URGENT: (Level.HIGH, Level.HIGH),
    Priority.HIGH: (Level.HIGH, Level.MEDIUM),
    Priority.MEDIUM: (Level.MEDIUM, Level.MEDIUM),
    Priority.LOW: (Level.LOW, Level.MEDIUM),
}
"""Impact and urgency that give a priority, for a log that tells only that."""


def _case_row(case: PastCase) -> tuple[Any, ...]:
    times = {kind: [event.at for event in case.record if event.kind is kind] for kind in Happened}
    impact, urgency = _LEVELS[case.priority]
    opened_at, last_at = case.record[0].at, case.record[-1].at
    ended = case.state in {CaseState.RESOLVED, CaseState.CLOSED}
    closed = times[Happened.CLOSED] if case.state is CaseState.CLOSED else []
    return (
        case.case_id,
        case.account_id,
        case.subject,
        case.channel,
        case.category,
        case.product,
        impact.value,
        urgency.value,
        case.priority.value,
        case.state.value,
        last_at,
        case.owner,
        opened_at,
        next(iter(times[Happened.FIRST_RESPONSE]), None),
        max(times[Happened.RESOLVED], default=None) if ended else None,
        max(closed, default=None),
        last_at,
        len(times[Happened.REOPENED]),
        case.digest,
    )


def _milestone_row(case_id: str, promise: Occurrence, terms: Terms) -> tuple[Any, ...]:
    return (
        case_id,
        promise.milestone,
        promise.number,
        terms.kind(promise.milestone).value,
        promise.started_at,
        promise.target,
        promise.due,
        promise.completed_at,
        promise.violated_at,
        promise.target if promise.violated_at else None,
        promise.elapsed,
        promise.state.value,
    )
