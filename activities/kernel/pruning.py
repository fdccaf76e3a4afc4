"""What is forgotten after a time, because nothing asks for it any more: everything else that is on record stays."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from activities.kernel.pool import Connection

AT_ONCE = 5_000
"""So many rows go in one transaction, so that nobody waits for it."""

# Other systems were told, or said no for good; what an event tells of is in the facts and in the journal.
_EVENTS = """
with gone as (
       delete from outbox where delivery_id in (
         select delivery_id from outbox where channel = 'deliver_webhook' and status <> 'waiting' and settled_at < $1 limit $2)
       returning 1)
select count(*) from gone
"""
# Decisions look at 56 days; the latest day of each product stays, as what is known of it.
_USAGE = """
with gone as (
       delete from usage_day where ctid = any(array(
         select u.ctid from usage_day u where u.day < ($1::timestamptz at time zone 'utc')::date and exists (
           select from usage_day l where l.account_id = u.account_id and l.product_code = u.product_code and l.day > u.day) limit $2))
       returning 1)
select count(*) from gone
"""


# The same call under the same key is answered again; after that what was asked is still done once, by its id.
_ANSWERS = """
with gone as (
       delete from kept_answer where ctid = any(array(select ctid from kept_answer where kept_at < $1 limit $2)) returning 1),
     claimed as (
       delete from claimed_key where ctid = any(array(select ctid from claimed_key where claimed_at < $1 limit $2)) returning 1)
select (select count(*) from gone) + (select count(*) from claimed)
"""
ANSWERS_KEPT = timedelta(days=30)
# What other systems told of, and is settled; what it asked is on record, and done once by its own id. What waits for somebody stays.
_INBOUND = """
with gone as (
       delete from inbound_event where event_id in (
         select event_id from inbound_event where status in ('done', 'ignored', 'discarded') and settled_at < $1 limit $2)
       returning 1)
select count(*) from gone
"""
# Who did what, and why.
_AUDIT = """
with gone as (
       delete from audit_entry where ctid = any(array(select ctid from audit_entry where at < $1 limit $2)) returning 1)
select count(*) from gone
"""
# What tools did or proposed is as old as the log; what a later act takes back stays as long as that one.
_TOOLS = """
with gone as (
       delete from tool_act where ctid = any(array(
         select a.ctid from tool_act a where a.at < $1 and coalesce(a.expires_at, a.at) < $1
         and not exists (select from tool_act l where l.takes_back = a.act_id) limit $2))
       returning 1)
select count(*) from gone
"""
# All of it is over after a day and a half at most; most goes when somebody signs in.
_SIGNED_IN = """
with session as (delete from console_session where begun_at < $1 returning 1),
     sign_in as (delete from console_sign_in where begun_at < $1 returning 1),
     form as (delete from console_form where begun_at < $1 returning 1),
     draft as (delete from console_draft where kept_at < $1 returning 1)
select (select count(*) from session) + (select count(*) from sign_in) + (select count(*) from form)
     + (select count(*) from draft) + 0 * $2::int
"""
# Mails as they came, once they are settled: what of them went into a case stays there, and so do their ids.
_MAILS = """
with gone as (
       update inbox_message set raw = '', sender_name = '', subject = '' where inbox_id = any(array(
         select inbox_id from inbox_message where status in ('matched', 'automatic', 'discarded') and settled_at < $1 and raw <> '' limit $2))
       returning 1)
select count(*) from gone
"""
# What was said in cases that are closed, and what the timeline says of messages and cases; that they were, when, and whose, stays.
_WORDS = """
with said as (
       update case_message set subject = '', body = '' where ctid = any(array(
         select m.ctid from case_message m join service_case c using (case_id)
         where c.closed_at < $1 and m.at < $1 and m.body <> '' limit $2))
       returning 1),
     told as (
       update timeline_item set title = 'forgotten' where key = any(array(
         select key from timeline_item where at < $1 and kind in ('message', 'case') and title <> 'forgotten' limit $2))
       returning 1)
select (select count(*) from said) + (select count(*) from told)
"""
SESSIONS_KEPT = timedelta(days=2)
# Turns of mails that did not leave.
_TURNS = """
with gone as (delete from mail_turn where mail = any(array(select mail from mail_turn where turn < $1 limit $2)) returning 1)
select count(*) from gone
"""
TURNS_KEPT = timedelta(days=2)


@dataclass(frozen=True)
class Keeping:
    """For how long is kept what somebody may want to look at: events that left, days of usage, the audit log, events that came in;
    mails as they came, and what was said in cases, null if for good."""

    events: timedelta
    usage: timedelta
    audit: timedelta
    inbound: timedelta
    mails: timedelta | None = None
    words: timedelta | None = None


async def forget(connection: Connection, now: datetime, keeping: Keeping, at_once: int = AT_ONCE) -> dict[str, int]:
    """Deletes what is older than it is kept; how many of each."""
    gone = {}
    for what, statement, kept in (
        ("events", _EVENTS, keeping.events),
        ("events of others", _INBOUND, keeping.inbound),
        ("days of usage", _USAGE, keeping.usage),
        ("kept answers", _ANSWERS, ANSWERS_KEPT),
        ("lines of the audit log", _AUDIT, keeping.audit),
        ("acts of tools", _TOOLS, keeping.audit),
        ("traces of sign-ins", _SIGNED_IN, SESSIONS_KEPT),
        ("turns of mails", _TURNS, TURNS_KEPT),
        ("mails as they came", _MAILS, keeping.mails),
        ("words of closed cases", _WORDS, keeping.words),
    ):
        if kept is None:
            continue
        gone[what] = 0
        while found := await connection.fetchval(statement, now - kept, at_once):
            gone[what] += found
    return gone
