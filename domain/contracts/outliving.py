"""A term that is over for good: the contract ends, or goes on in what was renewed or prolonged by itself beyond it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from domain.billing.writes import BillDue
from domain.contracts import renewal_notices
from domain.contracts.ending import end_contract, lasts_beyond
from domain.contracts.renewal_quote import last_day
from domain.contracts.terms import term_after
from domain.contracts.writes import BeginTerm, SetContractStatus
from domain.frame.customer import AssetFacts, ContractFacts, ContractStatus
from domain.frame.decision import Decision, JournalLine, Mail, Notice
from domain.frame.situation import Situation
from domain.frame.state import Outcome, Stage
from domain.frame.success_facts import OfferStatus
from domain.frame.term_facts import TermFacts
from domain.kernel.base import Write
from domain.success.expansion import stage_of as offers_of
from domain.success.writes import SettleOffer


def end_or_go_on(
    situation: Situation,
    contract: ContractFacts,
    stage: str,
    reason: str,
    *,
    ended_on: date | None = None,
    declined: bool = False,
) -> Decision:
    """As `end_contract`; but nothing that somebody renewed alone lives on unseen: the contract goes on in that, up to where the first
    of it ends. `declined`: by the customer, so that it runs out there."""
    ends = _outliving(situation, contract)
    if not ends:
        return end_contract(situation, contract, stage, reason, ended_on=ended_on)
    zone = situation.customer.account.time_zone
    term = term_after(contract.term.number, contract.term.ends_at, min(ends.values()), zone)
    status, why = (ContractStatus.DECLINED, reason) if declined else (ContractStatus.ACTIVE, "")
    after = contract.having(term=term, previous=contract.term, offered=None, status=status, status_reason=why)
    opening = (renewal_notices.run_out if declined else renewal_notices.begin)(situation, after)
    over = {a.asset_id for a in situation.customer.assets_of(contract.contract_id)} - ends.keys()
    lapsed = [offer for offer in situation.customer.offers if offer.is_open and offer.asset_id in over]
    offers: dict[str, Stage | None] = {offers_of(offer.asset_id): None for offer in lapsed}
    says = f"Contract {contract.contract_id} goes on until {last_day(term)} in what was renewed beyond its term"
    writes: list[Write] = [
        _begun(situation, contract, term),
        SetContractStatus(contract.contract_id, status, why, situation.as_of),
        *(SettleOffer(one.offer_id, OfferStatus.EXPIRED, "its asset has ended", situation.as_of) for one in lapsed),
        BillDue(contract.contract_id),
    ]
    return Decision(
        JournalLine(says, detail={"contract_id": contract.contract_id, "term": term.number, "reason": reason}),
        Outcome(
            drop=[stage, *offers],
            plan=opening.plan,
            stages={stage: None, **offers, **opening.stages},
            attention={f"renewal:{contract.contract_id}": None},
            said=[says],
        ),
        writes,
        [_told(situation, contract, ends, ended_on)],
        [Notice(says, ["What else it had is over."], to="owner")],
    )


def _outliving(situation: Situation, contract: ContractFacts) -> Mapping[str, datetime]:
    """Where that ends which lasts beyond a contract's term, by asset."""
    now = max(contract.term.ends_at, situation.as_of)
    assets = situation.customer.assets_of(contract.contract_id)
    return {one.asset_id: end for one in assets if lasts_beyond(one, now) and (end := one.periods[-1].ends_at)}


def _begun(situation: Situation, contract: ContractFacts, term: TermFacts) -> BeginTerm:
    days = (term.start_on, term.until, term.starts_at, term.ends_at)
    return BeginTerm(contract.contract_id, term.number, *days, "renewed", situation.as_of)


def _told(situation: Situation, contract: ContractFacts, ends: Mapping[str, datetime], ended_on: date | None) -> Mail:
    """What the customer hears: what goes on, and until when."""
    known: dict[str, AssetFacts] = {asset.asset_id: asset for asset in situation.customer.assets}
    day_of, moment = situation.customer.day_of, timedelta(seconds=1)
    going_on = [
        {"product": known[asset_id].product_name, "until": day_of(end - moment).isoformat()}
        for asset_id, end in sorted(ends.items(), key=lambda one: (one[1], one[0]))
    ]
    last = ended_on or last_day(contract.term)
    context = {
        "contract_id": contract.contract_id,
        "ended_on": last.isoformat(),
        "stays": True,
        "goes_on": going_on,
        "asks_why": False,
    }
    return Mail("contract_ended", context)
