"""Everything that a decision says, written in the transaction of its unit of work."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from activities.billing.falling_due import bill
from activities.frame import effects, outbox, writes
from activities.frame.decided import (
    DOCUMENTS,
    billing_rows,
    journal_rows,
    with_copies,
    with_documents,
    without_unwanted_mails,
)
from activities.frame.handlers import Writing
from activities.frame.numbering import with_short_numbers
from activities.frame.outgoing import Origin, Sender
from activities.kernel.gathering import Gathered
from activities.kernel.pool import Connection
from domain.frame.decision import Decision
from domain.frame.flight import Channel
from domain.frame.keys import within_account
from domain.frame.situation import Situation
from domain.frame.state import Outcome
from domain.frame.unreadable import unreadable_of
from domain.journey import mornings
from domain.journey.webhooks import events_of
from domain.journey.writes import PlaceOrder
from domain.kernel.shown import shorten

SAID_LENGTH = 72
WELCOMES = "onboarding_mail"
"""The kind of step whose mail answers an order at the instant at which it was placed."""
TOLD = frozenset({Channel.MAIL, Channel.NOTICE})
"""What people read, and is not sent by night."""


async def carry_out(
    connection: Connection,
    sender: Sender,
    situation: Situation,
    decision: Decision,
    origin: Origin,
    kind: str,
    actor: str | None = None,
    waiting: Gathered | None = None,
) -> tuple[Outcome, Gathered]:
    """Facts, documents, journal and outbox of a decision, in this order; returns what came of it, and the rows that are still to be
    written, with those that are `waiting` already."""
    customer, as_of, key = situation.customer, situation.as_of, origin.key
    account_id = customer.account.account_id
    decision = without_unwanted_mails(customer, with_copies(customer, decision))
    gathered = Gathered(connection) if waiting is None else waiting
    place = Writing(connection, account_id, as_of, customer, gathered=gathered)
    await writes.carry_out(place, decision.writes)
    billed = await bill(place, customer, key, decision.writes, imported=situation.imported)
    lines = [*journal_rows(decision, key, origin.stage, kind, as_of, actor), *billing_rows(billed, key, as_of)]
    await effects.gather_journal(gathered, account_id, lines)
    if not situation.imported:
        decision = with_documents(customer, decision, billed, situation.billing_day)
    decision = await with_short_numbers(place, decision)
    rows, unreachable = await sender.rows(connection, customer, decision, origin)
    if not situation.imported:
        rows += sender.event_rows(events_of(decision, kind, *billed.told()), account_id, origin)
    if (at := mornings.leaves_at(situation, kind)) is not None:
        rows = [replace(row, leaves_at=at) if row.channel in TOLD else row for row in rows]
    else:
        rows = _documents_in_the_morning(situation, decision, rows)
    await outbox.put(place, rows)
    outcome = _completed(situation, decision, rows, unreachable=unreachable)
    return (outcome + Outcome(plan=billed.steps) if billed.steps else outcome), gathered


def _documents_in_the_morning(
    situation: Situation, decision: Decision, rows: Sequence[outbox.OutboxRow]
) -> list[outbox.OutboxRow]:
    """The rows; those that bring nothing but documents wait for their morning, unless they go along with what leaves at once."""
    begins = next((one.order.activated_at for one in decision.writes if isinstance(one, PlaceOrder)), None)
    at = mornings.document_leaves_at(situation, begins)
    told = [row for row in rows if row.channel is Channel.MAIL]
    at_once = {row.body["to_email"].lower() for row in told if row.body["template"] != DOCUMENTS}
    main = situation.customer.contact()
    if main and any(step.kind == WELCOMES and step.at <= situation.as_of for step in decision.outcome.plan):
        at_once.add(main.email.lower())
    alone = [row for row in told if row.body["template"] == DOCUMENTS and row.body["to_email"].lower() not in at_once]
    return [replace(row, leaves_at=at) if row in alone else row for row in rows] if at else [*rows]


def _completed(
    situation: Situation, decision: Decision, rows: Sequence[outbox.OutboxRow], *, unreachable: bool
) -> Outcome:
    """The decision's outcome with its deliveries and the lines that the briefing shows, each with its local day."""
    changes: dict[str, Any] = {}
    if rows:
        account_id = situation.customer.account.account_id
        new = {within_account(account_id, row.delivery_id): row.channel for row in rows if row.leaves_at is None}
        changes["deliveries"] = {**decision.outcome.deliveries, **new}
    later: set[datetime] = {row.leaves_at for row in rows if row.leaves_at is not None}
    if later:
        changes["plan"] = [*decision.outcome.plan, *(mornings.step_at(situation, at) for at in later)]
    said = decision.outcome.said or ([] if decision.line.kind == "skipped" else [decision.line.title])
    if said:
        changes["said"] = [shorten(f"{situation.today} {line}", SAID_LENGTH) for line in said]
    attention = {
        f"unreadable:{f.name}": str(f) for f in (*situation.customer.unreadable, *unreadable_of(situation.records))
    }
    if unreachable:
        attention["unreachable"] = "no contact has a working mail address"
    if attention:
        changes["attention"] = {**decision.outcome.attention, **attention}
    return decision.outcome.having(**changes)
