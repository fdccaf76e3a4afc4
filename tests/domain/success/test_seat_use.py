"""Use of the paid seats: count, share and threshold are of the same whole numbers."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from activities.playbooks import read_playbooks
from domain.frame.customer import AccountFacts, AssetFacts, Customer, PeriodFacts, PurchaseFacts, StaffFacts
from domain.frame.health_facts import UseSign
from domain.frame.playbook import Playbook
from domain.frame.success_facts import SurveyFacts, TaskFacts, UsageFacts
from domain.orders.order import PricePer, ProductKind
from domain.success.health import assess, seat_use
from tests.domain.success.test_health import PROFILES, evidence

NOW = datetime(2027, 6, 1, tzinfo=UTC)


def playbook(segment: str = "standard") -> Playbook:
    found = read_playbooks().current(segment)
    assert found is not None
    return found


def customer(
    *,
    active: str | None = None,
    earlier: str | None = None,
    latest: date = date(2027, 5, 31),
    score: int | None = None,
    tasks: str | None = "done",
    purchases: list[int] | None = None,
    seats: int = 40,
) -> Customer:
    """A customer with 40 seats, and figures as given; null means no data."""
    person = StaffFacts(staff_id="S", name="S", email="s@seller.example")
    asset = AssetFacts(
        asset_id="A",
        product="SEATS",
        product_name="Workspace",
        kind=ProductKind.SUBSCRIPTION,
        contract_id="K",
        currency="EUR",
        per=PricePer.MONTH,
        unit_price=Decimal(1),
        periods=[PeriodFacts(starts_at=NOW - timedelta(days=90), ends_at=None, quantity=seats, mrr=Decimal(1))],
    )
    task = TaskFacts(
        stage="onboarding:1",
        name="kickoff",
        title={"en": "K"},
        owner="owner",
        due_on=NOW.date(),
        due_at=NOW,
        status=tasks or "",
    )
    usage = UsageFacts(
        product="SEATS",
        latest_day=latest,
        recent=None if active is None else Decimal(active),
        earlier=None if earlier is None else Decimal(earlier),
        last=Decimal(active or 0),
    )
    return Customer(
        account=AccountFacts(
            account_id="C",
            name="C",
            country="DE",
            time_zone="Europe/Berlin",
            language="de",
            segment="standard",
            playbook_version=1,
            since=NOW - timedelta(days=90),
        ),
        owner=person,
        success_manager=person,
        contacts=[],
        assets=[] if purchases else [asset],
        tasks=[task] if tasks else [],
        usage=[usage] if active is not None else [],
        surveys=[SurveyFacts(survey_id="N", sent_at=NOW - timedelta(days=5), score=score)] if score is not None else [],
        purchases=[
            PurchaseFacts(order_id=str(n), day=NOW.date() - timedelta(days=days))
            for n, days in enumerate(purchases or [])
        ],
    )


def test_seats_in_use_may_pass_the_seats_paid_for() -> None:
    (use,) = seat_use(customer(active="50"), playbook(), NOW)
    assert use.share == Decimal("1.25")


def test_no_seats_are_no_use() -> None:
    assert seat_use(customer(active="50", seats=0), playbook(), NOW) == []


@pytest.mark.parametrize("active", ["0.4", "3.5", "10.6", "11.2", "11.5", "19.49", "39.9", "40"])
@pytest.mark.parametrize("seats", [7, 20, 40])
def test_the_share_is_that_of_the_numbers_beside_it(active: str, seats: int) -> None:
    [use] = seat_use(customer(active=active, seats=seats), playbook(), NOW)
    assert use.says == f"{use.active} of {seats} seats in use on average"
    assert use.share == Decimal(use.active) / seats
    counted = UseSign(
        product="SEATS", name="W", seats=seats, latest_day=NOW.date(), recent=Decimal(active), last=Decimal(1)
    )
    shown = next(part.says for part in assess(evidence(products=[counted]), PROFILES).parts)
    assert shown.startswith(f"{100 * use.active / seats:.0f} % of {seats} seats in use on average")
