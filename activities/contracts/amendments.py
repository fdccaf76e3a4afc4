"""What is asked of a customer's assets, and the steps that follow from it: each one transaction, done once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar, TypeVarTuple

from temporalio import activity

from activities.contracts import holdings
from activities.frame.situations import LEDGER, load_situation
from activities.frame.unit_of_work import Activities, Unit, UnitOfWork
from activities.kernel.computing import computed
from activities.kernel.pool import Connection
from activities.orders import order_rows as order_store
from activities.quotes import quote_rows
from domain.contracts import changes, receiving, transfers
from domain.contracts.consignments import Receiver, Transferred, TransferStatus
from domain.contracts.effective import effective
from domain.contracts.request_facts import RequestFacts
from domain.contracts.requests import (
    AmendAssets,
    CancelAssets,
    ReceiveAssets,
    RenewAssets,
    RollBack,
    SwapAssets,
    TransferAssets,
)
from domain.contracts.requoting import requote
from domain.frame.calls import RequestCall, StepCall
from domain.frame.decision import Decision
from domain.frame.situation import Situation
from domain.frame.state import Outcome, Step
from domain.kernel.refusals import INVALID_REQUEST, NOT_ALLOWED, Problem, Refusal
from domain.kernel.requests import Request
from domain.orders.order import OrderedProduct

_Request = TypeVar("_Request", bound=Request)
_Looked = TypeVarTuple("_Looked")


class AssetAmendments(Activities):
    """Amendments, renewals, cancellations, swaps, rollbacks and both halves of a transfer."""

    @activity.defn
    async def amend_assets(self, call: RequestCall) -> Outcome:
        """Assets change, and others come beside them."""
        return await self._answer(call, AmendAssets, changes.amend)

    @activity.defn
    async def renew_assets(self, call: RequestCall) -> Outcome:
        """Assets are renewed: early, late, or when their term ends."""
        return await self._answer(call, RenewAssets, changes.renew)

    @activity.defn
    async def cancel_assets(self, call: RequestCall) -> Outcome:
        """Assets end for good."""
        return await self._answer(call, CancelAssets, changes.cancel)

    @activity.defn
    async def swap_assets(self, call: RequestCall) -> Outcome:
        """One product for another."""
        return await self._answer(call, SwapAssets, changes.swap)

    @activity.defn
    async def roll_back(self, call: RequestCall) -> Outcome:
        """The last change is undone before it begins."""
        return await self._answer(call, RollBack, changes.roll_back)

    @activity.defn
    async def transfer_assets(self, call: RequestCall) -> Outcome:
        """The first half of a transfer: the units leave."""

        return await self._carry_out(call, TransferAssets, transfers.send, _receiver)

    @activity.defn
    async def receive_assets(self, call: RequestCall) -> Outcome:
        """The second half of a transfer: the units are this customer's."""
        return await self._carry_out(
            call, ReceiveAssets, lambda desk, _, found, taken: receiving.receive(desk, found, taken), _conveyed
        )

    async def _answer(
        self, call: RequestCall, model: type[_Request], rule: Callable[[RequestFacts, _Request], Decision]
    ) -> Outcome:
        return await self._carry_out(call, model, rule, _nothing)

    async def _carry_out(
        self,
        call: RequestCall,
        model: type[_Request],
        rule: Callable[[RequestFacts, _Request, *_Looked], Decision],
        look: Callable[[Connection, RequestFacts, _Request], Awaitable[tuple[*_Looked]]],
    ) -> Outcome:
        """A request about assets: decided with the products that it names, the bundles, and what else is looked up for it."""
        name = f"{activity.info().activity_type}:{call.request_id}"

        async def facts(
            connection: Connection, situation: Situation, request: _Request
        ) -> tuple[RequestFacts, *_Looked]:
            products = await _products(connection, request)
            edges = await quote_rows.load_relationships(connection, call.account_id)
            desk = RequestFacts(situation, name, products, edges)
            return desk, *await look(connection, desk, request)

        return await self._performer.answer(
            call,
            model,
            lambda _, request, desk, *looked: rule(desk, request, *looked),
            "amendment",
            LEDGER,
            look=facts,
            follow=requoted,
        )

    @activity.defn
    async def amendment_effective(self, call: StepCall) -> Outcome:
        """A scheduled change holds from now on."""
        return await self._performer.step(call, effective, LEDGER)

    @activity.defn
    async def amendment_settled(self, call: StepCall) -> Outcome:
        """A transfer has reached the other account, or was refused."""
        return await self._performer.step(
            call,
            lambda situation, _, found: transfers.settled(situation, found),
            LEDGER,
            look=_answered,
            follow=requoted,
        )


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


async def _nothing(*_: object) -> tuple[()]:
    return ()


async def _receiver(connection: Connection, desk: RequestFacts, request: TransferAssets) -> tuple[Receiver | None]:
    """Who is to receive assets under the ids that they will have there."""
    ids = transfers.wanted_ids(desk, request)
    return (await holdings.find_receiver(connection, request.to_account, ids),)


async def _conveyed(connection: Connection, desk: RequestFacts, request: ReceiveAssets) -> tuple[Transferred, set[str]]:
    """The transfer that is on its way here, and those of its new ids that exist already. Raises `Refusal` (NotAllowed)."""
    found = await holdings.find_transfer(connection, request.transfer_id)
    ours = found is not None and found.to_account == desk.situation.customer.account.account_id
    if found is None or not ours or found.status != TransferStatus.UNDER_WAY:
        how = f"is {found.status}" if found and ours else "is none of this account"
        raise Refusal(NOT_ALLOWED, f"transfer {request.transfer_id!r} {how}")
    ids = [parcel.conveyed.asset.asset_id for parcel in found.consignment.parcels]
    return found, await holdings.taken_assets(connection, ids)


async def _answered(connection: Connection, _: Situation, step: Step) -> tuple[Transferred]:
    """The transfer that a step is about."""
    found = await holdings.find_transfer(connection, step.name)
    if found is None:
        raise LookupError(f"no transfer {step.name}")
    return (found,)


async def _products(connection: Connection, request: Request) -> dict[str, OrderedProduct]:
    """The catalogue's entries that a request names; what it brings along is added, unless it contradicts the catalogue."""
    match request:
        case AmendAssets():
            brought, named = request.products, [line.product for line in request.add_ons]
        case SwapAssets():
            brought, named = request.products, [line.to_product for line in request.assets]
        case _:
            return {}
    known = await order_store.known_products(connection, {*named, *(product.code for product in brought)})
    problems = [
        Problem(
            field=f"products[{n}].kind",
            problem=f"the catalogue has {product.code!r} as {known[product.code].kind.value}, not as {product.kind.value}",
        )
        for n, product in enumerate(brought)
        if product.code in known and known[product.code].kind is not product.kind
    ]
    if problems:
        raise Refusal(INVALID_REQUEST, "the assets cannot be changed", problems)
    await order_store.add_products(connection, [product for product in brought if product.code not in known])
    return {product.code: product for product in brought} | known
