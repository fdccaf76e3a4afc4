"""Terms of contracts that end in a stretch of days, with what is known of their renewal."""

from __future__ import annotations

from datetime import date, datetime

from activities.kernel.pool import Connection
from domain.contracts.forecast import DueRenewal, RenewedIn
from domain.kernel.calendar import MONTHS_IN_YEAR

_DUE = """
select c.contract_id, c.account_id, a.name as account, coalesce(s.name, '') as owner, c.currency, t.until, c.auto_renew,
       c.notice_days, c.status, c.status_reason as reason, n.number is not null as renewed, q.quote_id is not null as quoted,
       coalesce((select sum(p.mrr) from asset x join asset_state_period p using (asset_id)
                 where x.contract_id = c.contract_id and p.starts_at < t.ends_at
                   and (p.ends_at is null or p.ends_at >= t.ends_at) and p.quantity > 0), 0) as mrr,
       (select h.band from health_score h where h.account_id = c.account_id order by h.at desc limit 1) as band,
       e.category as expected, e.reason as expected_why, e.expected_by, u.reason as churn,
       case when n.number is not null then
         coalesce((select sum(p.mrr) from asset x join asset_state_period p using (asset_id)
                   where x.contract_id = c.contract_id and p.starts_at <= n.starts_at
                     and (p.ends_at is null or p.ends_at > n.starts_at)), 0) end as next_mrr,
       exists (select from sales_hold h where h.account_id = c.account_id and h.level = 'block' and h.lifted_at is null) as blocked
from contract_term t
join contract c using (contract_id)
join account a using (account_id)
left join staff s on s.staff_id = a.owner_id
left join contract_term n on n.contract_id = t.contract_id and n.number = t.number + 1
left join lateral (select quote_id from renewal_quote r
                   where r.contract_id = t.contract_id and r.term = t.number + 1 limit 1) q on true
left join contract_churn u on u.contract_id = c.contract_id
left join lateral (select * from renewal_expectation r where r.contract_id = t.contract_id and r.term = t.number + 1
                   order by r.number desc limit 1) e on true
where t.until between $1 and $2
"""
# The first word of the customer about a term is a request of theirs; where there was none, it is their yes.
_RENEWED = """
select t.contract_id, a.name as account, t.recorded_at as renewed_at,
       (select min(j.at) from journal j
        where j.account_id = c.account_id and j.kind in ('request_renewal', 'revise_renewal')
          and j.detail->>'contract_id' = t.contract_id and j.at > b.recorded_at and j.at <= t.recorded_at) as asked_at
from contract_term t
join contract c using (contract_id)
join account a using (account_id)
join contract_term b on b.contract_id = t.contract_id and b.number = t.number - 1
where t.origin = 'accepted' and t.recorded_at >= $1 and t.recorded_at < $2
"""


async def renewed_in(connection: Connection, since: datetime, until: datetime) -> list[RenewedIn]:
    """The renewals that customers accepted from `since` on and before `until`, with their first word about each."""
    return [RenewedIn(**dict(row)) for row in await connection.fetch(_RENEWED, since, until)]


async def due_renewals(connection: Connection, since: date, until: date) -> list[DueRenewal]:
    """Every term that ends from `since` to `until`, the first days after it, renewed or not."""
    found = []
    for row in await connection.fetch(_DUE, since, until):
        fields = dict(row)
        following = fields.pop("next_mrr")
        next_arr = None if following is None else following * MONTHS_IN_YEAR
        found.append(DueRenewal(arr=fields.pop("mrr") * MONTHS_IN_YEAR, next_arr=next_arr, **fields))
    return found
