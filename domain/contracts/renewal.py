"""Renewal: notices before a term ends, the quote, the customer's answer, and the next term, which starts by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from domain.billing.writes import BillDue
from domain.contracts import ladder
from domain.contracts.ending import NOTHING_LEFT, NOTICE_GIVEN, end_contract, nothing_left
from domain.contracts.outliving import end_or_go_on
from domain.contracts.renewal_notices import begin, contract_of, end_step, named, run_out
from domain.contracts.renewal_quote import assets_of_next_term, last_day, next_term, quote_context, quote_renewal
from domain.contracts.renewal_status import RenewalStatus
from domain.contracts.writes import BeginTerm, QuoteRenewal, SetContractStatus
from domain.frame.customer import ContractFacts, ContractStatus
from domain.frame.decision import Decision, JournalLine, Mail, Notice
from domain.frame.ownership import prices_begun
from domain.frame.situation import Situation
from domain.frame.state import Outcome, Stage, Step
from domain.frame.term_facts import TermFacts
from domain.holds.guard import guard_of
from domain.kernel.base import Write
from domain.kernel.calendar import start_of_day
from domain.kernel.money import to_minor_unit


def renew(situation: Situation, contract: ContractFacts, origin: str) -> Decision:
    """The next term is sold: its periods are appended, the customer is told, and its stage opens where the old one ends."""
    contract = contract.by_itself() if origin == "automatic" else contract
    term = next_term(situation, contract)
    quote = quote_renewal(situation, contract)
    writes: list[Write] = [
        quote,
        BeginTerm(
            contract.contract_id,
            term.number,
            term.start_on,
            term.until,
            term.starts_at,
            term.ends_at,
            origin,
            situation.as_of,
        ),
        SetContractStatus(contract.contract_id, ContractStatus.ACTIVE, "", situation.as_of),
    ]
    writes += [change for _, change in assets_of_next_term(situation, contract)]
    writes += ladder.answered(situation, contract)
    says = f"Renewed {'by itself ' if origin == 'automatic' else ''}until {last_day(term)}"
    context = {
        "contract_id": contract.contract_id,
        "start": term.start_on.isoformat(),
        "end": last_day(term).isoformat(),
        "total": to_minor_unit(quote.total, quote.currency).told(),
        "lines": quote.lines,
        "automatic": origin == "automatic",
    }
    return Decision(
        JournalLine(says, detail={"contract_id": contract.contract_id, "term": term.number, "origin": origin}),
        turn(situation, contract, term, says),
        writes,
        [Mail("renewal_confirmed", context)],
        [Notice(f"{contract.contract_id}: {says}", [f"Total: {quote.total} {quote.currency}"], to="owner")],
    )


def turn(situation: Situation, contract: ContractFacts, term: TermFacts, says: str) -> Outcome:
    """From one term to the next: before the old one ends only its end is still to come, afterwards the next stage is open."""
    attention: dict[str, str | None] = {f"renewal:{contract.contract_id}": None}
    if situation.as_of < contract.term.ends_at:
        accepted = Stage(status=RenewalStatus.ACCEPTED, until=contract.term.ends_at)
        return Outcome(
            drop=[contract.stage],
            plan=[end_step(contract)],
            stages={contract.stage: accepted},
            attention=attention,
            said=[says],
        )
    opening = begin(situation, contract.having(term=term, offered=None))
    return Outcome(
        drop=[contract.stage],
        plan=opening.plan,
        stages={contract.stage: None, **opening.stages},
        attention=attention,
        said=[says],
    )


def term_end(situation: Situation, step: Step) -> Decision:
    """A term is over: the next one runs, or the contract renews by itself, waits in grace, or ends."""
    contract = contract_of(situation, step.stage)
    if contract is None:
        return Decision(
            JournalLine("Term end: the contract is gone", kind="skipped"), Outcome(stages={step.stage: None})
        )
    if contract.stage != step.stage:
        return _next_runs(situation, contract, step)
    if step.name != named(contract, "term-end"):
        return Decision(JournalLine(f"Not needed any more: {step.name}", kind="skipped"))
    if contract.status == ContractStatus.DECLINED:
        # If nobody gave it up before, it was the customer who declined the renewal.
        given_up = contract.status_reason in (NOTHING_LEFT, NOTICE_GIVEN)
        why = contract.status_reason if given_up else "declined"
        return end_or_go_on(situation, contract, step.stage, why, declined=True)
    if nothing_left(situation, contract):
        return end_contract(situation, contract, step.stage, NOTHING_LEFT)
    if contract.auto_renew:
        return renew(situation, contract, origin="automatic")
    return _into_grace(situation, contract, step)


def _next_runs(situation: Situation, contract: ContractFacts, step: Step) -> Decision:
    says = f"Term {contract.term.number} of {contract.contract_id} begins"
    opening = begin(situation, contract) if contract.status == ContractStatus.ACTIVE else run_out(situation, contract)
    return Decision(
        JournalLine(says),
        Outcome(plan=opening.plan, stages={step.stage: None, **opening.stages}, said=[says]),
        [BillDue(contract.contract_id), *prices_begun(situation, situation.customer.assets_of(contract.contract_id))],
    )


def grace_end_step(situation: Situation, contract: ContractFacts) -> Step:
    """The end of the grace that begins now: midnight after its last day, a business day, to whose end an answer is taken."""
    grace = situation.playbook.renewal.grace_days
    _, until = situation.customer.morning(max(contract.term.until, situation.today) + timedelta(days=grace))
    at = start_of_day(until + timedelta(days=1), situation.customer.account.time_zone)
    return Step(kind="renewal_grace_end", stage=contract.stage, name=named(contract, "grace-end"), at=at, on=until)


def _into_grace(situation: Situation, contract: ContractFacts, step: Step) -> Decision:
    ending = grace_end_step(situation, contract)
    at, until = ending.at, ending.on
    says = f"Term of {contract.contract_id} ended without an answer; grace until {until}"
    held = guard_of(situation).renewal_held(contract.term.ends_at)
    quote = quote_renewal(situation, contract) if held is None else None
    return Decision(
        JournalLine(says),
        Outcome(
            plan=[ending],
            stages={step.stage: Stage(status=RenewalStatus.GRACE, until=at)},
            attention={f"renewal:{contract.contract_id}": says},
            said=[says],
        ),
        [
            SetContractStatus(contract.contract_id, ContractStatus.GRACE, "no answer", situation.as_of),
            *([quote] if quote else []),
        ],
        [grace_mail(situation, contract, until, quote)],
        [Notice(says, ["Call the customer: will they renew?"], to="owner", due=situation.customer.morning(until)[0])],
    )


def grace_mail(
    situation: Situation, contract: ContractFacts, until: date, quote: QuoteRenewal | None, *, asked: bool = False
) -> Mail:
    """What a customer hears whose term is over: until when everything runs, and at what price it goes on. `asked`: they asked."""
    context = {
        "contract_id": contract.contract_id,
        "term_end": last_day(contract.term).isoformat(),
        "grace_until": until.isoformat(),
        "quote": quote_context(situation, contract, quote) if quote else None,
        "asked": asked,
    }
    return Mail("renewal_grace", context)


def as_planned(situation: Situation, contract: ContractFacts) -> Situation:
    return replace(situation, as_of=contract.term.ends_at)


def grace_end(situation: Situation, step: Step) -> Decision:
    """Grace is over and nobody answered: the contract ends, or goes on in what was renewed by itself."""
    contract = contract_of(situation, step.stage)
    if contract is None or contract.status != ContractStatus.GRACE:
        return Decision(JournalLine("Grace ended: the contract was answered for", kind="skipped"))
    return end_or_go_on(situation, contract, step.stage, "no answer", ended_on=step.on)
