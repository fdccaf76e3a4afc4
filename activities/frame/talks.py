"""What was talked about with a customer: the last check-in, the last word about their use, and when they last had a word with us."""

from __future__ import annotations

from dataclasses import replace

from activities.kernel.pool import Connection
from domain.frame.keys import effect_key
from domain.frame.situation import Looks

_ABOUT_USE = ("check_in", "outreach", "recovered", "upsell_offer")
_ANSWERS = (
    "answer_offer", "answer_renewal", "request_renewal", "revise_renewal", "accept_quote", "decline_quote",
)  # fmt: skip
"""Requests by which a customer says something that we answer."""


async def with_talks(connection: Connection, account_id: str, looks: Looks) -> Looks:
    """The looks with what was said between the customer and us."""
    row = await connection.fetchrow(_TALKS, account_id, list(_ABOUT_USE), effect_key(account_id, ""), list(_ANSWERS))
    if row is None or row["said_at"] is None:
        return looks if row is None else replace(looks, told_at=row["told"], talked_at=row["talked"])
    seen = await connection.fetch(
        "select at, detail from journal where account_id = $1 and at >= $2 and starts_with(key, $3) order by at, journal_id limit 60",
        account_id,
        row["said_at"],
        effect_key(account_id, "adoption/check-in-"),
    )
    return replace(
        looks,
        said_at=row["said_at"],
        said=row["said"],
        seen=tuple((one["at"], one["detail"]) for one in seen),
        told_at=row["told"],
        talked_at=row["talked"],
        replaced=row["replaced"],
    )


_TALKS = """
with told as (
  select body->>'template' as template, body->'context' as said, created_at, delivery_id,
         case status when 'sent' then greatest(created_at, settled_at) else created_at end as at
  from outbox where account_id = $1 and channel = 'deliver_mail' and status in ('waiting', 'held', 'sent')
    and body->>'template' = any($2::text[]))
select (select max(at) from told) as told, last.created_at as said_at, last.said,
  exists (select from told t where t.created_at >= last.created_at and t.said->>'instead_of' = last.said->>'next_on') as replaced,
  greatest(
    (select max(m.at) from case_message m join service_case c using (case_id)
     where c.account_id = $1 and (m.channel = 'phone' and m.direction = 'inbound'
       or m.direction = 'outbound' and not m.automatic and exists (
         select from case_message w where w.case_id = m.case_id and w.direction = 'inbound' and w.at <= m.at))),
    (select max(as_of) from effect
     where account_id = $1 and split_part(substr(key, length($3) + 1), ':', 1) = any($4::text[]))) as talked
from (select 1) one left join lateral (
  select created_at, said from told where template = 'check_in' order by created_at desc, delivery_id desc limit 1) last on true
"""
