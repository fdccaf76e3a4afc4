"""How the company's promises stand, as figures for monitoring: counts over all customers, none of which names anybody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from activities.kernel.pool import Connection
from activities.kernel.queries import Query
from domain.frame.flight import Channel, DeliveryStatus

# Customers whose clock was moved ahead wrote what is on its way at a later time: it counts as written now.
# What was given a turn waits for a server from its turn on.
NOW = Query("""
select 'deliveries' as figure, channel as of, 'waiting' as state, count(*)::float8 as value from outbox
where status = 'waiting' group by channel
union all
select 'deliveries', channel, 'held', count(*)::float8 from outbox where status = 'held' group by channel
union all
select 'deliveries_oldest_seconds', channel, '', greatest(extract(epoch from $1 - min(greatest(created_at, t.turn))), 0)::float8
from outbox left join mail_turn t on t.mail = md5(coalesce(left_with, delivery_id))::uuid where status = 'waiting' group by channel
union all
select 'deliveries_settled', channel, status, count(*)::float8 from outbox
where status in ('sent', 'rejected', 'withdrawn') and settled_at > $1::timestamptz - interval '1 hour' and settled_at <= $1 group by channel, status
union all
select 'sales_holds', level, '', count(*)::float8 from sales_hold where lifted_at is null group by level
union all
select 'cases', c.priority, c.status, count(*)::float8 from service_case c
where c.status not in ('closed', 'merged', 'cancelled') group by c.priority, c.status
union all
select 'promises', m.kind, case when m.violated_at is not null and m.reversed_at is null then 'broken' else m.state end, count(*)::float8
from service_case c join case_milestone m using (case_id) where c.status not in ('closed', 'merged', 'cancelled') group by 2, 3
union all
select 'staff_tasks', '', case when greatest(due_at, snoozed_until) < $1 then 'late' else 'open' end, count(*)::float8
from staff_task where closed_at is null group by 3
union all
select 'mails_in', '', status, count(*)::float8 from inbox_message where status in ('new', 'unknown', 'failed') group by status
union all
select 'events_in', '', status, count(*)::float8 from inbound_event where status in ('new', 'waiting', 'failed') group by status
union all
select 'imports', 'assets', 'not_taken_up', count(*)::float8 from imported_asset where not taken_up
union all
select 'proposals', '', 'waiting', count(*)::float8 from tool_act where expires_at > $1 and decision is null
union all
select 'approvals', '', case when due_at < $1 then 'late' else 'open' end, count(*)::float8
from quote_approval where decision is null group by 3
""")
"""What is so at $1: by figure, what of, and how it stands."""

# The first word of the customer about a term is a request of theirs, where there was none, their yes took no time.
SELDOM = Query("""
with renewed as (
  select extract(epoch from t.recorded_at - coalesce((select min(j.at) from journal j
    where j.account_id = c.account_id and j.kind in ('request_renewal', 'revise_renewal')
      and j.detail->>'contract_id' = t.contract_id and j.at > b.recorded_at and j.at <= t.recorded_at), t.recorded_at)) as took
  from contract_term t join contract c using (contract_id)
  join contract_term b on b.contract_id = t.contract_id and b.number = t.number - 1
  where t.origin = 'accepted' and t.recorded_at > $1::timestamptz - interval '90 days' and t.recorded_at <= $1),
latest as (select * from reconciliation order by reconciliation_id desc limit 1)
select 'renewals' as figure, '' as of, 'accepted' as state, count(*)::float8 as value from renewed
union all
select 'renewal_turnaround_seconds', '', quantile::text, percentile_cont(quantile) within group (order by took)
from renewed cross join (values (0.5::float8), (0.9::float8)) q (quantile) group by quantile
union all
select 'accounts', '', case when closed_at is null then 'open' else 'closed' end, count(*)::float8 from account group by 3
union all
select 'reconcile_differences', '', 'found', differences::float8 from latest
union all
select 'reconcile_differences', '', 'standing', standing::float8 from latest
union all
select 'reconcile_customers', '', '', customers::float8 from latest
union all
select 'reconcile_age_seconds', '', '', greatest(extract(epoch from $1 - at), 0)::float8 from latest
""")
"""What takes longer to count or changes seldom, as of $1, in the same columns."""


ALWAYS: Sequence[tuple[str, str, str]] = (
    *(
        ("deliveries", channel.value, state)
        for channel in Channel
        for state in (DeliveryStatus.WAITING.value, DeliveryStatus.HELD.value)
    ),
    *(("deliveries_oldest_seconds", channel.value, "") for channel in Channel),
    *(
        ("deliveries_settled", Channel.MAIL.value, state)
        for state in (DeliveryStatus.SENT.value, DeliveryStatus.REJECTED.value)
    ),
    *(("sales_holds", level, "") for level in ("warn", "block")),
    *(("promises", kind, "broken") for kind in ("first_response", "resolution")),
    *(("staff_tasks", "", state) for state in ("open", "late")),
    *(("approvals", "", state) for state in ("open", "late")),
    *(("mails_in", "", state) for state in ("new", "unknown", "failed")),
    *(("events_in", "", state) for state in ("new", "waiting", "failed")),
)
"""What is told as none where nothing of it is counted, so that whoever watches sees it go and come."""


@dataclass(frozen=True)
class Counted:
    """One figure: its name, what it is of (a channel, a level), and how that stands."""

    figure: str
    of: str
    state: str
    value: float


async def counted(connection: Connection, what: Query, at: datetime) -> Sequence[Counted]:
    """The figures of a set, as of one instant."""
    found = [Counted(**row) for row in await what(connection, at)]
    known = {(one.figure, one.of, one.state) for one in found}
    none = [Counted(*one, 0.0) for one in ALWAYS if one not in known] if what is NOW else []
    return [*found, *none]


async def note_reconciliation(
    connection: Connection, at: datetime, customers: int, differences: int, standing: int, by_kind: dict[str, Any]
) -> None:
    """What comparing agendas with the facts found, for whoever watches. Of what was found longer ago than 400 days nothing stays."""
    await connection.execute("delete from reconciliation where at < $1::timestamptz - interval '400 days'", at)
    await connection.execute(
        "insert into reconciliation (at, customers, differences, standing, by_kind) values ($1, $2, $3, $4, $5)",
        at,
        customers,
        differences,
        standing,
        by_kind,
    )
