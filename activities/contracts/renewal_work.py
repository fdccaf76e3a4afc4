"""The daily look at renewals: a batch over tables that makes what our people have to do a task; journeys need not hear of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from temporalio import activity

from activities.frame.customers import load_playbook
from activities.frame.errors import business_errors
from activities.frame.situations import reads
from activities.frame.unit_of_work import Performer, Unit
from activities.kernel.clock import present
from activities.kernel.heartbeats import heartbeats
from activities.kernel.pool import Connection
from activities.kernel.queries import Column
from domain.contracts.ladder import TASKS, DueStep, LadderTerm, climb, due_steps
from domain.frame.batches import Batch, BatchCall, BatchReport
from domain.frame.keys import effect_key
from domain.frame.situation import LEDGER
from domain.kernel.calendar import MONTHS_IN_YEAR, local_day

_ELSEWHERE = timedelta(hours=1)
_TERMS = """
select c.contract_id, c.account_id, a.time_zone, a.segment, a.playbook_version, c.currency, c.auto_renew, c.notice_days,
       t.number, t.start_on, t.until,
       coalesce((select sum(p.mrr) from asset x join asset_state_period p using (asset_id)
                 where x.contract_id = c.contract_id and p.starts_at <= $1 and (p.ends_at is null or p.ends_at > $1)), 0) as mrr,
       coalesce((select jsonb_object_agg(r.rung, r.due_on) from renewal_rung r
                 where r.contract_id = c.contract_id and r.term = t.number), '{}') as climbed
from contract c
join account a using (account_id)
join lateral (select * from contract_term t where t.contract_id = c.contract_id order by number desc limit 1) t on true
where a.closed_at is null and c.status = 'active' and t.starts_at <= $1 and t.ends_at > $1
  and ($2::text[] is null or c.account_id = any($2))
order by c.account_id, c.contract_id
"""
# Customers of a rehearsal live in a time of their own, ahead of the present: they are looked at in theirs.
_elsewhere = Column[str]("select distinct account_id from effect where account_id = any($1) and as_of > $2")
_with_tasks = Column[str](
    "select distinct account_id from staff_task where closed_at is null and starts_with(key, $1)"
    " and ($2::text[] is null or account_id = any($2))"
)


async def look_at_renewals(
    performer: Performer, as_of: datetime, accounts: Sequence[str] | None = None
) -> dict[str, int]:
    """What is due of all renewals at `as_of`, or of those of these accounts, becomes tasks; returns how many of what.

    Each customer is a unit of work of a day: begun again, it goes on with those that are not done yet.
    """
    async with performer.transaction() as connection:
        due = await _due(connection, as_of, accounts)
        for account_id in await _with_tasks(connection, f"{TASKS}/", accounts):
            due.setdefault(account_id, [])
        ahead = [] if accounts is not None else await _elsewhere(connection, list(due), present() + _ELSEWHERE)
    opened = 0
    for account_id in sorted(due.keys() - set(ahead)):
        opened += await _climb(performer, account_id, as_of, due[account_id])
    return {"customers": len(due) - len(ahead), "steps": opened}


async def _due(connection: Connection, as_of: datetime, accounts: Sequence[str] | None) -> dict[str, list[DueStep]]:
    """What is due, by account."""
    found: dict[str, list[DueStep]] = {}
    for row in await connection.fetch(_TERMS, as_of, accounts):
        fields = dict(row)
        term = LadderTerm.model_validate({**fields, "arr": fields.pop("mrr") * MONTHS_IN_YEAR})
        playbook = await load_playbook(connection, term.segment, term.playbook_version)
        if steps := due_steps(term, playbook.renewal.ladder, local_day(as_of, term.time_zone)):
            found.setdefault(term.account_id, []).extend(steps)
    return found


async def _climb(performer: Performer, account_id: str, as_of: datetime, due: Sequence[DueStep]) -> int:
    """Makes the tasks of a customer; once in a day."""
    unit = Unit(account_id, effect_key(account_id, f"renewal_work:{as_of:%Y-%m-%d}"), as_of, "renewal", "renewal_work")
    async with performer.begin(unit, reads(LEDGER)) as work:
        if work.before is not None:
            return 0
        situation = await work.load_first(LEDGER)
        decision = climb(situation, due)
        if not decision.writes:
            return 0
        await work.done(situation, decision)
        return len(due)


class RenewalWork:
    """The daily look at renewals, as a batch."""

    def __init__(self, performer: Performer) -> None:
        self._performer = performer

    @activity.defn(name=Batch.RENEWALS.value)
    async def look(self, call: BatchCall) -> BatchReport:
        """Looks at all who live in real time."""
        async with business_errors(), heartbeats():
            return BatchReport(counts=await look_at_renewals(self._performer, call.as_of))
