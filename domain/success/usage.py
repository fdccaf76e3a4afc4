"""Usage as products report it: active users per product and day."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from domain.frame.situation import Situation
from domain.kernel.base import Received
from domain.kernel.ids import AccountRef
from domain.orders.order import Code
from domain.success.health import seat_use

Level = Literal["low", "usual", "high"]


class UsageRow(Received):
    """How many users were active in a product on a local day."""

    account_id: AccountRef
    product: Code
    day: date
    active_users: Annotated[int, Field(strict=True, ge=0, le=100_000_000)]


def usage_level(situation: Situation) -> Level | None:
    """Where the use of the paid seats stands against the playbook's thresholds; null while nothing is known."""
    playbook = situation.playbook
    uses = seat_use(situation.customer, playbook, situation.as_of)
    if not uses:
        return None
    if uses[0].share < playbook.adoption.low:
        return "low"
    return "high" if any(use.share >= playbook.expansion.threshold for use in uses) else "usual"


def calls_for_a_look(before: Level | None, now: Level) -> bool:
    """Whether a journey has anything to do about a change: use that is no longer high calls for nothing before the next check-in."""
    return (before, now) != ("high", "usual")
