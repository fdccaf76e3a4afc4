"""What a customer has, as mails name it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from domain.frame.customer import AccountFacts, AssetFacts, PeriodFacts
from tests.domain.contracts.world import InMemory

START = datetime(2026, 12, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def asset(name: str, *quantities: int) -> AssetFacts:
    """Something that they have in such quantities, each for ten days."""
    periods = [
        PeriodFacts(
            starts_at=START + 10 * n * DAY, ends_at=START + 10 * (n + 1) * DAY, quantity=units, mrr=Decimal(units)
        )
        for n, units in enumerate(quantities)
    ]
    return AssetFacts.model_validate(
        {"asset_id": name, "product": name, "product_name": name, "kind": "subscription", "contract_id": None,
         "currency": "EUR", "per": "month", "unit_price": "1", "periods": periods}
    )  # fmt: skip


def test_what_was_swapped_or_reduced_to_nothing_is_not_theirs_any_more() -> None:
    account = AccountFacts(
        account_id="acme", name="Acme", country="DE", time_zone="Europe/Berlin", language="de", segment="standard",
        playbook_version=1, since=START,
    )  # fmt: skip
    customer = InMemory(account, "jo@acme.example").customer
    customer = customer.having(assets=[asset("Care", 5, 0), asset("Care Plus", 0, 5)])
    assert customer.product_names(START + 5 * DAY) == ["Care"]
    assert customer.product_names(START + 15 * DAY) == ["Care Plus"]
