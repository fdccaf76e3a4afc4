"""The second half of a transfer: the units become the target's, under a contract of its own or one on the source's conditions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from domain.assets.contract_dates import ContractTerms, relate
from domain.assets.errors import AssetExistsError, ContractError, PriceBookError
from domain.assets.ledger import Ledger
from domain.assets.move import Conveyed, transfer_in
from domain.assets.writes import Relate
from domain.contracts.changes import scheduled
from domain.contracts.consignments import Conditions, Consignment, Parcel, TermAhead, Transferred, TransferStatus
from domain.contracts.renewal_quote import told_until
from domain.contracts.replanned import Replanned
from domain.contracts.replanning import replan
from domain.contracts.request_facts import RequestFacts, Sold, changes_of
from domain.contracts.requests import ReceiveAssets
from domain.contracts.telling import Told, tell
from domain.contracts.terms import common_end, term_after
from domain.contracts.writes import SettleTransfer, TakeContacts, TakeHistory
from domain.frame.customer import ContractFacts, ContractStatus
from domain.frame.decision import Decision, JournalLine, Mail, Notice
from domain.frame.state import Outcome
from domain.holds import holding
from domain.kernel.base import Write
from domain.kernel.refusals import named_refusals


def receive(desk: RequestFacts, request: ReceiveAssets, transfer: Transferred, taken: set[str]) -> Decision:
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
    sold = {p.conveyed.asset.asset_id: Sold(Decimal(p.unit_price), p.per) for p in consignment.parcels}
    changed = changes_of(desk, ledger.assets, sold)
    follows = replan(desk.situation, changed.records, opened=contracts)
    told = tell(desk.situation, changed.changes)
    joining = consignment.joining
    whole = joining is not None and joining.whole
    came = told[0].line.title if told else "their people"
    whence = (
        f"{transfer.from_account} is part of this account now" if whole else f"Received from {transfer.from_account}"
    )
    says = f"{whence}: {came}"
    answer = {
        "transfer_id": transfer.transfer_id,
        "status": TransferStatus.RECEIVED,
        "assets": [told_of.answer for told_of in told],
        "contracts": list(follows.contracts),
    }
    outcome = follows.outcome + scheduled(desk, changed) + Outcome(said=[says], answer=answer)
    if whole:
        outcome += Outcome(plan=holding.after_request(desk.situation))  # their cases may hold this customer
    writes: list[Write] = [
        SettleTransfer(transfer.transfer_id, TransferStatus.RECEIVED, "", desk.as_of),
        *follows.writes,
        *changed.opened,
        *changed.changes,
        *([Relate(consignment.bundles)] if consignment.bundles else []),
        *([TakeContacts(transfer.from_account, tuple(joining.contacts), desk.as_of)] if joining else []),
        *([TakeHistory(transfer.from_account, desk.as_of)] if whole else []),
    ]
    return Decision(
        JournalLine(says, detail={**(told[0].line.detail if told else {}), "transfer_id": transfer.transfer_id}),
        outcome,
        writes,
        [mail_of_changes("assets_received", told, follows)] if told else [],
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
    asset = parcel.conveyed.asset.having(
        account_id=desk.situation.customer.account.account_id, contract_id=contract_id if contract_id else None
    )
    return parcel.conveyed.having(asset=asset, request_id=desk.request_id)


def _contracts(desk: RequestFacts, consignment: Consignment) -> list[ContractFacts]:
    """A contract of the target's own for each contract that assets come from, on the same conditions."""
    found = []
    for source_id, conditions in consignment.contracts.items():
        parcels = [parcel.conveyed for parcel in consignment.parcels if parcel.contract == source_id]
        starts_at = min(conveyed.effective for conveyed in parcels)
        ends = [conveyed.end or conditions.ends_at for conveyed in parcels]
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
            "status": ContractStatus.ACTIVE,
            "first_start": first.start_on,
            "first_until": first.until,
            "term": latest,
            "previous": None if latest is first else first,
        }
    )


def _check_contract(desk: RequestFacts, contract: ContractFacts, ledger: Ledger, consignment: Consignment) -> None:
    """Raise unless what comes fits under a contract of the target: in force, in its currency, with a day in common."""
    if contract.status == ContractStatus.ENDED:
        raise ContractError(f"contract {contract.contract_id} has ended")
    terms = ContractTerms(
        contract_id=contract.contract_id,
        account_id=desk.situation.customer.account.account_id,
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


def mail_of_changes(template: str, told: Sequence[Told], follows: Replanned) -> Mail:
    contracts = [
        {"contract_id": contract.contract_id, "until": told_until(contract.term)}
        for contract in follows.contracts.values()
        if contract.status != ContractStatus.ENDED
    ]
    context = {"changes": [told_of.row for told_of in told], "contracts": contracts}
    return Mail(template, context)
