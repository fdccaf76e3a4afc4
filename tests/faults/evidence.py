"""What is left of a run, as rows: read from tables, histories and mailbox, past everything that wrote them."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from temporalio.client import Client

from activities.kernel.pool import Pool
from domain.journey.comparing import Difference
from gateway.cases import CaseClient
from gateway.client import PerennialClient
from gateway.reconciling import Reconciler
from tests.driver.running import rules
from workers.embedded.mailbox import Mailbox

Row = dict[str, Any]
_TABLES = {
    "orders": "select order_id, account_id from sales_order order by order_id",
    "assets": "select asset_id, account_id from asset order by asset_id",
    "effects": "select key, account_id, under from effect order by key",
    "journal": "select key, account_id, kind, at, title from journal order by key",
    "outbox": "select delivery_id, account_id, channel, status, message_id, left_with, body->>'to_email' as address,"
    " body->>'template' as template, reason from outbox order by delivery_id",
    "sent_before": "select delivery_id, account_id from sent_before order by delivery_id",
    "cases": "select case_id, account_id, status from service_case order by case_id",
    "messages": "select case_id, count(*) as messages from case_message where not automatic and (template is null or"
    " template like '%reply%') group by case_id order by case_id",
    "inbox": "select inbox_id, status, case_id, reason from inbox_message order by inbox_id",
    "quotes": "select quote_id, state, order_id from quote order by quote_id",
    "claims": "select claim_id, case_id, status, credit_memo_id from refund_claim order by claim_id",
}
_CHARGED = """
select 'invoice' as kind, d.invoice_id as id, d.account_id, d.issued_on::text as day, array_agg(concat_ws(' ', coalesce(l.asset_id,
       l.order_id || '/' || l.line_id), l.amount, l.period, l.covers_from, l.covers_until) order by l.number) as lines
from invoice d join invoice_line l using (invoice_id) group by d.invoice_id
union all
select 'credit', d.credit_memo_id, d.account_id, d.issued_on::text, array_agg(concat_ws(' ', coalesce(l.asset_id,
       l.order_id || '/' || l.line_id), l.amount, l.invoice_id, l.period, l.covers_from, l.covers_until) order by l.number)
from credit_memo d join credit_memo_line l using (credit_memo_id) group by d.credit_memo_id
order by kind, id
"""
_DATED = re.compile(rb"^(?:Date|Received|Return-Path|Delivered-To):[^\n]*(?:\n[ \t][^\n]*)*\n", re.MULTILINE)


@dataclass(frozen=True)
class Arrived:
    """A mail that arrived: what it says, without its date and its envelope."""

    message_id: str
    to: str
    subject: str
    text: str


@dataclass
class Evidence:
    """Everything that the checker looks at."""

    tables: dict[str, list[Row]] = field(default_factory=dict)
    charged: list[Row] = field(default_factory=list)
    mails: list[Arrived] = field(default_factory=list)
    running: set[str] = field(default_factory=set)
    """workflows that go on"""
    troubled: list[str] = field(default_factory=list)
    """workflows that report a problem, or have set something aside, and which"""
    apart: dict[str, list[Difference]] = field(default_factory=dict)
    """by account: what is done, or on the agenda, otherwise than the planner has it follow from the facts"""
    overdue: list[str] = field(default_factory=list)
    issued_late: set[str] = field(default_factory=set)
    """documents of which the checker has found that a moved clock ran past their day"""
    told_by_batches: set[str] = field(default_factory=set)
    """Message-IDs of what batches told our people before the database was lost that knew of it: it is in no history"""
    rules: dict[str, list[Row]] = field(default_factory=dict)
    """rules of the tables that some rows break"""

    def of(self, table: str) -> list[Row]:
        """The rows of a table."""
        return self.tables.get(table, [])


async def gather(temporal: Client, pool: Pool, mailbox: Mailbox) -> Evidence:
    """Reads all there is."""
    found = Evidence()
    async with pool.acquire() as connection:
        for name, sql in _TABLES.items():
            found.tables[name] = [dict(row) for row in await connection.fetch(sql)]
        found.charged = [dict(row) for row in await connection.fetch(_CHARGED)]
        for name, sql in rules().items():
            if rows := await connection.fetch(f"select * from ({sql}) broken limit 5"):
                found.rules[name] = [dict(row) for row in rows]
    found.mails = [_arrived(mailbox, one.id) for one in mailbox.list()]
    async for run in temporal.list_workflows("ExecutionStatus = 'Running'"):
        found.running.add(run.id)
        pairs = {pair.key.name: pair.value for pair in run.typed_search_attributes}
        reasons = pairs.get("AttentionReasons") or []
        said = [str(one) for one in (reasons if isinstance(reasons, list) else [reasons])]
        found.troubled += [
            f"{run.id}: {one}" for one in said if one.startswith(("parked", "stuck", "unreadable", "unknown"))
        ]
        if problems := pairs.get("TemporalReportedProblems"):
            found.troubled.append(f"{run.id}: {problems}")
    accounts = [row["account_id"] for row in await pool.fetch("select account_id from account order by account_id")]
    await _compare(found, temporal, pool, accounts)
    return found


async def _compare(found: Evidence, temporal: Client, pool: Pool, accounts: Sequence[str]) -> None:
    client = PerennialClient(temporal, pool)
    reconciler = Reconciler(client, CaseClient(temporal, pool), pool, _never)
    for account in accounts:
        if differences := [*(await reconciler.look(account)).found]:
            found.apart[account] = differences
        running = await client.agenda_of(account)
        if running is None or running.paused or running.closed:
            continue
        found.overdue += [
            f"{account}: {step.key} was due at {step.at}" for step in running.steps if step.at < running.now
        ]


async def _never(name: str, given: dict[str, Any], key: str, later: timedelta) -> None:
    raise AssertionError(f"nothing is mended here: {name} under {key}")


def _arrived(mailbox: Mailbox, mail_id: str) -> Arrived:
    raw = _DATED.sub(b"", mailbox.raw(mail_id).replace(b"\r\n", b"\n"))
    message = email.message_from_bytes(raw, policy=email.policy.SMTPUTF8)
    body = message.get_body(("plain",))
    text = str(body.get_content()) if body is not None else ""
    known = mailbox.read(mail_id).summary
    return Arrived(known.message_id or "", known.to, known.subject, text)
