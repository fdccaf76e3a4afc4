"""What an order brings, in tables: its row and lines, its contracts, and the assets that it sells."""

from __future__ import annotations

from typing import Any

from activities.contracts.holdings import ASSET, open_contracts
from activities.frame.handlers import Handlers, Place, on
from activities.orders.order_rows import put_order
from domain.assets.model import PricingSource, RenewalPricing
from domain.contracts.writes import OpenContract
from domain.frame.customer import AssetFacts
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
    f"{' '.join(_UNSAID)} account_id order_id line_id name selling_model lifecycle_start lifecycle_end time_zone",
)


async def _place_orders(place: Place, writes: list[PlaceOrder]) -> None:
    """Each order with its lines, contracts and assets. Asset actions and periods follow as the decision says."""
    for sale in writes:
        await put_order(place, sale)
        if sale.contracts:
            await open_contracts(place, [OpenContract(one, "sold", place.as_of) for one in sale.contracts])
        if sale.assets:
            await ASSET.copy(place.connection, (_asset_row(sale.order, asset) for asset in sale.assets))


def _asset_row(order: Order, asset: AssetFacts) -> tuple[Any, ...]:
    return _SOLD.row(
        asset,
        **_UNSAID,
        account_id=order.account.account_id,
        order_id=order.order_id,
        line_id=asset.asset_id.removeprefix(f"{order.order_id}."),
        name=asset.product_name,
        selling_model="one_time" if asset.per is PricePer.ONCE else "termed",
        lifecycle_start=asset.periods[0].starts_at,
        lifecycle_end=asset.periods[-1].ends_at,
        time_zone=order.account.time_zone,
    )


HANDLERS: Handlers = dict([on(PlaceOrder, _place_orders)])
