"""A transfer of assets between two customers: a saga over two journeys, each half one transaction of its own.

The source gives up the units and keeps its assets locked; the target takes them, or refuses for good; then the source lets
go, or has its units back. Which of the two it was is decided by one row, the transfer's, that both sides lock.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pydantic import AwareDatetime

from domain.assets.bundles import Relationship
from domain.assets.contract_dates import ContractTerms, relate
from domain.assets.errors import AssetExistsError, ContractError, PriceBookError
from domain.assets.ledger import Ledger, exact_cost, lock, unlock
from domain.assets.model import AssetRecord, RequestId
from domain.assets.move import Conveyed, transfer_in, transfer_out
from domain.assets.requests import Transfer
from domain.assets.undo import take_back
from domain.assets.writes import AssetChange, Relate
from domain.billing.billing import billing_of, terms_of
from domain.billing.taking_effect import in_effect
from domain.contracts.bundled import check_apart
from domain.contracts.changes import scheduled, stage_of
from domain.contracts.refusing import named_refusals, refusal_of
from domain.contracts.renewal_quote import last_day
from domain.contracts.replanning import Replanned, joined, replan
from domain.contracts.request_facts import RequestFacts, Sold, changes_of
from domain.contracts.requests import TransferAssets
from domain.contracts.telling import Told, before_last, tell
from domain.contracts.terms import common_end, term_after
from domain.contracts.writes import SendAssets, SettleTransfer
from domain.frame.customer import ContractFacts, TermFacts
from domain.frame.decision import Convey, Decision, JournalLine, Mail, Notice
from domain.frame.ownership import POLICY
from domain.frame.situation import Situation
from domain.frame.state import Outcome, Stage
from domain.kernel.base import Carried, Write
from domain.kernel.calendar import local_day, start_of_day
from domain.kernel.ids import AccountId, AssetId, ContractId
from domain.kernel.refusals import JOURNEY_CLOSED, NOT_ALLOWED, UNKNOWN_ACCOUNT, Refusal
from domain.orders.order import BillingFrequency, ContactRole, FirstInvoice, PricePer

UNDER_WAY = "under_way"
RECEIVED = "received"
REFUSED = "refused"


@dataclass(frozen=True)
class Receiver:
    """The account that is to take assets, with its contracts and the ids of assets that exist already."""

    account_id: str
    closed: bool
    contracts: frozenset[str] = frozenset()
    taken: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Transferred:
    """A transfer as it is on record. `status`: under_way, received or refused (for this `reason`)."""

    transfer_id: str
    from_account: str
    to_account: str
    status: str
    reason: str
    consignment: Consignment


class TermAhead(Carried):
    """A term that is sold and has not begun."""

    starts_at: AwareDatetime
    ends_at: AwareDatetime


class Conditions(Carried):
    """What the contract of the source says, for one like it at the target."""

    contract_id: str
    """the id of the new contract"""
    currency: str
    auto_renew: bool
    renewal_months: int
    notice_days: int
    uplift_percent: str
    billing: BillingFrequency
    first_invoice: FirstInvoice = FirstInvoice.START
    ends_at: AwareDatetime
    anchor_day: int | None = None
    billed_from: date | None = None
    """where the billing periods are counted from that the source has paid for"""
    coming: TermAhead | None = None
    """the next term, if it is sold already; `ends_at` is then that of the present one"""


class Parcel(Carried):
    """What one asset hands over, with what it is sold by and the contract that it comes from."""

    conveyed: Conveyed
    per: PricePer
    unit_price: str
    contract: str | None = None


class Consignment(Carried):
    """All that a target needs to take what a source hands over."""

    request_id: str
    """the transfer's id in the source's ledger"""
    to_contract_id: str | None = None
    parcels: list[Parcel]
    contracts: dict[str, Conditions] = {}
    """by the source's contract id"""
    bundles: list[Relationship] = []
    """the edges of bundles that are handed over, by the new ids"""


def transfer_id_of(desk: RequestFacts) -> str:
    """The id of the transfer that a request begins."""
    return desk.new_id("T")


def wanted_ids(desk: RequestFacts, request: TransferAssets) -> list[str]:
    """The ids of the assets that the target is to get, in the request's order."""
    return [line.to_asset_id or desk.new_id(line.asset_id, n) for n, line in enumerate(request.assets)]


def send(desk: RequestFacts, request: TransferAssets, receiver: Receiver | None) -> Decision:
    """The first half: the units leave, the assets are locked, and the consignment goes on its way."""
    _check_receiver(desk, request, receiver)
    ids = wanted_ids(desk, request)
    with named_refusals():
        if receiver is not None and (twice := sorted(receiver.taken & set(ids))):
            raise AssetExistsError(f"asset {twice[0]} exists; choose another to_asset_id")
        ledger, conveyed = _taken_out(desk, request, ids)
    changed = changes_of(desk, {str(id): record for id, record in ledger.assets.items()}, {})
    told = tell(desk.situation, changed.changes)
    transfer_id, stage = transfer_id_of(desk), stage_of(desk.request_id)
    says = f"Transfer to {request.to_account} under way: {told[0].line.title}"
    answer = {
        "request_id": desk.request_id,
        "transfer_id": transfer_id,
        "status": UNDER_WAY,
        "to_account": request.to_account,
        "assets": [
            {**told_of.answer, "to_asset_id": one.asset.asset_id} for told_of, one in zip(told, conveyed, strict=True)
        ],
    }
    reason = {"reason": request.reason} if request.reason else {}
    return Decision(
        JournalLine(says, detail={**told[0].line.detail, "transfer_id": transfer_id, **reason}),
        Outcome(stages={stage: Stage(status=UNDER_WAY)}, said=[says], answer=answer),
        [
            SendAssets(transfer_id, request.to_account, _consignment(desk, request, conveyed), desk.as_of),
            *changed.changes,
        ],
        more_lines=[told_of.line for told_of in told[1:]],
        conveyance=Convey(transfer_id, request.to_account, stage),
    )


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
                asset_id=AssetId(line.asset_id),
                to_asset_id=AssetId(to_asset_id),
                to_account_id=request.to_account,
                effective=effective,
                quantity=line.quantity,
                paid_until=_paid_until(desk, record, effective),
            ),
        )
        if left is None:
            raise ValueError(f"{desk.request_id} was carried out on {line.asset_id} before, and is not on record")
        conveyed.append(_summed_up(desk, ledger.record(record.asset.asset_id), left))
        ledger = lock(ledger, AssetId(line.asset_id), desk.request_id)
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
    return conveyed.model_copy(update={"asset": conveyed.asset.model_copy(update={"carried_first": cost % 1})})


def _paid_until(
    desk: RequestFacts, record: AssetRecord, effective: datetime, today: date = date.max
) -> datetime | None:
    """The end of the billing period that the units are handed over in, by the terms that begin up to `today`, or of their time
    if that is sooner."""
    contract = desk.situation.customer.contract(record.asset.contract_id) if record.asset.contract_id else None
    billed = billing_of(contract) if contract else None
    if billed is not None:
        begun = tuple(term for term in billed.terms if term.start_on <= today)
        billed = billed.model_copy(update={"terms": begun or billed.terms})
    terms = terms_of(billed, desk.zone)
    first, day = local_day(record.start, desk.zone), local_day(effective, desk.zone)
    after = terms.periods(first).after(day)
    return record.end if after == date.max else min(filter(None, (record.end, start_of_day(after, desk.zone))))


def _consignment(desk: RequestFacts, request: TransferAssets, conveyed: Sequence[Conveyed]) -> dict[str, Any]:
    parcels, contracts = [], {}
    for number, (line, left) in enumerate(zip(request.assets, conveyed, strict=True)):
        facts = desk.facts(line.asset_id)
        contract = desk.situation.customer.contract(facts.contract_id) if facts.contract_id else None
        if contract is not None and left.end is not None and contract.contract_id not in contracts:
            billed_from, anchor_day = contract.grid_on(local_day(left.effective, desk.zone))
            present = contract.term_at(left.effective)
            contracts[contract.contract_id] = Conditions(
                contract_id=desk.new_id("K", number),
                currency=contract.currency,
                auto_renew=contract.auto_renew,
                renewal_months=contract.renewal_months,
                notice_days=contract.notice_days,
                uplift_percent=str(contract.uplift_percent),
                billing=contract.billing,
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
                contract=contract.contract_id if contract and left.end is not None else None,
            )
        )
    ids = {AssetId(line.asset_id): one.asset.asset_id for line, one in zip(request.assets, conveyed, strict=True)}
    sent = Consignment(
        request_id=desk.request_id,
        to_contract_id=request.to_contract_id,
        parcels=parcels,
        contracts=contracts,
        bundles=[
            edge.model_copy(update={"parent_id": ids[edge.parent_id], "child_id": ids[edge.child_id]})
            for edge in desk.relationships
            if {edge.parent_id, edge.child_id} <= ids.keys()
        ],
    )
    return sent.model_dump(mode="json")


def _ahead(term: TermFacts) -> TermAhead:
    return TermAhead(starts_at=term.starts_at, ends_at=term.ends_at)


def receive(desk: RequestFacts, transfer: Transferred, taken: set[str]) -> Decision:
    """The second half: the units are the target's, under a contract of its own or one on the source's conditions.

    taken: those of the new ids that exist already. Raises `Refusal`; then the source has its units back.
    """
    consignment = transfer.consignment
    with named_refusals():
        if taken:
            raise AssetExistsError(f"{min(taken)} exists already")
        contracts = [] if consignment.to_contract_id else _contracts(desk, consignment)
        ledger = desk.ledger
        for parcel in consignment.parcels:
            ledger = transfer_in(ledger, _addressed(desk, consignment, contracts, parcel))
        if consignment.to_contract_id:
            _check_contract(desk, desk.contract(consignment.to_contract_id), ledger, consignment)
    sold = {str(p.conveyed.asset.asset_id): Sold(Decimal(p.unit_price), p.per) for p in consignment.parcels}
    changed = changes_of(desk, {str(id): record for id, record in ledger.assets.items()}, sold)
    follows = replan(desk.situation, changed.records, opened=contracts)
    told = tell(desk.situation, changed.changes)
    says = f"Received from {transfer.from_account}: {told[0].line.title}"
    answer = {
        "transfer_id": transfer.transfer_id,
        "status": RECEIVED,
        "assets": [told_of.answer for told_of in told],
        "contracts": list(follows.contracts),
    }
    outcome = joined(joined(follows.outcome, scheduled(desk, changed)), Outcome(said=[says], answer=answer))
    writes: list[Write] = [
        SettleTransfer(transfer.transfer_id, RECEIVED, "", desk.as_of),
        *follows.writes,
        *changed.opened,
        *changed.changes,
        *([Relate(consignment.bundles)] if consignment.bundles else []),
    ]
    return Decision(
        JournalLine(says, detail={**told[0].line.detail, "transfer_id": transfer.transfer_id}),
        outcome,
        writes,
        [_mail("assets_received", told, follows)],
        [Notice(says, [told_of.line.title for told_of in told], to="owner")],
        more_lines=[*(told_of.line for told_of in told[1:]), *follows.lines],
    )


def _addressed(
    desk: RequestFacts, consignment: Consignment, contracts: Sequence[ContractFacts], parcel: Parcel
) -> Conveyed:
    """What was handed over, as an asset of the target, under the id of the target's own request."""
    contract_id = consignment.to_contract_id
    if contract_id is None and parcel.contract is not None:
        contract_id = consignment.contracts[parcel.contract].contract_id
    asset = parcel.conveyed.asset.model_copy(
        update={
            "account_id": AccountId(desk.situation.customer.account.account_id),
            "contract_id": ContractId(contract_id) if contract_id else None,
        }
    )
    return parcel.conveyed.model_copy(update={"asset": asset, "request_id": desk.request_id})


def _contracts(desk: RequestFacts, consignment: Consignment) -> list[ContractFacts]:
    """A contract of the target's own for each contract that assets come from, on the same conditions."""
    found = []
    for source_id, conditions in consignment.contracts.items():
        parcels = [parcel.conveyed for parcel in consignment.parcels if parcel.contract == source_id]
        starts_at = min(conveyed.effective for conveyed in parcels)
        ends = [conveyed.end for conveyed in parcels if conveyed.end]
        coming = conditions.coming if any(term.start for one in parcels for term in one.terms) else None
        found.append(_contract(desk, conditions, starts_at, ends, coming))
    return found


def _contract(
    desk: RequestFacts, conditions: Conditions, starts_at: datetime, ends: Sequence[datetime], coming: TermAhead | None
) -> ContractFacts:
    """With the next term too, if one is sold and the assets reach into it."""
    first = term_after(0, starts_at, conditions.ends_at if coming else common_end(ends, conditions.ends_at), desk.zone)
    latest = first
    if coming is not None:
        latest = term_after(1, coming.starts_at, common_end(ends, coming.ends_at), desk.zone)
    return ContractFacts.model_validate(
        {
            **conditions.model_dump(exclude={"ends_at", "coming"}),
            "order_id": None,
            "status": "active",
            "first_start": first.start_on,
            "first_until": first.until,
            "term": latest,
            "previous": None if latest is first else first,
        }
    )


def _check_contract(desk: RequestFacts, contract: ContractFacts, ledger: Ledger, consignment: Consignment) -> None:
    """Raise unless what comes fits under a contract of the target: in force, in its currency, with a day in common."""
    if contract.status == "ended":
        raise ContractError(f"contract {contract.contract_id} has ended")
    terms = ContractTerms(
        contract_id=ContractId(contract.contract_id),
        account_id=AccountId(desk.situation.customer.account.account_id),
        start=contract.term.starts_at,
        end=contract.term.ends_at,
    )
    for parcel in consignment.parcels:
        record = ledger.record(parcel.conveyed.asset.asset_id)
        if record.asset.currency != contract.currency:
            raise PriceBookError(
                f"{record.asset.asset_id} is sold in {record.asset.currency}, contract {contract.contract_id} in"
                f" {contract.currency}"
            )
        relate(record, terms)


def complete(desk: RequestFacts, transfer_id: str, to_account: str) -> Decision:
    """The target has the units: the source's assets are free, and what is left of its contracts is planned anew."""
    locked = _locked(desk)
    ledger = desk.ledger
    for asset_id in locked:
        ledger = unlock(ledger, asset_id, desk.request_id)
    changed = changes_of(desk, {str(id): record for id, record in ledger.assets.items()}, {})
    follows = replan(desk.situation, changed.records, touched=locked)
    told = tell(desk.situation, [AssetChange(before_last(c.after), c.after, c.unit_price) for c in changed.changes])
    stage = stage_of(desk.request_id)
    says = f"{to_account} has received what was handed over"
    outcome = joined(Outcome(drop=[stage], stages={stage: None}), joined(follows.outcome, scheduled(desk, changed)))
    return Decision(
        JournalLine(says, detail={"transfer_id": transfer_id, "to_account": to_account}),
        joined(outcome, Outcome(said=[says])),
        [*changed.changes, *follows.writes],
        [_mail("assets_transferred", told, follows), *follows.mails],
        [Notice(says, [told_of.line.title for told_of in told], to="owner")],
        more_lines=follows.lines,
    )


def undo(desk: RequestFacts, transfer_id: str, to_account: str, reason: str) -> Decision:
    """The target refused for good: the source has its units back, as if nothing had been asked."""
    ledger = desk.ledger
    for asset_id in _locked(desk):
        ledger = take_back(ledger, asset_id, desk.request_id, desk.as_of)
    changed = changes_of(desk, {str(id): record for id, record in ledger.assets.items()}, {})
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


def _locked(desk: RequestFacts) -> list[AssetId]:
    """The assets that the transfer holds."""
    records: Mapping[str, AssetRecord] = desk.situation.records
    return [AssetId(asset_id) for asset_id, record in records.items() if record.lock == desk.request_id]


def settled(situation: Situation, transfer: Transferred) -> Decision:
    """What came of a transfer, at its source."""
    if transfer.status == UNDER_WAY:
        raise LookupError(f"transfer {transfer.transfer_id} is not answered yet")
    desk = RequestFacts(situation, RequestId(transfer.consignment.request_id))
    if not _locked(desk):
        raise LookupError(f"transfer {transfer.transfer_id} holds no asset; it was settled before")
    if transfer.status == RECEIVED:
        return complete(desk, transfer.transfer_id, transfer.to_account)
    return undo(desk, transfer.transfer_id, transfer.to_account, transfer.reason)


def _mail(template: str, told: Sequence[Told], follows: Replanned) -> Mail:
    contracts = [
        {"contract_id": contract.contract_id, "until": last_day(contract.term).isoformat()}
        for contract in follows.contracts.values()
        if contract.status != "ended"
    ]
    context = {"changes": [told_of.row for told_of in told], "contracts": contracts}
    return Mail(template, context, role=ContactRole.BILLING, contractual=True)
