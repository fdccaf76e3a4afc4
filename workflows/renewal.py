"""Renewal: notices before the term ends, a quote, an answer by update or none, and the next term by itself."""

from __future__ import annotations

from domain.contracts.requests import AnswerRenewal, RequestRenewal
from domain.frame.state import JourneyState, StageKind, stage_kind
from domain.kernel.refusals import NOT_ALLOWED, Refusal
from domain.kernel.requests import CustomerDecision

STEPS = frozenset(
    {
        "renewal_notice",  # so many days before the end, from some day on with the quote
        "renewal_quote",  # the quote that a notice could not carry while service held sales back
        "renewal_term_end",  # the next term, grace, or the end
        "renewal_grace_end",  # nobody answered
    }
)
ANSWERABLE = frozenset({"waiting", "quoted", "grace"})


def check_request_renewal(state: JourneyState, request: RequestRenewal) -> None:
    """Refuses to quote a renewal of a contract that waits for none."""
    check_answer_renewal(state, AnswerRenewal(contract_id=request.contract_id, decision=CustomerDecision.ACCEPT))


def check_answer_renewal(state: JourneyState, request: AnswerRenewal) -> None:
    """Refuses an answer for a contract that waits for none."""
    of_contract = {
        key: stage.status
        for key, stage in state.stages.items()
        if stage_kind(key) is StageKind.RENEWAL and key.split(":")[1] == request.contract_id
    }
    if any(status in ANSWERABLE for status in of_contract.values()):
        return
    if "declined" in of_contract.values():
        if request.decision is CustomerDecision.ACCEPT:
            return  # taken back, if the term has not ended
        says = "until its term ends the decision accept takes that back"
        raise Refusal(NOT_ALLOWED, f"contract {request.contract_id!r} is declined already; {says}")
    if of_contract:
        said = ", ".join(sorted(of_contract.values()))
        raise Refusal(NOT_ALLOWED, f"contract {request.contract_id!r} is {said} already; it waits for no answer")
    contracts = sorted({key.split(":")[1] for key in state.stages if stage_kind(key) is StageKind.RENEWAL})
    raise Refusal(
        NOT_ALLOWED,
        f"contract {request.contract_id!r} has no open renewal; contracts with one: {', '.join(contracts) or 'none'}",
    )
