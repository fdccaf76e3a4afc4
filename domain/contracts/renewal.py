"""Renewal: notices before a term ends, the quote, the customer's answer, and the next term, which starts by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

from domain.billing.writes import BillDue
from domain.contracts import renewal_talk
from domain.contracts.ending import NOTHING_LEFT, end_contract, goes_on_with_us, nothing_left
from domain.contracts.renewal_quote import (
    assets_of_next_term,
    last_day,
    next_term,
    notice_by,
    notice_context,
    quote_context,
    quote_renewal,
)
from domain.contracts.requests import AnswerRenewal, RequestRenewal
from domain.contracts.writes import BeginTerm, QuoteRenewal, SetContractStatus
from domain.frame.customer import ContractFacts, TermFacts
from domain.frame.decision import Decision, JournalLine, Mail, Notice
from domain.frame.ownership import prices_begun
from domain.frame.pace import QUIET_DAYS
from domain.frame.situation import Situation
from domain.frame.state import Outcome, Stage, Step
from domain.kernel.base import Write
from domain.kernel.calendar import business_day_until, local_instant, start_of_day
from domain.kernel.refusals import NOT_ALLOWED, Refusal
from domain.kernel.requests import CustomerDecision as Answer
from domain.kernel.shown import counted
from domain.orders.order import ContactRole

WAITING = "waiting"
QUOTED = "quoted"
ACCEPTED = "accepted"
DECLINED = "declined"
GRACE = "grace"
LEAST_SETTLING, MOST_SETTLING = 12, 30
"""A quarter of a term, within so many days: it has to pass before a notice says that the term ends."""


def begin(situation: Situation, contract: ContractFacts) -> Outcome:
    """The stage of a contract's latest term opens with its first notice still to come."""
    steps = list(_remaining(situation, contract))
    # The term's end is planned from the start: it comes even if a notice before it cannot be sent.
    return Outcome(
        plan=[steps[0], steps[-1]], stages={contract.stage: Stage(status=WAITING, until=contract.term.ends_at)}
    )


def take_up(situation: Situation, contract: ContractFacts) -> Outcome:
    """The stage of a contract that the customer holds already, for a journey that begins anew.

    A term that went by while no journey looked after it is over: nothing is renewed in hindsight.
    """
    if situation.is_past(contract.term.ends_at):
        return Outcome()
    if contract.status == "active":
        return begin(situation, contract)
    return run_out(situation, contract)


def run_out(situation: Situation, contract: ContractFacts) -> Outcome:
    """The stage of a contract that will not be renewed: only its end is still to come."""
    end = end_step(contract, max(contract.term.ends_at, situation.as_of))
    return Outcome(plan=[end], stages={contract.stage: Stage(status=DECLINED, until=contract.term.ends_at)})


def end_step(contract: ContractFacts, at: datetime | None = None) -> Step:
    """The end of the latest term, at `at` if that is another instant."""
    return Step(
        kind="renewal_term_end",
        stage=contract.stage,
        name=named(contract, "term-end"),
        at=at or contract.term.ends_at,
        on=contract.term.until,
    )


def named(contract: ContractFacts, name: str) -> str:
    """A step's name, another one each time that the term's dates were changed: what was done for the old dates is done anew."""
    return f"{name}.{contract.term.moves}" if contract.term.moves else name


def _remaining(situation: Situation, contract: ContractFacts) -> Iterator[Step]:
    """The steps of a term that are still to come: its notices (those already past are merged into one that is due now), then its end."""
    past: int | None = None
    sent = False
    for days in notice_days(situation, contract):
        step = notice_step(situation, contract, days)
        if step.at >= situation.as_of:
            if past is not None and not sent and not situation.imported:
                yield notice_step(situation, contract, past, now=True)
                sent = True
            yield step
        else:
            past = days
    if (
        not situation.imported
        and past is not None
        and not sent
        and not situation.is_past(contract.term.ends_at)
        and situation.as_of < contract.term.ends_at
    ):
        yield notice_step(situation, contract, past, now=True)
    yield end_step(contract, None if situation.imported else max(contract.term.ends_at, situation.as_of))


def notice_days(situation: Situation, contract: ContractFacts) -> list[int]:
    """The playbook's notices that fit into the term; a term shorter than all of them gets one at its middle. One more if none
    of them says the price in time. Whoever has just heard that a term begins does not hear at once of its end."""
    length = (contract.term.until - contract.term.start_on).days
    settled = min(MOST_SETTLING, max(LEAST_SETTLING, length // 4))
    fitting = [days for days in situation.playbook.renewal.notice_days if days <= length - settled]
    middle = max(1, length // 2)
    if not contract.auto_renew:
        return fitting or [middle]
    # Where the last day to say no is near, the price comes between the beginning and that day, with the playbook's lead if there is room.
    to_say_no = (notice_by(contract) - contract.term.start_on).days
    in_time = max(min(LEAST_SETTLING, to_say_no * 5 // 8), to_say_no - situation.playbook.renewal.lead_days)
    by = min(_quote_by(situation, contract), max(1, length - min(settled, in_time)))
    if not fitting:
        return [max(by, middle)]
    priced = [days for days in fitting if days <= _quote_days(situation, contract)]
    return fitting if max(priced, default=0) >= by else sorted({*fitting, by}, reverse=True)


def _quote_by(situation: Situation, contract: ContractFacts) -> int:
    """How many days before the term ends a customer who can say no has to know the price."""
    return (contract.term.until - notice_by(contract)).days + situation.playbook.renewal.lead_days


def notice_step(situation: Situation, contract: ContractFacts, days: int, *, now: bool = False) -> Step:
    """The notice so many days before the term ends, on the last business day until then; `now`: it is due at once."""
    name = named(contract, f"notice-{days}")
    if now:
        return situation.step_soon("renewal_notice", contract.stage, name)
    zone, country = situation.customer.account.time_zone, situation.customer.account.country
    day = business_day_until(contract.term.until - timedelta(days=days), country)
    return Step(kind="renewal_notice", stage=contract.stage, name=name, at=local_instant(day, zone), on=day)


def notice(situation: Situation, step: Step) -> Decision:
    """The customer hears that a term ends; from the quote day on with the price of the next one."""
    contract = _contract_of(situation, step.stage)
    days = _days_of(step)
    if (
        contract is None
        or contract.stage != step.stage
        or contract.status != "active"
        or step.name != named(contract, f"notice-{days}")
    ):
        return Decision(JournalLine(f"Not needed any more: {step.name}", kind="skipped"))
    if situation.as_of >= contract.term.ends_at:
        over = list(_remaining(situation, contract))[-1:]
        return Decision(JournalLine("Dropped: renewal notice; the term is over", kind="dropped"), Outcome(plan=over))
    passed = [d for d in notice_days(situation, contract) if notice_step(situation, contract, d).at <= situation.as_of]
    if passed and min(passed) < days:
        nearest = notice_step(situation, contract, min(passed), now=True)
        return Decision(
            JournalLine(f"Merged into the notice of {min(passed)} days", kind="skipped"), Outcome(plan=[nearest])
        )
    later = [other for other in notice_days(situation, contract) if other < days]
    following = _after_notice(situation, contract, days)
    if nothing_left(situation, contract):
        plan = [following] if following else []
        return Decision(JournalLine(f"No notice: {NOTHING_LEFT}", kind="skipped"), Outcome(plan=plan))
    left = (contract.term.until - situation.today).days
    # One that comes late has the quote of the next one if that would follow within days: it is not said twice.
    quoting = min(days, left - QUIET_DAYS) <= _quote_days(situation, contract) or not later
    held = situation.guard.renewal_held(contract.term.ends_at) if quoting else None
    quote = quote_renewal(situation, contract) if quoting and held is None else None
    status = QUOTED if quote else WAITING
    says = f"Renewal notice, {counted(left, 'day')} before the term ends" + (
        f", with quote {quote.quote_id}" if quote else ""
    )
    decision = Decision(
        JournalLine(says, detail={"contract_id": contract.contract_id}),
        Outcome(
            plan=[following] if following else [],
            stages={contract.stage: Stage(status=status, until=contract.term.ends_at)},
            said=[says],
        ),
        [quote] if quote else [],
        [
            Mail(
                "renewal_notice",
                notice_context(situation, contract, quote),
                role=ContactRole.BILLING,
                contractual=True,
            )
        ],
    )
    return renewal_talk.beside_notice(situation, contract, decision, held, quoting=quoting)


def _after_notice(situation: Situation, contract: ContractFacts, days: int) -> Step | None:
    """What is still to come of a term after the notice of so many days: a later notice, or its end."""
    later = {named(contract, f"notice-{other}") for other in notice_days(situation, contract) if other < days}
    left = _remaining(situation, contract)
    return next((step for step in left if step.kind == "renewal_term_end" or step.name in later), None)


def without_notice(situation: Situation, step: Step) -> list[Step]:
    """The notice that follows on one that is left out, if there is one."""
    contract = _contract_of(situation, step.stage)
    if contract is None or contract.stage != step.stage or contract.status != "active":
        return []
    following = _after_notice(situation, contract, _days_of(step))
    return [following] if following and following.kind == "renewal_notice" else []


def _days_of(step: Step) -> int:
    return int(step.name.removeprefix("notice-").partition(".")[0])


def _quote_days(situation: Situation, contract: ContractFacts) -> int:
    """From so many days before the term ends on a notice carries the quote."""
    promised = situation.playbook.renewal.quote_days
    return max(promised, _quote_by(situation, contract)) if contract.auto_renew else promised


def asked_for(situation: Situation, request: RequestRenewal) -> Decision:
    """The customer asks for a renewal: the quote of the next term goes out, whatever day it is, and waits for a yes."""
    contract = _theirs(situation, request.contract_id)
    declined = contract.status == "declined" and situation.as_of < contract.term.ends_at
    if contract.status not in ("active", "grace") and not declined:
        raise Refusal(NOT_ALLOWED, f"contract {contract.contract_id} is {contract.status}; an order begins anew")
    _check_not_renewed(situation, contract)
    if nothing_left(situation, contract):
        raise Refusal(NOT_ALLOWED, f"nothing of contract {contract.contract_id} is left to renew; add units first")
    if held := situation.guard.renewal_held(contract.term.ends_at):
        raise Refusal(NOT_ALLOWED, f"the quote for {contract.contract_id} is held back: {held.says}")
    quote = quote_renewal(situation, contract)
    says = f"Renewal of {contract.contract_id} asked for by the customer: quote {quote.quote_id}"
    noticed = any(notice_step(situation, contract, d).at <= situation.as_of for d in notice_days(situation, contract))
    quoted = contract.status == "active" and noticed
    if contract.status == "grace":
        until = max(situation.today, grace_end_step(_as_planned(situation, contract), contract).on)
        mail = _grace_mail(situation, contract, until, quote, asked=True)
    else:
        context = notice_context(situation, contract, quote)
        mail = Mail("renewal_notice", context, role=ContactRole.BILLING, contractual=True)
    return Decision(
        JournalLine(says, detail={"contract_id": contract.contract_id}),
        Outcome(
            stages={contract.stage: Stage(status=QUOTED, until=contract.term.ends_at)} if quoted else {},
            said=[says],
            answer={"contract_id": contract.contract_id, "quote_id": quote.quote_id},
        ),
        [quote],
        [mail],
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
    if contract.status not in ("active", "grace"):
        _check_declined(situation, contract, request)
    _check_not_renewed(situation, contract)
    if request.decision is Answer.ACCEPT:
        if nothing_left(situation, contract):
            raise Refusal(NOT_ALLOWED, f"nothing of contract {contract.contract_id} is left to renew; add units first")
        return _accept(situation, contract)
    if contract.auto_renew and situation.today > notice_by(contract):
        raise Refusal(
            NOT_ALLOWED,
            f"contract {contract.contract_id} renews by itself: notice could be given until {notice_by(contract)}",
        )
    return _decline(situation, contract, request.reason)


def _check_declined(situation: Situation, contract: ContractFacts, request: AnswerRenewal) -> None:
    """What is declined can still be accepted; all else about a contract that runs out or is over is refused."""
    says = f"contract {contract.contract_id} is {contract.status}"
    if contract.status != "declined" or situation.as_of >= contract.term.ends_at:
        raise Refusal(NOT_ALLOWED, f"{says}; an order begins anew")
    if request.decision is not Answer.ACCEPT:
        raise Refusal(NOT_ALLOWED, f"{says}; until {last_day(contract.term)} the decision accept takes that back")
    if not assets_of_next_term(situation, contract):
        way = "a rollback of an asset whose cancellation has not taken effect makes it active again"
        raise Refusal(NOT_ALLOWED, f"{says}: nothing of it is left to renew; {way}")


def _accept(situation: Situation, contract: ContractFacts) -> Decision:
    decision = _renew(situation, contract, origin="accepted")
    answered = {
        "contract_id": contract.contract_id,
        "status": "renewed",
        "until": last_day(next_term(situation, contract)).isoformat(),
    }
    outcome = decision.outcome.model_copy(update={"answer": answered})
    return replace(decision, outcome=outcome)


def _renew(situation: Situation, contract: ContractFacts, origin: str) -> Decision:
    """The next term is sold: its periods are appended, the customer is told, and its stage opens where the old one ends."""
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
        SetContractStatus(contract.contract_id, "active", "", situation.as_of),
    ]
    writes += [change for _, change in assets_of_next_term(situation, contract)]
    says = f"Renewed {'by itself ' if origin == 'automatic' else ''}until {last_day(term)}"
    context = {
        "contract_id": contract.contract_id,
        "start": term.start_on.isoformat(),
        "end": last_day(term).isoformat(),
        "total": situation.customer.money(quote.total, quote.currency),
        "automatic": origin == "automatic",
    }
    return Decision(
        JournalLine(says, detail={"contract_id": contract.contract_id, "term": term.number, "origin": origin}),
        turn(situation, contract, term, says),
        writes,
        [Mail("renewal_confirmed", context, role=ContactRole.BILLING, contractual=True)],
        [Notice(f"{contract.contract_id}: {says}", [f"Total: {quote.total} {quote.currency}"], to="owner")],
    )


def turn(situation: Situation, contract: ContractFacts, term: TermFacts, says: str) -> Outcome:
    """From one term to the next: before the old one ends only its end is still to come, afterwards the next stage is open."""
    attention: dict[str, str | None] = {f"renewal:{contract.contract_id}": None}
    if situation.as_of < contract.term.ends_at:
        accepted = Stage(status=ACCEPTED, until=contract.term.ends_at)
        return Outcome(
            drop=[contract.stage],
            plan=[end_step(contract)],
            stages={contract.stage: accepted},
            attention=attention,
            said=[says],
        )
    opening = begin(situation, contract.model_copy(update={"term": term}))
    return Outcome(
        drop=[contract.stage],
        plan=opening.plan,
        stages={contract.stage: None, **opening.stages},
        attention=attention,
        said=[says],
    )


def _decline(situation: Situation, contract: ContractFacts, reason: str) -> Decision:
    """The contract runs out with its term; in grace, it ends now."""
    says = f"Renewal declined: {reason}"
    over = contract.status == "grace"
    ends_on = situation.today if over else last_day(contract.term)
    stays = goes_on_with_us(situation, contract, over=("ended", "declined"))
    context = {"contract_id": contract.contract_id, "term_end": ends_on.isoformat(), "over": over, "stays": stays}
    answer = {"contract_id": contract.contract_id, "status": "declined", "runs_until": ends_on.isoformat()}
    line = JournalLine(says, detail={"contract_id": contract.contract_id, "reason": reason})
    mails = [Mail("renewal_declined", context, role=ContactRole.BILLING, contractual=True)]
    notices = [
        Notice(f"{contract.contract_id}: {says}", ["Find out whether the customer can be won back."], to="owner")
    ]
    if over:
        ended = end_contract(situation, contract, contract.stage, reason)
        outcome = ended.outcome.model_copy(update={"said": [says], "answer": answer})
        return replace(ended, line=line, outcome=outcome, mails=mails, notices=notices)
    outcome = Outcome(
        drop=[contract.stage],
        plan=[end_step(contract)],
        stages={contract.stage: Stage(status=DECLINED, until=contract.term.ends_at)},
        attention={f"renewal:{contract.contract_id}": says},
        said=[says],
        answer=answer,
    )
    declined = SetContractStatus(contract.contract_id, "declined", reason, situation.as_of)
    return Decision(line, outcome, [declined], mails, notices)


def term_end(situation: Situation, step: Step) -> Decision:
    """A term is over: the next one runs, or the contract renews by itself, waits in grace, or ends."""
    contract = _contract_of(situation, step.stage)
    if contract is None:
        return Decision(
            JournalLine("Term end: the contract is gone", kind="skipped"), Outcome(stages={step.stage: None})
        )
    if contract.stage != step.stage:
        return _next_runs(situation, contract, step)
    if step.name != named(contract, "term-end"):
        return Decision(JournalLine(f"Not needed any more: {step.name}", kind="skipped"))
    if contract.status == "declined":
        cancelled = contract.status_reason == NOTHING_LEFT  # else it was the customer who declined the renewal
        return end_contract(situation, contract, step.stage, NOTHING_LEFT if cancelled else "declined")
    if nothing_left(situation, contract):
        return end_contract(situation, contract, step.stage, NOTHING_LEFT)
    if contract.auto_renew:
        return _renew(situation, contract, origin="automatic")
    return _into_grace(situation, contract, step)


def _next_runs(situation: Situation, contract: ContractFacts, step: Step) -> Decision:
    says = f"Term {contract.term.number} of {contract.contract_id} begins"
    opening = begin(situation, contract) if contract.status == "active" else run_out(situation, contract)
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
    held = situation.guard.renewal_held(contract.term.ends_at)
    quote = quote_renewal(situation, contract) if held is None else None
    return Decision(
        JournalLine(says),
        Outcome(
            plan=[ending],
            stages={step.stage: Stage(status=GRACE, until=at)},
            attention={f"renewal:{contract.contract_id}": says},
            said=[says],
        ),
        [SetContractStatus(contract.contract_id, "grace", "no answer", situation.as_of), *([quote] if quote else [])],
        [_grace_mail(situation, contract, until, quote)],
        [Notice(says, ["Call the customer: will they renew?"], to="owner", due=situation.customer.morning(until)[0])],
    )


def _grace_mail(
    situation: Situation, contract: ContractFacts, until: date, quote: QuoteRenewal | None, *, asked: bool = False
) -> Mail:
    """What a customer hears whose term is over: until when everything runs, and at what price it goes on. `asked`: they asked."""
    context = {
        "contract_id": contract.contract_id,
        "term_end": last_day(contract.term).isoformat(),
        "grace_until": until.isoformat(),
        "quote": quote_context(situation, quote) if quote else None,
        "asked": asked,
    }
    return Mail("renewal_grace", context, role=ContactRole.BILLING, contractual=True)


def _as_planned(situation: Situation, contract: ContractFacts) -> Situation:
    return replace(situation, as_of=contract.term.ends_at)


def grace_end(situation: Situation, step: Step) -> Decision:
    """Grace is over and nobody answered: the contract ends."""
    contract = _contract_of(situation, step.stage)
    if contract is None or contract.status != "grace":
        return Decision(JournalLine("Grace ended: the contract was answered for", kind="skipped"))
    return end_contract(situation, contract, step.stage, "no answer", ended_on=step.on)


def _contract_of(situation: Situation, stage: str) -> ContractFacts | None:
    return situation.customer.contract(stage.split(":")[1])
