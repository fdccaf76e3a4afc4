"""Use that is charged comes to what the accountant says, month by month, whatever is added and however late it is reported."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest

from domain.assets.dates import Span
from domain.assets.ledger import Ledger
from domain.assets.model import Asset, AssetRecord, SellingModel
from domain.assets.operations import apply
from domain.assets.requests import ChangeQuantity, Generate, Line
from domain.assets.use_terms import UseTerms
from domain.billing.periods import BillingTerms
from domain.billing.use import Metered, charges_of, due_use
from domain.frame.ownership import POLICY
from tests.accountant.use import charged

CURRENCIES = ("EUR", "JPY", "BHD")


def at(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


class Told:
    """A line by dice: its terms, its units by day, and what is reported of its use."""

    def __init__(self, seed: int) -> None:
        dice = Random(seed)
        self.currency = dice.choice(CURRENCIES)
        self.first = date(2027, 1, 1) + timedelta(days=dice.randrange(400))
        self.end = self.first + timedelta(days=dice.randrange(40, 400))
        self.terms: dict[str, Any] = {
            "unit": "calls",
            "granted": dice.choice((0, 7, 100)),
            "prepaid": dice.choice((0, 500)),
            "minimum": dice.choice(("0", "12.5")),
        }
        if dice.random() < 0.5:
            self.terms["tiers"] = [
                {"up_to": 50, "unit_price": "0.333"},
                {"up_to": 300, "unit_price": "0.1"},
                {"unit_price": "0.05"},
            ]
        else:
            self.terms["unit_price"] = dice.choice(("0", "0.125", "3"))
        self.units = dice.randrange(1, 9)
        length = (self.end - self.first).days
        self.added = sorted((dice.randrange(1, length), dice.randrange(1, 5)) for _ in range(dice.randrange(3)))
        self.reported: dict[date, dict[date, int]] = {}
        for _ in range(dice.randrange(60)):
            used = self.first + timedelta(days=dice.randrange(length))
            report = used + timedelta(days=dice.choice((0, 1, 2, 3, 10, 45)))
            self.reported.setdefault(report, {})[used] = dice.randrange(200)

    def held(self) -> dict[date, int]:
        days = (self.end - self.first).days
        return {
            self.first + timedelta(days=n): self.units + sum(units for day, units in self.added if day <= n)
            for n in range(days)
        }

    def record(self) -> AssetRecord:
        """The same in the product's ledger."""
        asset = Asset(
            asset_id="SO-1.1",
            account_id="a",
            product="API",
            currency=self.currency,
            selling_model=SellingModel.USAGE,
            use_terms=UseTerms.model_validate(self.terms),
        )
        line = Line(start=at(self.first), end=at(self.end), quantity=self.units, unit_price="10")
        ledger = apply(Ledger(policy=POLICY), Generate(request_id="order:SO-1", asset=asset, lines=(line,)))
        for number, (day, units) in enumerate(self.added):
            effective = at(self.first + timedelta(days=day))
            request = ChangeQuantity(request_id=f"r{number}", asset_id="SO-1.1", effective=effective, delta=units)
            ledger = apply(ledger, request)
        return ledger.record("SO-1.1")


def lived(told: Told) -> list[tuple[Any, ...]]:
    """The product's charges, each on the day on which it falls due, from what is reported by then."""
    record, terms, metered = told.record(), BillingTerms("UTC"), Metered()
    known: dict[date, int] = {}
    counted: dict[date, int] = {}
    day = told.first
    while day < told.end + timedelta(days=40):
        known |= told.reported.get(day, {})
        due, _ = due_use(record, terms, day)
        if due:
            days = sorted((used, units - counted.get(used, 0)) for used, units in known.items())
            found = charges_of(record, due, terms, [told.first], metered.having(days=days))
            metered = metered.having(charges=[*metered.charges, *found])
            record = record.having(asset=record.asset.having(use_charged_until=due[-1].end))
            if not found[-1].carried:
                counted |= {used: units for used, units in known.items() if used < due[-1].end}
        day += timedelta(days=1)
    fields = ("start", "until", "used", "granted", "prepaid", "over")
    return [(*(getattr(one, name) for name in fields), one.amount) for one in metered.charges]


@pytest.mark.parametrize("begin", range(0, 120, 40))
def test_use_by_dice(begin: int) -> None:
    for seed in range(begin, begin + 40):
        told = Told(seed)
        right = charged(told.terms, told.currency, told.first, told.held(), told.reported)
        assert lived(told) == [
            (one.first, one.until, one.used, one.granted, one.prepaid, one.over, one.amount) for one in right
        ], seed


def test_worked_cases_of_grants() -> None:
    """Units that are added in the middle of a month bring half of their grant; of a commitment only what is beyond is charged."""
    told = Told(0)
    told.currency, told.first, told.end, told.units, told.added = (
        "USD",
        date(2027, 6, 1),
        date(2027, 8, 1),
        10,
        [(15, 5)],
    )
    told.terms = {"unit": "credits", "granted": 100, "unit_price": "5"}
    june, july = Span(date(2027, 6, 1), date(2027, 7, 1)), Span(date(2027, 7, 1), date(2027, 8, 1))
    used = Metered(days=[(date(2027, 6, 3), 800 * 3), (date(2027, 6, 9), 30 * 5 + 250), (date(2027, 7, 9), 1)])
    first, second = charges_of(told.record(), [june, july], BillingTerms("UTC"), [june.start], used)
    assert (first.granted, second.granted) == (1250, 1500)
    assert (first.used, first.over, second.over) == (2800, 1550, 0)
    assert first.amount == 7750
