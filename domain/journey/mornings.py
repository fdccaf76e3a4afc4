"""What is decided by night, or made up for after a pause, is told in the morning: at nine o'clock of a business day."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from domain.frame.decision import Decision, JournalLine
from domain.frame.flight import Channel
from domain.frame.keys import within_account
from domain.frame.mail_names import mail_in_words
from domain.frame.service_facts import MorningMail
from domain.frame.situation import Situation
from domain.frame.state import Outcome, Step
from domain.holds.writes import ReleaseMails, RewriteMail, WithdrawMail
from domain.journey import mail_anew
from domain.kernel.base import Write

SETTLED = "what it asks for is settled"
STAGE = "relationship"
KIND = "relationship_morning"
AT_AN_HOUR = frozenset({"renewal_term_end", "renewal_grace_end", "amendment_effective", "billing_invoice"})
"""Kinds of steps that happen at the instant that was sold, or as soon as they can: whoever is told of them reads it in the morning."""

LOOKS = frozenset({"relationship_health", "adoption_usage_review"})
"""Kinds of steps by which our people hear what was found at whatever hour it came in: they read it when they work."""

_OPEN_FOR = timedelta(hours=1)


def leaves_at(situation: Situation, kind: str) -> datetime | None:
    """When the mails and notices of a step of this kind leave; null for at once."""
    if kind in LOOKS:
        return None if situation.customer.at_work(situation.as_of) else situation.soon[0]
    if kind not in AT_AN_HOUR:
        return None
    at, _ = situation.customer.morning(situation.today)
    if at <= situation.as_of < at + _OPEN_FOR:
        return None
    return at if at > situation.as_of else situation.customer.morning(situation.in_days(1))[0]


def document_leaves_at(situation: Situation, begins: datetime | None = None) -> datetime | None:
    """When an invoice or a credit note leaves that comes with nothing else, so that nobody waits for it: while people work, at the
    latest on the next business day; null for at once. `begins`: when the order takes effect that it is for. It is not billed to
    anybody before the day on which they are welcomed or thanked for it."""
    customer = situation.customer
    if begins is not None and (day := customer.day_of(begins)) > situation.today:
        return customer.morning(day)[0]
    return None if customer.at_work(situation.as_of) else situation.soon[0]


def step_at(situation: Situation, at: datetime) -> Step:
    """The step by which what waits for the morning of `at` leaves."""
    day = situation.customer.day_of(at)
    return Step(kind=KIND, stage=STAGE, name=f"mails-{day}", at=at, on=day)


def leave(situation: Situation, step: Step) -> Decision:
    """All that waits for a morning until now leaves, wherever the customer is by now, unless it is not so any more."""
    deliveries: dict[str, Channel] = {}
    released: list[str] = []
    writes: list[Write] = []
    lines: list[JournalLine] = []
    account_id = situation.customer.account.account_id
    plan: list[Step] = []
    for mail in situation.service.mornings:
        if mail.leaves_at is not None and situation.customer.day_of(mail.leaves_at) > situation.today:
            plan.append(step_at(situation, mail.leaves_at))  # wherever the customer has moved: it has a step of its own
            continue
        changes = _decided(situation, mail)
        if not isinstance(changes, str):
            if mail.differs(changes):
                writes.append(RewriteMail(mail.delivery_id, changes))
            released.append(mail.delivery_id)
            deliveries[within_account(account_id, mail.delivery_id)] = mail.channel
            continue
        writes.append(WithdrawMail(mail.delivery_id, changes))
        what = mail_in_words(mail.template) if mail.channel is Channel.MAIL else f"notice “{mail.body['title']}”"
        says = f"Dropped: {what}; {changes}"
        lines.append(JournalLine(says, name=within_account(account_id, mail.delivery_id), kind="dropped"))
    if released:
        writes.append(ReleaseMails(tuple(released)))
    return Decision(
        JournalLine("What was decided by night leaves", kind="skipped"),
        Outcome(deliveries=deliveries, plan=plan),
        writes,
        more_lines=lines,
    )


def _decided(situation: Situation, mail: MorningMail) -> dict[str, Any] | str:
    """What is changed of a message by now, or why it is dropped. A notice is what was decided: it leaves as it is, unless the task
    that it asks for is settled."""
    if mail.channel is Channel.MAIL:
        return mail_anew.decided(situation, mail)
    task = mail.body.get("task")
    return SETTLED if task is not None and task not in situation.customer.staff_tasks else {}
