"""A feed's order as the document that every other service would send."""

from __future__ import annotations

from collections.abc import Mapping as Dict
from typing import Any

from workers.feeds.mapping import Mapping
from workers.feeds.scanning import FeedOrder


def order_document(order: FeedOrder, mapping: Mapping, names: Dict[str, str], *, weeks: int = 0) -> dict[str, Any]:
    """The order's JSON. Line ids are the feed's line numbers, so that the same feed makes the same document.

    names: product code to name; weeks: how much later than in the feed the order was activated.
    """
    # Sorted: transactions that add the same products in another order would wait for each other in a circle.
    codes = sorted({line.product for line in order.lines})
    return {
        "order_id": order.order_id,
        "activated_at": mapping.instant(order.local, weeks=weeks).isoformat(),
        "currency": mapping.currency,
        "account": mapping.account.of(order.customer_id, order.country),
        "contacts": [mapping.contact.of(order.customer_id)],
        "products": [
            {"code": code, "name": names.get(code, code), "kind": mapping.product_kind.value} for code in codes
        ],
        "lines": [
            {
                "line_id": str(line.line),
                "product": line.product,
                "quantity": line.quantity,
                "unit_price": line.unit_price,
            }
            for line in order.lines
        ],
    }
