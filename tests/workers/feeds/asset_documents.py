"""Documents of an installed base for tests."""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from typing import Any

from activities.kernel.clock import present
from domain.kernel.calendar import add_months

_numbers = itertools.count(1)


def this_month() -> date:
    """The first day of the present month."""
    return present().date().replace(day=1)


def installed(account_id: str | None = None, **changes: Any) -> dict[str, Any]:
    """An asset of a new account: sold 26 months ago for a year, renewed twice, more seats since a month ago. `changes` replace fields."""
    n = f"{next(_numbers)}-{present():%H%M%S%f}"
    account_id = account_id or f"IB-{n}"
    start = add_months(this_month(), -26)
    second, third, end = (add_months(start, months) for months in (12, 24, 36))
    grown = add_months(third, 1)
    document: dict[str, Any] = {
        "asset_id": f"OLD-{n}",
        "account_id": account_id,
        "account": {
            "account_id": account_id,
            "name": "Tanuki Tea",
            "country": "JP",
            "time_zone": "Asia/Tokyo",
            "language": "ja",
            "owner": {"staff_id": "S-1", "name": "Olga Owner", "email": "olga@seller.example"},
        },
        "contacts": [{"contact_id": "P-1", "name": "山本 葵", "email": f"aoi-{n}@customer.example"}],
        "products": [{"code": "SEATS", "name": "Workspace", "kind": "subscription"}],
        "contract": {
            "contract_id": f"K-{n}",
            "term": {"start": third.isoformat(), "end": _last_day(end)},
            "auto_renew": True,
            "renewal_months": 12,
        },
        "product": "SEATS",
        "currency": "JPY",
        "periods": [
            {
                "start": start.isoformat(),
                "end": _last_day(second),
                "quantity": 20,
                "unit_price": "1000",
                "mrr": "20000",
            },
            {
                "start": second.isoformat(),
                "end": _last_day(third),
                "quantity": 20,
                "unit_price": "1050",
                "renewal": True,
            },
            {
                "start": third.isoformat(),
                "end": _last_day(grown),
                "quantity": 25,
                "unit_price": "1100",
                "renewal": True,
            },
            {
                "start": grown.isoformat(),
                "end": _last_day(end),
                "quantity": 30,
                "unit_price": "1100",
                "reference": "PO-9",
            },
        ],
    }
    return {**document, **changes}


def _last_day(after: date) -> str:
    return (after - timedelta(days=1)).isoformat()
