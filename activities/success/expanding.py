"""The batch that looks whom to ask for more: what is bought together, and which customers something calls for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any

from temporalio import activity
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.service import RPCError, RPCStatusCode

from activities.frame.errors import business_errors
from activities.frame.unit_of_work import Activities, Performer, UnitOfWork
from activities.kernel.computing import computed
from activities.kernel.engine import is_unknown
from activities.kernel.heartbeats import heartbeats
from activities.kernel.pool import Pool
from activities.kernel.queries import Column, Value
from activities.success.health_keeping import health_of
from activities.success.purchases import bought, product_names
from domain.frame.batches import Batch, BatchCall, BatchReport
from domain.frame.situation import Situation
from domain.kernel.calendar import local_day
from domain.success.cross_sell import Bought, Neighbours, neighbours
from domain.success.health import Health
from domain.success.readiness import TASK
from domain.success.requests import ConsiderExpansion

UPDATE = "consider_expansion"
_LOOKED_AT_EVERY = timedelta(days=28)
_SUGGESTED = 3

_asked_at = Value[datetime | None](f"select max(opened_at) from staff_task where account_id = $1 and key = '{TASK}'")

# Open, onboarded and well, with nothing asked lately and nothing looked at lately; the journey's rule looks at all of it again.
_CALLED_FOR = Column[str](
    f"""
select a.account_id from account a
where a.closed_at is null
  and (select h.band from health_score h where h.account_id = a.account_id and h.at <= $1 order by h.at desc limit 1)
      in ('healthy', 'watch')
  and not exists (select from onboarding_task t where t.account_id = a.account_id and t.status = 'open')
  and not exists (select from staff_task t where t.account_id = a.account_id and t.key = '{TASK}'
                  and (t.closed_at is null or t.opened_at > $1 - interval '30 days'))
  and not exists (select from offer o where o.account_id = a.account_id and o.offered_at > $1 - interval '30 days')
  and not exists (select from effect e where e.account_id = a.account_id and e.as_of > $1 - $3::interval
                  and starts_with(e.key, 'journey:' || a.account_id || '/{UPDATE}:'))
  and (a.account_id = any($2)
       or exists (select from survey s where s.account_id = a.account_id and s.kind = 'nps' and s.score >= 9 and s.sent_at > $1 - interval '180 days')
       or exists (select from contract_term c join contract k using (contract_id)
                  where k.account_id = a.account_id and c.ends_at between $1 + interval '30 days' and $1 + interval '120 days')
       or exists (select from (select product_code, avg(active_users) as users from usage_day u
                               where u.account_id = a.account_id and u.day > ($1 at time zone 'utc')::date - 28 group by 1) u
                  where u.users >= 0.8 * (select sum(p.quantity) from asset s join asset_state_period p using (asset_id)
                                          where s.account_id = a.account_id and s.product_code = u.product_code
                                            and p.starts_at <= $1 and (p.ends_at is null or p.ends_at > $1))))
order by 1
"""
)


async def _last_asked(
    work: UnitOfWork, situation: Situation, request: ConsiderExpansion
) -> tuple[datetime | None, Health]:
    return await _asked_at(work.connection, work.unit.account_id), *await health_of(work, situation, request)


class Expanding(Activities):
    """Whom to ask for more: looked for in the tables, decided by each customer's journey."""

    looks = {UPDATE: _last_asked}

    def __init__(self, performer: Performer, pool: Pool, temporal: Client) -> None:
        super().__init__(performer)
        self._pool = pool
        self._temporal = temporal

    @activity.defn(name=Batch.EXPANSION.value)
    async def expansion(self, call: BatchCall) -> BatchReport:
        """Asks the journeys of those whom something calls for; each at most once in four weeks."""
        async with heartbeats():
            async with business_errors(), self._pool.acquire() as connection:
                today = local_day(call.as_of, "UTC")
                everybody = await bought(connection, date.min, today)
                known = await computed(len(everybody), neighbours, everybody)
                likely = await computed(len(everybody), _likely, known, everybody, today)
                names = await product_names(
                    connection, {code for found in likely.values() for one in found for code in one[:2]}
                )
                called = await _CALLED_FOR(connection, call.as_of, sorted(likely), _LOOKED_AT_EVERY)
            counts = {"looked at": len(called), "ready": 0, "without an answer": 0}
            for account in called:
                suggested = [_named(one, names) for one in likely.get(account, [])]
                ready = await self._asked(account, {"suggested": suggested, "by": "batch"}, f"batch-{today}")
                counts["ready" if ready else "without an answer"] += ready is not False
        return BatchReport(counts=counts)

    async def _asked(self, account: str, body: dict[str, Any], request_id: str) -> bool | None:
        """Whether a journey found its customer ready; null if it did not answer, which costs nobody else anything."""
        handle = self._temporal.get_workflow_handle(f"journey-{account}")
        try:
            answer = await handle.execute_update(
                UPDATE, {**body, "request_id": request_id}, rpc_timeout=_PATIENCE, result_type=dict
            )
        except WorkflowUpdateFailedError:
            return None
        except RPCError as error:
            if not is_unknown(error) and error.status not in (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED):
                raise
            return None
        return bool(answer["ready"])


_PATIENCE = timedelta(seconds=10)
_Likely = tuple[str, str, int, int]


def _likely(known: Neighbours, everybody: Bought, today: date) -> dict[str, list[_Likely]]:
    """The first suggestions for each account that at least every fourth of at least ten buyers came true for."""
    found = {}
    for account, own in everybody.items():
        sure = [
            (one.product, one.because, one.together, one.buyers)
            for one in known.suggestions(own, today, _SUGGESTED)
            if one.buyers >= 10 and 4 * one.together >= one.buyers
        ]
        if sure:
            found[account] = sure
    return found


def _named(one: _Likely, names: Mapping[str, str]) -> dict[str, Any]:
    product, because, together, buyers = one
    return {"product": names[product], "because": names[because], "together": together, "buyers": buyers}
