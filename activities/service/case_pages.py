"""Cases as people list them: where each stands, with the promise that is due next."""

from __future__ import annotations

from activities.claims.claim_rows import CLAIM_JSON
from activities.frame.account_filters import in_sight
from activities.kernel.pages import Paged
from activities.kernel.queries import Query

_CASES = """
select c.case_id as id, c.opened_at as at, c.case_id, c.account_id, c.subject, c.channel, c.category, c.status, c.priority, c.escalated,
  c.owner_id as owner, c.team, c.product_code as product, c.opened_at, c.first_response_at, c.resolved_at, c.last_activity_at,
  c.resolution_code, m.milestone as promise, m.due_at
from service_case c
left join lateral (select milestone, due_at from case_milestone m
  where m.case_id = c.case_id and m.state = 'open' and m.due_at is not null order by m.due_at, m.milestone, m.number limit 1) m on true
where {} and (not $5::boolean or c.status not in ('resolved', 'closed', 'merged', 'cancelled'))
"""
cases_of = Paged(_CASES.format("c.account_id = $4"))
"""Cases of an account, the latest first; only those that are not over, if that is asked."""

cases_of_all = Paged(
    _CASES.format(
        "($4::text is null or c.status = $4) and ($6::text is null or c.owner_id = $6) and ($7::text is null or c.team = $7)"
        " and ($8::text is null or c.priority = $8) and ($9::text is null or c.category = $9) and (not $10::boolean or c.escalated)"
        " and (not $11::boolean or m.due_at < $12) and ($13::text is null or exists (select from account a"
        f" where a.account_id = c.account_id and {in_sight('$13')}))"
    )
)
"""Cases of all customers, the latest first: by state, owner, team, priority, category; escalated ones, those whose promise is over by an
instant, those of the customers of one of our people."""

claims_of_case = Query(
    f"select {CLAIM_JSON} as claim from refund_claim r where r.case_id = $1 order by r.claimed_at, r.claim_id"
)
"""Money that was asked back in a case."""
