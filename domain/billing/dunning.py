"""Overdue invoices: the customer is reminded by the playbook's ladder, of all of them in one mail, until they are paid; then a person
takes over."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from domain.billing.writes import KeepReminder
from domain.frame.case_words import RUNNING
from domain.frame.decision import CloseStaffTasks, Decision, JournalLine, Mail, Notice, OpenStaffTask
from domain.frame.dunning_ladder import DunningHand, DunningStep
from domain.frame.situation import Situation
from domain.frame.state import Outcome, Stage, Step
from domain.kernel.money import money, rounding_of
from domain.kernel.shown import counted

STAGE = "billing:dunning"
KIND = "billing_dunning"
OVERDUE = "overdue"
TASKS = "dunning"
"""The keys of its tasks begin so."""
MAIL = "payment_reminder"
_NAMED = "reminder-"


@dataclass(frozen=True)
class OverdueInvoice:
    """An invoice that is overdue since a day, and what is still owed of it."""

    invoice_id: str
    number: int
    issued_on: date
    since: date
    currency: str
    owed: Decimal


@dataclass(frozen=True)
class Reminded:
    """The latest step of the ladder that was done: which one, on which day, about which invoices."""

    rung: int
    day: date
    invoices: frozenset[str]


@dataclass(frozen=True)
class DunningFacts:
    """What is overdue, the oldest first; the latest reminder; and who of our people looks after money, if anybody does."""

    overdue: Sequence[OverdueInvoice] = ()
    last: Reminded | None = None
    finance: str | None = None

    def without(self, paid: Collection[str]) -> DunningFacts:
        """As it is once these invoices are paid."""
        left = [one for one in self.overdue if one.invoice_id not in paid]
        return DunningFacts(left, self.last, self.finance)

    def having(self, told: OverdueInvoice) -> DunningFacts:
        """As it is once an invoice is overdue."""
        others = [one for one in self.overdue if one.invoice_id != told.invoice_id]
        found = sorted([*others, told], key=lambda one: (one.since, one.number))
        return DunningFacts(found, self.last, self.finance)


NOTHING_OVERDUE = DunningFacts()


def next_step(situation: Situation, facts: DunningFacts) -> Step | None:
    """The next step of the ladder; null where nothing is overdue, or a person has it already.

    Days count from the oldest invoice. After a reminder of one of them the next comes no sooner than the ladder has it between both, so
    that nobody is reminded of an invoice twice within a step.
    """
    ladder = situation.playbook.dunning.steps
    last = facts.last
    goes_on = last is not None and any(one.invoice_id in last.invoices for one in facts.overdue)
    rung = last.rung + 1 if goes_on and last is not None else 0
    if not facts.overdue or rung >= len(ladder):
        return None
    since = min(one.since for one in facts.overdue)
    day = since + timedelta(days=ladder[rung].after)
    if goes_on and last is not None and last.rung < len(ladder):
        day = max(day, last.day + timedelta(days=ladder[rung].after - ladder[last.rung].after))
    return _step(situation, since, rung, day)


def _step(situation: Situation, since: date, rung: int, day: date) -> Step:
    name = f"{_NAMED}{since}.{rung}.{situation.as_of:%Y%m%dT%H%M%S}"
    step = situation.step(KIND, STAGE, name, max(day, situation.today))
    return step if step.at > situation.as_of else situation.step_soon(KIND, STAGE, name)


def rung_of(step: Step) -> int:
    """Which step of the ladder it is, counted from 0."""
    return int(step.name.split(".")[1])


def without(situation: Situation, step: Step) -> list[Step]:
    """What comes if a step is left out: the next one of the ladder, as far after it as the ladder has both apart."""
    ladder, rung = situation.playbook.dunning.steps, rung_of(step) + 1
    if rung >= len(ladder):
        return []
    since = date.fromisoformat(step.name.split(".")[0].removeprefix(_NAMED))
    apart = timedelta(days=ladder[rung].after - ladder[rung - 1].after)
    return [_step(situation, since, rung, max(since + timedelta(days=ladder[rung].after), step.on + apart))]


def changed(situation: Situation, facts: DunningFacts) -> Decision:
    """What is overdue has changed: the next step is planned anew; once everything is paid, nothing of it is left."""
    if not facts.overdue:
        settled = CloseStaffTasks(f"{TASKS}/", situation.as_of, outcome="it is paid")
        return Decision(JournalLine(""), Outcome(drop=[STAGE], stages={STAGE: None}), [settled])
    step = next_step(situation, facts)
    stages: dict[str, Stage | None] = {STAGE: Stage(status=OVERDUE)}
    return Decision(JournalLine(""), Outcome(plan=[step] if step else [], drop=[STAGE], stages=stages))


def remind(situation: Situation, step: Step, facts: DunningFacts) -> Decision:
    """The step has come: a mail about all that is overdue, or a task; unless it is paid, or has to wait."""
    ladder, rung = situation.playbook.dunning.steps, rung_of(step)
    if not facts.overdue or rung >= len(ladder):
        return Decision(JournalLine("Reminder of overdue invoices: nothing is owed any more", kind="skipped"))
    if why := _waits(situation, facts):
        later = situation.in_days(situation.playbook.dunning.put_off_days)
        put_off = _step(situation, min(one.since for one in facts.overdue), rung, later)
        says = f"Reminder of overdue invoices waits: {why}"
        return Decision(JournalLine(says, kind="put_off"), Outcome(plan=[put_off]))
    of_ladder, ids = ladder[rung], frozenset(one.invoice_id for one in facts.overdue)
    after = DunningFacts(facts.overdue, Reminded(rung, situation.today, ids), facts.finance)
    following = next_step(situation, after)
    said = of_ladder.tone or of_ladder.task
    kept = KeepReminder(rung, said.value if said else "", situation.today, situation.as_of, tuple(sorted(ids)))
    decision = _said(situation, of_ladder, facts)
    return decision + Decision(JournalLine(""), Outcome(plan=[following] if following else []), [kept])


def _waits(situation: Situation, facts: DunningFacts) -> str:
    """Why nobody is reminded now; empty if nothing is in the way."""
    ids = [one.invoice_id for one in facts.overdue]
    for case in situation.service.cases:
        if case.state not in RUNNING:
            continue
        if case.refund_dispute:
            return f"a refund is disputed in case {case.case_id}"
        said = f"{case.subject} {case.said or ''}"
        if any(_names(said, id) for id in ids):
            return f"case {case.case_id} is about one of them"
    held = any(
        hold.lifted_at is None and (hold.until is None or hold.until > situation.as_of)
        for hold in situation.service.manual
    )
    return "somebody holds sales back" if held else ""


def _names(said: str, invoice_id: str) -> bool:
    return invoice_id in said.replace(",", " ").replace(".", " ").split()


def _said(situation: Situation, of_ladder: DunningStep, facts: DunningFacts) -> Decision:
    named = ", ".join(str(one.number) for one in facts.overdue)
    what = f"{'invoices' if len(facts.overdue) > 1 else 'invoice'} {named}"
    if of_ladder.tone is not None:
        title = f"{of_ladder.tone.value.capitalize()} reminder of overdue {what}"
        return Decision(JournalLine(title), mails=[Mail(MAIL, context_of(of_ladder.tone.value, facts))])
    to = (facts.finance if of_ladder.task is DunningHand.FINANCE else None) or "owner"
    due_at, _ = situation.customer.morning(situation.in_days(1))
    days = (situation.today - min(one.since for one in facts.overdue)).days
    why = f"Reminded in vain; overdue for {counted(days, 'day')}: {_amounts(facts)}"
    title, key = f"Talk with the customer about overdue {what}", f"{TASKS}/{min(one.since for one in facts.overdue)}"
    task = OpenStaffTask(key, title, to, due_at, why)
    told = [Notice(title, [why], to=to, due=due_at, task=key)] if to == "owner" else []
    return Decision(JournalLine(title), Outcome(said=[title]), [task], notices=told)


def told_now(context: Mapping[str, Any], facts: DunningFacts) -> dict[str, Any] | str:
    """What a reminder says that leaves later than it was written: of its invoices what is overdue still; or why it is dropped."""
    named = {one["invoice_id"] for one in context["invoices"]}
    left = [one for one in facts.overdue if one.invoice_id in named]
    if not left:
        return "it is paid by now"
    return {**context, **context_of(str(context["tone"]), DunningFacts(left))}


def context_of(tone: str, facts: DunningFacts) -> dict[str, object]:
    """What the mail says."""
    sums: dict[str, Decimal] = {}
    for one in facts.overdue:
        sums[one.currency] = sums.get(one.currency, Decimal(0)) + one.owed
    return {
        "tone": tone,
        "invoices": [
            {
                "invoice_id": one.invoice_id,
                "issued_on": one.issued_on.isoformat(),
                "since": one.since.isoformat(),
                "owed": money(one.owed, one.currency).told(),
            }
            for one in facts.overdue
        ],
        "totals": [money(amount, currency).told() for currency, amount in sorted(sums.items())],
    }


def _amounts(facts: DunningFacts) -> str:
    return ", ".join(
        f"{rounding_of(one.currency).apply(one.owed):f} {one.currency} of {one.invoice_id}" for one in facts.overdue
    )
