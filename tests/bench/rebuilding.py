"""What rebuilding an asset's timeline costs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from time import process_time

from domain.assets.ledger import rebuild
from domain.assets.model import ActionSource, ActionType, Asset, AssetAction, Category
from domain.assets.worth import LedgerPolicy

START = datetime(2026, 1, 1, tzinfo=UTC)
STEP = timedelta(hours=6)
ROUNDS = 7


def history(count: int) -> tuple[Asset, tuple[AssetAction, ...]]:
    """An asset with a sale and chronological changes: two upsells, then a reduction that empties the newer lot."""
    asset = Asset(asset_id="bench", account_id="account", product="product", currency="EUR")
    end = START + STEP * (count + 1)
    actions = []
    for number in range(count):
        effective = START + STEP * number
        reduces = number % 3 == 2
        row = ActionSource(
            lot=number if reduces else number + 1,
            start=effective,
            end=end,
            quantity=-2 if reduces else 2,
            unit_price=Decimal(10 + (number - reduces) % 7),
        )
        actions.append(
            AssetAction(
                sequence=number + 1,
                request_id=f"request-{number}",
                category=Category.DOWNSELLS if reduces else Category.UPSELLS,
                type=ActionType.CHANGE if number else ActionType.GENERATE,
                effective=effective,
                sources=(row,),
                lifecycle_start=START,
                lifecycle_end=end,
            )
        )
    return asset, tuple(actions)


def seconds_to_rebuild(count: int) -> float:
    """The fastest of several rebuilds, in seconds of CPU: others on the machine do not count."""
    asset, actions = history(count)
    policy = LedgerPolicy()
    taken = []
    for _ in range(ROUNDS):
        begun = process_time()
        periods = rebuild(asset, actions, policy)
        taken.append(process_time() - begun)
        assert len(periods) == count
    return min(taken)
