"""Reading what health is scored from: one statement for as many accounts as are asked for, as of any instant."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from activities.kernel.pool import Connection
from domain.frame.health_facts import HealthEvidence

_USE = """
a as (select account_id, a.segment, time_zone, since, ($2::timestamptz at time zone time_zone)::date as today, p.body->'reorder' as reorder
      from account a left join playbook p on p.segment = a.segment and p.version = a.playbook_version
      where account_id = any($1) and since <= $2),
held as (
  select s.account_id, s.product_code, p.name, sum(r.quantity) as seats
  from asset s join product p on p.code = s.product_code join asset_state_period r using (asset_id)
  where s.account_id = any($1) and p.kind = 'subscription' and r.quantity > 0
    and r.starts_at <= $2 and (r.ends_at is null or r.ends_at > $2)
  group by 1, 2, 3),
used as (
  select u.account_id, u.product_code, max(u.day) as latest_day,
         (avg(u.active_users) filter (where u.day > a.today - 28))::text as recent,
         (avg(u.active_users) filter (where u.day <= a.today - 28))::text as earlier,
         ((array_agg(u.active_users order by u.day desc))[1])::text as last
  from usage_day u join a using (account_id) where u.day <= a.today and u.day > a.today - 56 group by 1, 2),
products as (
  select h.account_id, jsonb_agg(jsonb_build_object('product', h.product_code, 'name', h.name, 'seats', h.seats,
      'latest_day', u.latest_day, 'recent', u.recent, 'earlier', u.earlier, 'last', u.last) order by h.product_code) as doc
  from held h left join used u using (account_id, product_code) group by 1),
tasks as (
  select t.account_id, jsonb_build_object('total', count(*),
      'settled', count(*) filter (where t.status <> 'open' and (t.completed_at is null or t.completed_at <= $2)),
      'late', count(*) filter (where t.due_on < a.today and (t.status = 'open' or t.completed_at > $2)),
      'at', max(t.completed_at) filter (where t.completed_at <= $2)) as doc
  from onboarding_task t join a using (account_id) left join sales_order o on t.stage = 'onboarding:' || o.order_id
  where (o.order_id is null or o.activated_at <= $2)
    and (t.status = 'open' or t.due_at > $2::timestamptz - interval '400 days')
  group by 1),
orders as (
  select o.account_id, jsonb_agg(o.activated_on order by o.activated_on, o.order_id) as doc
  from sales_order o
  where o.account_id = any($1) and o.sells_goods and o.activated_at <= $2 and o.activated_at > $2::timestamptz - interval '1100 days'
  group by 1)
"""

_CASES = """
k as (
  select *, (resolved_at is null or resolved_at > $2) and (closed_at is null or closed_at > $2) as open
  from service_case
  where account_id = any($1) and opened_at <= $2 and status not in ('merged', 'cancelled')
    and (resolved_at is null or resolved_at > $2::timestamptz - interval '180 days')),
cases as (
  select k.account_id, jsonb_agg(jsonb_build_object(
      'case_id', k.case_id, 'priority', k.priority, 'opened_at', k.opened_at, 'open', k.open,
      'escalated', k.escalated and (k.escalated_at is null or k.escalated_at <= $2),
      'resolution_late', exists (
        select from case_milestone m where m.case_id = k.case_id and m.kind = 'resolution'
          and m.violated_at <= $2 and m.reversed_at is null),
      'reopened', k.reopen_count > 0 and exists (
        select from case_event e where e.case_id = k.case_id and e.kind = 'reopened' and e.at <= $2),
      'refund_dispute', k.category = 'refund_dispute',
      'at', least(k.last_activity_at, $2)) order by k.opened_at, k.case_id) as doc
  from k group by 1),
ratings as (
  select c.account_id, jsonb_agg(jsonb_build_object('score', s.score, 'at', s.answered_at)
      order by s.answered_at, s.survey_id) as doc
  from case_survey s join service_case c using (case_id)
  where c.account_id = any($1) and s.score is not null and s.answered_at <= $2 and s.answered_at > $2::timestamptz - interval '400 days'
  group by 1),
recommends as (
  select distinct on (account_id) account_id, jsonb_build_object('score', score, 'at', answered_at) as doc
  from survey where account_id = any($1) and kind = 'nps' and score is not null and withdrawn_at is null and answered_at <= $2
  order by account_id, answered_at desc, survey_id),
claims as (
  select account_id, jsonb_agg(jsonb_build_object('claim_id', claim_id, 'waiting', status = 'waiting' or decided_at > $2,
      'at', least(coalesce(decided_at, claimed_at), $2))
      order by claimed_at, claim_id) as doc
  from refund_claim where account_id = any($1) and claimed_at <= $2 and (status <> 'rejected' or decided_at > $2)
    and claimed_at > $2::timestamptz - interval '400 days' group by 1),
payments as (
  select p.account_id, jsonb_agg(jsonb_build_object('invoice', i.number::text, 'status', p.status, 'day', p.day, 'at', p.at)
      order by p.day, i.number) as doc
  from invoice_payment p join invoice i using (invoice_id)
  where p.account_id = any($1) and p.at <= $2 and (p.status = 'overdue' or p.at > $2::timestamptz - interval '400 days') group by 1)
"""

_HEARD = """
heard as (
  select account_id, max(at) as at from (
    select c.account_id, m.at from case_message m join service_case c using (case_id)
    where c.account_id = any($1) and m.direction = 'inbound' and not m.automatic and m.at <= $2
    union all
    select account_id, opened_at from service_case where account_id = any($1) and opened_at <= $2
    union all
    select account_id, received_at from inbox_message where account_id = any($1) and status = 'matched' and received_at <= $2
    union all
    select account_id, answered_at from survey where account_id = any($1) and answered_at <= $2
    union all
    select c.account_id, s.answered_at from case_survey s join service_case c using (case_id)
    where c.account_id = any($1) and s.answered_at <= $2
    union all
    select account_id, settled_at from offer where account_id = any($1) and status in ('accepted', 'declined') and settled_at <= $2
    union all
    select account_id, completed_at from onboarding_task
    where account_id = any($1) and status = 'done' and completed_by <> 'system' and completed_at <= $2
    union all
    select c.account_id, t.recorded_at from contract_term t join contract c using (contract_id)
    where c.account_id = any($1) and t.origin = 'accepted' and t.recorded_at <= $2
    union all
    select a.id, e.at from unnest($1::text[]) a (id), unnest(array['request_renewal', 'answer_renewal', 'amend_assets']) what,
      lateral (select max(as_of) as at from effect
        where key > 'journey:' || a.id || '/' || what || ':' and key < 'journey:' || a.id || '/' || what || chr(59) and as_of <= $2) e) h
  group by 1),
ordered as (
  select account_id, max(activated_at) as at from sales_order where account_id = any($1) and activated_at <= $2 group by 1),
sponsor as (
  select account_id, min(name) as name from contact
  where account_id = any($1) and role = 'sponsor' and (rejected_at is null or rejected_at > $2) group by 1),
gone as (
  select account_id, max(at) as at from (
    select account_id, removed_at as at from gone_contact where account_id = any($1) and role = 'sponsor' and removed_at <= $2
    union all
    select account_id, rejected_at from contact where account_id = any($1) and role = 'sponsor' and rejected_at <= $2
    union all
    select account_id, at from people_change where account_id = any($1) and what = 'sponsor' and at <= $2) g
  group by 1),
blocks as (
  select account_id, jsonb_agg(jsonb_build_object('says', says, 'since', since) order by since, hold_id) as doc
  from sales_hold where account_id = any($1) and level = 'block' and since <= $2 and (lifted_at is null or lifted_at > $2) group by 1),
override as (
  select distinct on (account_id) account_id, jsonb_build_object('band', band, 'reason', reason, 'by', by, 'since', since, 'until', until) as doc
  from health_override where account_id = any($1) and since <= $2 and until > $2 order by account_id, since desc, override_id)
"""

_CONTRACTS = """
term as (
  select distinct on (c.contract_id) c.account_id, c.contract_id, c.auto_renew, t.number, t.start_on, t.until,
         case when c.status_at <= $2 then c.status else 'active' end as status, c.status_at,
         (select min(n.recorded_at) from contract_term n where n.contract_id = c.contract_id and n.number = t.number + 1
            and n.recorded_at <= $2) as renewed_at,
         case when c.auto_renew then t.until - greatest(1, least(c.notice_days, greatest((t.until - t.start_on) / 2, t.until - t.start_on - 16)))
              else t.until - 1 end as answer_by
  from contract c join a using (account_id) join contract_term t using (contract_id)
  where c.account_id = any($1) and t.recorded_at <= $2 and t.start_on <= greatest(a.today, (
    select min(f.start_on) from contract_term f where f.contract_id = c.contract_id))
  order by c.contract_id, t.number desc),
renewals as (
  select t.account_id, jsonb_agg(jsonb_build_object('contract_id', t.contract_id, 'status', t.status, 'status_at', t.status_at,
      'number', t.number, 'until', t.until, 'auto_renew', t.auto_renew, 'answer_by', t.answer_by, 'renewed', t.renewed_at is not null,
      'quoted_at', (select max(q.quoted_at) from renewal_quote q where q.contract_id = t.contract_id and q.term = t.number + 1
                    and q.quoted_at <= $2),
      'requested_at', (select max(e.as_of) from effect e where e.account_id = t.account_id and e.as_of <= $2
                       and e.as_of > t.until - 200 and starts_with(e.key, 'journey:' || t.account_id || '/request_renewal:')
                       and e.outcome->'answer'->>'contract_id' = t.contract_id)) order by t.until, t.contract_id) as doc
  from term t where t.status <> 'ended' group by 1),
looked as (select account_id, max(at) as at from health_score where account_id = any($1) and news = 'long_unknown' and at < $2 group by 1)
"""

_BEFORE = """
left join lateral (select {doc} from health_score s where s.account_id = a.account_id and at < $2 and not at_once
  order by at desc limit 1) last on true
left join lateral (select {doc} from health_score s where s.account_id = a.account_id and at < $2 and band <> 'unknown' and not at_once
  order by at desc limit 1) known on true
left join lateral (select {doc} from health_score s where s.account_id = a.account_id and score is not null
  and at <= $2::timestamptz - interval '30 days' and at > $2::timestamptz - interval '60 days' order by at desc limit 1) month_ago on true
left join lateral (select jsonb_build_object('at', at, 'score', score, 'band', band, 'since', since, 'costs', (
    select jsonb_object_agg(i->>'name', i->>'costs') from jsonb_array_elements(parts) i where i->>'costs' is not null)) as doc
  from health_score s where s.account_id = a.account_id and score is not null and not at_once
    and at < $2 and at > $2::timestamptz - interval '60 days' order by score desc, at desc limit 1) best on true
""".format(doc="jsonb_build_object('at', at, 'score', score, 'band', band, 'since', since) as doc")

_EVIDENCE = f"""
with {_USE}, {_CASES}, {_HEARD}, {_CONTRACTS}
select jsonb_strip_nulls(jsonb_build_object(
  'account_id', a.account_id, 'segment', a.segment, 'time_zone', a.time_zone, 'reorder', a.reorder, 'since', a.since,
  'as_of', $2::timestamptz, 'today', a.today,
  'products', products.doc, 'tasks', tasks.doc, 'orders', orders.doc, 'cases', cases.doc, 'ratings', ratings.doc,
  'recommends', recommends.doc, 'claims', claims.doc, 'payments', payments.doc, 'heard_at', heard.at,
  'ordered_at', ordered.at, 'sponsor', sponsor.name,
  'sponsor_left_at', gone.at, 'renewals', renewals.doc, 'blocks', blocks.doc, 'override', override.doc, 'last', last.doc,
  'known', known.doc, 'best', best.doc, 'month_ago', month_ago.doc, 'asked_to_look_at', looked.at))::text as evidence
from a left join products using (account_id) left join tasks using (account_id) left join orders using (account_id)
  left join cases using (account_id) left join ratings using (account_id) left join recommends using (account_id)
  left join claims using (account_id) left join payments using (account_id) left join heard using (account_id)
  left join sponsor using (account_id) left join gone using (account_id) left join ordered using (account_id) left join renewals using (account_id)
  left join blocks using (account_id) left join override using (account_id) left join looked using (account_id)
{_BEFORE}
order by a.account_id
"""


async def load_evidence(connection: Connection, accounts: Sequence[str], as_of: datetime) -> list[HealthEvidence]:
    """What is known of these accounts at `as_of`, by their ids; those that were not customers yet are left out."""
    rows = await connection.fetch(_EVIDENCE, list(accounts), as_of)
    return [HealthEvidence.model_validate_json(row["evidence"]) for row in rows]
