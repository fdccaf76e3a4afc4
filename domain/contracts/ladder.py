"""The ladder before a renewal: what our people do, when, and why, as tasks with an owner and a day.

All days count back from the last one on which the customer decides: the end of the term, or the day of notice if that is earlier.
What is due at once, as for a term that was recorded late or for contracts that end together, is one task.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from domain.contracts.renewal_notices import LEAST_SETTLING, MOST_SETTLING
from domain.contracts.renewal_quote import last_day, last_to_decline
from domain.contracts.writes import ClimbRung
from domain.frame.customer import ContractFacts, ContractStatus
from domain.frame.decision import CloseStaffTasks, Decision, JournalLine, OpenStaffTask
from domain.frame.renewal_promises import Ladder, LadderStep, Rung
from domain.frame.situation import Situation
from domain.frame.staff_tasks import TaskState
from domain.holds.guard import guard_of
from domain.kernel.base import Carried, Write
from domain.kernel.calendar import business_day_until
from domain.kernel.shown import counted
from domain.orders.order import ContactRole
from domain.success.health import seat_use

TASKS = "renewal/ladder"
ANEW_AFTER = timedelta(days=30)
"""A step that was done is done anew if the term's end has moved away by more than this."""
_MONTH = Decimal("30.44")
_WORDS = {
    Rung.DATA_CHECK: "check the data",
    Rung.RISK_REVIEW: "review the risk",
    Rung.MEETING: "meet who decides",
    Rung.PROPOSAL: "follow up on the proposal",
    Rung.REMINDER: "ask for the answer",
    Rung.LAST_CALL: "call before it is too late",
    Rung.MID_TERM: "review the first half of the term",
}


class LadderTerm(Carried):
    """The latest term of a contract that runs, as far as the ladder asks: `until` is the first day after it, `arr` what it brings in a
    year, `climbed` the steps that were tasks already, each with the day on which it was due."""

    contract_id: str
    account_id: str
    time_zone: str
    segment: str
    playbook_version: int
    currency: str
    auto_renew: bool
    notice_days: int
    number: int
    start_on: date
    until: date
    arr: Decimal
    climbed: dict[Rung, date] = {}

    @property
    def decided_by(self) -> date:
        """The last day on which the customer decides."""
        last = self.until - timedelta(days=1)
        return min(last, last_to_decline(self.start_on, self.until, self.notice_days)) if self.auto_renew else last


@dataclass(frozen=True)
class DueStep:
    """A step of the ladder that is due for a term: it was to be done from `on` on."""

    term: LadderTerm
    step: LadderStep
    on: date


def due_steps(term: LadderTerm, ladder: Ladder, today: date) -> list[DueStep]:
    """The steps that are due for a term on a day and were not tasks before, the earliest first.

    A step that would come before the customer has settled in the term is left out, as is all once the day of decision is over.
    """
    if not term.start_on <= today <= term.decided_by:
        return []
    length = (term.until - term.start_on).days
    settled = term.start_on + timedelta(days=min(MOST_SETTLING, max(LEAST_SETTLING, length // 4)))
    planned = [
        (step, term.decided_by - timedelta(days=step.days)) for step in ladder.steps_for(term.arr, term.currency)
    ]
    if ladder.review_from_months and round(length / _MONTH) >= ladder.review_from_months:
        days = (term.decided_by - term.start_on).days // 2
        review = LadderStep.model_construct(rung=Rung.MID_TERM, days=days, to="success_manager", within=14)
        planned.append((review, term.start_on + timedelta(days=length // 2)))
    found = [
        DueStep(term, step, on) for step, on in planned if settled <= on <= today and not _climbed(term, step.rung, on)
    ]
    return sorted(found, key=lambda one: one.on)


def _climbed(term: LadderTerm, rung: Rung, on: date) -> bool:
    before = term.climbed.get(rung)
    return before is not None and on - before <= ANEW_AFTER


def climb(situation: Situation, due: Sequence[DueStep]) -> Decision:
    """What is due today of a customer's contracts: one task for all that is to be decided by the same day."""
    waiting = {contract.contract_id for contract in situation.customer.contracts if _is_open(situation, contract)}
    open_days = {contract_day(contract) for contract in situation.customer.contracts if contract.contract_id in waiting}
    found = [one for one in due if one.term.contract_id in waiting and _contract(situation, one) is not None]
    groups: dict[date, list[DueStep]] = {}
    for one in found:
        groups.setdefault(one.term.decided_by, []).append(one)
    writes: list[Write] = list(_taken_back(situation, open_days))
    lines: list[JournalLine] = []
    for day, group in sorted(groups.items()):
        task = _task(situation, day, group)
        climbed = [
            ClimbRung(one.term.contract_id, one.term.number, one.step.rung, one.on, task.key, situation.as_of)
            for one in group
        ]
        writes += [task, *climbed]
        ids = [one.term.contract_id for one in group]
        lines.append(JournalLine(task.title, name=day.isoformat(), detail={"contracts": sorted({*ids})}))
    if not lines:
        return Decision(JournalLine("", kind="skipped"), writes=writes)
    return Decision(lines[0], writes=writes, more_lines=lines[1:])


def _is_open(situation: Situation, contract: ContractFacts) -> bool:
    """True while nobody has said whether a contract goes on, and it can still be said."""
    return contract.status == ContractStatus.ACTIVE and contract.term.starts_at <= situation.as_of


def _contract(situation: Situation, due: DueStep) -> ContractFacts | None:
    """The contract of a step that is due, if its latest term is still that one."""
    contract = situation.customer.contract(due.term.contract_id)
    return contract if contract is not None and contract.term.number == due.term.number else None


def contract_day(contract: ContractFacts) -> date:
    """The last day on which the customer decides about a contract."""
    last = last_day(contract.term)
    if not contract.auto_renew:
        return last
    return min(last, last_to_decline(contract.term.start_on, contract.term.until, contract.notice_days))


def _taken_back(situation: Situation, open_days: Iterable[date]) -> list[CloseStaffTasks]:
    """Tasks about contracts of which all are answered by now."""
    needed = tuple(f"{TASKS}/{day}/" for day in open_days)
    keys = [key for key in situation.customer.staff_tasks if key.startswith(f"{TASKS}/")]
    over = [key for key in keys if not key.startswith(needed)]
    return [
        CloseStaffTasks(key, situation.as_of, TaskState.TAKEN_BACK, outcome="the renewal is decided") for key in over
    ]


def answered(situation: Situation, contract: ContractFacts) -> list[CloseStaffTasks]:
    """What our people were to do for a renewal that is decided now, unless another contract is to be decided by the same day."""
    day = contract_day(contract)
    others = [one for one in situation.customer.contracts if one.contract_id != contract.contract_id]
    if any(contract_day(one) == day and _is_open(situation, one) for one in others):
        return []
    return [CloseStaffTasks(f"{TASKS}/{day}/", situation.as_of, outcome="the renewal is decided")]


def _task(situation: Situation, day: date, group: Sequence[DueStep]) -> OpenStaffTask:
    """One task for some steps of some contracts."""
    contracts = sorted({one.term.contract_id for one in group})
    steps = list(dict.fromkeys(one.step.rung for one in group))
    nearest = min((one.step for one in group), key=lambda step: step.days)
    due = min(situation.in_days(min(one.step.within for one in group)), day)
    due_at, _ = situation.customer.morning(
        business_day_until(max(due, situation.today), situation.customer.account.country)
    )
    named = ", ".join(contracts[:5]) + (f" and {len(contracts) - 5} more" if len(contracts) > 5 else "")
    title = f"Renewal of {named} by {day}: {', '.join(_words(rung, group) for rung in steps)}"
    to = nearest.to if len({one.step.to for one in group}) > 1 else group[0].step.to
    says = [line for rung in steps for line in _REASONS[rung](situation, group)]
    worth = " and ".join(_worth(group))
    reason = " ".join([f"{worth} a year is to be decided by {day}.", *dict.fromkeys(says)])
    return OpenStaffTask(f"{TASKS}/{day}/{nearest.rung.value}", title, to, max(due_at, situation.as_of), reason)


def _words(rung: Rung, group: Sequence[DueStep]) -> str:
    """What is to be done. Nobody has to accept what renews by itself: there the day of notice is what they have to know."""
    if rung is Rung.PROPOSAL and all(one.term.auto_renew for one in group):
        return "see that they know the day of notice"
    return _WORDS[rung]


def _worth(group: Sequence[DueStep]) -> list[str]:
    """What is at stake, by currency."""
    terms = {one.term.contract_id: one.term for one in group}.values()
    sums: dict[str, Decimal] = {}
    for term in terms:
        sums[term.currency] = sums.get(term.currency, Decimal(0)) + term.arr
    return [f"{amount.normalize():f} {currency}" for currency, amount in sorted(sums.items())]


# What is known of it


def _data(situation: Situation, group: Sequence[DueStep]) -> list[str]:
    """What the record says of dates, terms and people, and what it lacks."""
    known = {contact.role for contact in situation.customer.contacts if not contact.rejected}
    lacking = [role.value for role in (ContactRole.SPONSOR, ContactRole.BILLING) if role not in known]
    found = []
    for term in {one.term.contract_id: one.term for one in group}.values():
        how = (
            f"renews by itself unless it is declined by {term.decided_by}"
            if term.auto_renew
            else "does not renew by itself"
        )
        contract = situation.customer.contract(term.contract_id)
        uplift = f", prices rise by {contract.uplift_percent:f} percent" if contract and contract.uplift_percent else ""
        found.append(f"{term.contract_id} runs until {term.until - timedelta(days=1)}, {how}{uplift}.")
    return [*found, *([f"No contact is {' or '.join(lacking)}."] if lacking else [])]


def _risk(situation: Situation, group: Sequence[DueStep]) -> list[str]:
    """Health, use, open cases and the sponsor, as far as they are known."""
    customer = situation.customer
    latest = customer.health[-1] if customer.health else None
    says = [
        f"Health is {latest.band}{f', {latest.score}' if latest.score is not None else ''}."
        if latest
        else "Health was never scored."
    ]
    for use in seat_use(customer, situation.playbook, situation.as_of):
        says.append(f"{use.asset.product_name}: {use.says}.")
    running = situation.service.running()
    if running:
        says.append(f"{counted(len(running), 'case')} open: {', '.join(case.case_id for case in running[:5])}.")
    if not any(contact.role is ContactRole.SPONSOR and not contact.rejected for contact in customer.contacts):
        says.append("No sponsor is known.")
    return says


def _held(situation: Situation, group: Sequence[DueStep]) -> list[str]:
    held = guard_of(situation).renewal_held()
    return [f"Service holds the talk back: {held.says}."] if held else []


def _answer(situation: Situation, group: Sequence[DueStep]) -> list[str]:
    """What happens if nobody says anything."""
    found = []
    for term in {one.term.contract_id: one.term for one in group}.values():
        then = "it renews by itself" if term.auto_renew else "it runs out, and grace begins"
        found.append(f"{term.contract_id}: nobody has answered yet; without an answer {then}.")
    return [*found, *_held(situation, group)]


_REASONS: dict[Rung, Callable[[Situation, Sequence[DueStep]], list[str]]] = {
    Rung.DATA_CHECK: _data,
    Rung.RISK_REVIEW: _risk,
    Rung.MEETING: _held,
    Rung.PROPOSAL: _answer,
    Rung.REMINDER: _answer,
    Rung.LAST_CALL: _answer,
    Rung.MID_TERM: _risk,
}
