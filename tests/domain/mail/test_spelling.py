"""How values are spelt at the doors: one way for each kind, in every document; what can be read otherwise is refused by field."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from domain.catalogue.pricebook import PriceEntry
from domain.journey.requests import PauseJourney
from domain.kernel.base import Received
from domain.kernel.plain import plainly
from domain.kernel.refusals import Refusal
from domain.kernel.requests import read_request
from domain.orders.order import read_order
from tests.builders import order
from workers.documents import DOCUMENTS

LEAVES = {"datetime", "date", "decimal"}


def with_value(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(document)
    *way, last = (int(step) if step.isdigit() else step for step in path.split("."))
    place: Any = changed
    for step in way:
        place = place[step]
    place[last] = value
    return changed


ODD: dict[str, list[Any]] = {
    "activated_at": [0, 1.5, True, "0", "1735689600", "-1", "1e9", "０"],
    "account.time_zone": [
        "localtime",
        "right/UTC",
        "posix/Europe/Berlin",
        "Factory",
        "utc",
        "",
        "posixrules",
        9,
        "../etc/passwd",
        "tzdata.zi",
        "Europe/berlin",
    ],
    "contacts.0.time_zone": ["right/Asia/Tokyo", "localtime"],
    "contracts.0.uplift_percent": [
        "1E-999999",
        "0E-999999",
        "0e999999",
        "1_0",
        "３",
        "NaN",
        "Infinity",
        "0x1",
        "",
        [],
        "0." + "3" * 60,
        True,
        "1e-20",
    ],
    "contracts.0.lines.0.unit_price": ["1_200", "１２００", "1E-999999", "1,200", "1e2", "1E+2", "12e-1", True],
    "contracts.0.lines.0.tax_rates.0": ["1e1", "10 %"],
    "lines.0.unit_price": ["1e2", "1E2", "0x10"],
    "contracts.0.term.months": ["12", 12.0, True, "１２"],
    "contracts.0.notice_days": ["30", 30.0, False],
    "contracts.0.lines.0.quantity": ["40", 40.0, True, "4_0"],
    "contracts.0.auto_renew": ["yes", 1, "true", 0, "on"],
    "contracts.0.term.start": [
        0,
        86400,
        "86400",
        "1798761600",
        True,
        "2026-12-01T00:00:00",
        "2026-12-01T00:00:00Z",
        "2026-12-01T09:00:00+09:00",
        "2026-12-01 00:00",
        datetime(2026, 12, 1, tzinfo=UTC),
        "2026-12-011",
    ],
}


@pytest.mark.parametrize(("path", "value"), [(path, value) for path, values in ODD.items() for value in values])
def test_what_is_spelt_in_another_way_is_refused_by_its_field(path: str, value: Any) -> None:
    document = order(account_id="A-1")
    for contract in document["contracts"]:
        contract.update(uplift_percent="3", notice_days=30, auto_renew=True)
        contract["lines"][0]["tax_rates"] = ["10"]
    read_order(document)
    with pytest.raises(Refusal) as refused:
        read_order(with_value(document, path, value))
    named = re.sub(r"\.(\d)", r"[\1]", path)
    assert [problem.field for problem in refused.value.problems] == [named]
    assert refused.value.problems[0].problem


@pytest.mark.parametrize(
    ("value", "number"), [("3", "3"), ("3.50", "3.5"), (3, "3"), (3.5, "3.5"), ("+3", "3"), (1e1, "10")]
)
def test_decimals_as_text_or_as_json_numbers_are_taken(value: Any, number: str) -> None:
    document = order(account_id="A-1")
    document["contracts"][0]["uplift_percent"] = value
    assert read_order(document).contracts[0].uplift_percent == Decimal(number)


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "UTC", "America/Argentina/Buenos_Aires", "Etc/GMT+5", "Asia/Calcutta"])
def test_zones_of_the_database_are_taken(zone: str) -> None:
    assert read_order(with_value(order(account_id="A-1"), "account.time_zone", zone)).account.time_zone == zone


def test_an_instant_in_a_request_is_no_number() -> None:
    for value in (0, "1735689600", True):
        with pytest.raises(Refusal, match="until: must be an instant with its offset"):
            read_request(PauseJourney, {"reason": "x", "until": value})


def leaves(node: Any, spelt: bool = False) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """The value schemas of a document, each with whether its spelling is looked at first."""
    if isinstance(node, list | tuple):
        for item in node:
            yield from leaves(item)
    elif isinstance(node, dict):
        kind = str(node.get("type"))
        if kind == "model" and not issubclass(node["cls"], Received):
            return  # a record that was exported comes back as it was written
        if kind in LEAVES | {"int", "bool"}:
            yield kind, node, spelt
        ours = kind == "function-before" and node["function"]["function"].__module__ == plainly.__module__
        for key, value in node.items():
            if key not in ("metadata", "serialization", "config", "default"):
                yield from leaves(value, spelt=ours)


@pytest.mark.parametrize("name", sorted(DOCUMENTS))
def test_every_value_of_every_document_has_one_spelling(name: str) -> None:
    for kind, node, spelt in leaves(DOCUMENTS[name].__pydantic_core_schema__):
        assert spelt if kind in LEAVES else node.get("strict") is True, (kind, node)


ODD_NUMBERS = ["1e2", "1E+2", "1.5e1"]
LINE = {"kind": "sale", "line_id": "1", "product": "PRO", "quantity": 20, "start": "2027-06-01", "months": 12}
DISCOUNT = {"name": "friend", "kind": "price", "value": "20", "lines": ["1"]}
DOORS: list[tuple[str, dict[str, Any], str]] = [
    ("amend_assets", {"assets": [{"asset_id": "A.1", "add": 1, "unit_price": "45"}]}, "assets.0.unit_price"),
    ("amend_assets", {"assets": [{"asset_id": "A.1", "price": "45"}]}, "assets.0.price"),
    (
        "amend_assets",
        {"add_ons": [{"contract_id": "K-1", "product": "PRO", "quantity": 5, "unit_price": "20"}]},
        "add_ons.0.unit_price",
    ),
    ("renew_assets", {"contract_id": "K-1", "uplift_percent": "3"}, "uplift_percent"),
    (
        "swap_assets",
        {"assets": [{"asset_id": "A.1", "to_product": "PRO", "unit_price": "60"}]},
        "assets.0.unit_price",
    ),
    ("grant_goodwill", {"amount": "10", "reason": "sorry", "by": "s-1"}, "amount"),
    ("request_quote", {"quote_id": "Q-7", "lines": [LINE], "discounts": [DISCOUNT]}, "discounts.0.value"),
]


@pytest.mark.parametrize(("update", "request_", "path"), DOORS, ids=[f"{one}-{path}" for one, _, path in DOORS])
def test_no_door_takes_a_power_of_ten_for_a_price(update: str, request_: dict[str, Any], path: str) -> None:
    model = DOCUMENTS[update]
    try:
        model.model_validate(request_)
    except ValidationError as error:
        pytest.fail(f"the request itself is not right: {error}")
    for odd in ODD_NUMBERS:
        with pytest.raises(ValidationError, match="without an exponent"):
            model.model_validate(with_value(request_, path, odd))


def test_what_earlier_releases_wrote_into_tables_is_read() -> None:
    entry = {"product": "SEATS", "per": "month", "tiers": [{"least": 0, "price": "1.2E+2"}]}
    assert PriceEntry.stored(entry).tiers[0].price == 120
    with pytest.raises(ValidationError, match="without an exponent"):
        PriceEntry.model_validate(entry)
    with pytest.raises(ValidationError, match="at most 18 digits"):
        PriceEntry.stored({**entry, "tiers": [{"least": 0, "price": "1E+99"}]})
