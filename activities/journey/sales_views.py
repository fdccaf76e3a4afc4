"""The two sides of a customer: what sales sees of service, and what service sees of sales. Read only."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from pydantic import AwareDatetime

from activities.holds.hold_rows import load_guard
from activities.kernel.pool import Connection
from domain.holds.holds import Hold
from domain.kernel.base import Carried

_CASES = """
select coalesce(jsonb_agg(jsonb_build_object(
    'case_id', c.case_id, 'subject', c.subject, 'priority', c.priority, 'state', c.status, 'escalated', c.escalated,
    'opened_at', c.opened_at, 'product', c.product_code, 'owner', c.owner_id,
    'customer_wrote', (
      select jsonb_build_object('at', m.at, 'text', m.body) from case_message m
      where m.direction = 'inbound' and m.case_id in (
        with recursive part as (
          select c.case_id union select k.case_id from service_case k join part p on k.merged_into = p.case_id)
        select case_id from part)
      order by m.at desc, m.number desc limit 1),
    'next_milestone', (
      select jsonb_build_object('name', m.milestone, 'due_at', m.due_at) from case_milestone m
      where m.case_id = c.case_id and m.state = 'open' and m.due_at is not null order by m.due_at, m.milestone, m.number limit 1),
    'promised_at', (
      select m.due_at from case_milestone m
      where m.case_id = c.case_id and m.kind = 'resolution' and m.state in ('open', 'paused') order by m.number desc limit 1),
    'notes', coalesce((
      select jsonb_agg(jsonb_build_object('at', e.at, 'by', e.by, 'detail', e.detail) order by e.sequence)
      from case_event e where e.case_id = c.case_id and e.kind = 'note' and e.visibility = 'shared'), '[]'))
  order by c.escalated desc, array_position(array['urgent', 'high', 'medium', 'low'], c.priority), c.opened_at, c.case_id),
  '[]')::text
from service_case c
where c.account_id = $1 and c.status not in ('resolved', 'closed', 'merged', 'cancelled')
"""

_SALES = """
select jsonb_build_object(
  'offers', coalesce((
    select jsonb_agg(jsonb_build_object('offer_id', o.offer_id, 'product', a.product_code, 'add', o.add_quantity,
        'unit_price', o.unit_price::text, 'currency', o.currency, 'offered_at', o.offered_at, 'expires_at', o.expires_at)
      order by o.offered_at, o.offer_id)
    from offer o join asset a using (asset_id) where o.account_id = $1 and o.status = 'open'), '[]'),
  'leads', coalesce((
    select jsonb_agg(jsonb_build_object('lead_id', l.lead_id, 'product', l.product_code, 'motion', l.motion,
        'status', l.status, 'filed_at', l.filed_at, 'routed_to', l.routed_to, 'reason', l.reason)
      order by l.filed_at desc, l.lead_id desc)
    from lead l where l.account_id = $1 and l.closed_at is null), '[]'),
  'renewals', coalesce((
    select jsonb_agg(jsonb_build_object('contract_id', c.contract_id, 'renewal_at', case when t.until < '2999-12-31' then t.ends_at end,
        'auto_renew', c.auto_renew,
        'status', c.status, 'quoted', (
          select jsonb_build_object('quote_id', q.quote_id, 'total', q.total::text, 'currency', q.currency)
          from renewal_quote q where q.contract_id = c.contract_id and q.term = t.number + 1
          order by q.quoted_at desc, q.quote_id desc limit 1)) order by t.ends_at, c.contract_id)
    from contract c
    join lateral (select * from contract_term t where t.contract_id = c.contract_id order by number desc limit 1) t on true
    where c.account_id = $1 and c.status <> 'ended'), '[]'),
  'purchases', coalesce((
    select jsonb_agg(p order by p.activated_at desc, p.order_id desc, p.line_id) from (
      select o.order_id, o.activated_at, l.line_id, l.product_code as product, l.quantity, l.unit_price::text, l.price_per,
             o.currency, l.contract_id
      from sales_order o join order_line l using (order_id)
      where o.account_id = $1 order by o.activated_at desc, o.order_id desc, l.line_id limit 100) p), '[]'),
  'discounts', coalesce((
    select jsonb_agg(to_jsonb(d) - 'sequence' - 'number' order by d.starts_at desc, d.asset_id, d.sequence, d.number) from (
      select a.asset_id, a.product_code as product, s.list_price::text, s.unit_price::text, a.currency, s.starts_at,
             s.sequence, s.number, round((s.list_price - s.unit_price) * 100 / s.list_price, 1)::text as percent
      from asset a join asset_action_source s using (asset_id)
      where a.account_id = $1 and s.list_price > s.unit_price and s.quantity > 0
      order by s.starts_at desc, s.asset_id, s.sequence, s.number limit 50) d), '[]')
)::text
"""


class SalesView(Carried):
    """What sales sees of service: whether the customer may be reached, why not, and the open cases, most pressing first.

    Of a case: number, subject, age, priority, state, owner, what the customer wrote last, the next milestone, the promised
    date, and those internal notes that were shared.
    """

    account_id: str
    as_of: AwareDatetime
    level: str
    holds: list[Hold]
    overrides: list[dict[str, Any]]
    cases: list[dict[str, Any]]


class ServiceView(Carried):
    """What service sees of sales: open offers and leads, when which contract is renewed, what was bought, what was given off."""

    account_id: str
    as_of: AwareDatetime
    offers: list[dict[str, Any]]
    leads: list[dict[str, Any]]
    renewals: list[dict[str, Any]]
    purchases: list[dict[str, Any]]
    discounts: list[dict[str, Any]]


async def sales_view(connection: Connection, account_id: str, as_of: datetime) -> SalesView:
    """What sales may see of a customer's service at `as_of`."""
    guard = await load_guard(connection, account_id, as_of)
    holds = list(guard.holds) if guard else []
    overrides = guard.facts.overrides if guard else []
    return SalesView(
        account_id=account_id,
        as_of=as_of,
        level=holds[0].level.value if holds else "none",
        holds=holds,
        overrides=[one.model_dump(mode="json") for one in overrides],
        cases=json.loads(await connection.fetchval(_CASES, account_id)),
    )


async def service_view(connection: Connection, account_id: str, as_of: datetime) -> ServiceView:
    """What service may see of a customer's business at `as_of`."""
    found = json.loads(await connection.fetchval(_SALES, account_id))
    return ServiceView(account_id=account_id, as_of=as_of, **found)


async def record_seen(connection: Connection, account_id: str, staff_id: str, as_of: datetime) -> list[str]:
    """Notes that somebody of sales saw the customer's open cases, so that they hear when one is over; the cases' ids.

    Nothing is noted for somebody who is not among the people on record.
    """
    rows = await connection.fetch(
        "insert into case_seen (case_id, staff_id, account_id, at)"
        " select c.case_id, s.staff_id, c.account_id, $3 from service_case c join staff s on s.staff_id = $2"
        " where c.account_id = $1 and c.status not in ('resolved', 'closed', 'merged', 'cancelled')"
        " on conflict (case_id, staff_id) do update set at = excluded.at, told_at = null returning case_id",
        account_id,
        staff_id,
        as_of,
    )
    return sorted(row["case_id"] for row in rows)
