"""The customer takes a quote: one decision that makes it an order, changes the ledger, and plans what follows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from domain.assets.ledger import Ledger
from domain.assets.model import AssetRecord, Category
from domain.assets.requests import Generate
from domain.assets.writes import Relate
from domain.billing.writes import BillPurchase
from domain.catalogue.errors import QuoteStaleError
from domain.catalogue.pricebook import PriceUnit
from domain.contracts import changes
from domain.contracts.request_facts import Changed, RequestFacts, Sold, changes_of
from domain.contracts.writes import OpenContract
from domain.frame.customer import AssetFacts, ContractFacts, ContractStatus, PeriodFacts, PurchaseFacts
from domain.frame.decision import Decision, JournalLine, Mail, Notice
from domain.frame.ownership import POLICY
from domain.frame.situation import Situation
from domain.frame.state import Outcome, Step
from domain.frame.term_facts import TermFacts
from domain.journey import fulfilling
from domain.journey.activation import NAMED, begin, first_invoices, told_of_invoices
from domain.journey.sale import Sale
from domain.kernel.base import Write
from domain.kernel.calendar import local_day, started_months
from domain.kernel.refusals import ORDER_CONFLICT, Refusal, named_refusals
from domain.orders.order import BillingFrequency, FirstInvoice, PricePer, ProductKind
from domain.quotes import versions
from domain.quotes.asking import StoredQuote
from domain.quotes.deciding import answer_of, check_version, is_termed_sale, stage_of
from domain.quotes.ordering import SoldOrder, assetize, order_from
from domain.quotes.quote import LedgerStep, Quote
from domain.quotes.requests import AcceptQuote, NewContract
from domain.quotes.versions import QuoteState
from domain.quotes.writes import LinkAssets, NoteContract, PaperStatus, RecordSale, SaveQuote, SoldLine

CONSUMED = frozenset({ProductKind.GOODS, ProductKind.SERVICE})
"""Goods and work done once are invoiced, and nobody owns them afterwards."""
_PER = {
    PriceUnit.MONTH: PricePer.MONTH,
    PriceUnit.YEAR: PricePer.YEAR,
    PriceUnit.ONCE: PricePer.ONCE,
    # What is sold by use has no recurring price.
    PriceUnit.USE: PricePer.MONTH,
}


@dataclass(frozen=True)
class Taken:
    """Ids that others have: the order of that id, and contracts."""

    order: bool
    contracts: frozenset[str]


def order_id_of(stored: StoredQuote, request: AcceptQuote) -> str:
    """The id of the order that an acceptance makes."""
    return request.order_id or stored.file.quote_id


def accept(situation: Situation, request: AcceptQuote, stored: StoredQuote, taken: Taken) -> Decision:
    """The quote becomes an order: assets, contracts, invoice and agenda follow from it. Twice is as once."""
    check_version(stored.file, request.version)
    if stored.file.state is QuoteState.ACCEPTED:
        answer = {**answer_of(stored.file), "order_id": stored.order_id}
        return Decision(JournalLine("Quote was accepted before", kind="skipped"), Outcome(answer=answer))
    order_id, at = order_id_of(stored, request), situation.as_of
    with named_refusals():
        _check_contract(situation, stored.file.current)
        file = versions.accept(stored.file, at, request.by)
        order = order_from(file, order_id)
    contracts, order = _under_contracts(situation, stored.terms, order)
    _check_ids(order_id, contracts, taken)
    ledger = Ledger(policy=POLICY, assets=dict(situation.records))
    with named_refusals():
        after = assetize(ledger, order)
    return _decide(situation, replace(stored, file=file), order, contracts, after, stored)


def _check_contract(situation: Situation, quote: Quote) -> None:
    """Refuses to sell under a contract that has ended since the quote was made."""
    if quote.contract is None:
        return
    contract = situation.customer.contract(quote.contract.contract_id)
    if contract is None or contract.status == ContractStatus.ENDED:
        raise QuoteStaleError(
            f"contract {quote.contract.contract_id} has ended meanwhile; quote it anew, under a contract of its own"
        )


def _decide(
    situation: Situation,
    stored: StoredQuote,
    order: SoldOrder,
    contracts: Sequence[ContractFacts],
    after: Ledger,
    before: StoredQuote,
) -> Decision:
    quote, order_id = order.quote, str(order.order_id)
    lines = list(_sold_lines(quote, after))
    consumed = {line.asset_id for line in quote.lines if line.product_kind in CONSUMED}
    records = {str(key): record for key, record in after.assets.items() if key not in consumed}
    sold = {line.asset_id: Sold(line.unit_price, line.per) for line in lines if line.asset_id}
    sold |= _swapped_in(quote, records, situation.records)
    desk = RequestFacts(situation, f"quote:{quote.quote_id}")
    changed = changes_of(desk, records, sold)
    decision = (
        changes.decide(desk, changed, "", plans=False)
        if changed.changes
        else Decision(JournalLine(f"Order {order_id} accepted"), mails=_confirmed(order_id, contracts, lines))
    )
    sale = Sale(list(contracts), [_facts(line, records[line.asset_id], quote) for line in lines if line.asset_id])
    outcome, past, writes = _begun(situation, order, sale, lines)
    says = f"Quote {quote.quote_id} accepted: {quote.totals.amount} {quote.currency}"
    stage = stage_of(quote.quote_id)
    days = first_invoices(contracts, situation.billing_day)
    billing_lines, billing_said = told_of_invoices(days, situation.billing_day)
    answer = {
        **(decision.outcome.answer or {}),
        **answer_of(stored.file),
        "order_id": order_id,
        "new_assets": [asset.asset_id for asset in sale.assets],
        "new_contracts": [contract.contract_id for contract in contracts],
        "first_invoices": {contract_id: day.isoformat() for contract_id, day in days.items()},
    }
    asked = Outcome(plan=_asked_about(situation, str(order_id), lines, onboards=bool(contracts)))
    for part in (_scheduled(situation, changed), outcome, asked, Outcome(drop=[stage], stages={stage: None})):
        decision += part
    said = [says, *billing_said, *decision.outcome.said][:2]
    first = JournalLine(says, detail={"quote_id": quote.quote_id, "version": quote.version, "order_id": order_id})
    told = [replace(decision.line, name=decision.line.name or "assets")] if changed.changes else []
    return replace(
        decision,
        line=first,
        more_lines=[*told, *decision.more_lines, *past, *billing_lines],
        outcome=decision.outcome.having(said=said, answer=answer),
        writes=[
            *_order_writes(situation, stored, before, order, contracts, lines),
            *decision.writes,
            LinkAssets(order_id, lines),
            *([Relate(list(quote.relationships))] if quote.relationships else []),
            *writes,
        ],
        notices=[Notice(says, [line.title for line in told] or [says], to="owner")],
    )


def _order_writes(
    situation: Situation,
    stored: StoredQuote,
    before: StoredQuote,
    order: SoldOrder,
    contracts: Sequence[ContractFacts],
    lines: Sequence[SoldLine],
) -> Iterator[Write]:
    """The order's row and lines, the quote's new state, and its contracts, signed and in force."""
    quote, at = order.quote, situation.as_of
    goods = any(line.kind == ProductKind.GOODS.value for line in lines)
    digest = hashlib.sha256(quote.model_dump_json().encode()).hexdigest()
    yield RecordSale(str(order.order_id), digest, quote.currency, goods, list(lines), at)
    terms = stored.terms.model_dump(mode="json")
    yield SaveQuote(before.file, stored.file, stored.requested_by, terms, order_id=str(order.order_id))
    for contract in contracts:
        yield OpenContract(contract, "sold", at)
        yield NoteContract(contract.contract_id, PaperStatus.SIGNED, at, quote.quote_id, quote.version)
        yield NoteContract(
            contract.contract_id, PaperStatus.ACTIVE, max(at, contract.term.starts_at), quote.quote_id, quote.version
        )


def _confirmed(order_id: str, contracts: Sequence[ContractFacts], lines: Sequence[SoldLine]) -> list[Mail]:
    """What was ordered, said to whoever ordered it, unless an onboarding begins by saying it."""
    names = list(dict.fromkeys(line.product_name for line in lines))[:NAMED]
    return [] if contracts else [Mail("order_confirmed", {"order_id": order_id, "products": names})]


def _asked_about(situation: Situation, order_id: str, lines: Sequence[SoldLine], *, onboards: bool) -> list[Step]:
    """The question whether what is sent has arrived."""
    sent = {ProductKind.GOODS.value, ProductKind.DEVICE.value}
    if not any(line.kind in sent for line in lines):
        return []
    return fulfilling.follow_up_of(situation, order_id, situation.today, onboards=onboards)


def _begun(
    situation: Situation, order: SoldOrder, sale: Sale, lines: Sequence[SoldLine]
) -> tuple[Outcome, list[JournalLine], list[Write]]:
    """What new contracts and goods begin, and the invoice for what becomes no asset."""
    customer, today = situation.customer, situation.today
    names = [line.product_name for line in lines if line.kind == ProductKind.GOODS.value]
    purchases = [PurchaseFacts(order_id=str(order.order_id), day=today, names=names[:8])] if names else []
    known = customer.having(
        contracts=[*customer.contracts, *sale.contracts],
        assets=[*customer.assets, *sale.assets],
        purchases=[*customer.purchases, *purchases],
        goods=[*names, *customer.goods],
    )
    writes: list[Write] = [
        BillPurchase(
            str(order.order_id), line.line_id, line.product_name, line.quantity, line.unit_price, order.quote.currency
        )
        for line in lines
        if line.asset_id is None
    ]
    if not sale.contracts and not names:
        return Outcome(), [], writes
    outcome, past, more = begin(
        replace(situation, customer=known),
        str(order.order_id),
        today,
        sale,
        first=False,
        opening=False,
        goods=bool(names),
    )
    return outcome, past, [*writes, *more]


def _scheduled(situation: Situation, changed: Changed) -> Outcome:
    """The steps that tell when changes of assets that were there before take effect, and what takes their place."""
    found: list[Outcome] = []
    for change in changed.changes:
        last = change.after.actions[-1]
        if last.category is not Category.INITIAL_SALE:
            desk = RequestFacts(situation, last.request_id)
            found.append(changes.scheduled(desk, Changed(changed.records, [change])))
    plan = [step for outcome in found for step in outcome.plan]
    stages = {key: stage for outcome in found for key, stage in outcome.stages.items()}
    return Outcome(plan=plan, stages=stages) if plan else Outcome()


def _under_contracts(
    situation: Situation, terms: NewContract, order: SoldOrder
) -> tuple[list[ContractFacts], SoldOrder]:
    """The contracts that the sales for a term make, one for each term, and the order with its assets under them."""
    quote, zone = order.quote, situation.customer.account.time_zone
    if quote.contract is not None:
        return [], order
    spans: dict[tuple[datetime, datetime], str] = {}
    of_asset: dict[str, str] = {}
    for line in quote.lines:
        if is_termed_sale(line) and line.end is not None:
            number = len(spans) + 1
            first = terms.contract_id if number == 1 else None
            made = first or f"{terms.contract_id or quote.quote_id}-{number}"
            of_asset[line.asset_id] = spans.setdefault((line.effective, line.end), made)
    steps = tuple(_with_contract(step, of_asset) for step in quote.steps)
    contracts = [_contract(order, terms, contract_id, span, zone) for span, contract_id in spans.items()]
    return contracts, order.having(quote=quote.having(steps=steps))


def _with_contract(step: LedgerStep, of_asset: Mapping[str, str]) -> LedgerStep:
    request = step.request
    if not isinstance(request, Generate) or request.asset.asset_id not in of_asset:
        return step
    asset = request.asset.having(contract_id=of_asset[request.asset.asset_id])
    return step.having(request=request.having(asset=asset))


def _contract(
    order: SoldOrder, terms: NewContract, contract_id: str, span: tuple[datetime, datetime], zone: str
) -> ContractFacts:
    start, until = (local_day(moment, zone) for moment in span)
    return ContractFacts(
        contract_id=contract_id,
        order_id=str(order.order_id),
        currency=order.quote.currency,
        auto_renew=terms.auto_renew,
        renewal_months=terms.renewal_months or started_months(start, until),
        notice_days=terms.notice_days,
        uplift_percent=Decimal(terms.uplift_percent),
        status=ContractStatus.ACTIVE,
        first_start=start,
        first_until=until,
        billing=terms.billing or BillingFrequency.YEARLY,
        first_invoice=terms.first_invoice or FirstInvoice.START,
        term=TermFacts(number=1, start_on=start, until=until, starts_at=span[0], ends_at=span[1]),
    )


def _check_ids(order_id: str, contracts: Sequence[ContractFacts], taken: Taken) -> None:
    if taken.order:
        raise Refusal(ORDER_CONFLICT, f"order {order_id!r} exists; give the quote's order another order_id")
    if twice := [c.contract_id for c in contracts if c.contract_id in taken.contracts]:
        raise Refusal(
            ORDER_CONFLICT, f"contract {twice[0]!r} exists; quote again with another new_contract.contract_id"
        )


def _sold_lines(quote: Quote, after: Ledger) -> Iterator[SoldLine]:
    """The quote's sales as lines of an order."""
    for line in quote.lines:
        if line.kind != "sale" or line.pricing is None:
            continue
        kind = line.product_kind or ProductKind.SUBSCRIPTION
        yield SoldLine(
            line.line_id,
            line.product,
            line.name or line.product,
            kind.value,
            after.assets[line.asset_id].asset.contract_id,
            line.quantity,
            Decimal(0) if line.pricing.per is PriceUnit.USE else line.pricing.net_price,
            _PER[line.pricing.per],
            None if kind in CONSUMED else line.asset_id,
        )


def _swapped_in(quote: Quote, records: Mapping[str, AssetRecord], before: Mapping[str, AssetRecord]) -> dict[str, Sold]:
    """The prices of assets that take others' places."""
    return {
        line.asset_id: Sold(line.pricing.net_price, _PER[line.pricing.per])
        for line in quote.lines
        if line.kind == "swap" and line.pricing is not None and line.asset_id in records and line.asset_id not in before
    }


def _facts(line: SoldLine, record: AssetRecord, quote: Quote) -> AssetFacts:
    return AssetFacts(
        asset_id=record.asset.asset_id,
        product=line.product,
        product_name=line.product_name,
        kind=ProductKind(line.kind),
        contract_id=record.asset.contract_id,
        currency=quote.currency,
        per=line.per,
        unit_price=line.unit_price,
        periods=[PeriodFacts(starts_at=p.start, ends_at=p.end, quantity=p.quantity, mrr=p.mrr) for p in record.periods],
    )
