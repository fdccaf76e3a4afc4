"""What a customer says about the renewal of a contract: asked for, accepted, declined."""

from __future__ import annotations

from dataclasses import replace

from domain.contracts import ladder, parting
from domain.contracts.ending import goes_on_with_us, nothing_left, what_is_left
from domain.contracts.news import after_the_end
from domain.contracts.outliving import end_or_go_on
from domain.contracts.renewal import renew
from domain.contracts.renewal_notices import end_step
from domain.contracts.renewal_quote import (
    assets_of_next_term,
    last_day,
    next_term,
    notice_by,
    quote_renewal,
)
from domain.contracts.renewal_status import RenewalStatus
from domain.contracts.requests import AnswerRenewal, RequestRenewal
from domain.contracts.revising import check_version, contract_of, mail_of, stages_of
from domain.contracts.writes import SetContractStatus
from domain.frame.customer import ContractFacts, ContractStatus
from domain.frame.decision import Decision, JournalLine, Mail, Notice
from domain.frame.renewal_facts import ChurnReason
from domain.frame.situation import Situation
from domain.frame.state import Outcome, Stage
from domain.frame.step_words import plain
from domain.kernel.refusals import NOT_ALLOWED, Refusal
from domain.kernel.requests import CustomerDecision as Answer


def asked_for(situation: Situation, request: RequestRenewal) -> Decision:
    """The customer asks for a renewal: the quote of the next term goes out, whatever day it is, and waits for a yes."""
    contract = contract_of(situation, request.contract_id)
    quote = quote_renewal(situation, contract)
    says = f"Renewal of {contract.contract_id} asked for by the customer: quote {quote.quote_id}"
    return Decision(
        JournalLine(says, detail={"contract_id": contract.contract_id}),
        Outcome(
            stages=stages_of(situation, contract),
            said=[says],
            answer={"contract_id": contract.contract_id, "quote_id": quote.quote_id},
        ),
        [quote],
        [mail_of(situation, contract, quote)],
        [Notice(says, ["The quote is on its way; the customer's answer renews the contract."], to="owner")],
    )


def _theirs(situation: Situation, contract_id: str) -> ContractFacts:
    contract = situation.customer.contract(contract_id)
    if contract is None:
        known = ", ".join(c.contract_id for c in situation.customer.contracts) or "none"
        raise Refusal(NOT_ALLOWED, f"contract {contract_id!r} is not this customer's; their contracts: {known}")
    return contract


def _check_not_renewed(situation: Situation, contract: ContractFacts) -> None:
    if contract.term.starts_at > situation.as_of and contract.term.number > 1:
        raise Refusal(
            NOT_ALLOWED, f"contract {contract.contract_id} is renewed already, until {last_day(contract.term)}"
        )


def answer(situation: Situation, request: AnswerRenewal) -> Decision:
    """The customer's answer. Accepted, the next term is theirs at once; declined, the contract runs out.

    A decline can be taken back by accepting, until the term ends.
    """
    contract = _theirs(situation, request.contract_id)
    if contract.status not in (ContractStatus.ACTIVE, ContractStatus.GRACE):
        _check_declined(situation, contract, request)
    _check_not_renewed(situation, contract)
    if request.decision is Answer.ACCEPT:
        check_version(contract, request.version)
        if nothing_left(situation, contract):
            raise Refusal(NOT_ALLOWED, f"nothing of contract {contract.contract_id} is left to renew; add units first")
        return _accept(situation, contract)
    if contract.auto_renew and situation.today > notice_by(contract):
        raise Refusal(
            NOT_ALLOWED,
            f"contract {contract.contract_id} renews by itself: notice could be given until {notice_by(contract)}",
        )
    return _decline(situation, contract, request)


def _check_declined(situation: Situation, contract: ContractFacts, request: AnswerRenewal) -> None:
    """What is declined can still be accepted; all else about a contract that runs out or is over is refused."""
    says = f"contract {contract.contract_id} is {contract.status}"
    if contract.status != ContractStatus.DECLINED or situation.as_of >= contract.term.ends_at:
        raise Refusal(NOT_ALLOWED, f"{says}; an order begins anew")
    if request.decision is not Answer.ACCEPT:
        raise Refusal(NOT_ALLOWED, f"{says}; until {last_day(contract.term)} the decision accept takes that back")
    if not assets_of_next_term(situation, contract):
        way = "a rollback of an asset whose cancellation has not taken effect makes it active again"
        raise Refusal(NOT_ALLOWED, f"{says}: nothing of it is left to renew; {way}")


def _accept(situation: Situation, contract: ContractFacts) -> Decision:
    decision = renew(situation, contract, origin="accepted")
    answered = {
        "contract_id": contract.contract_id,
        "status": "renewed",
        "until": last_day(next_term(situation, contract)).isoformat(),
    }
    return decision + Outcome(answer=answered)


def _themselves(situation: Situation, by: str) -> bool:
    """True if the customer answered, not somebody of ours for them."""
    return by == "customer" or any(contact.contact_id == by for contact in situation.customer.contacts)


def _decline(situation: Situation, contract: ContractFacts, request: AnswerRenewal) -> Decision:
    """The contract runs out with its term; in grace, it ends now. Somebody approves of what may keep them, or finds out why they go."""
    reason = request.reason or plain(request.why or "")
    why = request.why or ChurnReason.of(reason)
    says = f"Renewal declined: {reason}"
    over = contract.status == ContractStatus.GRACE
    ends_on = situation.today if over else last_day(contract.term)
    stays = goes_on_with_us(situation, contract, over=(ContractStatus.ENDED, ContractStatus.DECLINED))
    context = {
        "contract_id": contract.contract_id,
        "term_end": ends_on.isoformat(),
        "over": over,
        "stays": stays,
        # What one of ours wrote down was heard from them; a no of their own may have no reason in it.
        "asks_why": why is None and _themselves(situation, request.by),
        **after_the_end(situation, ends_on, last_day(contract.term)),
    }
    answer = {"contract_id": contract.contract_id, "status": ContractStatus.DECLINED, "runs_until": ends_on.isoformat()}
    line = JournalLine(says, detail={"contract_id": contract.contract_id, "reason": reason})
    mails = [Mail("renewal_declined", context)]
    ask_by, _ = situation.customer.morning(situation.in_days(3))
    asks = ["Find out whether the customer can be won back."]
    notices = [Notice(f"{contract.contract_id}: {says}", asks, to="owner", due=ask_by)]
    if over:
        known_why = contract.having(churn=why)
        ended = end_or_go_on(situation, known_why, contract.stage, reason, ended_on=ends_on, declined=True)
        ended = replace(ended, writes=[*ended.writes, *parting.why_of(situation, contract, why, reason, request.by)])
        outcome = ended.outcome.having(said=[says], answer=answer)
        in_part = [mail for mail in ended.mails if "goes_on" in mail.context]
        asks += what_is_left(situation, contract)
        notices = [Notice(f"{contract.contract_id}: {says}", asks, to="owner", due=ask_by)]
        return replace(ended, line=line, outcome=outcome, mails=in_part or mails, notices=notices)
    outcome = Outcome(
        drop=[contract.stage],
        plan=[end_step(contract)],
        stages={contract.stage: Stage(status=RenewalStatus.DECLINED, until=contract.term.ends_at)},
        attention={f"renewal:{contract.contract_id}": says},
        said=[says],
        answer=answer,
    )
    declined = SetContractStatus(contract.contract_id, ContractStatus.DECLINED, reason, situation.as_of)
    known = parting.why_of(situation, contract, why, reason, request.by)
    decision = Decision(line, outcome, [declined, *known, *ladder.answered(situation, contract)], mails, notices)
    saving = parting.save_offer(situation, contract, why)
    return decision if saving is None else decision + saving + Outcome(answer=answer)
