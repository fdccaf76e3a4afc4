"""What is asked of a customer's assets, and the steps that follow from it: each one transaction, done once."""

from __future__ import annotations

from activities.contracts import holdings
from activities.frame.situations import load_situation
from activities.frame.unit_of_work import Activities, StepKind, Unit, UnitOfWork
from activities.kernel.computing import computed
from activities.kernel.pool import Connection
from activities.orders import order_rows as order_store
from activities.quotes import quote_rows
from domain.contracts import merging, transfers
from domain.contracts.consignments import Receiver, Transferred, TransferStatus
from domain.contracts.effective import effective
from domain.contracts.request_facts import RequestFacts
from domain.contracts.requests import (
    AmendAssets,
    MergeAccount,
    ReceiveAssets,
    SwapAssets,
    TransferAssets,
    UnmergeAccount,
)
from domain.contracts.requoting import requote
from domain.frame.situation import LEDGER, Situation
from domain.frame.state import Outcome, Step
from domain.journey import changed_people
from domain.kernel.refusals import INVALID_REQUEST, NOT_ALLOWED, Refusal
from domain.kernel.requests import Request
from domain.orders.order import OrderedProduct, other_kinds


async def requoted(work: UnitOfWork, outcome: Outcome) -> Outcome:
    """The outcome, with what is said of renewals that were quoted before and cost something else now."""
    unit = work.unit
    quoted = await holdings.standing_quotes(work.connection, unit.account_id, unit.as_of)
    if not quoted:
        return outcome
    after = await load_situation(work.connection, unit.account_id, unit.as_of, LEDGER)
    decision = await computed(len(after.records), requote, after, quoted)
    if decision is None:
        return outcome
    said = Unit(unit.account_id, f"{unit.key}/quoted", unit.as_of, "renewal", "renewal_quoted")
    return outcome + (await work.also(after, decision, said))


async def _received(work: UnitOfWork, outcome: Outcome) -> Outcome:
    """As `requoted`; whoever looks for a sponsor need not any more, if one came along."""
    outcome = await requoted(work, outcome)
    unit = work.unit
    after = await load_situation(work.connection, unit.account_id, unit.as_of)
    over = changed_people.search_over(after.customer, after)
    if not over.writes:
        return outcome
    said = Unit(unit.account_id, f"{unit.key}/people", unit.as_of, "relationship", "staff_task_over")
    return outcome + (await work.also(after, over, said))


async def _facts(work: UnitOfWork, situation: Situation, request: Request) -> tuple[RequestFacts]:
    """What a request about assets is decided on: the products that it names, and the bundles."""
    products, new = await _products(work.connection, request)
    edges = await quote_rows.load_relationships(work.connection, work.unit.account_id)
    return (RequestFacts(situation, work.unit.name, products, edges, new),)


async def _receiver(
    work: UnitOfWork, situation: Situation, request: TransferAssets
) -> tuple[RequestFacts, Receiver | None]:
    """The facts, and who is to receive assets under the ids that they will have there."""
    (facts,) = await _facts(work, situation, request)
    ids = transfers.wanted_ids(facts, request)
    return facts, await holdings.find_receiver(work.connection, request.to_account, ids)


async def _merged(
    work: UnitOfWork, situation: Situation, request: MergeAccount
) -> tuple[RequestFacts, Receiver | None]:
    """The facts, and the account that this one becomes part of."""
    (facts,) = await _facts(work, situation, request)
    ids = transfers.wanted_ids(facts, merging.as_transfer(facts, request))
    return facts, await holdings.find_receiver(work.connection, request.into, ids)


async def _unmerged(work: UnitOfWork, _: Situation, request: UnmergeAccount) -> tuple[str | None]:
    """The account that the one is part of that a request names."""
    return (await holdings.part_of(work.connection, request.account),)


async def _conveyed(
    work: UnitOfWork, situation: Situation, request: ReceiveAssets
) -> tuple[RequestFacts, Transferred, set[str]]:
    """The facts, the transfer that is on its way here, and those of its new ids that exist already. Raises `Refusal` (NotAllowed)."""
    found = await holdings.find_transfer(work.connection, request.transfer_id)
    ours = found is not None and found.to_account == work.unit.account_id
    if found is None or not ours or found.status != TransferStatus.UNDER_WAY:
        how = f"is {found.status}" if found and ours else "is none of this account"
        raise Refusal(NOT_ALLOWED, f"transfer {request.transfer_id!r} {how}")
    joining = found.consignment.joining
    if joining and joining.whole and await holdings.is_leaving(work.connection, work.unit.account_id):
        raise Refusal(NOT_ALLOWED, "this account is itself on its way into another one")
    ids = [parcel.conveyed.asset.asset_id for parcel in found.consignment.parcels]
    (facts,) = await _facts(work, situation, request)
    return facts, found, await holdings.taken_assets(work.connection, ids)


async def _answered(work: UnitOfWork, _: Situation, step: Step) -> tuple[Transferred]:
    """The transfer that a step is about."""
    found = await holdings.find_transfer(work.connection, step.name)
    if found is None:
        raise LookupError(f"no transfer {step.name}")
    return (found,)


async def _products(
    connection: Connection, request: Request
) -> tuple[dict[str, OrderedProduct], tuple[OrderedProduct, ...]]:
    """The catalogue's entries for a request, and those of them that it brings along anew. Raises `Refusal` where it contradicts."""
    match request:
        case AmendAssets():
            brought, named = request.products, [line.product for line in request.add_ons]
        case SwapAssets():
            brought, named = request.products, [line.to_product for line in request.assets]
        case _:
            return {}, ()
    known = await order_store.known_products(connection, {*named, *(product.code for product in brought)})
    if problems := other_kinds(brought, known):
        raise Refusal(INVALID_REQUEST, "the assets cannot be changed", problems)
    new = tuple(product for product in brought if product.code not in known)
    return {product.code: product for product in new} | known, new


_CHANGES = (
    "amend_assets",
    "renew_assets",
    "cancel_assets",
    "give_notice",
    "convert_contract",
    "swap_assets",
    "roll_back",
)


class AssetAmendments(Activities):
    """What is looked up for amendments and transfers, what follows from them, and the steps that come of them."""

    looks = {
        **dict.fromkeys(_CHANGES, _facts),
        "transfer_assets": _receiver,
        "merge_account": _merged,
        "receive_assets": _conveyed,
    }
    follows = {**dict.fromkeys(looks, requoted), "receive_assets": _received}
    looks |= {"unmerge_account": _unmerged}
    steps = {
        "amendment_effective": StepKind(effective, LEDGER),
        "amendment_settled": StepKind(transfers.settled, LEDGER, look=_answered, follow=requoted),
    }
