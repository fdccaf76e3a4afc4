"""What is agreed for a later day changes nothing of what is settled until then, whatever else is asked for meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest

from domain.assets.worth import exact_cost
from domain.billing.bill import BillLine
from domain.billing.billing import Due, settle
from domain.contracts import changes
from domain.contracts.requests import AmendAssets, CancelAssets, RenewAssets, SwapAssets
from domain.frame.ownership import POLICY
from domain.kernel.money import rounding_of
from domain.orders.order import BillingFrequency
from tests.domain.billing.test_invoice_days import ZONE, billing_of
from tests.domain.contracts.world import World

LATER = 25
"""Days from what is asked for today to what is agreed for later."""


@dataclass
class Books:
    """A contract that is invoiced day by day, as its facts say."""

    frequency: BillingFrequency
    world: World = field(default_factory=lambda: World(auto_renew=False, zone=ZONE))
    billed: dict[str, list[BillLine]] = field(default_factory=dict)
    days: dict[str, date | None] = field(default_factory=dict)

    def settle(self) -> Decimal:
        """What is invoiced and credited now, of all assets."""
        contract, today, net = billing_of(self.world, self.frequency), self.world.situation().today, Decimal(0)
        for asset_id, record in self.world.records.items():
            lines = self.billed.setdefault(asset_id, [])
            settled = settle(Due(record, record if lines else None, contract, lines), today, ZONE, POLICY)
            lines += settled.lines
            self.days[asset_id] = settled.next_day
            net += sum((line.amount for line in settled.lines), Decimal(0))
        return net

    def live_to(self, day: date) -> dict[date, Decimal]:
        """The days up to and with one, and what was settled on each."""
        found = {}
        while (today := self.world.situation().today) < day:
            self.world.pass_by(1)
            today += timedelta(days=1)
            begins = {term.start_on for term in self.world.terms[self.world.contract_id]}
            if today in {*self.days.values(), *begins} and (net := self.settle()):
                found[today] = net
        return found

    def ask(self, way: Way, effective: date | None = None) -> Decimal:
        """A request, and what is settled with it."""
        decide, request = way(self.world, effective)
        self.world.ask(decide, request)
        return self.settle()

    def booked(self, asset_id: str) -> Decimal:
        """What was charged for an asset less what was credited."""
        return sum((line.amount for line in self.billed[asset_id]), Decimal(0))

    def cost(self, asset_id: str) -> Decimal:
        """What an asset costs in all, rounded once."""
        return rounding_of("JPY").apply(exact_cost(self.world.records[asset_id], POLICY) or Fraction())


Way = Callable[[World, date | None], tuple[Callable[..., Any], Any]]


def on(effective: date | None) -> dict[str, str]:
    return {"effective": effective.isoformat()} if effective else {}


def amended(**change: Any) -> Way:
    def way(world: World, effective: date | None) -> tuple[Callable[..., Any], Any]:
        asked = {"assets": [{"asset_id": world.seats, **change}], **on(effective)}
        return changes.amend, AmendAssets.model_validate(asked)

    return way


def whole(end: date) -> Way:
    """All that is sold for a term ends sooner."""

    def way(world: World, effective: date | None) -> tuple[Callable[..., Any], Any]:
        lines = [{"asset_id": asset_id, "end": end.isoformat()} for asset_id in (world.seats, world.care)]
        return changes.amend, AmendAssets.model_validate({"assets": lines})

    return way


def swapped(**more: Any) -> Way:
    def way(world: World, effective: date | None) -> tuple[Callable[..., Any], Any]:
        line = {"asset_id": world.seats, "to_product": "PRO", "unit_price": "777", "to_asset_id": f"P-{effective}"}
        return changes.swap, SwapAssets.model_validate({"assets": [{**line, **more}], **on(effective)})

    return way


def renewed(world: World, effective: date | None) -> tuple[Callable[..., Any], Any]:
    start = effective or world.situation().today
    asked = {"contract_id": world.contract_id, "start": start.isoformat(), "months": 12, "uplift_percent": "7"}
    return changes.renew, RenewAssets.model_validate(asked)


def cancelled(world: World, effective: date | None) -> tuple[Callable[..., Any], Any]:
    return changes.cancel, CancelAssets.model_validate({"assets": [{"asset_id": world.seats}], **on(effective)})


WAYS: dict[str, Way] = {
    "more": amended(add=3),
    "more at a price": amended(add=3, unit_price="47"),
    "fewer": amended(remove=7),
    "another price": amended(price="611"),
    "a part swapped": swapped(quantity=6),
    "swapped": swapped(),
    "renewed": renewed,
    "cancelled": cancelled,
}
REFUSED = {("a part swapped", "renewed"), ("swapped", "renewed"), ("swapped", "fewer"), ("swapped", "a part swapped")}
"""What cannot be asked for any more once something is agreed for a later day; beside all after a cancellation, and renewals."""
PAIRS = [
    (first, then)
    for first in WAYS
    for then in WAYS
    if first != "cancelled" and (first, then) not in {*REFUSED, ("renewed", "renewed")}
]


@pytest.mark.parametrize("frequency", [BillingFrequency.MONTHLY, BillingFrequency.YEARLY])
@pytest.mark.parametrize(("later", "today"), PAIRS)
def test_what_is_settled_before_a_later_day_is_what_it_would_be_without_it(
    frequency: BillingFrequency, later: str, today: str
) -> None:
    books, without = Books(frequency), Books(frequency)
    start = books.world.contract().term.start_on
    for each in (books, without):
        each.live_to(start + timedelta(days=40))
        # Units of a second lot, so that it matters which are taken.
        each.ask(amended(add=2, unit_price="533"))
    day = start + timedelta(days=50 + LATER)
    assert books.ask(WAYS[later], day) == 0
    if later == "renewed":  # its day ends what there is: until then no more of it is known
        without.ask(whole(end=day - timedelta(days=1)))
    for each in (books, without):
        each.live_to(start + timedelta(days=50))
    assert books.ask(WAYS[today]) == without.ask(WAYS[today])
    before = day - timedelta(days=1)
    assert books.live_to(before) == without.live_to(before)
    assert books.settle() == 0  # whoever looks again finds nothing
    books.live_to(start + timedelta(days=500))
    terms = [asset.asset_id for asset in books.world.customer.assets if asset.contract_id]
    assert [books.booked(asset_id) for asset_id in terms] == [books.cost(asset_id) for asset_id in terms]


def test_units_added_before_a_gap_are_invoiced_for_it_from_its_first_day_on() -> None:
    books = Books(BillingFrequency.MONTHLY)
    until = books.world.contract().term.until
    books.live_to(until - timedelta(days=40))
    start = until + timedelta(days=12)
    asked = {"contract_id": books.world.contract_id, "start": start.isoformat(), "months": 12, "uplift_percent": "0"}
    books.world.ask(changes.renew, RenewAssets.model_validate(asked))
    assert books.settle() == 0
    books.ask(amended(add=3, unit_price="3100"))
    assert books.world.records[books.world.seats].periods[-2].quantity == 3
    settled = books.live_to(start)
    assert settled[until] == Decimal(12 * 300)  # of December's 31 days
    assert settled[start] == 40 * 1200 + 3 * 3100 + 60_000 // 12
