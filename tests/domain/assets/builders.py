"""Assets and requests in few words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain.assets.amend import generate
from domain.assets.errors import AssetError
from domain.assets.ledger import Ledger
from domain.assets.model import Asset, AssetRecord
from domain.assets.operations import AnyRequest, apply
from domain.assets.requests import Generate, Line
from tests.domain.assets.whole_ledgers import ledger_violations

X, Y = "x", "y"
BUYER, OTHER = "buyer", "other"


def on(text: str) -> datetime:
    """Midnight in UTC of a date."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def day(number: int) -> datetime:
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number)


def asset(asset_id: str = X, **facts: Any) -> Asset:
    given: dict[str, Any] = {
        "asset_id": asset_id,
        "account_id": BUYER,
        "product": "licence",
        "currency": "EUR",
    }
    return Asset.model_validate(given | facts)


def sold(
    start: str = "2026-01-01",
    end: str | None = "2027-01-01",
    quantity: int = 10,
    price: str | None = "10.00",
    ledger: Ledger | None = None,
    **facts: Any,
) -> Ledger:
    """A ledger with one more asset of one lot."""
    made = asset(**facts)
    line = Line(
        start=on(start),
        end=None if end is None else on(end),
        quantity=quantity,
        unit_price=None if price is None else Decimal(price),
    )
    request = Generate(request_id=f"sale-{made.asset_id}", asset=made, lines=(line,))
    return generate(ledger or Ledger(), request)


def rows(record: AssetRecord) -> list[tuple[str, str | None, int]]:
    """The periods as start, half-open end and quantity."""
    return [
        (str(period.start.date()), None if period.end is None else str(period.end.date()), period.quantity)
        for period in record.periods
    ]


def mrrs(record: AssetRecord) -> list[Decimal | None]:
    return [period.mrr for period in record.periods]


def ask(operation: Any, ledger: Ledger, **fields: Any) -> Ledger:
    """Carry out a request on asset x; dates may be written as text. Invariants are checked afterwards."""
    number = sum(len(record.actions) for record in ledger.assets.values())
    after = apply(ledger, make(operation, f"r{number}", **fields))
    assert ledger_violations(after) == {}
    return after


def make(operation: Any, request_id: str, **fields: Any) -> AnyRequest:
    dates = {"effective", "start", "end", "new_start", "new_end", "recorded_at"}
    given = {key: on(value) if key in dates and isinstance(value, str) else value for key, value in fields.items()}
    request: AnyRequest = operation(**({"request_id": request_id, "asset_id": X} | given))
    return request


def refused(operation: Any, ledger: Ledger, **fields: Any) -> str:
    """The code of the error that a request meets."""
    with pytest.raises(AssetError) as caught:
        apply(ledger, make(operation, "refused", **fields))
    return caught.value.code


def line(start: str, end: str | None, quantity: int, price: str = "10") -> Line:
    return Line(start=on(start), end=on(end) if end else None, quantity=quantity, unit_price=Decimal(price))


def ramp(**facts: Any) -> Ledger:
    lines = (line("2026-01-01", "2027-01-01", 10), line("2027-01-01", "2028-01-01", 20))
    return apply(Ledger(), Generate(request_id="sale", asset=asset(**facts), lines=lines))
