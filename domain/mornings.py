"""What is decided by night, or made up for after a pause, is told in the morning: at nine o'clock of a business day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from domain.customer import ContractFacts
from domain.decision import Decision, JournalLine, Write
from domain.journey import Channel, Outcome, Step
from domain.mail_names import mail_in_words
from domain.service.guard import MorningMail
from domain.service.hold_writes import ReleaseMails, WithdrawMail
from domain.situation import Situation

STAGE = "relationship"
KIND = "relationship_morning"
AT_AN_HOUR = frozenset({"renewal_term_end", "renewal_grace_end", "amendment_effective", "billing_invoice"})
"""Kinds of steps that happen at the instant that was sold, or as soon as they can: whoever is told of them reads it in the morning."""

_OPEN_FOR = timedelta(hours=1)


def leaves_at(situation: Situation, kind: str) -> datetime | None:
    """When the mails of a step of this kind leave; null for at once."""
    if kind not in AT_AN_HOUR:
        return None
    at, _ = situation.customer.morning(situation.today)
    if at <= situation.as_of < at + _OPEN_FOR:
        return None
    return at if at > situation.as_of else situation.customer.morning(situation.in_days(1))[0]


def step_at(situation: Situation, at: datetime) -> Step:
    """The step by which what waits for the morning of `at` leaves."""
    day = situation.customer.day_of(at)
    return Step(kind=KIND, stage=STAGE, name=f"mails-{day}", at=at, on=day)


_STILL_SO: Mapping[str, Callable[[ContractFacts], bool]] = {
    "renewal_grace": lambda contract: contract.status == "grace",
    "contract_ended": lambda contract: contract.status == "ended",
}
"""Mails about a contract that say what may be otherwise by the morning."""


def leave(situation: Situation, step: Step) -> Decision:
    """All that waits for a morning leaves, wherever the customer is by now, unless it is not so any more."""
    deliveries: dict[str, Channel] = {}
    released: list[str] = []
    writes: list[Write] = []
    lines: list[JournalLine] = []
    prefix = f"journey:{situation.customer.account.account_id}/"
    for mail in situation.service.mornings:
        if _is_so(situation, mail):
            released.append(mail.delivery_id)
            deliveries[mail.delivery_id.removeprefix(prefix)] = mail.channel
            continue
        why = "it is not so any more"
        writes.append(WithdrawMail(mail.delivery_id, why))
        says = f"Dropped: {mail_in_words(mail.template or '')}; {why}"
        lines.append(JournalLine(says, name=mail.delivery_id.removeprefix(prefix), kind="dropped"))
    if released:
        writes.append(ReleaseMails(tuple(released)))
    return Decision(
        JournalLine("What was decided by night leaves", kind="skipped"),
        Outcome(deliveries=deliveries),
        writes,
        more_lines=lines,
    )


def _is_so(situation: Situation, mail: MorningMail) -> bool:
    rule = _STILL_SO.get(mail.template or "")
    contract = situation.customer.contract(mail.contract_id) if mail.contract_id else None
    return rule is None or contract is None or rule(contract)
