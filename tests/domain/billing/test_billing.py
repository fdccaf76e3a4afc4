"""Whatever happens to an asset: invoices less credits are what the ledger says, on the day, and no credit is above its charge.

`PERENNIAL_HISTORIES` sets how many histories are tried, for instance 1500.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from hypothesis import event, given
from hypothesis import strategies as st

from domain.assets.errors import AssetError
from domain.assets.ledger import Ledger, total_amount
from domain.assets.model import Asset, AssetRecord, SellingModel
from domain.assets.operations import AnyRequest, apply
from domain.assets.requests import CancelAsset, ChangeEnd, ChangePrice, ChangeQuantity, Generate, Line, Renew, Rollback
from domain.billing.bill import BillKind, BillLine
from domain.billing.billing import ContractBilling, ContractTerm, Due, settle
from domain.frame.ownership import POLICY
from domain.kernel.calendar import add_months, local_day, start_of_day
from domain.kernel.money import rounding_of
from domain.orders.order import BillingFrequency
from tests.properties import examples

HISTORIES = 120
ASSET = "A-1"
ZONES = ("UTC", "Asia/Tokyo", "America/Los_Angeles", "Europe/Berlin")
LATE = date(2060, 1, 1)


@dataclass
class Life:
    """An asset under a contract, billed as the journey does it: with each change, on planned days, at each term's beginning."""

    zone: str
    frequency: BillingFrequency
    currency: str
    record: AssetRecord
    terms: list[ContractTerm]
    today: date
    billed: list[BillLine] = field(default_factory=list)
    planned: set[date] = field(default_factory=set)
    late: list[BillLine] = field(default_factory=list)

    def settle(self, before: AssetRecord | None) -> None:
        contract = ContractBilling(contract_id="K-1", billing=self.frequency, terms=tuple(self.terms))
        made = settle(Due(self.record, before, contract, self.billed), self.today, self.zone, POLICY)
        known = {line.key for line in self.billed}
        self.late += [
            line
            for line in made.lines
            if before is self.record and line.kind is BillKind.CHARGE and line.key not in known
            if line.due < self.today
        ]
        self.billed += made.lines
        if made.next_day:
            assert made.next_day > self.today
            self.planned.add(made.next_day)

    def live_until(self, day: date) -> None:
        """All that the journey does by itself up to a day."""
        while due := [d for d in {*self.planned, *(term.start_on for term in self.terms)} if self.today < d <= day]:
            self.today = min(due)
            self.planned.discard(self.today)
            self.settle(self.record)
        self.today = max(self.today, day)

    def change(self, request: AnyRequest) -> None:
        before = self.record
        ledger = Ledger(policy=POLICY, assets={ASSET: before})
        try:
            self.record = apply(ledger, request).record(ASSET)
        except AssetError as error:
            event(error.code)
            return
        event(type(request).__name__)
        follow_terms(self, before)
        self.settle(before)


@st.composite
def lives(draw: st.DrawFn) -> Life:
    zone, currency = draw(st.sampled_from(ZONES)), draw(st.sampled_from(("EUR", "JPY", "KWD")))
    start = date(2026, 1, 1) + timedelta(days=draw(st.integers(0, 400)))
    until = add_months(start, draw(st.integers(1, 30)))
    price = draw(st.decimals(Decimal("0.01"), 5000, places=2))
    request = Generate(
        request_id="sale",
        recorded_at=start_of_day(start, zone),
        asset=Asset(
            asset_id=ASSET,
            account_id="C-1",
            product="P",
            currency=currency,
            selling_model=SellingModel.TERMED,
            contract_id="K-1",
            time_zone=zone,
        ),
        lines=(
            Line(
                start=start_of_day(start, zone),
                end=start_of_day(until, zone),
                quantity=draw(st.integers(1, 50)),
                unit_price=price,
            ),
        ),
    )
    record = apply(Ledger(policy=POLICY), request).record(ASSET)
    sold_on = start - timedelta(days=draw(st.integers(-40, 40)))
    term = ContractTerm(start_on=start, until=until)
    life = Life(zone, draw(st.sampled_from(BillingFrequency)), currency, record, [term], sold_on)
    life.settle(None)
    life.late.clear()  # what was sold late is invoiced late
    return life


def instant(life: Life, day: date) -> datetime:
    return start_of_day(day, life.zone) + timedelta(hours=9)


def request_of(draw: st.DrawFn, life: Life, number: int) -> AnyRequest:
    name = f"r{number}"
    ahead = life.today + timedelta(days=draw(st.sampled_from((0, 0, 0, 10, 45, 200))))
    at = max(instant(life, ahead), life.record.start)
    common = {"request_id": name, "recorded_at": instant(life, life.today), "asset_id": ASSET}
    kind = draw(st.sampled_from(("more", "less", "price", "cancel", "renew", "end", "rollback")))
    match kind:
        case "more" | "less":
            delta = draw(st.integers(1, 9)) * (1 if kind == "more" else -1)
            price = draw(st.decimals(1, 4000, places=2)) if kind == "more" else None
            return ChangeQuantity(**common, effective=at, delta=delta, unit_price=price)
        case "price":
            return ChangePrice(**common, effective=at, unit_price=draw(st.decimals(0, 4000, places=2)))
        case "cancel":
            return CancelAsset(**common, effective=at)
        case "end":
            moved = start_of_day(ahead + timedelta(days=draw(st.integers(1, 300))), life.zone)
            return ChangeEnd(**common, effective=at, new_end=moved)
        case "rollback":
            return Rollback(**common)
        case _:
            start = life.record.end or at
            return Renew(
                **common, start=start, end=start_of_day(add_months(local_day(start, life.zone), 12), life.zone)
            )


def follow_terms(life: Life, before: AssetRecord) -> None:
    """The contract's term ends where the asset does; a renewal begins the next one."""
    if life.record.end is None or life.record.end == before.end:
        return
    until = local_day(life.record.end, life.zone)
    renewed = life.record.actions[-1].category.value == "Renewals" and life.record.actions[-1].undoes is None
    if renewed and before.end is not None:
        life.terms.append(ContractTerm(start_on=local_day(before.end, life.zone), until=until))
        return
    while len(life.terms) > 1 and life.terms[-1].start_on >= until:
        life.terms.pop()
    life.terms[-1] = life.terms[-1].having(until=max(until, life.terms[-1].start_on + timedelta(days=1)))


@given(data=st.data(), life=lives())
@examples(HISTORIES)
def test_invoices_less_credits_are_what_the_ledger_says(data: st.DataObject, life: Life) -> None:
    for number in range(data.draw(st.integers(0, 5))):
        life.live_until(life.today + timedelta(days=data.draw(st.integers(0, 160))))
        life.change(data.draw(st.composite(request_of)(life, number)))
    life.live_until(LATE)
    total = total_amount(life.record.periods)
    assert total is not None
    assert sum((line.amount for line in life.billed), Decimal(0)) == rounding_of(life.currency).apply(total)
    left: dict[object, Decimal] = defaultdict(Decimal)
    for line in life.billed:
        left[line.key] += line.amount
        assert left[line.key] >= 0
    assert life.late == []
    known = len(life.billed)
    life.settle(life.record)
    assert len(life.billed) == known


@given(life=lives(), days=st.integers(1, 900))
@examples(HISTORIES)
def test_what_was_billed_elsewhere_is_not_billed_again(life: Life, days: int) -> None:
    contract = ContractBilling(contract_id="K-1", billing=life.frequency, terms=tuple(life.terms))
    today = life.terms[0].start_on + timedelta(days=days)
    taken = settle(Due(life.record, None, contract, (), taken_over=True), today, life.zone, POLICY)
    assert all(line.due < today for line in taken.elsewhere)
    assert all(line.due >= today for line in taken.lines)
    total = sum((line.amount for line in [*taken.elsewhere, *taken.lines]), Decimal(0))
    billed = [*taken.elsewhere, *taken.lines]
    day = taken.next_day
    while day is not None:
        more = settle(Due(life.record, life.record, contract, billed), day, life.zone, POLICY)
        assert more.elsewhere == []
        billed += more.lines
        total += sum((line.amount for line in more.lines), Decimal(0))
        day = more.next_day
    expected = total_amount(life.record.periods)
    assert expected is not None
    assert total == rounding_of(life.currency).apply(expected)


@given(ahead=st.integers(0, 40), later=st.integers(0, 40), currency=st.sampled_from(("EUR", "JPY", "KWD")))
@examples(60)
def test_what_is_bought_once_and_charged_with_its_sale_is_not_given_back_before_its_day(
    ahead: int, later: int, currency: str
) -> None:
    """Such as a device sold tonight to somebody for whom it is tomorrow already; invoices go by the day of who pays them."""
    sold_on = date(2026, 11, 3)
    request = Generate(
        request_id="sale",
        recorded_at=start_of_day(sold_on, "UTC"),
        asset=Asset(
            asset_id=ASSET,
            account_id="C-1",
            product="P",
            currency=currency,
            selling_model=SellingModel.ONE_TIME,
            time_zone="UTC",
        ),
        lines=(
            Line(
                start=start_of_day(sold_on + timedelta(days=ahead), "UTC"), end=None, quantity=3, unit_price=Decimal(90)
            ),
        ),
    )
    record = apply(Ledger(policy=POLICY), request).record(ASSET)
    sale = settle(Due(record, None, None, ()), sold_on, "UTC", POLICY)
    assert [line.amount for line in sale.lines] == [Decimal(270)]
    looked = settle(Due(record, record, None, sale.lines), sold_on + timedelta(days=later), "UTC", POLICY)
    assert looked.lines == ()
    never = settle(Due(record, record, None, ()), sold_on, "UTC", POLICY)
    assert [line.amount for line in never.lines] == ([] if ahead else [Decimal(270)])
