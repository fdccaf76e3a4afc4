"""What became of a group of customers, read from tables and mailbox alone, in words that two groups can be compared by."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from tests.e2e.lives import by_message_id
from workers.embedded.mailbox import Mailbox

# What a dead server kept waits for the hours in which such mails leave, and says so; then it leaves, written anew if a day has gone
# by, or is dropped if its moment is over. No step was done twice by that.
_LATE = "'/(held|withdrawn)-[0-9]+T|/service/review-held-|/service/lift-[0-9]+T'"
_DROPPED = f"""
select o.delivery_id, o.body->>'to_email' as address from outbox o
where o.account_id = any($1) and o.status = 'withdrawn'
  and exists (select from journal j where j.key ~ {_LATE} and j.kind = 'dropped' and (starts_with(j.key, o.delivery_id || '/')
              or j.key like '%/mail-%' and o.delivery_id like '%' || split_part(j.key, '/mail-', 2)))
"""
_FACTS = {
    "journal": "select key || ' ' || kind as fact from journal"
    f" where account_id = any($1) and kind <> 'rewritten' and key !~ {_LATE}",
    "effect": f"select key as fact from effect where account_id = any($1) and key !~ {_LATE}",
    "outbox": "select delivery_id || ' ' || channel || ' ' || status as fact from outbox where account_id = any($1)",
    "sales_order": "select order_id as fact from sales_order where account_id = any($1)",
    "contract": "select contract_id || ' ' || status as fact from contract where account_id = any($1)",
    "contract_term": "select contract_id || ' ' || number || ' ' || start_on || ' ' || until || ' ' || origin as fact"
    " from contract_term join contract using (contract_id) where account_id = any($1)",
    "asset_action": "select asset_id || ' ' || category || ' ' || quantity_change || ' ' || mrr_change as fact"
    " from asset_action join asset using (asset_id) where account_id = any($1)",
    "asset_state_period": "select asset_id || ' ' || p.quantity || ' ' || mrr || ' ' || coalesce(p.ends_at::text, '')"
    " as fact from asset_state_period p join asset using (asset_id) where account_id = any($1)",
    "onboarding_task": "select account_id || ' ' || stage || ' ' || name || ' ' || status as fact"
    " from onboarding_task where account_id = any($1)",
    "staff_task": "select account_id || ' ' || key || ' ' || (closed_at is null) as fact"
    " from staff_task where account_id = any($1)",
    "offer": "select offer_id || ' ' || status || ' ' || add_quantity as fact from offer where account_id = any($1)",
    "survey": "select survey_id || ' ' || kind as fact from survey where account_id = any($1)",
}


@dataclass
class Tally:
    """The facts of a group by table, without the group's own name, and how its messages arrived."""

    facts: dict[str, Counter[str]] = field(default_factory=dict)
    subjects: Counter[tuple[str, str]] = field(default_factory=Counter)
    """address and subject of each message, once for each Message-ID"""
    messages: int = 0
    resent: int = 0
    waiting: int = 0
    lost: list[str] = field(default_factory=list)
    """on record as sent, and not in the mailbox"""
    dropped: dict[str, str] = field(default_factory=dict)
    """what came too late to be of use and was dropped, which the journal says: the delivery's id, and to whom it was"""
    unknown: list[str] = field(default_factory=list)
    """in the mailbox under a Message-ID that no row of the outbox has"""

    @property
    def steps(self) -> int:
        """Lines of the journal."""
        return self.facts["journal"].total()

    def differences(self, other: Tally) -> list[str]:
        """What one group has and the other has not, one line each."""
        found = []
        for table, facts in self.facts.items():
            found += [f"{table}: {n} x {fact} too many" for fact, n in (facts - other.facts[table]).items()]
            found += [f"{table}: {n} x {fact} missing" for fact, n in (other.facts[table] - facts).items()]
        found += [f"mail: {n} x {mail} too many" for mail, n in (self.subjects - other.subjects).items()]
        given_up = Counter(self.dropped.values())
        for (address, subject), n in (other.subjects - self.subjects).items():
            excused = min(n, given_up[address])
            given_up[address] -= excused
            if n > excused:
                found.append(f"mail: {n - excused} x {(address, subject)} missing")
        return found


async def tally(dsn: str, mailbox: Mailbox, accounts: list[str], group: str) -> Tally:
    """Counts what `accounts` have. `group` is the part of their ids that tells them from other groups."""
    result = Tally()
    connection = await asyncpg.connect(dsn)
    try:
        for table, query in _FACTS.items():
            rows = await connection.fetch(query, accounts)
            result.facts[table] = Counter(_alike(row["fact"], group) for row in rows)
        for row in await connection.fetch(_DROPPED, accounts):
            result.dropped[row["delivery_id"].replace(group, "")] = row["address"].replace(group, "")
        for id in result.dropped:
            key = _alike(id, group)
            result.facts["outbox"][f"{key} deliver_mail withdrawn"] -= 1
            result.facts["outbox"][f"{key} deliver_mail sent"] += 1
        rows = await connection.fetch(
            "select delivery_id, message_id, left_with, status, account_id, body->>'to_email' as address from outbox"
            " where account_id = any($1) and channel <> 'provision'",
            accounts,
        )
    finally:
        await connection.close()
    _count_messages(result, rows, mailbox, group)
    return result


def _alike(fact: str, group: str) -> str:
    """A fact without what differs from group to group: its name, and the digest of a report of usage, which is made of the name."""
    return re.sub("/adoption/usage-[0-9a-f]{16}", "/adoption/usage", fact.replace(group, ""))


def _count_messages(result: Tally, rows: list[Any], mailbox: Mailbox, group: str) -> None:
    arrived = {key: mails for key, mails in by_message_id(mailbox).items() if group in key}
    sent = [row for row in rows if row["status"] == "sent"]
    ids = {row["message_id"]: row for row in sent if row["left_with"] is None}
    assert len(ids) == sum(row["left_with"] is None for row in sent), "two messages share a Message-ID"
    leads = {row["delivery_id"] for row in ids.values()}
    result.lost += [
        row["delivery_id"] for row in sent if row["left_with"] is not None and row["left_with"] not in leads
    ]
    result.waiting = sum(row["status"] == "waiting" for row in rows)
    for message_id, row in ids.items():
        mails = arrived.pop(message_id, [])
        if not mails or {mail.to for mail in mails} != {row["address"]}:
            result.lost.append(row["delivery_id"])
            continue
        result.messages += 1
        result.resent += len(mails) - 1
        result.subjects[(mails[0].to.replace(group, ""), mails[0].subject.replace(group, ""))] += 1
    result.unknown = sorted(arrived)
