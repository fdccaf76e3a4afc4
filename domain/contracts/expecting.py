"""What a person expects of a renewal, with the reason: it stands in the forecast in place of what the figures say."""

from __future__ import annotations

from domain.contracts.forecast import RenewalCategory
from domain.contracts.renewal_quote import last_day
from domain.contracts.renewal_requests import SetRenewalCategory
from domain.contracts.writes import ExpectRenewal
from domain.frame.customer import ContractStatus
from domain.frame.decision import Decision, JournalLine
from domain.frame.situation import Situation
from domain.frame.state import Outcome
from domain.frame.step_words import plain
from domain.kernel.refusals import NOT_ALLOWED, Refusal


def expect(situation: Situation, request: SetRenewalCategory) -> Decision:
    """The category of a renewal that is not decided. Raises `Refusal` (NotAllowed) for one that is."""
    contract = situation.customer.contract(request.contract_id)
    if contract is None:
        known = ", ".join(one.contract_id for one in situation.customer.contracts) or "none"
        raise Refusal(NOT_ALLOWED, f"contract {request.contract_id!r} is not this customer's; their contracts: {known}")
    if contract.term.starts_at > situation.as_of and contract.term.number > 1:
        raise Refusal(
            NOT_ALLOWED, f"contract {contract.contract_id} is renewed already, until {last_day(contract.term)}"
        )
    if contract.status not in (ContractStatus.ACTIVE, ContractStatus.GRACE):
        raise Refusal(
            NOT_ALLOWED, f"contract {contract.contract_id} is {contract.status}; nothing is to be expected of it"
        )
    category = RenewalCategory(request.category.value)
    says = f"Renewal of {contract.contract_id} is expected as {plain(category)}: {request.reason}"
    return Decision(
        JournalLine(says, detail={"contract_id": contract.contract_id, "category": category, "reason": request.reason}),
        Outcome(said=[says], answer={"contract_id": contract.contract_id, "category": category}),
        [
            ExpectRenewal(
                contract.contract_id, contract.term.number + 1, category, request.reason, request.by, situation.as_of
            )
        ],
    )
