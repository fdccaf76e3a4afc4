"""What is asked of a customer's assets, and the steps that follow from it: each one transaction, done once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from temporalio import activity

from activities.contracts import holdings
from activities.frame import effects
from activities.frame.carrying_out import Performer, business_errors, effect_key, load_situation
from activities.kernel.computing import computed
from activities.kernel.pool import Connection
from activities.orders import order_rows as order_store
from activities.quotes import quote_rows
from domain.assets.model import RequestId
from domain.contracts import changes, receiving, transfers
from domain.contracts.consignments import TransferStatus
from domain.contracts.effective import effective
from domain.contracts.replanning import joined
from domain.contracts.request_facts import RequestFacts
from domain.contracts.requests import (
    AmendAssets,
    CancelAssets,
    ReceiveAssets,
    RenewAssets,
    RollBack,
    SwapAssets,
    TransferAssets,
    older_digest_of,
)
from domain.contracts.requoting import requote
from domain.frame.decision import Decision
from domain.frame.situation import Situation
from domain.frame.state import Outcome, RequestCall, StepCall
from domain.kernel.fingerprints import asked_by
from domain.kernel.refusals import INVALID_REQUEST, NOT_ALLOWED, Problem, Refusal
from domain.kernel.requests import Request, read_request
from domain.orders.order import OrderedProduct

_Request = TypeVar("_Request", bound=Request)

_REMARKS = frozenset({"reason"})
"""Why assets change is told, and makes no other request of it."""


class AssetAmendments:
    """Amendments, renewals, cancellations, swaps, rollbacks and both halves of a transfer."""

    def __init__(self, performer: Performer) -> None:
        self._performer = performer

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

        async def decide(connection: Connection, desk: RequestFacts, request: TransferAssets) -> Decision:
            ids = transfers.wanted_ids(desk, request)
            receiver = await holdings.find_receiver(connection, request.to_account, ids)
            return await computed(len(desk.situation.records), transfers.send, desk, request, receiver)

        return await self._carry_out(call, TransferAssets, decide)

    @activity.defn
    async def receive_assets(self, call: RequestCall) -> Outcome:
        """The second half of a transfer: the units are this customer's."""

        async def decide(connection: Connection, desk: RequestFacts, request: ReceiveAssets) -> Decision:
            found = await holdings.find_transfer(connection, request.transfer_id)
            if found is None or found.to_account != call.account_id or found.status != TransferStatus.UNDER_WAY:
                how = (
                    f"is {found.status}" if found and found.to_account == call.account_id else "is none of this account"
                )
                raise Refusal(NOT_ALLOWED, f"transfer {request.transfer_id!r} {how}")
            ids = [parcel.conveyed.asset.asset_id for parcel in found.consignment.parcels]
            taken = await holdings.taken_assets(connection, ids)
            return receiving.receive(desk, found, taken)

        return await self._carry_out(call, ReceiveAssets, decide)

    async def _answer(
        self, call: RequestCall, model: type[_Request], decide: Callable[[RequestFacts, _Request], Decision]
    ) -> Outcome:
        async def with_products(connection: Connection, desk: RequestFacts, request: _Request) -> Decision:
            return await computed(len(desk.situation.records), decide, desk, request)

        return await self._carry_out(call, model, with_products)

    async def _carry_out(self, call: RequestCall, model: type[_Request], decide: Any) -> Outcome:
        """A request in one transaction: the products that it names, the decision, and all that it says."""
        kind = activity.info().activity_type
        name = f"{kind}:{call.request_id}"
        key = effect_key(call.account_id, name)
        run = call.run if not call.repeated else "again"
        async with business_errors():
            request = read_request(model, call.body)
            asked = asked_by(request, call.request_id, older=older_digest_of(request), aside=_REMARKS)
            others = [request.to_account] if isinstance(request, TransferAssets) else []
            async with self._performer.holding(key, call.account_id, *others, asked=asked) as (connection, done):
                if done:
                    return done.outcome if done.run == run else done.outcome.again()
                products = await _products(connection, request)
                edges = await quote_rows.load_relationships(connection, call.account_id)
                situation = await load_situation(connection, call.account_id, call.as_of, ledger=True)
                decision = await decide(connection, RequestFacts(situation, RequestId(name), products, edges), request)
                told = {"stage": "amendment", "kind": kind, "run": run, "actor": request.by}
                outcome = await self._performer.carry_out(connection, situation, decision, key, asked=asked, **told)
                return await self._requoted(connection, call.account_id, call.as_of, key, outcome)

    async def _requoted(
        self, connection: Connection, account_id: str, as_of: datetime, key: str, outcome: Outcome
    ) -> Outcome:
        """The outcome, with what is said of renewals that were quoted before and cost something else now."""
        quoted = await holdings.standing_quotes(connection, account_id, as_of)
        if not quoted:
            return outcome
        after = await load_situation(connection, account_id, as_of, ledger=True)
        decision = await computed(len(after.records), requote, after, quoted)
        if decision is None:
            return outcome
        told = await self._performer.carry_out(
            connection, after, decision, f"{key}/quoted", stage="renewal", kind="renewal_quoted"
        )
        both = joined(outcome, told)
        await effects.change_outcome(connection, key, both)
        return both

    @activity.defn
    async def amendment_effective(self, call: StepCall) -> Outcome:
        """A scheduled change holds from now on."""
        return await self._step(call, lambda situation: effective(situation, call.step))

    @activity.defn
    async def amendment_settled(self, call: StepCall) -> Outcome:
        """A transfer has reached the other account, or was refused."""
        key = effect_key(call.account_id, call.step.key)
        async with business_errors(), self._performer.holding(key, call.account_id) as (connection, done):
            if done:
                return done.outcome
            found = await holdings.find_transfer(connection, call.step.name)
            if found is None:
                raise LookupError(f"no transfer {call.step.name}")
            situation = await load_situation(connection, call.account_id, call.as_of, ledger=True)
            decision = transfers.settled(situation, found)
            outcome = await self._performer.carry_out(
                connection, situation, decision, key, stage=call.step.stage, kind=call.step.kind
            )
            return await self._requoted(connection, call.account_id, call.as_of, key, outcome)

    async def _step(self, call: StepCall, rule: Callable[[Situation], Decision]) -> Outcome:
        async with business_errors():
            return await self._performer.once(
                call.account_id,
                effect_key(call.account_id, call.step.key),
                call.as_of,
                rule,
                stage=call.step.stage,
                kind=call.step.kind,
                ledger=True,
            )


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
