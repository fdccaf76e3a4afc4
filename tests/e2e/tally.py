"""What became of a group of customers, read from tables and mailbox alone, in words that two groups can be compared by."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import asyncpg

from tests.e2e.lives import by_message_id
from workers.embedded.mailbox import Mailbox

_FACTS = {
    # What a dead server kept for a day is written anew, which says so: no step was done twice.
    "journal": "select key || ' ' || kind as fact from journal where account_id = any($1) and kind <> 'rewritten'",
    "effect": "select key as fact from effect where account_id = any($1)",
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
        found += [f"mail: {n} x {mail} missing" for mail, n in (other.subjects - self.subjects).items()]
        return found


async def tally(dsn: str, mailbox: Mailbox, accounts: list[str], group: str) -> Tally:
    """Counts what `accounts` have. `group` is the part of their ids that tells them from other groups."""
    result = Tally()
    connection = await asyncpg.connect(dsn)
    try:
        for table, query in _FACTS.items():
            rows = await connection.fetch(query, accounts)
            result.facts[table] = Counter(row["fact"].replace(group, "") for row in rows)
        rows = await connection.fetch(
            "select delivery_id, message_id, status, account_id, body->>'to_email' as address from outbox"
            " where account_id = any($1) and channel <> 'provision'",
            accounts,
        )
    finally:
        await connection.close()
    _count_messages(result, rows, mailbox, group)
    return result


def _count_messages(result: Tally, rows: list[Any], mailbox: Mailbox, group: str) -> None:
    arrived = {key: mails for key, mails in by_message_id(mailbox).items() if group in key}
    ids = {row["message_id"]: row for row in rows if row["status"] == "sent"}
    assert len(ids) == sum(row["status"] == "sent" for row in rows), "two messages share a Message-ID"
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
