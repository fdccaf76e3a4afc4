"""The yearly word is said on the day on which the customer came; only where a year lacks that day, on the last one of its month."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from domain.frame.customer import PurchaseFacts
from domain.kernel.calendar import local_day
from domain.success.thanks import anniversary, next_anniversary
from tests.domain.contracts.world import World


@pytest.mark.parametrize(
    ("since", "kept_on"),
    [
        (date(2028, 2, 29), [date(2029, 2, 28), date(2030, 2, 28), date(2031, 2, 28), date(2032, 2, 29)]),
        (date(2027, 2, 28), [date(2028, 2, 28), date(2029, 2, 28)]),
        (date(2027, 8, 31), [date(2028, 8, 31), date(2029, 8, 31)]),
    ],
)
def test_an_anniversary_is_on_the_day_itself(since: date, kept_on: list[date]) -> None:
    world = World(auto_renew=True)
    world.now = datetime(since.year, since.month, since.day, 3, tzinfo=UTC)
    found, last = [], since
    for _ in kept_on:
        step = next_anniversary(world.situation(), since, after=last)
        last = local_day(step.at, "Asia/Tokyo")
        found.append(last)
    assert found == kept_on


def test_whoever_owns_nothing_is_not_thanked() -> None:
    world = World(auto_renew=True)
    step = next_anniversary(world.situation(), world.situation().today)
    known = world.situation().customer
    there = replace(
        world.situation(),
        as_of=step.at,
        customer=known.having(goods=["Paper"], purchases=[PurchaseFacts(order_id="SO-9", day=step.on)]),
    )
    assert [mail.template for mail in anniversary(there, step).mails] == ["touch_anniversary"]
    nothing = replace(world.situation(), as_of=step.at, customer=known.having(assets=[], contracts=[]))
    left = anniversary(nothing, step)
    assert left.mails == []
    assert left.line.title == "Anniversary 1 left out: the customer is gone"
    assert len(left.outcome.plan) == 1, "whoever comes back is thanked again"
