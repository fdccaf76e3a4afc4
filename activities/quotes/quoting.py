"""Quotes: previewed from the facts, asked for, approved, answered, and what comes due of them. Each is one transaction, done once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, TypeVar

from temporalio import activity

from activities.catalogue import catalogue
from activities.frame.carrying_out import Performer, business_errors, effect_key, load_situation, naming
from activities.kernel.pool import Connection
from activities.quotes import quote_rows as store
from domain.frame.decision import Decision
from domain.frame.situation import Situation
from domain.frame.state import Outcome, RequestCall, StepCall
from domain.journey import acceptance
from domain.kernel.fingerprints import Asked, asked_by
from domain.kernel.money import withdrawn
from domain.kernel.refusals import INVALID_REQUEST, NOT_ALLOWED, Problem, Refusal
from domain.kernel.requests import Request, read_request
from domain.quotes import deciding
from domain.quotes.asking import Sources, StoredQuote, instant_of, make_quote, named_refusals, next_version
from domain.quotes.ordered import priced_as_sold
from domain.quotes.quote import Quote
from domain.quotes.requests import AcceptQuote, ApproveQuote, DeclineQuote, RequestQuote

_Request = TypeVar("_Request", bound=Request)


async def preview(connection: Connection, account_id: str, request: RequestQuote, as_of: datetime) -> Quote:
    """The quote that a request would make at `as_of`; nothing is written. Raises `Refusal`."""
    situation = await load_situation(connection, account_id, as_of, ledger=True)
    sources = await sources_of(connection, situation, request)
    stored = await store.load_quote(connection, request.quote_id)
    version = next_version(situation, request, stored)
    return make_quote(situation, request, sources, instant_of(situation, request), version)


async def sources_of(connection: Connection, situation: Situation, request: RequestQuote) -> Sources:
    """The catalogue's products that a request names, and the price book that it is made from: that of the assets it changes.

    What the standard book does not name costs what the customer has or ordered it for.
    """
    named = {str(line[key]) for line in request.lines for key in ("product", "to_product") if key in line}
    changed = [
        situation.records[line["asset_id"]] for line in request.lines if line.get("asset_id") in situation.records
    ]
    products = await catalogue.load_catalogue(connection, named | {record.asset.product for record in changed})
    codes = {product.code for product in products.products}
    first = changed[0].asset if changed else None
    book = request.price_book or (first.price_book if first else catalogue.STANDARD)
    currency = request.currency or (first.currency if first else _currency(situation))
    on = situation.customer.day_of(instant_of(situation, request))
    if not changed and (says := withdrawn(currency, on)):
        raise Refusal(INVALID_REQUEST, "the quote cannot be made", [Problem(field="currency", problem=says)])
    with named_refusals():
        prices = await catalogue.load_price_book(connection, book, currency, on, codes)
    account_id = situation.customer.account.account_id
    if book == catalogue.STANDARD and (unlisted := codes - prices.by_product.keys()):
        ordered = await catalogue.load_ordered_prices(connection, account_id, currency, unlisted)
        prices = priced_as_sold(situation, prices, ordered, unlisted)
    return Sources(products, prices, await store.load_relationships(connection, account_id))


def _currency(situation: Situation) -> str:
    """The currency that the customer bought in last."""
    customer = situation.customer
    held = [contract.currency for contract in customer.contracts] + [asset.currency for asset in customer.assets]
    if not held:
        raise Refusal(NOT_ALLOWED, "nothing says in which currency this customer buys; give the quote's currency")
    return held[-1]


class Quotes:
    """What is asked about quotes, and the steps that follow."""

    def __init__(self, performer: Performer) -> None:
        self._performer = performer

    @activity.defn
    async def request_quote(self, call: RequestCall) -> Outcome:
        """A quote is made, or its next version."""

        async def decide(connection: Connection, situation: Situation, request: RequestQuote) -> Decision:
            sources = await sources_of(connection, situation, request)
            stored = await store.load_quote(connection, request.quote_id)
            return deciding.ask(situation, request, sources, stored)

        return await self._answer(call, RequestQuote, decide)

    @activity.defn
    async def approve_quote(self, call: RequestCall) -> Outcome:
        """The discounts of a quote are approved or rejected."""

        async def decide(connection: Connection, situation: Situation, request: ApproveQuote) -> Decision:
            return deciding.approve(situation, await _stored(connection, situation, request.quote_id), request)

        return await self._answer(call, ApproveQuote, decide)

    @activity.defn
    async def accept_quote(self, call: RequestCall) -> Outcome:
        """The customer takes a quote: it becomes an order, with assets, contracts and invoice."""

        async def decide(connection: Connection, situation: Situation, request: AcceptQuote) -> Decision:
            stored = await _stored(connection, situation, request.quote_id)
            order_id = acceptance.order_id_of(stored, request)
            taken = await store.taken_ids(connection, order_id, stored.terms.contract_id or stored.file.quote_id)
            return acceptance.accept(situation, stored, request, taken)

        return await self._answer(call, AcceptQuote, decide)

    @activity.defn
    async def decline_quote(self, call: RequestCall) -> Outcome:
        """The customer does not take a quote."""

        async def decide(connection: Connection, situation: Situation, request: DeclineQuote) -> Decision:
            return deciding.decline(situation, await _stored(connection, situation, request.quote_id), request)

        return await self._answer(call, DeclineQuote, decide)

    @activity.defn
    async def quote_reminder(self, call: StepCall) -> Outcome:
        """Nobody has decided on a quote's discounts yet."""
        return await self._step(call, lambda situation, stored: deciding.remind(situation, stored, call.step))

    @activity.defn
    async def quote_give_up(self, call: StepCall) -> Outcome:
        """Nobody has decided in time."""
        return await self._step(call, lambda situation, stored: deciding.give_up(situation, stored, call.step))

    @activity.defn
    async def quote_expiry(self, call: StepCall) -> Outcome:
        """A quote's time is over."""
        return await self._step(call, lambda situation, stored: deciding.expire(situation, stored, call.step))

    async def _answer(
        self,
        call: RequestCall,
        model: type[_Request],
        decide: Callable[[Connection, Situation, _Request], Awaitable[Decision]],
    ) -> Outcome:
        kind = activity.info().activity_type
        run = call.run if not call.repeated else "again"
        async with business_errors():
            request = read_request(model, call.body)
            key = effect_key(call.account_id, f"{kind}:{call.request_id}")
            return await self._once(
                call.account_id,
                key,
                call.as_of,
                lambda connection, situation: decide(connection, situation, request),
                stage="quote",
                kind=kind,
                run=run,
                actor=request.by,
                asked=asked_by(request, call.request_id),
            )

    async def _step(self, call: StepCall, rule: Callable[[Situation, StoredQuote | None], Decision]) -> Outcome:
        step = call.step

        async def decide(connection: Connection, situation: Situation) -> Decision:
            return rule(situation, await store.load_quote(connection, step.stage.split(":", 1)[1]))

        async with business_errors():
            key = effect_key(call.account_id, step.key)
            return await self._once(call.account_id, key, call.as_of, decide, stage=step.stage, kind=step.kind)

    async def _once(
        self,
        account_id: str,
        key: str,
        as_of: datetime,
        decide: Callable[[Connection, Situation], Awaitable[Decision]],
        *,
        run: str = "",
        asked: Asked | None = None,
        **told: Any,
    ) -> Outcome:
        async with self._performer.holding(key, account_id, asked=asked) as (connection, done):
            if done:
                return done.outcome if done.run == run else done.outcome.again()
            situation = await load_situation(connection, account_id, as_of, ledger=True)
            situation = await naming(connection, situation, told.get("actor"))
            decision = await decide(connection, situation)
            return await self._performer.carry_out(connection, situation, decision, key, run=run, asked=asked, **told)


async def _stored(connection: Connection, situation: Situation, quote_id: str) -> StoredQuote:
    """A quote of this customer. Raises `Refusal` (NotAllowed) if it is none."""
    stored = await store.load_quote(connection, quote_id)
    if stored is None or stored.account_id != situation.customer.account.account_id:
        raise Refusal(NOT_ALLOWED, f"quote {quote_id!r} is not this customer's")
    return stored
