"""An order meets what is on record: what a request has set stays, what is known stays, and all that it writes is decided at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.assets.writes import AssetChange
from domain.frame.customer import Customer, StaffFacts
from domain.frame.decision import Decision
from domain.frame.playbook import Playbook
from domain.frame.situation import Situation
from domain.journey.placing import OrderOnRecord, place
from domain.journey.writes import KeepPlaybook, PlaceAccount, PlaceOrder, ReachBack
from domain.kernel.refusals import Refusal
from domain.orders.order import OrderedProduct, ProductKind, read_order
from domain.orders.writes import AddProducts
from tests.builders import goods_order, order
from tests.domain.contracts.world import PLAYBOOK

NOW = datetime(2027, 3, 1, 9, tzinfo=UTC)
OLGA = StaffFacts(staff_id="S-1", name="Olga Owner", email="olga@seller.example")


def placed(
    document: dict[str, Any], before: Customer | None = None, record: OrderOnRecord | None = None, **given: Any
) -> tuple[Situation, Decision]:
    assert isinstance(PLAYBOOK, Playbook)
    return place(before, read_order(document), PLAYBOOK, record or OrderOnRecord(), NOW, **given)


def customer() -> tuple[dict[str, Any], Customer]:
    """A first order, and the customer with it."""
    document = order("A-1", activated_at=(NOW - timedelta(days=30)).isoformat())
    return document, placed(document)[0].customer


def left(decision: Decision) -> list[str]:
    found: list[str] = (decision.outcome.answer or {}).get("left", [])
    return found


def test_a_first_order_writes_account_and_order_before_what_follows_from_them() -> None:
    known = OrderedProduct(code="SEATS", name="Seats", kind=ProductKind.SUBSCRIPTION)
    situation, decision = placed(order("A-1"), record=OrderOnRecord(products={"SEATS": known}))
    kinds = [type(write) for write in decision.writes]
    assert kinds[:4] == [KeepPlaybook, AddProducts, PlaceAccount, PlaceOrder]
    assert kinds.count(AssetChange) == len(situation.customer.assets) == 3
    added = next(write for write in decision.writes if isinstance(write, AddProducts))
    assert "SEATS" not in [product.code for product in added.products]
    assert {asset.product_name for asset in situation.customer.assets} == {"Seats", "Care", "Terminal"}


def test_a_later_order_adds_to_what_the_customer_has() -> None:
    document, before = customer()
    situation, decision = placed(goods_order(document, NOW), before)
    after = situation.customer
    assert (after.assets, after.contracts, len(after.orders)) == (before.assets, before.contracts, 2)
    assert after.goods == ["Beans"]
    assert KeepPlaybook not in [type(write) for write in decision.writes]


def test_what_a_request_has_set_stays_and_the_answer_says_so() -> None:
    document, before = customer()
    record = OrderOnRecord(fields=frozenset({"time_zone", "owner"}), contacts=frozenset({"P-1"}), staff={"S-1": OLGA})
    other = {**document["account"], "time_zone": "Asia/Seoul", "language": "ko"}
    other["owner"] = {"staff_id": "S-9", "name": "Nia New", "email": "nia@seller.example"}
    contacts = [{**document["contacts"][0], "name": "Someone Else"}]
    later = {**goods_order(document, NOW), "account": other, "contacts": contacts}
    situation, decision = placed(later, before, record)
    account = situation.customer.account
    assert (account.time_zone, account.language, situation.customer.owner) == ("Asia/Tokyo", "ko", OLGA)
    assert situation.customer.contacts == before.contacts
    assert [said.split(":")[0] for said in left(decision)] == ["account.time_zone", "account.owner", "contacts[0]"]


def test_people_who_are_known_stay_as_they_are() -> None:
    known = OLGA.having(name="Olga Before")
    situation, decision = placed(order("A-1"), record=OrderOnRecord(staff={"S-1": known}))
    assert situation.customer.owner == known
    assert [said.split(":")[0] for said in left(decision)] == ["account.owner"]


@pytest.mark.parametrize(("email", "unsubscribed"), [("Aoi@Customer.example", True), ("new@customer.example", False)])
def test_a_wish_for_no_optional_mails_goes_with_the_address(email: str, *, unsubscribed: bool) -> None:
    document, before = customer()
    contacts = [{"contact_id": "P-2", "name": "Aoi", "email": email}]
    later = {**goods_order(document, NOW), "contacts": contacts}
    situation, _ = placed(later, before, OrderOnRecord(unsubscribed=frozenset({"aoi@customer.example"})))
    assert [(one.contact_id, one.unsubscribed) for one in situation.customer.contacts] == [
        ("P-2", unsubscribed),
        ("P-1", False),
    ]


def test_who_was_taken_off_by_a_request_is_not_brought_back() -> None:
    document, before = customer()
    contacts = [*document["contacts"], {"contact_id": "P-2", "name": "Bo", "email": "Bo@customer.example"}]
    later = {**goods_order(document, NOW), "contacts": contacts}
    situation, decision = placed(later, before, OrderOnRecord(gone=frozenset({("P-2", "bo@customer.example")})))
    assert [one.contact_id for one in situation.customer.contacts] == ["P-1"]
    assert left(decision) == ["contacts[1]: P-2 was taken off by a request; ask for change_contacts"]
    written = next(write for write in decision.writes if isinstance(write, PlaceAccount))
    assert [one.contact_id for one in written.contacts.values()] == ["P-1"]


def test_an_older_order_tells_nothing_new_of_the_account() -> None:
    document, before = customer()
    past = NOW - timedelta(days=400)
    other = {**document["account"], "name": "Another name"}
    older = {**goods_order(document, past), "account": other}
    situation, decision = placed(older, before, OrderOnRecord(newest_at=NOW - timedelta(days=30)), imported=True)
    kinds = [type(write) for write in decision.writes]
    assert ReachBack in kinds
    assert PlaceAccount not in kinds
    assert situation.customer.account == before.account.having(since=past)


def test_a_contract_of_another_order_is_refused() -> None:
    document = order("A-1")
    taken = {document["contracts"][0]["contract_id"]: "SO-0"}
    with pytest.raises(Refusal, match=r"contracts\[0\]\.contract_id: .* belongs to order 'SO-0'"):
        placed(document, record=OrderOnRecord(contracts=taken))


def test_a_product_that_nobody_knows_is_refused_with_what_is_near() -> None:
    document = order("A-1")
    document["lines"][0]["product"] = "TERMINALS"
    with pytest.raises(Refusal, match="did you mean TERMINAL"):
        placed(document, codes=["TERMINAL"])


def test_a_journey_that_is_closed_begins_anew() -> None:
    document, before = customer()
    closed = before.having(account=before.account.having(closed_at=NOW - timedelta(days=1)))
    later = goods_order(document, NOW)
    _, anew = placed(later, closed, opening=True)
    _, joined = placed(later, before, opening=True)
    assert {step.stage for step in anew.outcome.plan} > {step.stage for step in joined.outcome.plan}
    assert replace(anew, outcome=joined.outcome).line == joined.line
