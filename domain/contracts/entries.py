"""What can be asked about renewals, and about what a customer owns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial, wraps
from typing import Any

from domain.contracts import (
    changes,
    expecting,
    merging,
    notice,
    parting,
    receiving,
    renewal_answers,
    revising,
    taking_back,
    transfers,
)
from domain.contracts.renewal_requests import (
    ApproveRenewal,
    ConvertContract,
    GiveNotice,
    NoteChurnReason,
    ReviseRenewal,
    SetRenewalCategory,
)
from domain.contracts.renewal_status import RenewalStatus
from domain.contracts.request_facts import RequestFacts
from domain.contracts.requests import (
    AmendAssets,
    AnswerRenewal,
    CancelAssets,
    MergeAccount,
    ReceiveAssets,
    RenewAssets,
    RequestRenewal,
    RollBack,
    SwapAssets,
    TransferAssets,
    UnmergeAccount,
)
from domain.frame.decision import Decision
from domain.frame.keys import StageKind
from domain.frame.request_kinds import CUSTOMERS, PROGRAMS, SELLERS, RequestKind
from domain.frame.situation import LEDGER, Situation
from domain.frame.state import JourneyState
from domain.kernel.refusals import NOT_ALLOWED, Refusal
from domain.kernel.requests import CustomerDecision, Request
from domain.orders.writes import AddProducts

_ANSWERABLE = frozenset({RenewalStatus.WAITING, RenewalStatus.QUOTED, RenewalStatus.GRACE})


def _check_renewal(
    state: JourneyState, request: AnswerRenewal | RequestRenewal | ReviseRenewal | ApproveRenewal, now: datetime
) -> None:
    """Refuses an answer for a contract that waits for none, and a quote of one that nothing is to be renewed of."""
    found = [(contract_id, stage.status) for contract_id, stage in state.stages_of(StageKind.RENEWAL)]
    said = {status for contract_id, status in found if contract_id == request.contract_id}
    if said & _ANSWERABLE:
        return
    if RenewalStatus.EVERGREEN in said:
        says = "it goes on without a renewal; give_notice ends it, convert_contract gives it a term"
        raise Refusal(NOT_ALLOWED, f"contract {request.contract_id!r} has no end: {says}")
    if RenewalStatus.DECLINED in said:
        if not isinstance(request, AnswerRenewal) or request.decision is CustomerDecision.ACCEPT:
            return  # taken back, if the term has not ended
        says = "until its term ends the decision accept takes that back"
        raise Refusal(NOT_ALLOWED, f"contract {request.contract_id!r} is declined already; {says}")
    if said:
        known = ", ".join(sorted(said))
        raise Refusal(NOT_ALLOWED, f"contract {request.contract_id!r} is {known} already; it waits for no answer")
    others = ", ".join(sorted({contract_id for contract_id, _ in found})) or "none"
    raise Refusal(NOT_ALLOWED, f"contract {request.contract_id!r} has no open renewal; contracts with one: {others}")


def _check_target(state: JourneyState, request: TransferAssets, now: datetime) -> None:
    """Refuses a transfer to where the assets are already."""
    if request.to_account == state.account_id:
        raise Refusal(NOT_ALLOWED, "the assets are this account's already; name another to_account")


def _on_facts(rule: Callable[..., Decision]) -> Callable[..., Decision]:
    """The rule of a request about assets, which is decided on the facts that are gathered for it."""

    @wraps(rule)
    def decide(situation: Situation, request: Request, facts: RequestFacts, *looked: Any) -> Decision:
        decision = rule(facts, request, *looked)
        return replace(decision, writes=[AddProducts(facts.new), *decision.writes]) if facts.new else decision

    return decide


_of_assets = partial(RequestKind, stage="amendment", needs=LEDGER, binding=True)

ENTRIES = (
    RequestKind(
        "answer_renewal",
        AnswerRenewal,
        renewal_answers.answer,
        "Answer to a renewal",
        asked_by=CUSTOMERS,
        example='{"contract_id": "K-1", "decision": "decline", "reason": "price", "by": "customer"}',
        stage="renewal",
        needs=LEDGER,
        allowed=_check_renewal,
        binding=True,
    ),
    RequestKind(
        "request_renewal",
        RequestRenewal,
        renewal_answers.asked_for,
        "Wish for a renewal",
        asked_by=CUSTOMERS,
        example='{"contract_id": "K-1", "by": "customer"}',
        stage="renewal",
        needs=LEDGER,
        allowed=_check_renewal,
    ),
    RequestKind(
        "revise_renewal",
        ReviseRenewal,
        revising.revise,
        "Other terms for a renewal",
        asked_by=CUSTOMERS,
        example='{"contract_id": "K-1", "seats": 20, "months": 24, "by": "customer"}',
        stage="renewal",
        needs=LEDGER,
        allowed=_check_renewal,
    ),
    RequestKind(
        "approve_renewal",
        ApproveRenewal,
        revising.approve,
        "Approval of a renewal's price",
        asked_by=SELLERS,
        example='{"contract_id": "K-1", "decision": "approve", "role": "manager", "by": "s-9"}',
        stage="renewal",
        needs=LEDGER,
        allowed=_check_renewal,
        binding=True,
    ),
    RequestKind(
        "note_churn_reason",
        NoteChurnReason,
        parting.note_reason,
        "Why a contract was not renewed",
        asked_by=CUSTOMERS,
        example='{"contract_id": "K-1", "reason": "sponsor_left", "said": "Ms Ito has moved on", "by": "s-1"}',
        stage="renewal",
    ),
    RequestKind(
        "set_renewal_category",
        SetRenewalCategory,
        expecting.expect,
        "What is expected of a renewal",
        asked_by=SELLERS,
        example='{"contract_id": "K-1", "category": "best_case", "reason": "their new CFO has to agree", "by": "s-1"}',
        stage="renewal",
    ),
    _of_assets(
        "amend_assets",
        AmendAssets,
        _on_facts(changes.amend),
        "Change of what they own",
        asked_by=SELLERS | PROGRAMS,
        example='{"assets": [{"asset_id": "SO-1.1", "remove": 10, "expected_version": 3}], "effective": "2027-06-01",'
        ' "reason": "fewer users", "add_ons": [{"contract_id": "K-1", "product": "PRO", "quantity": 5, "unit_price": "20"}]}',
    ),
    _of_assets(
        "renew_assets",
        RenewAssets,
        _on_facts(changes.renew),
        "Renewal by request",
        asked_by=SELLERS,
        example='{"contract_id": "K-1", "start": "2027-10-01", "months": 24, "uplift_percent": "3"}',
    ),
    _of_assets(
        "cancel_assets",
        CancelAssets,
        _on_facts(changes.cancel),
        "Cancellation",
        asked_by=SELLERS,
        example='{"contract_id": "K-1", "effective": "period_end", "reason": "moved abroad"}',
    ),
    _of_assets(
        "give_notice",
        GiveNotice,
        _on_facts(notice.give),
        "Notice",
        asked_by=CUSTOMERS,
        example='{"contract_id": "K-1", "on": "2027-12-31", "why": "price", "by": "customer"}',
    ),
    _of_assets(
        "convert_contract",
        ConvertContract,
        _on_facts(notice.convert),
        "A term for a contract without an end",
        asked_by=SELLERS,
        example='{"contract_id": "K-1", "months": 12, "auto_renew": true, "uplift_percent": "3", "by": "s-1"}',
    ),
    _of_assets(
        "swap_assets",
        SwapAssets,
        _on_facts(changes.swap),
        "Swap for another product",
        asked_by=SELLERS,
        example='{"assets": [{"asset_id": "SO-1.1", "to_product": "PRO", "unit_price": "60", "quantity": 10, "kind": "upgrade"}]}',
    ),
    _of_assets(
        "transfer_assets",
        TransferAssets,
        _on_facts(transfers.send),
        "Transfer to another account",
        asked_by=SELLERS,
        example='{"to_account": "acme-west", "assets": [{"asset_id": "SO-1.1", "quantity": 15}], "to_contract_id": "K-9"}',
        allowed=_check_target,
    ),
    _of_assets(
        "merge_account",
        MergeAccount,
        _on_facts(merging.merge),
        "Merge into another account",
        asked_by=SELLERS,
        example='{"into": "acme-group", "reason": "bought by them", "by": "s-1"}',
    ),
    RequestKind(
        "unmerge_account",
        UnmergeAccount,
        merging.unmerge,
        "Merged account leaves again",
        asked_by=SELLERS,
        example='{"account": "acme-west", "reason": "sold on", "by": "s-1"}',
        stage="amendment",
        binding=True,
    ),
    _of_assets(
        "receive_assets",
        ReceiveAssets,
        _on_facts(receiving.receive),
        "Assets from another account",
        asked_by=PROGRAMS,
        internal=True,
        example='{"transfer_id": "T-1", "request_id": "T-1", "by": "transfer"}',
    ),
    _of_assets(
        "rollback",
        RollBack,
        _on_facts(taking_back.roll_back),
        "Change taken back",
        asked_by=SELLERS,
        example='{"asset_id": "SO-1.1", "reason": "a mistake"}',
        activity="roll_back",
    ),
)
