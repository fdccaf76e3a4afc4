"""Why something was done for a customer: what is on record of a step, a request, a mail, an invoice or a task, and what led to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from activities.kernel.pool import Connection
from domain.frame.keys import effect_key, within_account
from domain.frame.playbook import Playbook

_FOUND = """
with named as (
  select key, key = $2 || $3 as whole from effect where account_id = $1 and position($3 in substr(key, length($2) + 1)) > 0
  union all select split_part(delivery_id, '#', 1), true from outbox
    where account_id = $1 and ($3 in (delivery_id, substr(delivery_id, length($2::text) + 1), message_id)
                               or body->>'template' = $3)
  union all select e.key, true from invoice i join effect e on e.account_id = i.account_id and starts_with(i.key, e.key || '/')
    where i.account_id = $1 and i.invoice_id = $3
  union all select e.key, true from credit_memo m join effect e on e.account_id = m.account_id and starts_with(m.key, e.key || '/')
    where m.account_id = $1 and m.credit_memo_id = $3
  union all select e.key, true from staff_task t join effect e on e.account_id = t.account_id and e.as_of = t.opened_at
    where t.account_id = $1 and $3 in (t.key, t.task_id))
select e.key from named n join effect e on e.key = n.key where e.account_id = $1
group by e.key, e.as_of order by bool_or(n.whole) desc, e.as_of desc, e.key desc limit 20
"""
_EFFECT = """
select e.as_of, e.outcome,
  coalesce((select jsonb_agg(jsonb_build_object('title', j.title, 'kind', j.kind, 'detail', j.detail) order by j.journal_id)
    from journal j where j.account_id = $1 and (j.key = e.key or starts_with(j.key, e.key || '#'))), '[]') as lines,
  coalesce((select jsonb_agg(jsonb_build_object('channel', o.channel, 'template', coalesce(o.body->>'template', o.body->>'title'),
      'to', coalesce(o.contact_id, o.staff_id), 'status', o.status, 'at', o.settled_at, 'reason', o.reason,
      'said', coalesce(o.body->'context', o.body->'lines')) order by o.delivery_id)
    from outbox o where o.account_id = $1 and starts_with(o.delivery_id, e.key || '#') and o.channel like 'deliver%'), '[]') as messages,
  coalesce((select jsonb_agg(jsonb_build_object('id', d.id, 'total', d.total::text, 'currency', d.currency, 'lines', d.lines) order by d.id)
    from (
      select i.invoice_id as id, i.total, i.currency, i.key,
        (select jsonb_agg(l.description order by l.number) from invoice_line l where l.invoice_id = i.invoice_id) as lines
      from invoice i where i.account_id = $1
      union all select m.credit_memo_id, m.total, m.currency, m.key,
        (select jsonb_agg(l.description order by l.number) from credit_memo_line l where l.credit_memo_id = m.credit_memo_id)
      from credit_memo m where m.account_id = $1) d
    where d.key = e.key or starts_with(d.key, e.key || '/')), '[]') as documents,
  coalesce((select jsonb_agg(jsonb_build_object('key', t.key, 'title', t.title, 'person', t.staff_id, 'due', t.due_at,
      'closed_at', t.closed_at) order by t.key) from staff_task t where t.account_id = $1 and t.opened_at = e.as_of), '[]') as tasks,
  (select jsonb_build_object('at', h.at, 'score', h.score, 'band', h.band) from health_score h
    where h.account_id = $1 and h.at <= e.as_of order by h.at desc limit 1) as health,
  (select b.outcome->'account'->>'playbook' from effect b
    where b.account_id = $1 and b.as_of <= e.as_of and b.outcome->'account'->>'playbook' <> ''
    order by b.as_of desc, b.key = e.key desc limit 1) as playbook
from effect e where e.account_id = $1 and e.key = $2
"""
_PLANNED = """
select e.key, e.as_of, s->>'kind' as kind, s->>'at' as at
from effect e cross join lateral jsonb_array_elements(
  (case jsonb_typeof(e.outcome->'plan') when 'array' then e.outcome->'plan' else '[]' end)
  || (case jsonb_typeof(e.outcome->'plays') when 'array' then e.outcome->'plays' else '[]' end)) s
where e.account_id = $1 and (s->>'stage') || '/' || (s->>'name') = $2 and e.as_of <= $3
order by e.as_of, e.key limit 1
"""


@dataclass(frozen=True)
class Cause:
    """What put a step on the agenda: its key within the account, and when; `kind` is that of the step."""

    key: str
    at: datetime
    kind: str


@dataclass(frozen=True)
class Done:
    """What is on record of something done: `lines` of the journal, `messages`, `documents` and `tasks` of it, the latest health score
    of then; `playbook` is the version of then, null if that is not known any more."""

    key: str
    at: datetime
    lines: list[dict[str, Any]]
    messages: list[dict[str, Any]]
    documents: list[dict[str, Any]]
    tasks: list[dict[str, Any]]
    health: dict[str, Any] | None
    playbook: str | None
    follows: list[str] = field(default_factory=list)
    cause: Cause | None = None

    @property
    def kind(self) -> str:
        """The kind of the step, as it was planned or as the journal has it; empty if neither knows."""
        if self.cause is not None:
            return self.cause.kind
        return str(self.lines[0]["kind"]) if self.lines else ""

    @property
    def by(self) -> str | None:
        """Whoever asked for it, by their id; null if nobody did."""
        return next((str(by) for line in self.lines if (by := line["detail"].get("by"))), None)


async def find(connection: Connection, account_id: str, part: str) -> list[str]:
    """The keys, within the account, of what was done and is called so: by its key or a part of it, the id or template of a mail,
    an invoice, a credit note, a task. The best first, then the latest."""
    rows = await connection.fetch(_FOUND, account_id, effect_key(account_id, ""), part)
    return [within_account(account_id, row["key"]) for row in rows]


async def done(connection: Connection, account_id: str, key: str) -> Done | None:
    """What is on record under a key within the account; null if nothing is."""
    row = await connection.fetchrow(_EFFECT, account_id, effect_key(account_id, key))
    if row is None:
        return None
    planned = await connection.fetchrow(_PLANNED, account_id, key, row["as_of"])
    return Done(
        key,
        row["as_of"],
        row["lines"],
        row["messages"],
        row["documents"],
        row["tasks"],
        row["health"],
        row["playbook"],
        [f"{step['stage']}/{step['name']}" for step in row["outcome"].get("plan") or ()],
        Cause(within_account(account_id, planned["key"]), planned["as_of"], planned["kind"]) if planned else None,
    )


async def latest(connection: Connection, account_id: str, count: int) -> list[Done]:
    """What was done last, the latest first."""
    rows = await connection.fetch(
        "select key from effect where account_id = $1 order by as_of desc, key desc limit $2", account_id, count
    )
    found = [await done(connection, account_id, within_account(account_id, row["key"])) for row in rows]
    return [one for one in found if one is not None]


async def playbook_named(connection: Connection, named: str) -> Playbook | None:
    """The playbook of a segment and version such as `standard 3`; null if it is not on record."""
    segment, _, version = named.rpartition(" ")
    if not version.isdigit():
        return None
    body = await connection.fetchval(
        "select body from playbook where segment = $1 and version = $2", segment, int(version)
    )
    return Playbook.stored(body) if body is not None else None
