"""What people are shown of a customer: journal, assets, health, renewals, and what waits for an answer."""

from __future__ import annotations

from datetime import datetime

from activities.kernel.pool import Connection
from activities.kernel.queries import Column, Query, Value

journal_of = Query(
    "select journal_id, key, at, stage, kind, title, detail from journal"
    " where account_id = $1 and journal_id > $2 order by journal_id"
)
"""The journal's lines with an id above a number, in the order in which they were written."""


latest_journal = Query(
    "select j.at, j.stage, j.kind, j.title, coalesce((select jsonb_agg(jsonb_build_object("
    "   'channel', o.channel, 'what', coalesce(o.body->>'template', o.body->>'title'),"
    "   'to', coalesce(o.contact_id, o.staff_id), 'name', coalesce(c.name, o.body->>'to_name'), 'role', c.role,"
    "   'status', o.status, 'since', o.created_at, 'at', o.settled_at,"
    "   'why', o.reason) order by o.created_at, o.delivery_id)"
    "  from outbox o left join contact c on c.account_id = o.account_id and c.contact_id = o.contact_id"
    "  where o.account_id = $1 and o.channel in ('deliver_mail', 'deliver_notice')"
    "   and left(o.delivery_id, length(j.key) + 1) = j.key || '#'), '[]') as messages"
    " from (select * from journal where account_id = $1 order by at desc, journal_id desc limit $2) j"
    " order by j.at desc, j.journal_id desc"
)
"""The last lines of the journal, newest first, each with the mails and notices that it wrote and where they stand."""


zone_of_account = Value[str | None]("select time_zone from account where account_id = $1")
"""The customer's time zone, or null if no order of theirs was ever accepted."""


assets_of = Query(
    "select a.asset_id as id, p.name as product, a.product_code, p.kind, a.contract_id, a.currency,"
    " (select jsonb_agg(jsonb_build_object('starts_at', r.starts_at, 'ends_at', r.ends_at, 'quantity', r.quantity,"
    "   'mrr', r.mrr::text) order by r.starts_at)"
    "  from asset_state_period r where r.asset_id = a.asset_id) as periods"
    " from asset a join product p on p.code = a.product_code where a.account_id = $1 order by a.asset_id"
)
"""What the customer owns or owned, each with its state periods."""


health_of = Query("select at, score, band, parts from health_score where account_id = $1 order by at")
"""Every recorded health score, oldest first."""


renewals_of = Query(
    "select c.contract_id, c.status, c.status_reason, c.auto_renew, t.number as term, t.start_on,"
    " nullif(t.until, '2999-12-31') - 1 as last_day, t.origin,"
    " q.quote_id, q.total::text as total, c.currency"
    " from contract c join contract_term t using (contract_id)"
    " left join renewal_quote q on q.contract_id = c.contract_id and q.term = t.number"
    " where c.account_id = $1 order by c.contract_id, t.number"
)
"""Every term of every contract, with its quote and where the contract stands."""


sent_to_customer = Query(
    "select delivery_id, channel, status, message_id, created_at, settled_at from outbox"
    " where account_id = $1 and channel <> 'provision' order by created_at, delivery_id"
)
"""The messages that left for a customer and the people in charge, oldest first."""


open_tasks = Query(
    "select stage, name, due_on, owner from onboarding_task"
    " where account_id = $1 and status = 'open' and owner <> 'system' order by due_on, name, stage"
)
"""The onboarding tasks that are still to be done, with the local day on which each is due."""


open_offers = Column[str]("select offer_id from offer where account_id = $1 and status = 'open' and offered_at < $2")
"""The offers made before an instant that wait for an answer."""


open_quotes = Query(
    "select c.contract_id, q.quote_id, c.auto_renew, t.until from contract c"
    " join lateral (select number, until from contract_term t where t.contract_id = c.contract_id"
    "   order by number desc limit 1) t on true"
    " join renewal_quote q on q.contract_id = c.contract_id and q.term = t.number + 1"
    " where c.account_id = $1 and c.status in ('active', 'grace') and q.quoted_at < $2"
)
"""The renewal quotes made before an instant whose contracts wait for an answer."""


open_surveys = Column[str](
    "select survey_id from survey where account_id = $1 and score is null and withdrawn_at is null and sent_at < $2"
)
"""The surveys sent before an instant that wait for an answer."""


async def seats_at(connection: Connection, account_id: str, at: datetime) -> dict[str, int]:
    """The paid seats of each subscription in force at an instant."""
    rows = await connection.fetch(
        "select a.product_code, sum(r.quantity)::int as seats from asset a join product p on p.code = a.product_code"
        " join asset_state_period r on r.asset_id = a.asset_id and r.starts_at <= $2"
        "  and (r.ends_at is null or r.ends_at > $2)"
        " where a.account_id = $1 and p.kind = 'subscription' group by a.product_code having sum(r.quantity) > 0",
        account_id,
        at,
    )
    return {row["product_code"]: row["seats"] for row in rows}


asset_mrr_on = Query(
    "select d.day, a.asset_id, p.name as product, a.currency, r.quantity, r.mrr::text as mrr"
    " from unnest($2::date[]) d(day) cross join asset a join product p on p.code = a.product_code"
    " join asset_state_period r on r.asset_id = a.asset_id and r.starts_at <= d.day::timestamptz"
    "  and (r.ends_at is null or r.ends_at > d.day::timestamptz)"
    " where a.account_id = $1 order by d.day, a.asset_id"
)
"""Quantity and MRR of each asset at the start of each of `days` (UTC)."""


async def open_stages(connection: Connection, account_id: str) -> list[str]:
    """The kinds of stage that the facts show as open."""
    row = await connection.fetchrow(
        "select"
        " exists (select from onboarding_task where account_id = $1 and status = 'open') as onboarding,"
        " exists (select from contract where account_id = $1 and status <> 'ended') as adoption,"
        " exists (select from offer where account_id = $1 and status = 'open') as expansion,"
        " exists (select from sales_order where account_id = $1 and sells_goods) as reorder,"
        " exists (select from contract where account_id = $1 and status in ('active', 'grace')) as renewal",
        account_id,
    )
    return [] if row is None else [kind for kind, is_open in row.items() if is_open]


billed_of = Query(
    "select d.id, d.kind, d.issued_on, d.currency, d.net::text as net, d.tax::text as tax, d.total::text as total,"
    "  (select jsonb_agg(jsonb_build_object('description', l.description, 'amount', l.amount::text) order by l.number)"
    "   from (select invoice_id as id, number, description, amount from invoice_line where invoice_id = d.id"
    "         union all select credit_memo_id, number, description, amount from credit_memo_line"
    "         where credit_memo_id = d.id) l) as lines,"
    "  (select jsonb_agg(jsonb_build_object('rate', t.rate::text, 'net', t.net::text, 'tax', t.tax::text) order by t.rate)"
    "   from (select rate, net, tax from invoice_tax where invoice_id = d.id"
    "         union all select rate, sum(net), sum(tax) from credit_memo_tax where credit_memo_id = d.id"
    "         group by rate) t) as taxes"
    " from (select invoice_id as id, 'invoice' as kind, issued_on, currency, net, tax, total, issued_at from invoice"
    "       where account_id = $1"
    "       union all select credit_memo_id, 'credit memo', issued_on, currency, net, tax, total, issued_at from credit_memo"
    "       where account_id = $1) d order by d.issued_at, d.kind desc, d.id"
)
"""Invoices and credit memos in the order in which they were issued, each with its lines."""


cases_of = Query(
    "select case_id as id, subject, priority, status, escalated, opened_at, first_response_at, resolved_at,"
    "  resolution_code from service_case where account_id = $1 order by opened_at, case_id"
)
"""The customer's cases, oldest first, with their promises kept and broken."""
