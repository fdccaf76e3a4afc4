"""Two accounts become one: a transfer of all that one owns, with its people, cases, surveys and usage, after which its journey ends."""

from __future__ import annotations

from domain.contracts import transfers
from domain.contracts.consignments import Joining, Receiver
from domain.contracts.request_facts import RequestFacts
from domain.contracts.requests import MergeAccount, TransferAssets, TransferredAsset, UnmergeAccount
from domain.contracts.writes import Unmerge
from domain.frame.customer import ContractStatus
from domain.frame.decision import Decision, JournalLine
from domain.frame.situation import Situation
from domain.frame.state import Outcome
from domain.kernel.refusals import NOT_ALLOWED, Refusal

MOST_ASSETS = 200
"""As many as one transaction takes in its time; who owns more hands some over before."""


def as_transfer(desk: RequestFacts, request: MergeAccount) -> TransferAssets:
    """The transfer of all that a customer owns from now on."""
    owned = [asset_id for asset_id, record in desk.situation.records.items() if transfers.has_units(record, desk.as_of)]
    return TransferAssets.model_construct(
        to_account=request.into,
        assets=tuple(TransferredAsset(asset_id=asset_id) for asset_id in owned),
        to_contract_id=None,
        effective=None,
        contacts=tuple(contact.contact_id for contact in desk.situation.customer.contacts),
        reason=request.reason,
    )


def merge(desk: RequestFacts, request: MergeAccount, receiver: Receiver | None) -> Decision:
    """The first half: all that the customer owns is on its way to the account that they become part of.

    Raises `Refusal`: of a transfer; NotAllowed while a contract is in grace, assets are under way, or the other account is itself
    on its way into another.
    """
    customer = desk.situation.customer
    if request.into == customer.account.account_id:
        raise Refusal(NOT_ALLOWED, "an account cannot become part of itself; name another one under into")
    if receiver is not None and receiver.leaving:
        said = f"account {request.into!r} is itself on its way into another one; name that one once it is there"
        raise Refusal(NOT_ALLOWED, said)
    if grace := [one.contract_id for one in customer.contracts if one.status == ContractStatus.GRACE]:
        raise Refusal(NOT_ALLOWED, f"contract {grace[0]} is in grace; renew it or let it end before (answer_renewal)")
    transfer = as_transfer(desk, request)
    if len(transfer.assets) > MOST_ASSETS:
        said = f"{len(transfer.assets)} assets are too many to hand over at once, {MOST_ASSETS} are not"
        raise Refusal(NOT_ALLOWED, f"{said}; hand some over before (transfer_assets)")
    return transfers.send(desk, transfer, receiver, Joining(contacts=list(transfer.contacts), whole=True))


def unmerge(situation: Situation, request: UnmergeAccount, part_of: str | None) -> Decision:
    """An account goes its own way again. `part_of`: the account that it is part of. Raises `Refusal` (NotAllowed)."""
    if part_of != situation.customer.account.account_id:
        raise Refusal(NOT_ALLOWED, f"account {request.account!r} is no part of this customer")
    says = f"{request.account} goes its own way again"
    detail = {"reason": request.reason} if request.reason else {}
    answer = {"account": request.account}
    return Decision(JournalLine(says, detail=detail), Outcome(said=[says], answer=answer), [Unmerge(request.account)])
