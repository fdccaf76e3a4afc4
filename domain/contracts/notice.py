"""The end of what has none: by notice, with the period that it reaches, or by a term that is agreed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from domain.assets.model import SellingModel
from domain.assets.requests import ChangeEnd
from domain.contracts import changes, parting
from domain.contracts.renewal_requests import ConvertContract, GiveNotice
from domain.contracts.request_facts import RequestFacts, carry_out
from domain.contracts.requests import CancelAssets
from domain.contracts.terms import period_end
from domain.contracts.writes import GiveTerm
from domain.frame.customer import ContractFacts, ContractStatus
from domain.frame.decision import Decision
from domain.frame.renewal_facts import ChurnReason
from domain.frame.state import Outcome
from domain.frame.step_words import plain
from domain.kernel.calendar import add_months, start_of_day
from domain.kernel.refusals import INVALID_REQUEST, NOT_ALLOWED, Problem, Refusal, named_refusals
from domain.kernel.shown import counted


def give(desk: RequestFacts, request: GiveNotice) -> Decision:
    """Everything under the contract ends with the period that the notice reaches, or with a later one that is asked for."""
    situation = desk.situation
    contract = _without_end(desk, request.contract_id)
    until = _ends_on(contract, situation.today, request.on)
    last = until - timedelta(days=1)
    said = request.reason or plain(request.why or "")
    ends = CancelAssets.model_validate(
        {
            "contract_id": contract.contract_id,
            "effective": start_of_day(until, desk.zone),
            "reason": said,
            "request_id": request.request_id,
            "by": request.by,
        }
    )
    decision = changes.cancel(desk, ends)
    why = request.why or ChurnReason.of(said)
    answer: dict[str, object] = {"contract_id": contract.contract_id, "runs_until": last.isoformat()}
    if request.on is not None and request.on != last:
        answer["moved"] = f"{request.on} lies within a period, which is kept to its end on {last}"
    decision += Outcome(answer=answer)
    known = parting.why_of(situation, contract, why, said, request.by)
    return replace(decision, writes=[*decision.writes, *known])


def convert(desk: RequestFacts, request: ConvertContract) -> Decision:
    """The contract runs for so many months after the period that runs now, and is renewed then as it says."""
    situation, contract = desk.situation, _without_end(desk, request.contract_id)
    begins = period_end(contract, max(situation.today, contract.term.start_on) + timedelta(days=1))
    until = add_months(begins, request.months, contract.anchor)
    after = contract.having(
        evergreen=None,
        auto_renew=request.auto_renew,
        renewal_months=request.renewal_months or request.months,
        uplift_percent=request.uplift_percent,
    )
    others = [after if one.contract_id == after.contract_id else one for one in situation.customer.contracts]
    desk = replace(desk, situation=replace(situation, customer=situation.customer.having(contracts=others)))
    under = [r for r in situation.records.values() if r.asset.contract_id == after.contract_id and r.end is None]
    ends = [
        ChangeEnd(
            request_id=desk.request_id,
            recorded_at=desk.as_of,
            asset_id=record.asset.asset_id,
            effective=desk.begun(record),
            new_end=start_of_day(until, desk.zone),
            converts=True,
        )
        for record in under
        if record.periods and record.asset.selling_model is not SellingModel.ONE_TIME
    ]
    decision = changes.decide(desk, carry_out(desk, ends, {}), request.reason)
    term = GiveTerm(after.contract_id, after.auto_renew, after.renewal_months, after.uplift_percent)
    answer = {"contract_id": after.contract_id, "runs_until": (until - timedelta(days=1)).isoformat()}
    return replace(decision + Outcome(answer=answer), writes=[term, *decision.writes])


def first_end(contract: ContractFacts, today: date) -> date:
    """The first day after the period that a notice of `today` ends with."""
    return period_end(contract, today + timedelta(days=max(1, contract.notice_days)))


def _ends_on(contract: ContractFacts, today: date, wanted: date | None) -> date:
    earliest = first_end(contract, today)
    if wanted is None:
        return earliest
    last = earliest - timedelta(days=1)
    if wanted < last:
        notice = counted(contract.notice_days, "day")
        says = f"with a notice of {notice} it ends on {last} at the earliest; give that day or a later one, or none"
        raise Refusal(INVALID_REQUEST, "the notice cannot be taken", [Problem(field="on", problem=says)])
    return period_end(contract, wanted + timedelta(days=1))


def _without_end(desk: RequestFacts, contract_id: str) -> ContractFacts:
    with named_refusals():
        contract = desk.contract(contract_id)
    if contract.status == ContractStatus.ENDED:
        raise Refusal(NOT_ALLOWED, f"contract {contract_id} is over")
    if not contract.term.is_open:
        last = contract.term.until - timedelta(days=1)
        if contract.evergreen is not None:
            raise Refusal(
                NOT_ALLOWED, f"notice was given: contract {contract_id} ends on {last}; a rollback takes it back"
            )
        says = "answer_renewal declines its renewal, cancel_assets ends it sooner"
        raise Refusal(NOT_ALLOWED, f"contract {contract_id} has a term until {last}: {says}")
    return contract
