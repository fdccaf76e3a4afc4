"""A step that would send an optional mail too early is put off, a notice that was given lately is not given again: decided in the
transaction that would have sent it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from activities.frame import effects, outbox
from activities.kernel.pool import Connection
from domain.frame import pace
from domain.frame.calls import StepCall
from domain.frame.decision import Decision
from domain.frame.keys import effect_key, put_off_word
from domain.frame.mail_kinds import template_of
from domain.frame.situation import Situation
from domain.frame.state import Outcome, Step

Mails = Sequence[Sequence[str]]
"""As `outbox.optional_mails` has them."""


@dataclass(frozen=True)
class Pace:
    """What becomes of a step's decision once it is known who got what lately.

    `key`: under which it is on record that the step was put off, and `before` if it was put off to the same instant before; `later`: the
    steps that its mail puts off, each with its key.
    """

    decision: Decision
    key: str | None = None
    before: Outcome | None = None
    later: list[tuple[Step, str, Decision]] = field(default_factory=list)


async def paced_decision(
    connection: Connection,
    situation: Situation,
    decision: Decision,
    call: StepCall,
    *,
    paced: bool,
    mails: Mails | None = None,
) -> Pace:
    """A step's decision, put off or left out if it would come too early; `paced`: whether it waits for anybody at all. `mails`: the
    optional ones of the last time, if they are known."""
    step = call.step
    if paced:
        decision = await _unless_too_early(connection, situation, decision, step, mails)
    decision = await _unless_said(connection, situation, decision, step.kind)
    if step.kind == pace.NOTICE:
        return await _moving(connection, decision, call, pace.notices_along(situation, decision, call.near))
    if not paced:
        return Pace(decision)
    if decision.outcome.put_off:
        # It is done under its own key when it is done, and put off from a later instant each time.
        key = _put_off_key(call.account_id, step)
        done = await effects.find_effect(connection, key)
        return Pace(decision, key, done.outcome if done else None)
    return await _moving(connection, decision, call, pace.ahead(situation, decision, call.near))


async def _moving(
    connection: Connection, decision: Decision, call: StepCall, moved_by_it: list[tuple[Step, Decision]]
) -> Pace:
    """A decision with the steps that it moves, each of which is on record once."""
    found = [(step, _put_off_key(call.account_id, step), put) for step, put in moved_by_it]
    later = [one for one in found if await effects.find_effect(connection, one[1]) is None]
    if moved := [step for _, _, put_off in later for step in put_off.outcome.plan]:
        decision += Outcome(plan=moved)
    return Pace(decision, later=later)


def _put_off_key(account_id: str, step: Step) -> str:
    """Under which it is on record that a step was put off from its instant."""
    return effect_key(account_id, put_off_word(step.key, step.at))


async def _unless_too_early(
    connection: Connection, situation: Situation, decision: Decision, step: Step, mails: Mails | None
) -> Decision:
    """The decision of a step as it is, or that it is put off or left out. What goes along with another mail keeps no distance."""
    found = pace.paced(situation, decision)
    if found is None or step.along:
        return decision
    account_id = situation.customer.account.account_id
    template, email = found.mail.template, found.contact.email
    if mails is None:
        mails = await outbox.optional_mails(connection, account_id, situation.as_of)
    last = outbox.last_optional_mail(mails, email, pace.not_counted(template))
    day = pace.day_for(situation, template, last, found.contact.every_days)
    if day is None:
        return decision
    if template_of(template).apart and step.kind != pace.APART:
        return pace.apart(situation, decision, template, day)
    return pace.put_off(situation, step, template, day)


async def _unless_said(connection: Connection, situation: Situation, decision: Decision, kind: str) -> Decision:
    """The decision of a step, without the renewal notice that a customer got in the last days by another way or for another day."""
    mail = next((mail for mail in decision.mails if mail.template == pace.NOTICE), None)
    if kind != pace.NOTICE or mail is None:
        return decision
    since = situation.as_of - timedelta(days=pace.QUIET_DAYS + 1)
    account_id, contract_id = situation.customer.account.account_id, mail.context["contract_id"]
    before = await outbox.latest_notice(connection, account_id, contract_id, since)
    return pace.said_once(decision, mail, before)
