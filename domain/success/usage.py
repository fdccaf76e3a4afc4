"""Usage as products report it: active users per product and day, and as much more as they know."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from domain.frame.playbook import Playbook
from domain.frame.situation import Situation
from domain.frame.success_facts import UsageFacts
from domain.kernel.base import Received
from domain.kernel.ids import AccountRef
from domain.orders.order import Code
from domain.success.health import active_users, is_stale, seat_use

Level = Literal["low", "usual", "high"]


Count = Annotated[int, Field(strict=True, ge=0, le=100_000_000)]
Feature = Annotated[str, StringConstraints(min_length=1, max_length=80)]


class UsageRow(Received):
    """How many users were active in a product on a local day, or in one `feature` of it.

    `invited_users` have been given access until then, `activated_users` of them have done what the product is for at least once;
    `key_actions`: how often that was done on this day. `units`: what was used on it, where use is charged, in the unit of the order's line.
    What is not known is left out, and is not zero.
    """

    account_id: AccountRef
    product: Code
    day: date
    active_users: Count
    feature: Feature | None = None
    invited_users: Count | None = None
    activated_users: Count | None = None
    key_actions: Count | None = None
    units: Annotated[int, Field(strict=True, ge=0, le=1_000_000_000)] | None = None

    @model_validator(mode="after")
    def _counts_people_once(self) -> Self:
        whole = (self.invited_users, self.activated_users, self.units)
        if self.feature is not None and any(count is not None for count in whole):
            raise ValueError(
                "invited_users, activated_users and units are of the whole product; a row with a feature has none"
            )
        if self.activated_users is not None and (
            self.invited_users is None or self.activated_users > self.invited_users
        ):
            raise ValueError("activated_users are some of the invited_users: give both, and no more than those")
        return self


def usage_level(situation: Situation) -> Level | None:
    """Where the use of the paid seats stands against the playbook's thresholds; null while nothing is known."""
    uses = seat_use(situation.customer, situation.playbook, situation.as_of)
    return _level([use.share for use in uses], situation.playbook)


def reported_level(used: Sequence[tuple[UsageFacts, int]], playbook: Playbook, today: date) -> Level | None:
    """The same of the use of products that have seats, and how many those are."""
    fresh = [(facts, seats) for facts, seats in used if not is_stale(facts, playbook, today)]
    return _level([Decimal(active_users(facts)) / seats for facts, seats in fresh], playbook)


def _level(shares: Sequence[Decimal], playbook: Playbook) -> Level | None:
    if not shares:
        return None
    if min(shares) < playbook.adoption.low:
        return "low"
    return "high" if any(share >= playbook.expansion.threshold for share in shares) else "usual"


def calls_for_a_look(before: Level | None, now: Level) -> bool:
    """Whether a journey has anything to do about a change: use that is no longer high calls for nothing before the next check-in."""
    return (before, now) != ("high", "usual")
