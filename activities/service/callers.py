"""Finding who calls, and gathering a customer over sales and service in one statement."""

from __future__ import annotations

import json
import re
from datetime import datetime

from activities.kernel.phones import dialled
from activities.kernel.pool import Connection
from domain.mail.shared_domains import SHARED_DOMAINS
from domain.service.callers import Caller, CustomerView, MatchedBy, surest

_LIMIT = 20
_FEWEST_DIGITS = 6
_FEWEST_LETTERS = 2

_FOUND = """
select 'account' as by, a.account_id, a.name as company, null as contact_id, null as contact_name, 0 as place
from account a where a.account_id = $1
union all
select 'email', c.account_id, a.name, c.contact_id, c.name, c.position from contact c join account a using (account_id)
where lower(c.email) = $2
union all
select 'phone', c.account_id, a.name, c.contact_id, c.name, c.position from contact c join account a using (account_id)
where c.phone_number = $3
union all
select 'phone', c.account_id, a.name, c.contact_id, c.name, c.position from contact c join account a using (account_id)
where c.phone_number is not null and reverse(c.phone_number) like $4
union all
select 'domain', d.account_id, a.name, null, null, 0
from (select distinct account_id from contact
      where lower(split_part(email, '@', 2)) = $5 order by account_id limit 20) d join account a using (account_id)
union all
select 'name', a.account_id, a.name, null, null, 0 from account a
where lower(a.name) like $6
union all
select 'name', c.account_id, a.name, c.contact_id, c.name, c.position from contact c join account a using (account_id)
where lower(c.name) like $6
order by 3, 6, 2, 4, 1
limit 200
"""


async def find_callers(connection: Connection, asked: str, country: str | None = None) -> list[Caller]:
    """Whom a number, an address, an account id or a part of a name may belong to, by the surest sign; at most 20.

    A number without its country's code is read as dialled in `country`, else compared by its last digits.
    """
    asked = asked.strip()
    email = asked.lower() if "@" in asked else None
    domain = email.rpartition("@")[2] if email else None
    number = None if email else dialled(asked, country)
    digits = re.sub(r"\D", "", asked).lstrip("0") if re.fullmatch(r"[0-9+() ./-]+", asked) else ""
    ending = f"{digits[::-1]}%" if number is None and len(digits) >= _FEWEST_DIGITS else None
    by_name = email is None and not digits and len(asked) >= _FEWEST_LETTERS
    rows = await connection.fetch(
        _FOUND,
        asked,
        email,
        number,
        ending,
        domain if domain not in SHARED_DOMAINS else None,
        f"%{_literal(asked.lower())}%" if by_name else None,
    )
    return surest([Caller(**{**dict(row), "by": MatchedBy(row["by"])}) for row in rows])[:_LIMIT]


def _literal(text: str) -> str:
    """`text` for a LIKE pattern."""
    return re.sub(r"([\\%_])", r"\\\1", text)


_VIEW = """
with a as (select * from account where account_id = $1),
owned as (
  select s.asset_id, s.product_code, p.name, s.currency, s.contract_id, s.lifecycle_end, r.quantity, r.mrr
  from asset s join product p on p.code = s.product_code
  join asset_state_period r on r.asset_id = s.asset_id and r.starts_at <= $2 and (r.ends_at is null or r.ends_at > $2)
  where s.account_id = $1 and r.quantity > 0 and (s.lifecycle_end is null or s.lifecycle_end > $2)
),
terms as (
  select c.contract_id, c.status, c.auto_renew, t.until, t.ends_at from contract c
  join lateral (select * from contract_term t where t.contract_id = c.contract_id order by number desc limit 1) t on true
  where c.account_id = $1 and c.status <> 'ended' and t.until < '2999-12-31'
),
open_case as (
  select c.*, m.milestone, m.due_at from service_case c
  left join lateral (select milestone, due_at from case_milestone m
    where m.case_id = c.case_id and m.state = 'open' and m.due_at is not null order by m.due_at, m.milestone, m.number limit 1) m on true
  where c.account_id = $1 and c.status not in ('closed', 'merged', 'cancelled', 'resolved')
),
upcoming as (
  select ends_at as at, 'contract ' || contract_id || ' ends' as what,
         case when status = 'declined' then 'the customer declined its renewal'
              when auto_renew then 'it renews by itself unless it is declined' else 'it renews only if the customer accepts' end as why
  from terms where ends_at > $2
  union all
  select due_at, t.name, 'onboarding: ' || t.owner || ' does it' from onboarding_task t
  where t.account_id = $1 and t.status = 'open' and t.owner <> 'system'
  union all
  select t.due_at, t.title, 'task of ' || s.name from staff_task t join staff s using (staff_id)
  where t.account_id = $1 and t.closed_at is null
  union all
  select expires_at, 'offer ' || offer_id || ' expires', 'it waits for the customer''s answer' from offer
  where account_id = $1 and status = 'open'
  union all
  select due_at, 'case ' || case_id || ': ' || replace(milestone, '_', ' '), 'promised for a case of priority ' || priority
  from open_case where due_at is not null
)
select jsonb_build_object(
  'account_id', a.account_id, 'company', a.name, 'country', a.country, 'time_zone', a.time_zone, 'language', a.language,
  'segment', a.segment, 'since', a.since, 'closed_at', a.closed_at, 'as_of', $2::timestamptz,
  'owner', (select to_jsonb(s) from staff s where s.staff_id = a.owner_id),
  'success_manager', (select to_jsonb(s) from staff s where s.staff_id = a.success_manager_id),
  'arr', coalesce((select jsonb_object_agg(currency, total::text) from (
      select currency, sum(mrr) * 12 as total from owned where mrr > 0 group by currency) o), '{}'),
  'renews_on', (select min(until) from terms where ends_at > $2 and status <> 'declined'),
  'health', (select jsonb_build_object('score', score, 'band', band, 'at', at, 'before', lead(score) over (order by at desc))
    from (select * from health_score where account_id = $1 and at <= $2 order by at desc limit 2) h
    order by at desc limit 1),
  'contacts', coalesce((select jsonb_agg(to_jsonb(c) || jsonb_build_object(
      'rejected', c.rejected_at is not null, 'unsubscribed', c.unsubscribed_at is not null) order by c.position)
    from contact c where c.account_id = $1), '[]'),
  'owns', coalesce((select jsonb_agg(jsonb_build_object('asset_id', asset_id, 'product', product_code, 'name', name,
      'quantity', quantity, 'mrr', mrr::text, 'currency', currency, 'contract_id', contract_id, 'until', lifecycle_end)
      order by mrr desc nulls last, asset_id) from (select * from owned order by asset_id limit 200) o), '[]'),
  'cases', coalesce((select jsonb_agg(jsonb_build_object('case_id', case_id, 'subject', subject, 'status', status,
      'priority', priority, 'escalated', escalated, 'owner', owner_id, 'product', product_code, 'opened_at', opened_at,
      'last_activity_at', last_activity_at, 'promise', milestone, 'due_at', due_at)
      order by array_position(array['urgent', 'high', 'medium', 'low'], priority), opened_at, case_id)
    from (select * from open_case order by opened_at desc, case_id limit 50) c), '[]'),
  'messages', coalesce((select jsonb_agg(to_jsonb(m) - 'id' order by m.at desc, m.id desc) from (
      (select m.at, m.direction, case when m.subject = '' then coalesce(m.template, c.subject) else m.subject end as what,
              left(m.body, 500) as text, m.case_id, m.case_id || '/' || lpad(m.number::text, 8, '0') as id
       from service_case c join case_message m using (case_id) where c.account_id = $1 order by m.at desc, id desc limit 10)
      union all
      (select o.created_at, 'outbound', o.body->>'template', '', null, o.delivery_id from outbox o
       where o.account_id = $1 and o.channel = 'deliver_mail' and o.status = 'sent'
         and not exists (select from case_message m where m.delivery_id = o.delivery_id)
       order by o.created_at desc, o.delivery_id desc limit 10)
      order by at desc, id desc limit 10) m), '[]'),
  'surveys', coalesce((select jsonb_agg(to_jsonb(s) - 'id' order by s.at desc, s.id desc) from (
      (select sent_at as at, case kind when 'ces' then 7 else 10 end as scale, score, comment, null as case_id, survey_id as id from survey
       where account_id = $1 and withdrawn_at is null order by sent_at desc, survey_id desc limit 5)
      union all
      (select s.sent_at, 5, s.score, s.comment, s.case_id, s.survey_id from case_survey s join service_case c using (case_id)
       where c.account_id = $1 and s.withdrawn_at is null order by s.sent_at desc, s.survey_id desc limit 5)
      order by at desc, id desc limit 5) s), '[]'),
  'next', coalesce((select jsonb_agg(u order by u.at, u.what) from (select * from upcoming order by at, what limit 10) u), '[]')
)::text from a
"""


async def load_view(connection: Connection, account_id: str, as_of: datetime) -> CustomerView | None:
    """A customer over sales and service, holds left out; null if no order of theirs was ever accepted."""
    text = await connection.fetchval(_VIEW, account_id, as_of)
    return CustomerView.model_validate(json.loads(text)) if text else None
