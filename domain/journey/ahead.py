"""What comes after the next step of each kind, if nothing is asked and nobody says no: rhythms, notices, terms that renew by
themselves, days of billing. What depends on how a step turns out, such as a reminder, is not foretold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

from domain.billing import billing
from domain.billing.billing import ContractBilling, ContractTerm
from domain.contracts import renewal_notices
from domain.contracts.renewal_quote import assets_of_next_term, next_term
from domain.frame.customer import ContractFacts, ContractStatus
from domain.frame.ownership import POLICY
from domain.frame.state import Step
from domain.journey import contract_steps, play_steps, success_steps
from domain.journey.agenda import Agenda
from domain.journey.agenda_facts import Facts
from domain.kernel.calendar import local_day, local_instant
from domain.success import adoption, asking, thanks

Renewal = Callable[[Facts, ContractFacts], tuple[Facts, ContractFacts] | None]


def extend(facts: Facts, found: Agenda, until: datetime, *, ledger: bool = True) -> None:
    """Adds what comes up to `until` to an agenda that has the next step of each kind.

    ledger: false if the facts are without it; then nothing is said of invoices, and what is owned to its end is renewed.
    """
    later = [*_check_ins(facts, found, until), *_surveys(facts, found, until), *_anniversaries(facts, found, until)]
    for contract in facts.situation.customer.contracts:
        if contract.status == ContractStatus.ACTIVE and f"{contract.stage}" in {
            *found.stages,
            *_stages_after(found, contract),
        }:
            facts, steps = _terms(facts, contract, until, _renewed if ledger else _renewed_unseen)
            later += steps
    plays = Agenda()
    play_steps.plays(facts, plays, until)
    later += plays.plan()
    if ledger:
        later += _invoices(facts, until)
    new = (step for step in later if step.at <= until and step.key not in found.steps)
    found.add(*(step for step in new if facts.done(step.key) is None))


def _stages_after(found: Agenda, contract: ContractFacts) -> list[str]:
    """The latest term's stage, if that of the term before is open: it opens when that one ends."""
    before = contract.having(term=contract.previous).stage if contract.previous else None
    return [contract.stage] if before in found.stages else []


def _rhythm(found: Agenda, kind: str) -> list[Step]:
    return [step for step in found.plan() if step.kind == kind]


def _check_ins(facts: Facts, found: Agenda, until: datetime) -> Iterator[Step]:
    """One after the other, for as long as something sold for a term goes on."""
    until = _runs_until(facts, until)
    for step in _rhythm(found, "adoption_check_in"):
        while step.at <= until:
            step = adoption.next_check_in(success_steps.at_instant(facts, step.at))
            if step.at <= until:
                yield step


def _surveys(facts: Facts, found: Agenda, until: datetime) -> Iterator[Step]:
    """Half a year after one comes the next, for as long as something sold for a term goes on."""
    until = _runs_until(facts, until)
    for step in _rhythm(found, asking.KIND):
        while asking.question_of(step) is asking.RECOMMEND and step.at <= until:
            step = asking.next_survey(success_steps.at_instant(facts, step.at))
            if step.at <= until:
                yield step


def _runs_until(facts: Facts, until: datetime) -> datetime:
    """The end of what was sold for a term, unless it renews by itself; `until` at the latest."""
    contracts = [contract for contract in facts.situation.customer.contracts if contract.status != ContractStatus.ENDED]
    if any(contract.auto_renew and contract.status == ContractStatus.ACTIVE for contract in contracts):
        return until
    return min(until, max((contract.term.ends_at for contract in contracts), default=until))


def _anniversaries(facts: Facts, found: Agenda, until: datetime) -> Iterator[Step]:
    since = facts.situation.customer.day_of(facts.situation.customer.account.since)
    for step in _rhythm(found, "relationship_anniversary"):
        while step.at <= until:
            step = thanks.next_anniversary(
                facts.situation, since, after=date(thanks.anniversary_year(step.key), 12, 31)
            )
            if step.at <= until:
                yield step


def _terms(facts: Facts, contract: ContractFacts, until: datetime, renewal: Renewal) -> tuple[Facts, list[Step]]:
    """The notices and ends of a contract's terms, and the facts once it has renewed itself as often as it does until then."""
    if contract.term.is_open:
        return facts, []
    life = facts.life(contract.contract_id)
    steps = contract_steps.notices(facts, contract, life) if life else []
    steps.append(renewal_notices.end_step(contract))
    while contract.auto_renew and contract.term.ends_at <= until:
        renewed = renewal(facts, contract)
        if renewed is None:
            break  # nothing of it is left to renew
        facts, contract = renewed
        begins = success_steps.at_instant(facts, contract.term.starts_at)
        steps += [
            renewal_notices.notice_step(begins, contract, days)
            for days in renewal_notices.notice_days(begins, contract)
            if renewal_notices.notice_step(begins, contract, days).at >= contract.term.starts_at
        ]
        steps += [renewal_notices.end_step(contract), *play_steps.of_term(facts, contract, until)]
    return facts, steps


def _renewed(facts: Facts, contract: ContractFacts) -> tuple[Facts, ContractFacts] | None:
    """The facts and the contract with its next term, as its end will make them; null if nothing of it is left by then."""
    then, contract = success_steps.at_instant(facts, contract.term.ends_at), contract.by_itself()
    changes = [change for _, change in assets_of_next_term(then, contract)]
    if not changes:
        return None
    term = next_term(then, contract)
    later = contract.having(term=term, previous=contract.term, offered=None)
    customer = facts.situation.customer
    others = [later if one.contract_id == contract.contract_id else one for one in customer.contracts]
    records = dict(facts.situation.records) | {change.after.asset.asset_id: change.after for change in changes}
    situation = replace(facts.situation, customer=customer.having(contracts=others), records=records)
    bills = dict(facts.billing)
    if (known := bills.get(contract.contract_id)) is not None:
        terms = (*known.terms, ContractTerm(start_on=term.start_on, until=term.until, starts_at=term.starts_at))
        bills[contract.contract_id] = known.having(terms=terms)
    return replace(facts, situation=situation, billing=bills), later


def _renewed_unseen(facts: Facts, contract: ContractFacts) -> tuple[Facts, ContractFacts] | None:
    """As `_renewed`, by the customer's periods alone: without the ledger, and so without what the next term costs."""
    customer, eve = facts.situation.customer, contract.term.ends_at - timedelta(microseconds=1)
    held = (asset.at(eve) for asset in customer.assets_of(contract.contract_id))
    if not any(period.quantity for period in held if period):
        return None
    then = success_steps.at_instant(facts, contract.term.ends_at)
    later = contract.having(term=next_term(then, contract), previous=contract.term)
    contracts = [later if one.contract_id == contract.contract_id else one for one in customer.contracts]
    assets = [
        asset.having(periods=[one.having(ends_at=None) if one.covers(eve) else one for one in asset.periods])
        if asset.contract_id == contract.contract_id
        else asset
        for asset in customer.assets
    ]
    situation = replace(facts.situation, customer=customer.having(contracts=contracts, assets=assets))
    return replace(facts, situation=situation), later


def _invoices(facts: Facts, until: datetime) -> Iterator[Step]:
    """All days on which something is invoiced or credited. That on which a term begins is looked at as the one before ends,
    unless that is on an earlier day for the customer."""
    customer = facts.situation.customer
    for asset_id, record in facts.situation.records.items():
        if contract_steps.forgotten(facts, record):
            continue
        contract = facts.billing.get(record.asset.contract_id or "")
        due = billing.Due(record, record, contract, facts.billed.get(asset_id, ()))
        what = f"contract:{contract.contract_id}" if contract else f"asset:{asset_id}"
        day: date | None = facts.situation.billing_day
        while day is not None and local_instant(day, customer.account.time_zone) <= until:
            following = billing.settle(due, day, record.asset.time_zone, POLICY).next_day
            if following is not None and not _by_term_end(contract, following, customer.account.time_zone):
                yield billing.step_on(customer, what, following)
            day = following


def _by_term_end(contract: ContractBilling | None, day: date, zone: str) -> bool:
    """True for a day on which a later term begins, as the one before ends."""
    term = contract.begins(day) if contract else None
    return term is not None and (term.starts_at is None or local_day(term.starts_at, zone) >= day)
