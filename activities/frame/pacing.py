"""A step that would send an optional mail too early is put off, a notice that was given lately is not given again: decided in the
transaction that would have sent it."""

from __future__ import annotations

from datetime import timedelta

from activities.frame import effects
from activities.kernel.pool import Connection
from domain.frame import pace
from domain.frame.decision import Decision
from domain.frame.situation import Situation
from domain.frame.state import Step


async def unless_too_early(
    connection: Connection, situation: Situation, decision: Decision, step: Step | None
) -> Decision:
    """The decision of a step as it is, or that it is put off or left out. Null for what does not wait for anybody."""
    found = pace.paced(situation, decision) if step is not None else None
    if step is None or found is None:
        return decision
    account_id = situation.customer.account.account_id
    template, email = found.mail.template, found.contact.email
    counted = pace.not_counted(template)
    last = await effects.last_optional_mail(connection, account_id, email, situation.as_of, counted)
    day = pace.day_for(situation, template, last)
    if day is None:
        return decision
    if template in pace.OF_A_DECISION and step.kind != pace.APART:
        return pace.apart(situation, decision, template, day)
    return pace.put_off(situation, step, template, day)


async def unless_said(connection: Connection, situation: Situation, decision: Decision, kind: str) -> Decision:
    """The decision of a step, without the renewal notice that a customer got in the last days by another way or for another day."""
    mail = next((mail for mail in decision.mails if mail.template == pace.NOTICE), None)
    if kind != pace.NOTICE or mail is None:
        return decision
    since = situation.as_of - timedelta(days=pace.QUIET_DAYS + 1)
    account_id, contract_id = situation.customer.account.account_id, mail.context["contract_id"]
    before = await effects.latest_notice(connection, account_id, contract_id, since)
    return pace.said_once(decision, mail, before)
