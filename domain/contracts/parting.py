"""Customers who do not renew: why, what may keep them, and whether they come back."""

from __future__ import annotations

from domain.contracts.ending import CHURN_TASK, churn_task
from domain.contracts.renewal_requests import NoteChurnReason
from domain.contracts.revising import approval_of
from domain.contracts.writes import NoteChurn
from domain.frame.customer import ContractFacts, ContractStatus
from domain.frame.decision import CloseStaffTasks, Decision, JournalLine, Mail, OpenStaffTask
from domain.frame.renewal_facts import ChurnReason, RenewalVersion, VersionState
from domain.frame.situation import Situation
from domain.frame.state import Outcome, Step
from domain.frame.step_words import plain
from domain.holds.guard import guard_of
from domain.kernel.base import Write
from domain.kernel.refusals import NOT_ALLOWED, Refusal

WIN_BACK_TASK = "renewal/win-back"
_DAYS_TO_CALL = 5


def why_of(situation: Situation, contract: ContractFacts, why: ChurnReason | None, said: str, by: str) -> list[Write]:
    """The reason on record, if it is known; else somebody is to find it out."""
    known = why or ChurnReason.of(said)
    if known is None:
        return [churn_task(situation, contract)]
    return [NoteChurn(contract.contract_id, known, said, by, situation.as_of)]


def note_reason(situation: Situation, request: NoteChurnReason) -> Decision:
    """Somebody knows why a contract was not renewed. Raises `Refusal` (NotAllowed) for one that goes on."""
    contract = situation.customer.contract(request.contract_id)
    if contract is None or contract.status not in (ContractStatus.DECLINED, ContractStatus.ENDED):
        how = f"is {contract.status}" if contract else "is not this customer's, or ended long ago"
        said = f"contract {request.contract_id!r} {how}; a reason is of one that was declined or has ended"
        raise Refusal(NOT_ALLOWED, said)
    says = f"Contract {contract.contract_id} was not renewed: {plain(request.reason)}"
    closed = CloseStaffTasks(
        f"{CHURN_TASK}/{contract.contract_id}", situation.as_of, by=request.by, outcome=request.reason
    )
    return Decision(
        JournalLine(says, detail={"contract_id": contract.contract_id, "reason": request.reason, "said": request.said}),
        Outcome(said=[says], answer={"contract_id": contract.contract_id, "reason": request.reason}),
        [NoteChurn(contract.contract_id, request.reason, request.said, request.by, situation.as_of), closed],
    )


def save_offer(situation: Situation, contract: ContractFacts, why: ChurnReason | None) -> Decision | None:
    """The one offer that may keep whoever declines: it waits for whoever may approve of it. Null if the playbook has none for the
    reason, there was one, they have as much already, no role may give it, or service owes them something."""
    promised = situation.playbook.renewal.save
    before = contract.offered or RenewalVersion(version=1)
    if promised is None or why not in promised.reasons or contract.saved or contract.waiting is not None:
        return None
    if before.discount_percent >= promised.percent or guard_of(situation).renewal_held(contract.term.ends_at):
        return None
    made = before.having(
        version=contract.versions + 1,
        state=VersionState.WAITING,
        discount_percent=promised.percent,
        role=promised.role,
        asked_by="system",
        saves=True,
    )
    return approval_of(situation, contract, made, f"A save offer: it was declined for {plain(why or '')}.")


def win_back(situation: Situation, step: Step) -> Decision:
    """Some time after their last contract has ended, the owner looks whether a customer wants to come back, and they get a word."""
    customer = situation.customer
    contract_id = step.name.removeprefix("win-back-")
    contract = customer.contract(contract_id)
    if (why := no_win_back(situation, contract)) is not None:
        return Decision(JournalLine(f"No win-back: {why}", kind="skipped"))
    due_at, _ = customer.morning(situation.in_days(_DAYS_TO_CALL))
    churn = contract.churn if contract else None
    reason = (
        f"Contract {contract_id} ended without a renewal{f' ({plain(churn)})' if churn else ''}; have things changed?"
    )
    title = f"Win back: talk to {customer.account.name} about a new beginning"
    task = OpenStaffTask(f"{WIN_BACK_TASK}/{contract_id}", title, "owner", due_at, reason)
    mail = Mail("win_back", {"contract_id": contract_id})
    return Decision(
        JournalLine("Win-back: the owner is to call, and a word is on its way", detail={"contract_id": contract_id}),
        Outcome(said=["Win-back: the owner is to call"]),
        [task],
        [mail],
    )


def no_win_back(situation: Situation, contract: ContractFacts | None) -> str | None:
    """Why nobody asks a customer whether they come back; null if somebody does."""
    customer = situation.customer
    if any(one.status != ContractStatus.ENDED for one in customer.contracts) or customer.owns(situation.as_of):
        return "the customer has come back"
    if contract is None:
        return "the contract ended long ago"
    return "their business has closed" if contract.churn is ChurnReason.BUSINESS_CLOSED else None
