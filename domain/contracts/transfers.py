"""A transfer of assets between two customers: a saga over two journeys, each half one transaction of its own.

The source gives up the units and keeps its assets locked; the target takes them, or refuses for good; then the source lets
go, or has its units back. Which of the two it was is decided by one row, the transfer's, that both sides lock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from domain.assets.errors import AssetExistsError, ContractError
from domain.assets.ledger import Ledger, lock, unlock
from domain.assets.model import AssetRecord
from domain.assets.move import Conveyed, transfer_out
from domain.assets.requests import Transfer
from domain.assets.undo import take_back
from domain.assets.worth import exact_cost
from domain.assets.writes import AssetChange
from domain.billing.billing import billing_of, terms_of
from domain.billing.taking_effect import in_effect
from domain.contracts.bundled import check_apart
from domain.contracts.changes import scheduled, stage_of
from domain.contracts.consignments import (
    Conditions,
    Consignment,
    Joining,
    Parcel,
    Receiver,
    TermAhead,
    Transferred,
    TransferStatus,
)
from domain.contracts.receiving import mail_of_changes
from domain.contracts.replanning import replan
from domain.contracts.request_facts import RequestFacts, changes_of
from domain.contracts.requests import TransferAssets
from domain.contracts.telling import Told, before_last, tell
from domain.contracts.writes import MergedInto, SendAssets
from domain.frame.customer import ContractStatus
from domain.frame.decision import Convey, Decision, GoneContacts, JournalLine, Notice
from domain.frame.notice_acts import act
from domain.frame.ownership import POLICY
from domain.frame.people_facts import ChangeOf, NoteChange
from domain.frame.situation import Situation
from domain.frame.state import Outcome, Stage, Step
from domain.frame.term_facts import TermFacts
from domain.kernel.base import Write
from domain.kernel.calendar import local_day, start_of_day
from domain.kernel.refusals import JOURNEY_CLOSED, NOT_ALLOWED, UNKNOWN_ACCOUNT, Refusal, named_refusals, refusal_of
from domain.orders.order import ContactRole


def transfer_id_of(desk: RequestFacts) -> str:
    """The id of the transfer that a request begins."""
    return desk.new_id("T")


def wanted_ids(desk: RequestFacts, request: TransferAssets) -> list[str]:
    """The ids of the assets that the target is to get, in the request's order."""
    return [line.to_asset_id or desk.new_id(line.asset_id, n) for n, line in enumerate(request.assets)]


def send(
    desk: RequestFacts, request: TransferAssets, receiver: Receiver | None, joining: Joining | None = None
) -> Decision:
    """The first half: the units leave, the assets are locked, and the consignment goes on its way. `joining`: who goes along, if
    it is not whom the request names."""
    _check_receiver(desk, request, receiver)
    if joining is None and request.contacts:
        _check_contacts(desk, request)
        joining = Joining(contacts=list(request.contacts))
    ids = wanted_ids(desk, request)
    with named_refusals():
        if receiver is not None and (twice := sorted(receiver.taken & set(ids))):
            raise AssetExistsError(f"asset {twice[0]} exists; choose another to_asset_id")
        ledger, conveyed = _taken_out(desk, request, ids)
    changed = changes_of(desk, ledger.assets, {})
    told = tell(desk.situation, changed.changes)
    transfer_id, stage = transfer_id_of(desk), stage_of(desk.request_id)
    what = told[0].line.title if told else "they own nothing any more"
    says = f"{'Merge into' if joining and joining.whole else 'Transfer to'} {request.to_account} under way: {what}"
    answer = {
        "request_id": desk.request_id,
        "transfer_id": transfer_id,
        "status": TransferStatus.UNDER_WAY,
        "to_account": request.to_account,
        "assets": [
            {**told_of.answer, "to_asset_id": one.asset.asset_id} for told_of, one in zip(told, conveyed, strict=True)
        ],
    }
    reason = {"reason": request.reason} if request.reason else {}
    return Decision(
        JournalLine(says, detail={**_detail(told), "transfer_id": transfer_id, **reason}),
        Outcome(stages={stage: Stage(status=TransferStatus.UNDER_WAY)}, said=[says], answer=answer),
        [
            SendAssets(transfer_id, request.to_account, _consignment(desk, request, conveyed, joining), desk.as_of),
            *changed.changes,
        ],
        more_lines=[told_of.line for told_of in told[1:]],
        conveyance=Convey(transfer_id, request.to_account, stage),
    )


def _detail(told: Sequence[Told]) -> dict[str, Any]:
    return told[0].line.detail if told else {}


def _check_contacts(desk: RequestFacts, request: TransferAssets) -> None:
    there = [one.contact_id for one in desk.situation.customer.contacts]
    if unknown := [one for one in request.contacts if one not in there]:
        raise Refusal(NOT_ALLOWED, f"there is no contact {unknown[0]!r}; there are {', '.join(there) or 'nobody'}")
    if set(there) <= set(request.contacts):
        raise Refusal(NOT_ALLOWED, "nobody would be left to write to; leave a contact, or ask for merge_account")


def _check_receiver(desk: RequestFacts, request: TransferAssets, receiver: Receiver | None) -> None:
    if request.to_account == desk.situation.customer.account.account_id:
        raise Refusal(NOT_ALLOWED, "the assets are this account's already; name another to_account")
    if receiver is None:
        raise Refusal(UNKNOWN_ACCOUNT, f"account {request.to_account!r} has no journey; place its first order")
    if receiver.closed:
        raise Refusal(JOURNEY_CLOSED, f"the journey of account {request.to_account!r} is closed")
    if request.to_contract_id and request.to_contract_id not in receiver.contracts:
        known = ", ".join(sorted(receiver.contracts)) or "none"
        said = f"contract {request.to_contract_id!r} is not account {request.to_account!r}'s; their contracts: {known}"
        raise refusal_of(ContractError(said))


def _taken_out(desk: RequestFacts, request: TransferAssets, ids: Sequence[str]) -> tuple[Ledger, list[Conveyed]]:
    ledger, conveyed = desk.ledger, []
    for whole in (True, False):
        named = [line.asset_id for line in request.assets if (line.quantity is None) is whole]
        check_apart(desk, named, "handed over", whole=whole)
    for line, to_asset_id in zip(request.assets, ids, strict=True):
        record = desk.record(line)
        effective = desk.moment(request.effective, desk.begun(record))
        ledger, left = transfer_out(
            ledger,
            Transfer(
                request_id=desk.request_id,
                recorded_at=desk.as_of,
                asset_id=line.asset_id,
                to_asset_id=to_asset_id,
                to_account_id=request.to_account,
                effective=effective,
                quantity=line.quantity,
                paid_until=_paid_until(desk, record, effective),
            ),
        )
        if left is None:
            raise ValueError(f"{desk.request_id} was carried out on {line.asset_id} before, and is not on record")
        conveyed.append(_summed_up(desk, ledger.record(record.asset.asset_id), left))
        ledger = lock(ledger, line.asset_id, desk.request_id)
    return ledger, conveyed


def _summed_up(desk: RequestFacts, left: AssetRecord, conveyed: Conveyed) -> Conveyed:
    """What is handed over, with where its first invoice sums up from: what is charged there is what is credited here today."""
    if conveyed.asset.carried_first is None:
        return conveyed
    today, zone = desk.situation.billing_day, desk.zone
    cost = exact_cost(
        in_effect(left, today, zone, POLICY).paid, POLICY, _paid_until(desk, left, conveyed.effective, today)
    )
    if cost is None:
        return conveyed
    return conveyed.having(asset=conveyed.asset.having(carried_first=cost % 1))


def _paid_until(
    desk: RequestFacts, record: AssetRecord, effective: datetime, today: date = date.max
) -> datetime | None:
    """The end of the billing period that the units are handed over in, by the terms that begin up to `today`, or of their time
    if that is sooner."""
    contract = desk.situation.customer.contract(record.asset.contract_id) if record.asset.contract_id else None
    billed = billing_of(contract) if contract else None
    if billed is not None:
        begun = tuple(term for term in billed.terms if term.start_on <= today)
        billed = billed.having(terms=begun or billed.terms)
    terms = terms_of(billed, desk.zone)
    first, day = local_day(record.start, desk.zone), local_day(effective, desk.zone)
    after = terms.periods(first).after(day)
    return record.end if after == date.max else min(filter(None, (record.end, start_of_day(after, desk.zone))))


def _consignment(
    desk: RequestFacts, request: TransferAssets, conveyed: Sequence[Conveyed], joining: Joining | None
) -> dict[str, Any]:
    parcels, contracts = [], {}
    for number, (line, left) in enumerate(zip(request.assets, conveyed, strict=True)):
        facts = desk.facts(line.asset_id)
        contract = desk.situation.customer.contract(facts.contract_id) if facts.contract_id else None
        if contract is not None and left.end is None and contract.evergreen is None:
            contract = None
        if contract is not None and contract.contract_id not in contracts:
            billed_from, anchor_day = contract.grid_on(local_day(left.effective, desk.zone))
            present = contract.term_at(left.effective)
            contracts[contract.contract_id] = Conditions(
                contract_id=desk.new_id("K", number),
                currency=contract.currency,
                auto_renew=contract.auto_renew and contract.status != ContractStatus.DECLINED,
                renewal_months=contract.renewal_months,
                notice_days=contract.notice_days,
                uplift_percent=str(contract.uplift_percent),
                billing=contract.billing,
                evergreen=contract.evergreen,
                first_invoice=contract.first_invoice,
                ends_at=present.ends_at if left.effective < present.ends_at else contract.term.ends_at,
                anchor_day=anchor_day,
                billed_from=billed_from,
                coming=_ahead(contract.term) if left.effective < present.ends_at < contract.term.ends_at else None,
            )
        parcels.append(
            Parcel(
                conveyed=left,
                per=facts.per,
                unit_price=str(facts.unit_price),
                contract=contract.contract_id if contract else None,
            )
        )
    ids = {line.asset_id: one.asset.asset_id for line, one in zip(request.assets, conveyed, strict=True)}
    sent = Consignment(
        request_id=desk.request_id,
        to_contract_id=request.to_contract_id,
        parcels=parcels,
        contracts=contracts,
        bundles=[
            edge.having(parent_id=ids[edge.parent_id], child_id=ids[edge.child_id])
            for edge in desk.relationships
            if {edge.parent_id, edge.child_id} <= ids.keys()
        ],
        joining=joining,
    )
    return sent.model_dump(mode="json")


def _ahead(term: TermFacts) -> TermAhead:
    return TermAhead(starts_at=term.starts_at, ends_at=term.ends_at)


def complete(desk: RequestFacts, transfer_id: str, to_account: str, joining: Joining | None = None) -> Decision:
    """The target has the units: the source's assets are free, and what is left of its contracts is planned anew. Who went along
    is the target's; a customer who went as a whole has nothing more to do here."""
    locked = _locked(desk)
    ledger = desk.ledger
    for asset_id in locked:
        ledger = unlock(ledger, asset_id, desk.request_id)
    changed = changes_of(desk, ledger.assets, {})
    follows = replan(desk.situation, changed.records, touched=locked)
    told = tell(desk.situation, [AssetChange(before_last(c.after), c.after, c.unit_price) for c in changed.changes])
    stage = stage_of(desk.request_id)
    gone = _gone(desk, joining)
    if joining and joining.whole:
        return _merged(desk, transfer_id, to_account, [*changed.changes, *follows.writes, *gone])
    says = f"{to_account} has received what was handed over"
    outcome = Outcome(drop=[stage], stages={stage: None}) + follows.outcome + scheduled(desk, changed)
    return Decision(
        JournalLine(says, detail={"transfer_id": transfer_id, "to_account": to_account}),
        outcome + Outcome(said=[says]),
        [*changed.changes, *follows.writes, *gone],
        [mail_of_changes("assets_transferred", told, follows), *follows.mails],
        [Notice(says, [told_of.line.title for told_of in told], to="owner")],
        more_lines=follows.lines,
    )


def _gone(desk: RequestFacts, joining: Joining | None) -> list[Write]:
    """Those contacts who went along, and are still here; a sponsor among them is missed."""
    here = {one.contact_id: one for one in desk.situation.customer.contacts}
    went = [here[one] for one in joining.contacts if one in here] if joining else []
    if not went:
        return []
    missed = [
        NoteChange(ChangeOf.SPONSOR, desk.as_of, one.contact_id) for one in went if one.role is ContactRole.SPONSOR
    ]
    return [GoneContacts(tuple(one.contact_id for one in went), "transfer", desk.as_of), *missed]


def _merged(desk: RequestFacts, transfer_id: str, to_account: str, writes: list[Write]) -> Decision:
    """The customer is part of another one. What they bought while it was on its way keeps this journey open, for a person to see."""
    stage, name = stage_of(desk.request_id), desk.situation.customer.account.name
    says = f"{name} is part of {to_account} now"
    since = [one for one in desk.situation.records.values() if not one.lock and has_units(one, desk.as_of)]
    outcome = Outcome(drop=[stage], stages={stage: None}, said=[says])
    lines = [f"What they owned, their people, cases, surveys and usage are those of {to_account}."]
    if since:
        lines.append("They bought something meanwhile, so the merge has to be asked for once more.")
    else:
        outcome += Outcome(closes=says)
        writes.append(MergedInto(to_account))
    line = JournalLine(says, detail={"transfer_id": transfer_id, "to_account": to_account})
    acts = (act("merge_account", to_account=to_account),) if since else ()
    return Decision(line, outcome, writes, notices=[Notice(says, lines, to="owner", acts=acts)])


def has_units(record: AssetRecord, as_of: datetime) -> bool:
    """True for what has units from an instant on, or later."""
    return any(period.quantity > 0 and (period.end is None or period.end > as_of) for period in record.periods)


def undo(desk: RequestFacts, transfer_id: str, to_account: str, reason: str) -> Decision:
    """The target refused for good: the source has its units back, as if nothing had been asked."""
    ledger = desk.ledger
    for asset_id in _locked(desk):
        ledger = take_back(ledger, asset_id, desk.request_id, desk.as_of)
    changed = changes_of(desk, ledger.assets, {})
    told = tell(desk.situation, changed.changes)
    stage = stage_of(desk.request_id)
    says = f"Transfer to {to_account} was refused and is undone: {reason}"
    return Decision(
        JournalLine(says, detail={"transfer_id": transfer_id, "to_account": to_account, "reason": reason}),
        Outcome(drop=[stage], stages={stage: None}, said=[says]),
        list(changed.changes),
        notices=[Notice(says, [*(told_of.line.title for told_of in told), "Nothing was handed over."], to="owner")],
        more_lines=[told_of.line for told_of in told],
    )


def _locked(desk: RequestFacts) -> list[str]:
    """The assets that the transfer holds."""
    records: Mapping[str, AssetRecord] = desk.situation.records
    return [asset_id for asset_id, record in records.items() if record.lock == desk.request_id]


def settled(situation: Situation, step: Step, transfer: Transferred) -> Decision:
    """What came of a transfer, at its source."""
    if transfer.status == TransferStatus.UNDER_WAY:
        raise LookupError(f"transfer {transfer.transfer_id} is not answered yet")
    desk = RequestFacts(situation, transfer.consignment.request_id)
    if transfer.consignment.parcels and not _locked(desk):
        raise LookupError(f"transfer {transfer.transfer_id} holds no asset; it was settled before")
    if transfer.status == TransferStatus.RECEIVED:
        return complete(desk, transfer.transfer_id, transfer.to_account, transfer.consignment.joining)
    return undo(desk, transfer.transfer_id, transfer.to_account, transfer.reason)
