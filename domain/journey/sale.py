"""What an order sells: its lines as contracts and assets, each asset with the periods that were agreed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from domain.assets.use_terms import UseTerms
from domain.frame.customer import AssetFacts, ContractFacts, ContractStatus, PeriodFacts
from domain.frame.term_facts import TermFacts
from domain.kernel.calendar import local_day, start_of_day
from domain.orders.order import (
    Contract,
    FirstInvoice,
    Order,
    OrderedLine,
    OrderedProduct,
    ProductKind,
)


@dataclass(frozen=True)
class Sale:
    """What an order sells: contracts and assets as facts, each asset with the state periods that were agreed.

    `prices`: of assets that are a ramp, the unit price of each period; `usage`: of those whose use is charged, how.
    """

    contracts: list[ContractFacts]
    assets: list[AssetFacts]
    prices: Mapping[str, Sequence[Decimal]] = field(default_factory=dict)
    usage: Mapping[str, UseTerms] = field(default_factory=dict)


def asset_id_of(order: Order, line: OrderedLine) -> str:
    """The id of the asset that a line becomes."""
    return f"{order.order_id}.{line.line_id}"


def sale_of(order: Order, products: Mapping[str, OrderedProduct]) -> Sale:
    """The contracts and assets of an order; consumed goods and work done once are no assets."""
    zone = order.account.time_zone
    contracts = [_contract_facts(order, contract, zone) for contract in order.contracts]
    assets = []
    prices: dict[str, Sequence[Decimal]] = {}
    usage: dict[str, UseTerms] = {}
    for contract, facts in zip(order.contracts, contracts, strict=True):
        for line in contract.lines:
            stretches = line.stretches(contract.term.start)
            assets.append(_asset(order, line, products[line.product], facts, stretches))
            if line.ramp:
                prices[assets[-1].asset_id] = [price for _, _, price in stretches]
            if line.usage:
                usage[assets[-1].asset_id] = line.usage
    for purchase in order.lines:
        if products[purchase.product].kind is ProductKind.DEVICE:
            day = local_day(order.activated_at, zone)
            whole = [(day, purchase.quantity, purchase.unit_price)]
            assets.append(_asset(order, purchase, products[purchase.product], None, whole))
    return Sale(contracts, assets, prices, usage)


def _contract_facts(order: Order, contract: Contract, zone: str) -> ContractFacts:
    term = contract.term
    return ContractFacts(
        contract_id=contract.contract_id,
        order_id=order.order_id,
        currency=order.currency,
        auto_renew=contract.auto_renew,
        renewal_months=contract.renewal_months or term.length,
        notice_days=contract.notice_days,
        uplift_percent=contract.uplift_percent,
        status=ContractStatus.ACTIVE,
        first_start=term.start,
        first_until=term.until,
        billing=contract.frequency,
        evergreen=term.evergreen,
        first_invoice=contract.first_invoice or FirstInvoice.START,
        term=TermFacts(
            number=1,
            start_on=term.start,
            until=term.until,
            starts_at=start_of_day(term.start, zone),
            ends_at=start_of_day(term.until, zone),
        ),
    )


def _asset(
    order: Order,
    line: OrderedLine,
    product: OrderedProduct,
    contract: ContractFacts | None,
    stretches: Sequence[tuple[date, int, Decimal]],
) -> AssetFacts:
    asset = AssetFacts(
        asset_id=asset_id_of(order, line),
        product=product.code,
        product_name=product.name,
        kind=product.kind,
        contract_id=contract.contract_id if contract else None,
        currency=order.currency,
        per=line.per,
        unit_price=line.unit_price,
        periods=[],
    )
    starts = [contract.term.starts_at if contract else order.activated_at]
    starts += [start_of_day(day, order.account.time_zone) for day, _, _ in stretches[1:]]
    ends = [*starts[1:], contract.term.end_of_assets if contract else None]
    periods = [
        PeriodFacts(starts_at=start, ends_at=end, quantity=quantity, mrr=asset.mrr_of(quantity, price))
        for start, end, (_, quantity, price) in zip(starts, ends, stretches, strict=True)
    ]
    return asset.having(periods=periods, ramped=len(periods) > 1)
