"""What reports on service read: promises and answers in cells, who waited longest, and what the company's data says of value."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime

from activities.kernel.pool import Connection
from activities.kernel.queries import Value
from domain.frame.case_words import Priority
from domain.service.roi_report import OwnRevenue
from domain.service.sla_report import CsatCell, Dimension, SlaCell, SlaReport, Waiting, groups, total

# A promise is late once it is violated and nothing took that back, whether or not it was kept afterwards.
_PROMISES = """
select m.milestone, c.priority, c.product_code as product,
       date_trunc('week', m.started_at at time zone 'UTC')::date as week,
       count(*) filter (where m.state = 'met') as met,
       count(*) filter (where m.state <> 'met' and m.violated_at is not null and m.reversed_at is null) as late,
       count(*) filter (where m.state in ('open', 'paused') and (m.violated_at is null or m.reversed_at is not null))
           as running,
       count(m.elapsed) filter (where m.completed_at is not null) as done,
       coalesce(sum(m.elapsed) filter (where m.completed_at is not null), '0') as elapsed,
       max(m.elapsed) filter (where m.completed_at is not null) as longest
from case_milestone m join service_case c using (case_id)
where m.target is not null and m.started_at >= $1 and m.started_at < $2
group by 1, 2, 3, 4
"""

_ANSWERS = """
select c.priority, c.product_code as product, date_trunc('week', s.sent_at at time zone 'UTC')::date as week,
       s.score, count(*) as answers
from case_survey s join service_case c using (case_id)
where s.score is not null and s.withdrawn_at is null and s.sent_at >= $1 and s.sent_at < $2
group by 1, 2, 3, 4
"""

# Nobody waits for what is resolved: the time up to a reopening is none.
_WAITED = """
select * from (
    select w.*, row_number() over (partition by milestone order by waited desc, case_id, number) as place
    from (
        select m.case_id, m.number, c.account_id, a.name as company, m.milestone, c.priority, m.state, m.started_at,
               coalesce(m.completed_at, $3::timestamptz) - m.started_at - coalesce(ended.span, '0') as waited,
               m.elapsed, m.target
        from case_milestone m join service_case c using (case_id) left join account a using (account_id)
        left join lateral (
            select sum(r.at - greatest(m.started_at, (
                       select min(e.at) from case_event e
                       where e.case_id = r.case_id and e.kind in ('resolved', 'closed') and e.sequence < r.sequence
                         and not exists (select from case_event p where p.case_id = r.case_id and p.kind = 'reopened'
                                         and p.sequence > e.sequence and p.sequence < r.sequence)))) as span
            from case_event r
            where r.case_id = m.case_id and r.kind = 'reopened' and r.at > m.started_at
              and r.at <= coalesce(m.completed_at, $3::timestamptz)) ended on c.reopen_count > 0
        where m.target is not null and m.state <> 'stopped'
          and m.started_at >= $1 and m.started_at < least($2::timestamptz, $3::timestamptz)
    ) w
) ranked
where place <= $4 order by milestone, place
"""


async def sla_report(
    connection: Connection, since: datetime, until: datetime, *, as_of: datetime, longest: int = 5
) -> SlaReport:
    """How the promises went that began from `since` up to `until`; the `longest` waits of each milestone.

    as_of: until when those wait who still do.
    """
    cells = [SlaCell.model_validate(dict(row)) for row in await connection.fetch(_PROMISES, since, until)]
    answers = await _answers(connection, since, until)
    rows = await connection.fetch(_WAITED, since, until, as_of, longest)
    cases = await connection.fetchval(
        "select count(*) from service_case where opened_at >= $1 and opened_at < $2", since, until
    )
    return SlaReport(
        since=since,
        until=until,
        cases=cases,
        total=total(cells, answers),
        by_priority=groups(cells, answers, Dimension.PRIORITY),
        by_product=groups(cells, answers, Dimension.PRODUCT),
        by_week=groups(cells, answers, Dimension.WEEK),
        waited_longest=tuple(Waiting.model_validate(dict(row)) for row in rows),
    )


async def _answers(connection: Connection, since: datetime, until: datetime) -> list[CsatCell]:
    counts: dict[tuple[str, str | None, date], dict[int, int]] = defaultdict(dict)
    for row in await connection.fetch(_ANSWERS, since, until):
        counts[row["priority"], row["product"], row["week"]][row["score"]] = row["answers"]
    return [
        CsatCell(priority=Priority(priority), product=product, week=week, counts=scores)
        for (priority, product, week), scores in counts.items()
    ]


# ARR in force at an instant, by currency.
_ARR = """
select coalesce(sum(p.mrr) * 12, 0) from asset a join asset_state_period p using (asset_id)
where a.currency = $1 and p.starts_at <= $2 and (p.ends_at is null or p.ends_at > $2)
"""

_AT_RISK = """
and (a.account_id in (
        select h.account_id from (select distinct on (account_id) account_id, band from health_score where at <= $2
                                  order by account_id, at desc) h
        where h.band in ('critical', 'watch'))
    or a.account_id in (select s.account_id from sales_hold s
        where s.level = 'block' and s.since <= $2 and (s.lifted_at is null or s.lifted_at > $2)))
"""

_RENEWED = """
select count(*) as terms, coalesce(sum(arr), 0) as arr from (
    select (select sum(p.mrr) * 12 from asset a join asset_state_period p using (asset_id)
            where a.contract_id = c.contract_id and p.starts_at <= t.starts_at
              and (p.ends_at is null or p.ends_at > t.starts_at)) as arr
    from contract_term t join contract c using (contract_id)
    where c.currency = $1 and t.origin in ('accepted', 'automatic', 'renewed') and t.starts_at >= $2 and t.starts_at < $3
) renewed
"""

# What a contract that ended was worth on its last day.
_LOST = """
select count(*) as contracts, coalesce(sum(arr), 0) as arr from (
    select (select sum(p.mrr) * 12 from asset a join asset_state_period p using (asset_id)
            where a.contract_id = c.contract_id and p.starts_at < t.ends_at
              and (p.ends_at is null or p.ends_at >= t.ends_at)) as arr
    from contract c
    join lateral (select ends_at from contract_term t where t.contract_id = c.contract_id order by number desc limit 1) t on true
    where c.currency = $1 and c.status = 'ended' and t.ends_at >= $2 and t.ends_at < $3
) lost
"""

_EXPANDED = """
select coalesce(sum(mrr_change) * 12, 0) from offer
where currency = $1 and status = 'accepted' and settled_at >= $2 and settled_at < $3
"""

_REFUNDED = """
select coalesce(sum(amount), 0) from refund_claim
where currency = $1 and status = 'refunded' and claimed_at >= $2 and claimed_at < $3
"""


main_currency = Value[str | None](
    "select a.currency from asset a join asset_state_period p using (asset_id)"
    " where p.starts_at <= $1 and (p.ends_at is null or p.ends_at > $1)"
    " group by a.currency having sum(p.mrr) > 0 order by sum(p.mrr) desc, a.currency limit 1"
)
"""The currency of most of the recurring revenue at an instant; none without any."""


async def own_revenue(connection: Connection, currency: str, since: datetime, until: datetime) -> OwnRevenue:
    """What the facts say of revenue from `since` up to `until`, in one currency."""
    span = (currency, since, until)
    renewed = await connection.fetchrow(_RENEWED, *span)
    lost = await connection.fetchrow(_LOST, *span)
    return OwnRevenue(
        currency=currency,
        since=since,
        until=until,
        arr=await connection.fetchval(_ARR, currency, until),
        at_risk=await connection.fetchval(_ARR + _AT_RISK, currency, until),
        renewed=renewed["arr"] if renewed else 0,
        renewals=renewed["terms"] if renewed else 0,
        lost=lost["arr"] if lost else 0,
        losses=lost["contracts"] if lost else 0,
        expanded=await connection.fetchval(_EXPANDED, *span),
        refunded=await connection.fetchval(_REFUNDED, *span),
    )
