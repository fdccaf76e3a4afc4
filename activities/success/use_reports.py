"""Use over all customers, as the report on adoption has it."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from activities.frame.customers import load_playbook
from activities.kernel.pool import Connection
from activities.kernel.queries import Query
from domain.success.adoption_report import ProductUse, Reported

_KEY_FEATURES = 20
"""As many of a product's features count, those that most customers use: more would add noise."""

# `f`: the features that customers used, `k`: the usual ones of a product. Both in the 28 days up to the day.
_USES = f"""
with held as (
  select s.account_id, s.product_code, sum(r.quantity)::int as seats
  from asset s join product p on p.code = s.product_code and p.kind = 'subscription'
  join asset_state_period r on r.asset_id = s.asset_id and r.quantity > 0
    and r.starts_at <= $1 and (r.ends_at is null or r.ends_at > $1)
  group by 1, 2),
used as (
  select account_id, product_code, max(day) as latest_day,
    avg(active_users) filter (where day > $2::date - 28) as active,
    avg(active_users) filter (where day <= $2::date - 28) as earlier,
    (array_agg(invited_users order by day desc) filter (where invited_users is not null))[1] as invited,
    (array_agg(activated_users order by day desc) filter (where activated_users is not null))[1] as activated
  from usage_day where day <= $2::date and day > $2::date - 56 group by 1, 2),
f as (
  select account_id, product_code, feature from usage_feature_day
  where day <= $2::date and day > $2::date - 28 and active_users > 0 group by 1, 2, 3),
k as (
  select product_code, feature from (
    select product_code, feature, row_number() over (partition by product_code order by count(*) desc, feature) as place
    from f group by 1, 2) n where place <= {_KEY_FEATURES})
select h.account_id, a.name as account, a.segment, a.playbook_version, p.name as product, h.seats,
  coalesce(u.latest_day, (select max(day) from usage_day d where d.account_id = h.account_id
    and d.product_code = h.product_code and d.day <= $2::date)) as latest_day,
  u.active, u.earlier, u.invited, u.activated,
  array(select f.feature from f join k using (product_code, feature)
        where f.account_id = h.account_id and f.product_code = h.product_code order by 1) as used,
  (select count(*) from k where k.product_code = h.product_code)::int as known
from held h join account a using (account_id) join product p on p.code = h.product_code
left join used u using (account_id, product_code)
where a.closed_at is null
order by h.account_id, p.name
"""


async def uses_at(connection: Connection, at: datetime) -> list[ProductUse]:
    """The use of every product that a customer has seats of at an instant, by the days reported until then."""
    day, found = at.date(), []
    for row in await connection.fetch(_USES, at, day):
        playbook = await load_playbook(connection, row["segment"], row["playbook_version"])
        reported = _reported(row["latest_day"], day, playbook.adoption.stale_days)
        found.append(ProductUse(**{**dict(row), "used": tuple(row["used"])}, reported=reported))
    return found


def _reported(latest: date | None, day: date, stale_days: int) -> Reported:
    if latest is None:
        return Reported.NEVER
    return Reported.STALE if day - latest > timedelta(days=stale_days) else Reported.FRESH


usage_without_account = Query(
    "select account_id, count(*)::int as days, min(day) as first, max(day) as last from usage_day u"
    " where not exists (select from account a where a.account_id = u.account_id) group by 1 order by 1"
)
"""Accounts that no order has opened and whose use was reported: it waits for their first order."""
