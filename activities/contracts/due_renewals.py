"""Terms of contracts that end in a stretch of days, with what is known of their renewal."""

from __future__ import annotations

from datetime import date

from activities.kernel.pool import Connection
from domain.contracts.forecast import DueRenewal
from domain.kernel.calendar import MONTHS_IN_YEAR

_DUE = """
select c.contract_id, c.account_id, a.name as account, coalesce(s.name, '') as owner, c.currency, t.until, c.auto_renew,
       c.notice_days, c.status, c.status_reason as reason, n.number is not null as renewed, q.quote_id is not null as quoted,
       coalesce((select sum(p.mrr) from asset x join asset_state_period p using (asset_id)
                 where x.contract_id = c.contract_id and p.starts_at < t.ends_at
                   and (p.ends_at is null or p.ends_at >= t.ends_at) and p.quantity > 0), 0) as mrr,
       (select h.band from health_score h where h.account_id = c.account_id order by h.at desc limit 1) as band,
       exists (select from sales_hold h where h.account_id = c.account_id and h.level = 'block' and h.lifted_at is null) as blocked
from contract_term t
join contract c using (contract_id)
join account a using (account_id)
left join staff s on s.staff_id = a.owner_id
left join contract_term n on n.contract_id = t.contract_id and n.number = t.number + 1
left join lateral (select quote_id from renewal_quote r
                   where r.contract_id = t.contract_id and r.term = t.number + 1 limit 1) q on true
where t.until between $1 and $2
"""


async def due_renewals(connection: Connection, since: date, until: date) -> list[DueRenewal]:
    """Every term that ends from `since` to `until`, the first days after it, renewed or not."""
    found = []
    for row in await connection.fetch(_DUE, since, until):
        fields = dict(row)
        found.append(DueRenewal(arr=fields.pop("mrr") * MONTHS_IN_YEAR, **fields))
    return found
