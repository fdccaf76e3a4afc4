"""Quotes: previewed from the facts, asked for, approved, answered, and what comes due of them. Each is one transaction, done once."""

from __future__ import annotations

from datetime import datetime

from activities.catalogue import catalogue
from activities.frame.situations import load_situation
from activities.frame.unit_of_work import Activities, StepKind, UnitOfWork
from activities.kernel.computing import computed
from activities.kernel.pool import Connection
from activities.quotes import quote_rows as store
from domain.frame.situation import LEDGER, Situation
from domain.frame.state import Step
from domain.journey import acceptance
from domain.kernel.money import withdrawn
from domain.kernel.refusals import INVALID_REQUEST, NOT_ALLOWED, Problem, Refusal, named_refusals
from domain.quotes import deciding
from domain.quotes.asking import Sources, StoredQuote, instant_of, make_quote, next_version
from domain.quotes.ordered import priced_as_sold
from domain.quotes.quote import Quote
from domain.quotes.requests import AcceptQuote, ApproveQuote, DeclineQuote, RequestQuote


async def preview(connection: Connection, account_id: str, request: RequestQuote, as_of: datetime) -> Quote:
    """The quote that a request would make at `as_of`; nothing is written. Raises `Refusal`."""
    situation = await load_situation(connection, account_id, as_of, LEDGER)
    sources = await sources_of(connection, situation, request)
    stored = await store.load_quote(connection, request.quote_id)
    version = next_version(situation, request, stored)
    as_of = instant_of(situation, request)
    return await computed(request.extent, make_quote, situation, request, sources, as_of, version)


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


async def _made_from(
    work: UnitOfWork, situation: Situation, request: RequestQuote
) -> tuple[Sources, StoredQuote | None]:
    """What a quote is made from, and its version before."""
    return await sources_of(work.connection, situation, request), await store.load_quote(
        work.connection, request.quote_id
    )


async def _of_stage(work: UnitOfWork, _: Situation, step: Step) -> tuple[StoredQuote | None]:
    """The quote that a step is about."""
    return (await store.load_quote(work.connection, step.about),)


async def _stored(
    work: UnitOfWork, situation: Situation, request: AcceptQuote | ApproveQuote | DeclineQuote
) -> tuple[StoredQuote]:
    """A quote of this customer. Raises `Refusal` (NotAllowed) if it is none."""
    stored = await store.load_quote(work.connection, request.quote_id)
    if stored is None or stored.account_id != situation.customer.account.account_id:
        raise Refusal(NOT_ALLOWED, f"quote {request.quote_id!r} is not this customer's")
    return (stored,)


async def _to_accept(
    work: UnitOfWork, situation: Situation, request: AcceptQuote
) -> tuple[StoredQuote, acceptance.Taken]:
    """The quote that is accepted, and which of its order's ids others have."""
    (stored,) = await _stored(work, situation, request)
    order_id = acceptance.order_id_of(stored, request)
    return stored, await store.taken_ids(work.connection, order_id, stored.terms.contract_id or stored.file.quote_id)


class Quotes(Activities):
    """What is looked up for requests about quotes, and the steps that follow."""

    looks = {
        "request_quote": _made_from,
        "approve_quote": _stored,
        "accept_quote": _to_accept,
        "decline_quote": _stored,
    }

    steps = {
        "quote_reminder": StepKind(deciding.remind, LEDGER, look=_of_stage),
        "quote_give_up": StepKind(deciding.give_up, LEDGER, look=_of_stage),
        "quote_expiry": StepKind(deciding.expire, LEDGER, look=_of_stage),
    }
