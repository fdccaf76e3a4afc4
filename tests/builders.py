"""Orders for tests: a whole one, and ways to vary it."""

from __future__ import annotations

import copy
import itertools
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from activities.kernel.clock import present

TOKYO = ZoneInfo("Asia/Tokyo")
_numbers = itertools.count(1)


def order(account_id: str | None = None, **changes: Any) -> dict[str, Any]:
    """An order of a new account: 40 seats for a year from one of the next days, a device, support. `changes` replace top-level fields."""
    n = next(_numbers)
    now = present().replace(microsecond=0)
    start = (now.date().replace(day=1) + timedelta(days=32)).replace(day=1)
    # It is to come, and soon, on whatever day of a month, and on its last evening as well, when the next one has begun in Tokyo.
    today = now.astimezone(TOKYO).date()
    start = min(max(start, today + timedelta(days=1)), today + timedelta(days=9))
    document: dict[str, Any] = {
        "order_id": f"SO-{n}-{now:%H%M%S%f}",
        "activated_at": now.isoformat(),
        "currency": "JPY",
        "account": {
            "account_id": account_id or f"A-{n}-{now:%H%M%S}",
            "name": f"Tanuki Tea {n}",
            "country": "JP",
            "time_zone": "Asia/Tokyo",
            "language": "ja",
            "segment": "standard",
            "owner": {"staff_id": "S-1", "name": "Olga Owner", "email": "olga@seller.example"},
            "success_manager": {"staff_id": "S-2", "name": "Sam Success", "email": "sam@seller.example"},
        },
        "contacts": [{"contact_id": "P-1", "name": "山本 葵", "email": f"aoi{n}@customer.example"}],
        "products": [
            {"code": "SEATS", "name": "Workspace", "kind": "subscription"},
            {"code": "CARE", "name": "Care", "kind": "support"},
            {"code": "TERMINAL", "name": "Terminal", "kind": "device"},
            {"code": "BEANS", "name": "Beans", "kind": "goods"},
        ],
        "contracts": [
            {
                "contract_id": f"K-{n}-{now:%H%M%S}",
                "term": {"start": start.isoformat(), "months": 12},
                "lines": [
                    {"line_id": "1", "product": "SEATS", "quantity": 40, "unit_price": "1200"},
                    {"line_id": "2", "product": "CARE", "quantity": 1, "unit_price": "60000", "per": "year"},
                ],
            }
        ],
        "lines": [{"line_id": "3", "product": "TERMINAL", "quantity": 5, "unit_price": "80000"}],
    }
    return {**copy.deepcopy(document), **changes}


def goods_order(account: dict[str, Any], activated_at: datetime, quantity: int = 12) -> dict[str, Any]:
    """Another order of goods by the account of `account`, an order."""
    n = next(_numbers)
    return {
        **{key: account[key] for key in ("account", "contacts", "currency", "products")},
        "order_id": f"SO-{n}-{present():%H%M%S%f}",
        "activated_at": activated_at.isoformat(),
        "lines": [{"line_id": "1", "product": "BEANS", "quantity": quantity, "unit_price": "900"}],
    }
