"""Cases in the database: found, and loaded with everything that a decision may know."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ValidationError

from activities.claims.claim_rows import CLAIM_JSON
from activities.kernel.pool import Connection
from activities.kernel.queries import Column, Value
from domain.claims.claims import Claim
from domain.frame.customer import StaffFacts
from domain.frame.partly import read_each
from domain.frame.sales_holds import AskedBefore
from domain.frame.unreadable import Missing, Unreadable, UnreadableError, why_not
from domain.service.case import CaseAccount, CaseContact, CaseFile, CsatFacts, MessageFacts, MilestoneFacts, Recorded

_Model = TypeVar("_Model", bound=BaseModel)


class CaseMovedMeanwhileError(RuntimeError):
    """The case turned out to be another customer's since it was read; the transaction is tried again."""


_LOADED = f"""
with c as (select * from service_case where case_id = $1)
select jsonb_build_object(
  'account', (select to_jsonb(a) || jsonb_build_object('owner', to_jsonb(s))
              from account a join c using (account_id) join staff s on s.staff_id = a.owner_id),
  'rejected', (select p.rejected_at is not null from contact p join c using (account_id, contact_id)
               where lower(p.email) = lower(c.contact->>'email')),
  'unsubscribed', (select p.unsubscribed_at is not null or exists (
                     select from mail_wish w where w.account_id = p.account_id and w.email = lower(p.email) and 'surveys' = any(w.declined))
                   from contact p join c using (account_id, contact_id)
                   where lower(p.email) = lower(c.contact->>'email')),
  'events', coalesce((select jsonb_agg(to_jsonb(e) order by e.sequence) from case_event e where e.case_id = $1), '[]'),
  'messages', coalesce((
    select jsonb_agg(to_jsonb(m) - 'body' || jsonb_build_object('withdrawn', coalesce(o.status = 'withdrawn', false),
        'digest', encode(sha256(convert_to(m.body, 'UTF8')), 'hex'))
      order by m.number)
    from case_message m left join outbox o using (delivery_id) where m.case_id = $1), '[]'),
  'milestones', coalesce((
    select jsonb_agg(to_jsonb(m) || jsonb_build_object('target', extract(epoch from m.target),
        'violation_target', extract(epoch from m.violation_target), 'elapsed', extract(epoch from m.elapsed))
      order by m.started_at, m.milestone, m.number) from case_milestone m where m.case_id = $1), '[]'),
  'fired', coalesce((select jsonb_agg(f.key order by f.key) from case_action f where f.case_id = $1), '[]'),
  'surveys', coalesce((
    select jsonb_agg(to_jsonb(s) order by s.sent_at, s.survey_id) from case_survey s
    where s.case_id = $1 and s.withdrawn_at is null), '[]'),
  'asked', coalesce((
    select jsonb_agg(a order by a.sent_at, a.kind) from (
      (select 'csat' as kind, s.sent_to as contact_id, s.sent_at, s.case_id from case_survey s
       where s.sent_to = (select lower(contact->>'email') from c) and s.withdrawn_at is null
       order by s.sent_at desc, s.survey_id desc limit 1)
      union all
      (select 'nps', s.sent_to, s.sent_at, null from survey s
       where s.sent_to = (select lower(contact->>'email') from c) and s.withdrawn_at is null
       order by s.sent_at desc, s.survey_id desc limit 1)) a), '[]'),
  'claims', coalesce((
    select jsonb_agg({CLAIM_JSON} order by r.claim_id)
    from refund_claim r where r.case_id = $1 and r.status = 'waiting'), '[]'),
  'children', (select count(*) from service_case k where k.parent_id = $1
               and k.status not in ('resolved', 'closed', 'merged', 'cancelled')),
  'staff', coalesce((
    select jsonb_agg(to_jsonb(s) order by s.staff_id) from staff s where s.staff_id = any($2)
    or s.staff_id in (select owner_id from c)), '[]')
)::text
"""


@dataclass(frozen=True)
class LoadedCase:
    """What the tables know around a case."""

    account: CaseAccount | None
    rejected: bool
    unsubscribed: bool
    events: list[Recorded]
    messages: list[MessageFacts]
    milestones: list[MilestoneFacts]
    fired: frozenset[str]
    surveys: list[CsatFacts]
    asked: list[AskedBefore]
    claims: list[Claim]
    open_children: int
    staff: dict[str, StaffFacts]
    unreadable: list[Unreadable]


async def find_case(connection: Connection, case_id: str, *, lock: bool = False) -> CaseFile | None:
    """A case's row; with `lock`, held against others until the transaction ends."""
    row = await connection.fetchrow(
        f"select * from service_case where case_id = $1{' for update' if lock else ''}", case_id
    )
    return _file(row) if row else None


async def cases_of(connection: Connection, account_id: str, *, open_only: bool = False) -> list[CaseFile]:
    """An account's cases, newest first."""
    rows = await connection.fetch(
        "select * from service_case where account_id = $1"
        " and (not $2 or status not in ('resolved', 'closed', 'merged', 'cancelled')) order by opened_at desc, case_id",
        account_id,
        open_only,
    )
    return [_file(row) for row in rows]


last_answered = Value[datetime | None](
    "select max(at) from case_event where case_id = $1 and kind in ('agent_message', 'first_response', 'resolved')"
)
"""When a case's customer last heard from one of our people."""


async def next_due(connection: Connection, account_id: str, without: list[str]) -> tuple[str, datetime] | None:
    """The account's case, other than those of `without`, that does something by itself next, and when."""
    row = await connection.fetchrow(
        "select case_id, next_action_at from service_case where account_id = $1 and next_action_at is not null"
        " and case_id <> all($2) order by next_action_at, case_id limit 1",
        account_id,
        without,
    )
    return (row["case_id"], row["next_action_at"]) if row else None


running_cases = Column[str](
    "select case_id from service_case where account_id = $1"
    " and (status not in ('closed', 'merged', 'cancelled') or next_action_at is not null) order by case_id"
)
"""The account's cases that are not over, or still owe something."""


@dataclass(frozen=True)
class OpenCase:
    """A case that is not over, the instant that it waits for, and what it wrote that has not left yet.

    `over`: it is, and is here for what has not left.
    """

    case_id: str
    next_at: datetime | None
    waiting: tuple[str, ...]
    over: bool = False


async def open_cases(connection: Connection, account_id: str | None) -> list[OpenCase]:
    """The cases that an account's workflows have to look after, or those of nobody known."""
    rows = await connection.fetch(
        "with messages as (select stage, array_agg(delivery_id order by delivery_id) as waiting from outbox"
        " where account_id is not distinct from $1 and status = 'waiting' and starts_with(delivery_id, 'case:') group by stage)"
        " select c.case_id, c.next_action_at, coalesce(m.waiting, '{}') as waiting,"
        " c.status in ('closed', 'merged', 'cancelled') and c.next_action_at is null as over"
        " from service_case c left join messages m on m.stage = 'service:' || c.case_id"
        " where c.account_id is not distinct from $1 and (m.waiting is not null"
        " or c.status not in ('closed', 'merged', 'cancelled') or c.next_action_at is not null) order by c.case_id",
        account_id,
    )
    return [OpenCase(row["case_id"], row["next_action_at"], tuple(row["waiting"]), row["over"]) for row in rows]


async def unknown_cases(connection: Connection, ids: Sequence[str]) -> list[str]:
    """Those of these ids that no case has."""
    rows = await connection.fetch(
        "select id from unnest($1::text[]) id where not exists (select 1 from service_case where case_id = id) order by id",
        list(ids),
    )
    return [row["id"] for row in rows]


account_of_case = Value[str | None]("select account_id from service_case where case_id = $1")
"""Whose case it is; null for one that is not known, or whose customer nobody knows."""


async def merge_end(connection: Connection, case_id: str) -> str:
    """Where the merges of a case lead; the case itself if it was not merged."""
    end = await connection.fetchval(
        "with recursive way as (select case_id, merged_into, 0 as n from service_case where case_id = $1"
        " union all select c.case_id, c.merged_into, n + 1 from service_case c join way w on c.case_id = w.merged_into"
        " where n < 100) select case_id from way order by n desc limit 1",
        case_id,
    )
    return end or case_id


async def merges_of(connection: Connection, account_id: str | None) -> dict[str, str]:
    """Which case of an account went up in which."""
    rows = await connection.fetch(
        "select case_id, merged_into from service_case"
        " where merged_into is not null and account_id is not distinct from $1",
        account_id,
    )
    return {row["case_id"]: row["merged_into"] for row in rows}


async def load_case(connection: Connection, case_id: str, *staff_ids: str) -> LoadedCase:
    """Everything around a case, in one statement; `staff_ids` are people to know beside its owner.

    What cannot be read is left out and named in `unreadable`; without an event, a message, a promise or a claim nothing that looks at
    them can be decided.
    """
    found = json.loads(await connection.fetchval(_LOADED, case_id, list(staff_ids)))
    unreadable: list[Unreadable] = []

    def read(kind: str, model: type[_Model], entries: list[Any], *, whole: bool = False) -> list[_Model]:
        readable, broken = read_each(f"{kind} of case", case_id, model, entries)
        unreadable.extend(broken)
        return cast(list[_Model], Missing(broken[0])) if whole and broken else readable

    return LoadedCase(
        account=CaseAccount.model_validate(found["account"]) if found["account"] else None,
        rejected=bool(found["rejected"]),
        unsubscribed=bool(found["unsubscribed"]),
        events=read("event", Recorded, found["events"], whole=True),
        messages=read("message", MessageFacts, found["messages"], whole=True),
        milestones=read("promise", MilestoneFacts, found["milestones"], whole=True),
        fired=frozenset(found["fired"]),
        surveys=read("survey", CsatFacts, found["surveys"]),
        asked=read("survey", AskedBefore, found["asked"]),
        claims=read("claim", Claim, found["claims"], whole=True),
        open_children=found["children"],
        staff={one.staff_id: one for one in read("person", StaffFacts, found["staff"])},
        unreadable=unreadable,
    )


async def load_account(connection: Connection, account_id: str) -> CaseAccount | None:
    """An account as service sees it."""
    row = await connection.fetchrow(
        "select a.*, to_jsonb(s) as owner from account a join staff s on s.staff_id = a.owner_id where account_id = $1",
        account_id,
    )
    return CaseAccount.model_validate(dict(row)) if row else None


async def load_contact(connection: Connection, account_id: str, contact_id: str | None) -> CaseContact | None:
    """A contact of an account; without an id the main one."""
    row = await connection.fetchrow(
        "select contact_id, name, email, language, time_zone, rejected_at is not null as rejected from contact"
        " where account_id = $1 and ($2::text is null or contact_id = $2)"
        " order by rejected_at is not null, role <> 'main', position limit 1",
        account_id,
        contact_id,
    )
    return CaseContact.model_validate(dict(row)) if row else None


def _file(row: Any) -> CaseFile:
    try:
        return CaseFile.model_validate(dict(row))
    except ValidationError as error:
        raise UnreadableError(Unreadable(kind="case", id=row["case_id"], why=why_not(error))) from error
