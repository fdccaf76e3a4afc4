"""Fields that are not for everybody are left out, however deep they stand."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel

from domain.frame.access import AccessRole, FieldGroup, Principal
from domain.journey.registry import JOURNEY, OPERATIONS
from domain.kernel.money import without_sums
from gateway.views.answers.table import ANSWERS, answer_for
from gateway.views.shown import OF_SUMS, shown
from tests.answers import unlike


class _Asset(BaseModel):
    name: str
    price: Annotated[Decimal | None, FieldGroup.PRICES] = None


class _Customer(BaseModel):
    assets: list[_Asset]
    by_id: dict[str, _Asset]
    note: Annotated[str, FieldGroup.NOTES] = "call after nine"


SEATS = _Asset(name="Seats", price=Decimal("12.50"))
WHOLE = _Customer(assets=[SEATS], by_id={"a": SEATS})


def _as(role: AccessRole) -> dict[str, object]:
    return shown(WHOLE, Principal("staff:s-1", "s-1", frozenset({role})))


def test_each_role_sees_its_groups() -> None:
    full = {"name": "Seats", "price": "12.50"}
    assert _as(AccessRole.SALES) == {"assets": [full], "by_id": {"a": full}, "note": "call after nine"}
    assert _as(AccessRole.SERVICE) == {
        "assets": [{"name": "Seats"}],
        "by_id": {"a": {"name": "Seats"}},
        "note": "call after nine",
    }
    assert _as(AccessRole.FINANCE) == {"assets": [full], "by_id": {"a": full}}


class _Line(BaseModel):
    title: Annotated[str, OF_SUMS]
    messages: Annotated[list[dict[str, str]], OF_SUMS] = []


def test_sentences_lose_their_sums_for_whoever_sees_no_prices() -> None:
    line = _Line(title="Seats: 40 to 42 units from 2026-11-30, +2474 JPY a month", messages=[{"subject": "520 CLP"}])
    service, sales = (Principal("staff:s", "s", frozenset({role})) for role in (AccessRole.SERVICE, AccessRole.SALES))
    assert shown(line, service) == {
        "title": "Seats: 40 to 42 units from 2026-11-30, … a month",
        "messages": [{"subject": "…"}],
    }
    assert shown(line, sales) == line.model_dump()


def test_only_sums_are_taken_out_of_a_sentence() -> None:
    assert without_sums("Quote Q-1 accepted: 12,000.50 EUR, ¥1,200 of USD 3.20") == "Quote Q-1 accepted: …, … of …"
    assert without_sums("Renewal of K-1 costs 500 JPY now, not 480: quoted anew") == (
        "Renewal of K-1 costs … now, not …: quoted anew"
    )
    for plain in ("12 seats of SEATS from 2027-03-01", "3 ALL-IN bundles", "due by 17:00", "EUROPE-2"):
        assert without_sums(plain) == plain


def test_what_a_request_came_to_is_whole_for_who_may_ask_it_and_without_prices_for_others() -> None:
    changed = {
        "asset_id": "A",
        "change": "more",
        "version": 2,
        "effective": "2026-11-30T00:00:00+00:00",
        "quantity": 42,
    }
    changed |= {
        "until": None,
        "settled_on": "2026-11-30",
        "currency": "JPY",
        "mrr_change": "2474",
        "amount_change": "9",
    }
    answer = {"request_id": "r-1", "assets": [changed], "contracts": []}
    service, sales = (Principal("key:k", "k", frozenset({role})) for role in (AccessRole.SERVICE, AccessRole.SALES))
    assert answer_for(sales, JOURNEY["amend_assets"], answer) == answer
    left = {name: value for name, value in changed.items() if name not in ("mrr_change", "amount_change")}
    assert answer_for(service, JOURNEY["amend_assets"], answer) == {**answer, "assets": [left]}
    assert answer_for(service, JOURNEY["amend_assets"], {"of": "another shape"}) is None


def test_each_request_has_the_shape_of_its_answer() -> None:
    assert ANSWERS.keys() == OPERATIONS.keys()


def test_an_answer_that_is_otherwise_is_seen() -> None:
    assert unlike("close_journey", {"closed": True}) is None
    assert "more" in (unlike("close_journey", {"closed": True, "more": 1}) or "")
    assert "closed" in (unlike("close_journey", {}) or "")
