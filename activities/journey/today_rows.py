"""What somebody of ours has before them today, beside their tasks: each list of their own customers, or of everybody's.

Each customer is looked at in their own time: the present, or once their clock was moved the last that happened to them.
"""

from __future__ import annotations

from activities.kernel.queries import Query

_NOW = """
cross join lateral (
    select greatest($1::timestamptz, (select max(e.as_of) from effect e where e.account_id = a.account_id)) as at) n
"""
_THEIRS = "($2::text is null or $2 in (a.owner_id, a.success_manager_id))"

renewals_ahead = Query(f"""
select c.contract_id, c.account_id, a.name as company, t.until, c.status, c.auto_renew, h.band, q.quote_id
from account a join contract c using (account_id)
join lateral (select * from contract_term t where t.contract_id = c.contract_id order by number desc limit 1) t on true
left join lateral (select band from health_score h where h.account_id = a.account_id order by h.at desc limit 1) h on true
left join lateral (select quote_id from renewal_quote r where r.contract_id = c.contract_id and r.term = t.number + 1
                   order by r.quoted_at desc, r.quote_id limit 1) q on true
{_NOW}
where {_THEIRS} and a.closed_at is null and c.status <> 'ended' and t.until < '2999-12-31'
  and t.ends_at > n.at - interval '30 days' and t.ends_at <= n.at + interval '90 days'
order by t.until, c.contract_id limit $3 offset $4
""")
"""Terms that end within 90 days, or ended lately without an answer, the first first. As of $1, of one of our people $2 or all, at most $3 behind
the first $4; so do the others."""

bands_fallen = Query(f"""
select a.account_id, a.name as company, h.band, h.score, h.since, h.why, b.band as before, b.score as score_before from account a
join lateral (select * from health_score h where h.account_id = a.account_id order by h.at desc limit 1) h on true
join lateral (select band, score from health_score b where b.account_id = a.account_id and b.at < h.since order by b.at desc limit 1) b on true
{_NOW}
where {_THEIRS} and a.closed_at is null and h.since > n.at - interval '30 days'
  and (b.band, h.band) in (('healthy', 'watch'), ('healthy', 'critical'), ('watch', 'critical'))
order by h.band, h.since desc, a.account_id limit $3 offset $4
""")
"""Customers whose health fell into the band that it is in, within the last 30 days, the worst first, with what it was before."""

promises_ahead = Query(f"""
select c.case_id, c.account_id, a.name as company, c.subject, c.priority, m.milestone, m.due_at, a.time_zone, n.at as now
from service_case c join account a using (account_id)
join lateral (select milestone, due_at from case_milestone m where m.case_id = c.case_id and m.state = 'open' and m.due_at is not null
              order by m.due_at, m.milestone, m.number limit 1) m on true
{_NOW}
where ({_THEIRS} or c.owner_id = $2 or (c.owner_id is null and exists (
    select from service_agent g where g.staff_id = $2 and g.team = c.team and g.active)))
  and c.status not in ('resolved', 'closed', 'merged', 'cancelled')
  and m.due_at <= n.at + interval '1 day'
order by m.due_at, c.case_id limit $3 offset $4
""")
"""Open cases whose next promise is due within a day, or was, the first first; also those that the person
works on, or that wait for somebody of their team."""

holds_in_force = Query(f"""
select a.account_id, a.name as company, h.level, h.says, h.since, h.case_id from sales_hold h join account a using (account_id)
where h.lifted_at is null and {_THEIRS} and $1::timestamptz is not null order by h.level, h.since, h.hold_id
limit $3 offset $4
""")
"""What holds sales back, blocks first."""

mails_for_a_person = Query("""
select inbox_id, received_at, sender, sender_name, subject, reason, status, account_id, case_id from inbox_message
where status in ('unknown', 'failed') order by received_at, inbox_id limit $1 offset $2
""")
"""Mails of which no rule knows whose they are, or that could not be taken in, the oldest first."""

events_for_a_person = Query("""
select event_id, source, foreign_id, received_at, status, reason, account_id, try_at from inbound_event
where status in ('waiting', 'failed') order by received_at, event_id limit $1 offset $2
""")
"""Events of other systems that wait for what they name, or could not be done, the oldest first."""
