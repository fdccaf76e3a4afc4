"""What an order brings, in tables: its row and lines, its contracts, and the assets that it sells."""

from __future__ import annotations

from typing import Any

from activities.contracts.holdings import ASSET, open_contracts
from activities.frame.handlers import Gathers, Handlers, Place, on
from activities.orders.order_rows import put_order
from domain.assets.model import PricingSource, RenewalPricing, SellingModel
from domain.assets.use_terms import UseTerms
from domain.contracts.writes import OpenContract
from domain.frame.customer import AssetFacts
from domain.journey.sale import asset_id_of
from domain.journey.writes import PlaceOrder
from domain.orders.order import Order, PricePer

_UNSAID: dict[str, Any] = {
    **dict.fromkeys(("parent_id", "renewal_months", "months_from", "carried_first", "invoiced_from", "tax_rates")),
    "derived_price": False,
    "price_book": "standard",
    "pricing_source": PricingSource.LAST_TRANSACTION,
    "renewal_pricing": RenewalPricing.LOT_BY_LOT,
    "carried": "0",
}
"""Of an asset, what an order says nothing about."""
_SOLD = ASSET.of(
    AssetFacts,
    f"{' '.join(_UNSAID)} account_id order_id line_id name selling_model lifecycle_start lifecycle_end time_zone"
    " use_terms",
)


async def _place_orders(place: Place, writes: list[PlaceOrder]) -> None:
    """Each order with its lines, contracts and assets. Asset actions and periods follow as the decision says."""
    for sale in writes:
        await put_order(place, sale)
        if sale.contracts:
            await open_contracts(place, [OpenContract(one, "sold", place.as_of) for one in sale.contracts])
        if sale.assets:
            order = sale.order
            used = {asset_id_of(order, line): line.usage for contract in order.contracts for line in contract.lines}
            rows = (_asset_row(order, asset, used.get(asset.asset_id)) for asset in sale.assets)
            await place.add(ASSET, rows)


def _asset_row(order: Order, asset: AssetFacts, usage: UseTerms | None) -> tuple[Any, ...]:
    model = SellingModel.TERMED if usage is None else SellingModel.USAGE
    return _SOLD.row(
        asset,
        **_UNSAID,
        account_id=order.account.account_id,
        order_id=order.order_id,
        line_id=asset.asset_id.removeprefix(f"{order.order_id}."),
        name=asset.product_name,
        selling_model=SellingModel.ONE_TIME if asset.per is PricePer.ONCE else model,
        use_terms=usage.model_dump(mode="json") if usage else None,
        lifecycle_start=asset.periods[0].starts_at,
        lifecycle_end=asset.periods[-1].ends_at,
        time_zone=order.account.time_zone,
    )


HANDLERS: Handlers = dict([on(PlaceOrder, Gathers(_place_orders))])
