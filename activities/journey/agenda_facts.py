"""Reading what a customer's agenda follows from: one statement beside those that read the customer and the asset ledger."""

from __future__ import annotations

from datetime import datetime, timedelta

from pydantic import TypeAdapter

from activities.assets.ledger import load_records
from activities.billing import invoices
from activities.billing.falling_due import contracts_billing
from activities.frame import customers
from activities.holds import hold_rows
from activities.kernel.pool import Connection
from domain.frame.keys import effect_key
from domain.frame.playbook import Playbook
from domain.frame.situation import Situation
from domain.frame.state import Step
from domain.frame.unreadable import Missing
from domain.journey.agenda_facts import AnchorFacts, Facts, OnRecord
from domain.journey.planning import plays_of
from domain.success import people_changes

LATER = (
    "adoption_check_in",
    "adoption_mail",
    "adoption_survey",
    "onboarding_provisioned",
    "amendment_settled",
    "billing_dunning",
    "relationship_morning",
    "renewal_quote",
    "renewal_notice",
    "renewal_term_end",
    "service_lead_reminder",
    "service_lead_overdue",
)
"""Kinds of steps that what was done before may have put on the agenda, whatever else is known."""

RECORD = """
with ours as (
  select substr(key, length($2::text) + 1) as key, as_of, outcome->'plan' as plan,
    outcome->'account'->>'time_zone' as zone, outcome->'drop' ? 'adoption' as adopted, outcome->'stages' as stages
  from effect where account_id = $1 and starts_with(key, $2)),
moves as (
  select j.journal_id, e.key, e.as_of, e.outcome from effect e join journal j on j.key = e.key
  where e.account_id = $1 and (starts_with(e.key, $2 || 'resume_journey:') or starts_with(e.key, $2 || 'skip_step:')
    or starts_with(e.key, $2 || 'move_step:') or starts_with(e.key, $2 || 'reopen_task:')
    or starts_with(e.key, $2 || 'reschedule'))),
lever as (
  select j.kind, j.title, j.detail, e.as_of, e.outcome from journal j join effect e on e.key = j.key
  where j.account_id = $1 and j.kind in ('pause_journey', 'resume_journey', 'close_journey')
  order by j.journal_id desc limit 1),
closed as (select max(journal_id) as id from journal where account_id = $1 and kind = 'close_journey'),
begun as (
  select j.journal_id, j.key, coalesce(e.as_of, j.at) as as_of from journal j left join effect e on e.key = j.key
  where j.account_id = $1 and j.kind in ('order_accepted', 'take_up_holdings'))
select jsonb_build_object(
  'playbook_since', a.playbook_since, 'recorded_at', a.recorded_at, 'closed_at', a.closed_at,
  'reopened_at', (select b.as_of from begun b, closed c where b.journal_id > c.id order by b.journal_id limit 1),
  'paused', (
    select jsonb_build_object('reason', coalesce(detail->>'reason', regexp_replace(title, '^Paused[^:]*: ', '')), 'since', as_of,
        'until', outcome->'answer'->'until', 'lets', coalesce(outcome->'lets', '[]'), 'by', detail->'by')
    from lever where kind = 'pause_journey'),
  'last_known', (select max(at) from (
      select max(as_of) as at from ours
      union all select max(o.recorded_at) from sales_order o where o.account_id = $1
      union all select max(created_at) from outbox where account_id = $1
      union all select a.recorded_at) k),
  'orders', coalesce((
    select jsonb_agg(to_jsonb(o) || jsonb_build_object('over', exists (
        select 1 from begun b, closed c where b.key = $2 || 'order:' || o.order_id and b.journal_id < c.id),
        'ships', o.sells_goods or exists (
          select 1 from order_line l join product p on p.code = l.product_code
          where l.order_id = o.order_id and p.kind = 'device'))
      order by o.recorded_at, o.order_id) from sales_order o where o.account_id = $1), '[]'),
  'contracts', coalesce((
    select jsonb_agg(jsonb_build_object(
        'contract_id', c.contract_id, 'order_id', c.order_id, 'origin', f.origin, 'recorded_at', f.recorded_at,
        'term_recorded_at', t.recorded_at, 'ended_at', case when c.status = 'ended' then c.status_at end,
        'quoted_at', (select max(q.quoted_at) from renewal_quote q
                      where q.contract_id = c.contract_id and q.term = t.number + 1)) order by c.contract_id)
    from contract c
    join contract_term f on f.contract_id = c.contract_id and f.number = 1
    join lateral (select * from contract_term t where t.contract_id = c.contract_id order by number desc limit 1) t on true
    where c.account_id = $1), '[]'),
  'quotes', coalesce((
    select jsonb_agg(jsonb_build_object('quote_id', q.quote_id, 'state', q.state, 'version', q.version,
        'valid_until', q.valid_until, 'asked_at', p.asked_at) order by q.quote_id)
    from quote q left join quote_approval p on p.quote_id = q.quote_id and p.version = q.version and p.decision is null
    where q.account_id = $1 and q.state in ('in_approval', 'presented')), '[]'),
  'promises', coalesce((
    select jsonb_agg(jsonb_build_object('order_id', e.order_id, 'line_id', e.line_id, 'promised_at', e.promised_at,
        'recorded_at', e.recorded_at) order by e.number)
    from fulfilment_event e join sales_order o using (order_id)
    where o.account_id = $1 and e.step = 'ordered' and e.promised_at is not null), '[]'),
  'transfers', coalesce((
    select jsonb_agg(jsonb_build_object('transfer_id', t.transfer_id, 'request_id', t.body->>'request_id',
        'status', t.status) order by t.transfer_id)
    from conveyance t where t.from_account = $1), '[]'),
  'waiting', coalesce((
    select jsonb_agg(jsonb_build_object('id', substr(o.delivery_id, length($2::text) + 1), 'channel', o.channel,
        'since', o.created_at) order by o.created_at, o.delivery_id)
    from outbox o where o.account_id = $1 and o.status = 'waiting' and starts_with(o.delivery_id, $2)), '[]'),
  'help_since', (
    select max(coalesce(reopened_at, opened_at)) from staff_task where account_id = $1 and key = 'adoption/help' and closed_at is null),
  'help_steps', (
    select count(*) from staff_task where account_id = $1 and starts_with(key, 'adoption/help/') and opened_at >= (
      select max(opened_at) from staff_task where account_id = $1 and key = 'adoption/help' and closed_at is null)),
  'renewals', coalesce((
    select jsonb_object_agg(r.stage, r.status) from (
      select distinct on (s.key) s.key as stage, s.value->>'status' as status
      from ours o left join journal j on j.key = $2 || o.key cross join jsonb_each(o.stages) s
      where o.stages is not null and o.stages <> 'null' and starts_with(s.key, 'renewal:')
      order by s.key, o.as_of desc, j.journal_id desc) r), '{}'),
  'overdue', exists (select from invoice_payment where account_id = $1 and status = 'overdue'),
  'adopted_until', (select max(as_of) from ours where adopted),
  'zones', coalesce((
    select jsonb_agg(jsonb_build_object('since', z.as_of, 'zone', z.zone) order by z.as_of, z.number) from (
      select as_of, number, zone, lag(zone) over (order by as_of, number) as before
      from (select o.as_of, o.zone, j.journal_id as number from ours o left join journal j on j.key = $2 || o.key
            where o.zone is not null) o) z
    where z.before is distinct from z.zone), '[]'),
  'done', coalesce((select jsonb_object_agg(key, as_of) from ours where strpos(key, '#') = 0), '{}'),
  'moved', coalesce((
    select jsonb_agg(jsonb_build_object('number', m.journal_id, 'at', m.as_of, 'drop', coalesce(m.outcome->'drop', '[]'),
        'plan', coalesce(m.outcome->'plan', '[]')) order by m.journal_id)
    from moves m cross join closed c where c.id is null or m.journal_id > c.id), '[]'),
  'planned', coalesce((
    select jsonb_agg(jsonb_build_object('number', j.journal_id, 'drop', coalesce(e.outcome->'drop', '[]'), 'plan', coalesce((
        select jsonb_object_agg((s->>'stage') || '/' || (s->>'name'), s->'at')
        from jsonb_array_elements(e.outcome->'plan') s), '{}')) order by j.journal_id)
    from effect e join journal j on j.key = e.key
    where e.account_id = $1 and j.journal_id > (select min(journal_id) from moves)
      and e.key not in (select key from moves) and (e.outcome ? 'plan' or e.outcome ? 'drop')), '[]'),
  'announced', coalesce((
    select jsonb_agg(jsonb_build_object('step', s.step, 'by', o.as_of) order by o.as_of, o.key, s.n)
    from ours o, jsonb_array_elements(o.plan) with ordinality s (step, n)
    where o.plan is not null and s.step->>'kind' = any($3::text[])), '[]')
)::text
from account a where a.account_id = $1
"""


ANCHORS = """
select coalesce(jsonb_agg(to_jsonb(x) order by x.at, x.anchor, x.of), '[]')::text from (
  select 'task' as anchor, stage as of, name, completed_at as at from onboarding_task
    where account_id = $1 and status = 'done' and completed_at is not null
  union all select 'case_opened', case_id, '', opened_at from service_case
    where account_id = $1 and status not in ('merged', 'cancelled')
  union all select 'case_resolved', case_id, '', resolved_at from service_case
    where account_id = $1 and status in ('resolved', 'closed') and resolved_at is not null
  union all (
    select 'band_changed', to_char(h.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24MISS'), h.band, h.at
    from (select at, band, lag(band) over (order by at) as before from health_score where account_id = $1) h
    where h.before is not null and h.before <> h.band order by h.at desc limit 1)) x
"""
_ANCHORS_READ = TypeAdapter(list[AnchorFacts])


async def load_anchors(connection: Connection, account_id: str) -> list[AnchorFacts]:
    """The days that plays count from, beside those of orders and contracts."""
    return read_anchors(await connection.fetchval(ANCHORS, account_id))


def read_anchors(said: str) -> list[AnchorFacts]:
    """What `ANCHORS` says."""
    return _ANCHORS_READ.validate_json(said)


async def load_record(connection: Connection, account_id: str) -> OnRecord | None:
    """What the tables say beside the customer, or null for an account that is not known."""
    text = await connection.fetchval(RECORD, account_id, effect_key(account_id, ""), list(LATER))
    return OnRecord.model_validate_json(text) if text else None


async def load_facts(
    connection: Connection,
    account_id: str,
    as_of: datetime,
    *,
    lost: bool = False,
    going_on: bool = False,
    plays: bool = False,
) -> Facts | None:
    """All that the agenda of an account follows from at `as_of`; null for an account that is not known.

    The agenda of a paused customer is what it was when the pause began, unless it is asked how it would be if it were `going_on`.
    plays: with what plays count from, even if the customer's own playbook has none.
    lost: no journey says what time it is for the customer. If their clock was moved, it is the latest instant on record.
    """
    record = await load_record(connection, account_id)
    if record is None:
        return None
    now = max(as_of, record.last_known) if lost and record.reopened_at is None else as_of
    at = record.paused.since if record.paused is not None and not going_on else now
    customer = await customers.load_customer(connection, account_id, at)
    if customer is None:
        return None
    playbook = await customers.load_playbook(connection, customer.account.segment, customer.account.playbook_version)
    if plays or (not isinstance(playbook, Missing) and playbook.plays):
        record = record.having(anchors=await load_anchors(connection, account_id))
    records = await load_records(connection, account_id)
    service = await hold_rows.load_service(connection, account_id, at, review=True)
    return Facts(
        Situation(customer, playbook, at, records, service=service),
        record,
        now,
        await contracts_billing(connection, account_id),
        await invoices.billed_lines(connection, list(records)) if records else {},
    )


def people_since(playbook: Playbook, as_of: datetime) -> datetime | None:
    """After when changes of people give a customer plays; null if none ever do."""
    return as_of - timedelta(days=people_changes.reach(playbook)) if playbook.people else None


async def plays_ahead(connection: Connection, account_id: str, as_of: datetime) -> list[Step]:
    """All steps of plays that the journey of an account must have at `as_of`."""
    facts = await load_facts(connection, account_id, as_of)
    return plays_of(facts) if facts is not None else []
