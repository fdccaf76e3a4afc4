"""From a changed ledger to the agenda: what the change means for contracts, their terms, and the stages of the journey."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from domain.assets.model import AssetAction, AssetRecord, Category, SellingModel
from domain.billing.writes import BillDue
from domain.contracts import renewal, renewal_notices
from domain.contracts.ending import NEVER_BEGAN, NOTHING_LEFT, NOTICE_GIVEN, OVER_BEFORE, end_contract
from domain.contracts.renewal_quote import last_day, price_of_term, said_until
from domain.contracts.replanned import Replanned, line_of
from domain.contracts.terms import Records, TermHoldings, common_end, moved, term_after
from domain.contracts.writes import BeginTerm, DropTerm, MoveTerm, OpenContract, SetContractStatus
from domain.frame.customer import ContractFacts, ContractStatus
from domain.frame.decision import Mail
from domain.frame.situation import Situation
from domain.frame.state import Outcome, Stage
from domain.frame.success_facts import OfferStatus
from domain.frame.term_facts import TermFacts
from domain.kernel.base import Write
from domain.kernel.calendar import FOR_EVER, start_of_day
from domain.success import adoption
from domain.success.expansion import stage_of
from domain.success.writes import SettleOffer

RESOLUTION = timedelta.resolution


def replan(
    situation: Situation,
    after: Records,
    *,
    touched: Iterable[str] | None = None,
    opened: Sequence[ContractFacts] = (),
    origin: str = "transferred",
) -> Replanned:
    """What a change of the asset ledger means for the journey. Whoever changes assets adds this to their decision.

    situation: before the change, with `records` loaded (`ledger=True`). after: the ledger afterwards, all records of the
    account by asset id. touched: assets whose contracts are looked at; by default those whose record differs. opened:
    contracts that the change brings, with their first term of this `origin` (`transferred`, `imported`).

    - All assets that live on under a contract were renewed: its next term begins, at once or when the old one ends; pending
      renewal steps fall away, and the old term is cut if the renewal is early.
    - Such a renewal was rolled back before it began: its term is dropped, the term before is planned anew.
    - A cancellation was taken back before it took effect, or units were added: a contract that ran out for want of assets is
      active again, with the next term if one was sold before.
    - The assets end on another day: the term moves (see `terms.common_end`) and its steps are planned anew.
    - Nothing lives on: the contract ends now, or runs out where its last asset does. Assets that were reduced to no units live
      on to their end, as units may be added again.
    - An asset that is cancelled or without units has no open offer any more.

    The outcome's `plan` is to be put behind the caller's own; `drop` names whole stages.
    """
    contracts = {contract.contract_id: contract for contract in situation.customer.contracts}
    ids = set(after if touched is None else touched)
    changed = [
        after[id] for id in sorted(ids & set(after)) if touched is not None or after[id] != situation.records.get(id)
    ]
    result = Replanned()
    for contract_id in dict.fromkeys(record.asset.contract_id for record in changed):
        contract = contracts.get(contract_id) if contract_id else None
        if contract is not None:
            part = _contract(situation, contract, TermHoldings.of(contract.contract_id, situation.records, after))
            situation = _with_contracts(situation, part.contracts.values())
            result = result.and_then(part)
    for contract in opened:
        result = result.and_then(_opened(situation, contract, origin))
        situation = _with_contracts(situation, [contract])
    result = replace(result, mails=[_told(situation, mail, after.values()) for mail in result.mails])
    over = {r.asset.asset_id for r in changed if r.cancelled or _gone(r, situation.as_of)}
    return result.and_then(_offers(situation, over))


def _told(situation: Situation, mail: Mail, after: Iterable[AssetRecord]) -> Mail:
    """The news of a contract's end once all is decided: contracts that end by one change leave nothing to go on."""
    if mail.template != "contract_ended":
        return mail
    runs = any(contract.status != ContractStatus.ENDED for contract in situation.customer.contracts)
    sold = [record for record in after if record.asset.selling_model is not SellingModel.ONE_TIME]
    periods = [period for record in sold for period in record.periods if period.quantity]
    stays = runs or any(period.end is None or period.end > situation.as_of for period in periods)
    return replace(mail, context={**mail.context, "stays": stays})


def _with_contracts(situation: Situation, contracts: Iterable[ContractFacts]) -> Situation:
    known = {contract.contract_id: contract for contract in situation.customer.contracts}
    known |= {contract.contract_id: contract for contract in contracts}
    return replace(situation, customer=situation.customer.having(contracts=list(known.values())))


def _contract(situation: Situation, contract: ContractFacts, holdings: TermHoldings) -> Replanned:
    """One contract whose assets have changed."""
    if _taken_back(contract, holdings, situation.as_of):
        contract, dropped = _without_next_term(contract)
        return dropped.and_then(_replanned(situation, contract, holdings, anew=True))
    return _replanned(situation, contract, holdings)


def _taken_back(contract: ContractFacts, holdings: TermHoldings, as_of: datetime) -> bool:
    """True if the latest term was sold by renewals of which none is left."""
    start = contract.term.starts_at
    undone = any(action.effective == start for action in holdings.undone_renewals())
    return undone and _waits(contract, as_of) and not holdings.renewed_from(start)


def _waits(contract: ContractFacts, as_of: datetime) -> bool:
    """True while the latest term is sold and has not begun."""
    return contract.previous is not None and contract.term.starts_at > as_of


def _is_ahead(contract: ContractFacts, as_of: datetime) -> bool:
    """True while the open stage is that of the term before. Once that is over it is the latest one's, even if days lie between them."""
    return _waits(contract, as_of) and contract.previous is not None and contract.previous.ends_at > as_of


def _without_next_term(contract: ContractFacts) -> tuple[ContractFacts, Replanned]:
    """The contract as it was before its next term was sold."""
    if contract.previous is None:
        raise ValueError(f"contract {contract.contract_id} has one term only")
    before = contract.having(term=contract.previous, previous=None)
    outcome = Outcome(drop=[contract.stage], stages={contract.stage: None})
    return before, Replanned(
        [DropTerm(contract.contract_id, contract.term.number)], outcome, contracts={contract.contract_id: before}
    )


def _replanned(
    situation: Situation, contract: ContractFacts, holdings: TermHoldings, *, anew: bool = False
) -> Replanned:
    """What the assets of a contract say of it. `anew`: its stage is planned even if the term stays as it was."""
    if contract.evergreen is not None and holdings.goes_on():
        return _going_on(situation, contract)
    present = contract.previous if contract.previous and _waits(contract, situation.as_of) else contract.term
    # What ended within the term is over, and keeps nothing alive.
    over = min(situation.as_of, contract.term.ends_at - RESOLUTION)
    living = holdings.lives_on(max(present.starts_at, over))
    if contract.term.ends_at <= situation.as_of and (contract.status != ContractStatus.GRACE or holdings.prolonged()):
        # A term that is over goes on in those assets alone that somebody renewed or prolonged. What else becomes of assets that
        # were renewed alone leaves the others in grace.
        living = [record for record in living if record.end and record.end > contract.term.ends_at] or living
    # No units are a quantity as any other: the contract goes on, and what is added again is renewed with it.
    living = living or holdings.without_units(max(present.starts_at, over))
    ends = [record.end for record in living if record.end]
    renewals = {r.asset.asset_id: action for r in living if (action := holdings.renewal_of(r))}
    sold = [action.effective for action in renewals.values()]
    if living and len(sold) == len(living):
        return _renewed(situation, contract, min(sold), min(ends), renewals)
    if contract.status == ContractStatus.ENDED:
        return Replanned()
    if not living:
        until = holdings.held_until()
        return Replanned() if holdings.held_for_ever() else _run_out(situation, contract, until or situation.as_of)
    if holdings.uncancelled() or _ran_out(contract):
        return _living_again(situation, contract, living)
    # What is given up or exchanged later is there from its start on as well.
    starts = {record.start for record in holdings.after if any(period.quantity for period in record.periods)}
    fixed = contract.term.number > 1 or contract.term.starts_at <= situation.as_of or len(starts) != 1
    starts_at = contract.term.starts_at if fixed else starts.pop()
    return _moved(situation, contract, starts_at, common_end(ends, contract.term.ends_at), anew=anew)


def _going_on(situation: Situation, contract: ContractFacts) -> Replanned:
    """Something under a contract without an end goes on: if notice was given, it is taken back."""
    if contract.term.is_open or contract.status == ContractStatus.ENDED:
        return Replanned()
    zone = situation.customer.account.time_zone
    term = moved(contract.term, start_of_day(FOR_EVER, zone), zone)
    after, first = _with_term(contract.having(status=ContractStatus.ACTIVE, status_reason=""), term)
    write = SetContractStatus(contract.contract_id, ContractStatus.ACTIVE, "", situation.as_of)
    outcome = Outcome(drop=[contract.stage]) + renewal_notices.begin(situation, after)
    says = f"Contract {contract.contract_id} runs {said_until(term)} again"
    return first.and_then(
        Replanned([write], outcome, [line_of(contract, says)], contracts={contract.contract_id: after})
    )


def _ran_out(contract: ContractFacts) -> bool:
    """True if a contract will not be renewed because nothing lived on under it, and not because the customer declined."""
    return contract.status == ContractStatus.DECLINED and contract.status_reason == NOTHING_LEFT


def _living_again(situation: Situation, contract: ContractFacts, living: Sequence[AssetRecord]) -> Replanned:
    """A cancellation was taken back, or something new lives on: the contract is what it was before, unless the customer had
    declined its renewal."""
    first, ends = Replanned(), [record.end for record in living if record.end]
    revived = _ran_out(contract)
    if revived:
        contract = contract.having(status=ContractStatus.ACTIVE, status_reason="")
        write = SetContractStatus(contract.contract_id, ContractStatus.ACTIVE, "", situation.as_of)
        first = Replanned([write], contracts={contract.contract_id: contract})
    ahead = {r.asset.asset_id: action for r in living if (action := _renewal_ahead(r, situation.as_of))}
    if len(ahead) < len(living) or _waits(contract, situation.as_of):
        until = common_end(ends, contract.term.ends_at)
        return first.and_then(_moved(situation, contract, contract.term.starts_at, until, anew=revived))
    # The next term was sold already when the cancellation dropped it.
    begins, zone = min(action.effective for action in ahead.values()), situation.customer.account.time_zone
    if begins != contract.term.ends_at:
        contract, whole = _with_term(contract, moved(contract.term, begins, zone))
        first = first.and_then(whole)
    return first.and_then(_renewed(situation, contract, begins, min(ends), ahead))


def _renewal_ahead(record: AssetRecord, as_of: datetime) -> AssetAction | None:
    """The renewal of an asset that is sold and has not begun."""
    return next((a for a in record.active if a.category is Category.RENEWALS and a.effective > as_of), None)


def _renewed(
    situation: Situation,
    contract: ContractFacts,
    starts_at: datetime,
    ends_at: datetime,
    renewals: Mapping[str, AssetAction],
) -> Replanned:
    """The next term begins at `starts_at`; a term that was sold and not begun, or the rest of the present one, gives way."""
    zone, first = situation.customer.account.time_zone, Replanned()
    if _waits(contract, situation.as_of) and starts_at <= contract.term.starts_at:
        contract, first = _without_next_term(contract)
    if starts_at <= contract.term.starts_at or _waits(contract, situation.as_of):
        # What is renewed beyond a term that has not begun makes that term longer.
        return first.and_then(_moved(situation, contract, contract.term.starts_at, ends_at, renewed=True))
    if starts_at < contract.term.ends_at:
        contract, cut = _with_term(contract, moved(contract.term, starts_at, zone))
        first = first.and_then(cut)
    term = term_after(contract.term.number, starts_at, ends_at, zone)
    says = f"Contract {contract.contract_id} renewed until {last_day(term)}"
    customer = situation.customer
    sold = [(facts, action) for id, action in renewals.items() if (facts := customer.asset(id))]
    writes: list[Write] = [
        price_of_term(contract, term.number, sold, situation.as_of),
        _begun(contract.contract_id, term, "renewed", situation.as_of),
        SetContractStatus(contract.contract_id, ContractStatus.ACTIVE, "", situation.as_of),
    ]
    if starts_at <= situation.as_of:  # what is not renewed is billed by the new term's months from today on as well
        writes.append(BillDue(contract.contract_id))
    after = contract.having(term=term, previous=contract.term, status=ContractStatus.ACTIVE)
    outcome = renewal.turn(situation, contract, term, says).having(said=[])
    if contract.status == ContractStatus.ENDED:
        outcome += _adoption(situation)
    return first.and_then(
        Replanned(writes, outcome, [line_of(contract, says)], contracts={contract.contract_id: after})
    )


def _run_out(situation: Situation, contract: ContractFacts, until: datetime) -> Replanned:
    """Nothing lives on: the contract ends now, or runs out at `until`."""
    zone, first = situation.customer.account.time_zone, Replanned()
    if _waits(contract, situation.as_of) and until <= contract.term.starts_at:
        contract, first = _without_next_term(contract)
    if until != contract.term.ends_at:
        contract, cut = _with_term(contract, moved(contract.term, until, zone))
        first = first.and_then(cut)
    if until <= situation.as_of:
        return first.and_then(_ended(_with_contracts(situation, [contract]), contract))
    if contract.status == ContractStatus.DECLINED and not first.writes:
        return first
    declined = contract.status == ContractStatus.DECLINED
    why = _given_up(contract)
    says = f"Contract {contract.contract_id} runs out on {last_day(contract.term)}: {why}"
    after = contract if declined else contract.having(status=ContractStatus.DECLINED, status_reason=why)
    outcome = Outcome(attention={f"renewal:{contract.contract_id}": None})
    if not _is_ahead(contract, situation.as_of):
        outcome += Outcome(drop=[contract.stage])
        outcome += renewal_notices.run_out(situation, after)
    return first.and_then(
        Replanned(
            # Who declined its renewal has declined it still, whatever becomes of this change.
            []
            if declined
            else [SetContractStatus(contract.contract_id, ContractStatus.DECLINED, why, situation.as_of)],
            outcome,
            [line_of(contract, says)],
            contracts={contract.contract_id: after},
        )
    )


def _given_up(contract: ContractFacts) -> str:
    """Why a contract ends under which nothing lives on."""
    return NOTICE_GIVEN if contract.evergreen else NOTHING_LEFT


def _ended(situation: Situation, contract: ContractFacts) -> Replanned:
    began = contract.term.starts_at <= situation.as_of or contract.previous is not None
    decision = end_contract(situation, contract, contract.stage, _given_up(contract) if began else NEVER_BEGAN)
    return Replanned(
        decision.writes,
        decision.outcome.having(said=[]),
        [line_of(contract, decision.line.title)],
        decision.mails if began else [],  # what never began did not end on any day; the change itself is confirmed
        {contract.contract_id: contract.having(status=ContractStatus.ENDED)},
    )


def _moved(
    situation: Situation,
    contract: ContractFacts,
    starts_at: datetime,
    ends_at: datetime,
    *,
    anew: bool = False,
    renewed: bool = False,
) -> Replanned:
    """The term has other dates: its renewal is planned anew. `renewed`: by a renewal, so that it runs out no more."""
    zone, first = situation.customer.account.time_zone, Replanned()
    if _waits(contract, situation.as_of) and ends_at <= contract.term.starts_at:
        contract, first = _without_next_term(contract)
        starts_at, anew = contract.term.starts_at, True
    same = (starts_at, ends_at) == (contract.term.starts_at, contract.term.ends_at)
    if same and not anew:
        return first
    contract, other = _with_term(contract, moved(contract.term, ends_at, zone, starts_at=starts_at))
    first = first.and_then(other)
    writes: list[Write] = []
    if (contract.status == ContractStatus.GRACE and ends_at > situation.as_of) or (
        renewed and contract.status != ContractStatus.ACTIVE
    ):
        contract = contract.having(status=ContractStatus.ACTIVE)
        writes = [SetContractStatus(contract.contract_id, ContractStatus.ACTIVE, "", situation.as_of)]
    says = f"Contract {contract.contract_id} runs until {last_day(contract.term)} now"
    outcome = Outcome(attention={f"renewal:{contract.contract_id}": None})
    if not _is_ahead(contract, situation.as_of):
        planned = renewal_notices.run_out if contract.status == ContractStatus.DECLINED else renewal_notices.begin
        outcome += Outcome(drop=[contract.stage]) + planned(situation, contract)
    return first.and_then(
        Replanned(writes, outcome, [line_of(contract, says)], contracts={contract.contract_id: contract})
    )


def _with_term(contract: ContractFacts, term: TermFacts) -> tuple[ContractFacts, Replanned]:
    """The contract with another latest term, if it is another."""
    if term == contract.term:
        return contract, Replanned()
    after = contract.having(term=term)
    write = MoveTerm(contract.contract_id, term.number, term.start_on, term.until, term.starts_at, term.ends_at)
    return after, Replanned([write], contracts={contract.contract_id: after})


def _opened(situation: Situation, contract: ContractFacts, origin: str) -> Replanned:
    """A contract that the customer did not have before, from its first term on, with the next one if that is sold already; one
    that is over by now has nothing to come."""
    first, writes = contract, list[Write]()
    if contract.previous is not None:
        first = contract.having(term=contract.previous, previous=None)
        writes = [_begun(contract.contract_id, contract.term, origin, situation.as_of)]
    writes = [OpenContract(first, origin, situation.as_of), *writes]
    if situation.is_past(contract.term.ends_at):
        why = OVER_BEFORE
        return Replanned(
            [
                *writes,
                SetContractStatus(contract.contract_id, ContractStatus.ENDED, why, situation.as_of),
            ],
            lines=[line_of(contract, f"Contract {contract.contract_id} ran until {last_day(contract.term)}: {why}")],
            contracts={contract.contract_id: contract.having(status=ContractStatus.ENDED)},
        )
    if contract.previous is not None:
        planned = renewal.turn(situation, first, contract.term, "").having(said=[])
    else:
        planned = renewal_notices.take_up(situation, contract)
    says = f"Contract {contract.contract_id} runs {said_until(contract.term)}"
    return Replanned(
        writes,
        (planned + _adoption(situation)),
        [line_of(contract, says)],
        contracts={contract.contract_id: contract},
    )


def _begun(contract_id: str, term: TermFacts, origin: str, at: datetime) -> BeginTerm:
    return BeginTerm(contract_id, term.number, term.start_on, term.until, term.starts_at, term.ends_at, origin, at)


def _adoption(situation: Situation) -> Outcome:
    """Check-ins begin with the first contract that a customer holds."""
    if any(contract.status != ContractStatus.ENDED for contract in situation.customer.contracts):
        return Outcome()
    return adoption.begin(situation, situation.playbook.adoption.every_days)


def _offers(situation: Situation, gone: set[str]) -> Replanned:
    """Offers of more units of what the customer does not have any more, or gives up."""
    offers = [offer for offer in situation.customer.offers if offer.is_open and offer.asset_id in gone]
    if not offers:
        return Replanned()
    stages: dict[str, Stage | None] = {stage_of(offer.asset_id): None for offer in offers}
    settled: list[Write] = [
        SettleOffer(offer.offer_id, OfferStatus.EXPIRED, "the asset is given up", situation.as_of) for offer in offers
    ]
    return Replanned(settled, Outcome(drop=list(stages), stages=stages))


def _gone(record: AssetRecord, as_of: datetime) -> bool:
    return not any(period.quantity and (period.end is None or period.end > as_of) for period in record.periods)
