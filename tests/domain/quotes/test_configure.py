"""What can be configured and priced, and how everything else is refused."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from domain.assets.bundles import ChildQuantity
from domain.assets.model import SellingModel
from domain.catalogue.catalogue import AttributeRule, Catalogue, Option
from domain.catalogue.errors import PriceBookNotValidError
from domain.catalogue.pricebook import PriceBook, PriceEntry, PriceUnit, Tier, choose_book, ledger_price
from domain.quotes.configure import configure
from domain.quotes.request_lines import SaleLine
from tests.domain.quotes.builders import BOOK, CATALOGUE, entry, product, quote, refused, sale


def configured(**facts: Any) -> list[tuple[str, str, int]]:
    line = SaleLine.model_validate(sale("office", 3, **facts))
    return [(part.line_id, part.product.code, part.quantity) for part in configure(CATALOGUE, line)]


def test_a_bundle_takes_its_defaults_and_multiplies_what_is_proportional() -> None:
    assert configured() == [("1", "office", 3), ("1.1", "seats", 15)]


def test_a_bundle_takes_what_is_chosen_parents_first() -> None:
    chosen = [
        {"option": "cable", "quantity": 4},
        {"option": "router", "quantity": 2},
        {"option": "seats", "quantity": 2, "attributes": {"edition": "pro"}},
    ]
    assert configured(choices=chosen) == [
        ("1", "office", 3),
        ("1.1", "seats", 6),
        ("1.2", "router", 2),
        ("1.3", "cable", 4),
    ]


def test_bundles_in_bundles_multiply_and_keep_their_edges() -> None:
    def inside(code: str, **facts: Any) -> Option:
        return Option.model_validate({"product": code, "child_quantity": ChildQuantity.PROPORTIONAL} | facts)

    catalogue = Catalogue(
        products=(
            product("fleet", options=(inside("truck", least=1),)),
            product("truck", options=(inside("wheel", default=4), inside("radio"))),
            product("wheel"),
            product("radio"),
        )
    )
    chosen = [{"option": "truck", "quantity": 3, "choices": [{"option": "radio", "quantity": 2}]}]
    parts = configure(catalogue, SaleLine.model_validate(sale("fleet", 5, months=1, choices=chosen)))
    assert [(part.line_id, part.parent_id, part.product.code, part.quantity) for part in parts] == [
        ("1", None, "fleet", 5),
        ("1.1", "1", "truck", 15),
        ("1.1.1", "1.1", "wheel", 60),
        ("1.1.2", "1.1", "radio", 30),
    ]


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        (sale("seat"), "unknown_product", "did you mean 'seats'?"),
        (sale("seats", attributes={"editon": "pro"}), "unknown_attribute", "did you mean 'edition'?"),
        (sale("seats", attributes={"edition": "gold"}), "attribute_value_not_allowed", "use one of basic, pro"),
        (sale("vault", months=12), "attribute_value_not_allowed", "vault needs region; use one of eu, us"),
        (sale("office", choices=[{"option": "routers"}]), "unknown_option", "did you mean 'router'?"),
        (sale("office", choices=[{"option": "seats", "quantity": 0}]), "option_quantity_not_allowed", "at least 1 of"),
        (
            sale("office", choices=[{"option": "cable"}, {"option": "router", "quantity": 3}]),
            "option_quantity_not_allowed",
            "at most 2 of router, not 3",
        ),
        (
            sale("office", choices=[{"option": "cable"}, {"option": "cable"}]),
            "option_quantity_not_allowed",
            "chosen twice",
        ),
        (sale("office", choices=[{"option": "router"}]), "option_rule_broken", "router needs cable; add it"),
        (
            sale("office", choices=[{"option": "setup"}, {"option": "helpdesk"}]),
            "option_rule_broken",
            "exclude each other",
        ),
        (sale("router", selling_model="evergreen"), "selling_model_not_offered", "router is sold one_time"),
        (sale("router", months=3), "selling_model_not_offered", "leave end and months out"),
        (sale("vault", attributes={"region": "eu"}), "term_missing", "give months or an end"),
    ],
)
def test_what_is_not_on_offer_is_refused_with_what_would_be_right(line: dict[str, Any], code: str, says: str) -> None:
    found, message = refused(line)
    assert found == code
    assert says in message


def test_bundles_with_too_many_lines_are_refused() -> None:
    parts = [product(f"part{number}") for number in range(200)]
    options = tuple(Option(product=part.code, default=1) for part in parts)
    catalogue = Catalogue(products=(product("all", options=options), *parts))
    with pytest.raises(ValueError, match="201 lines; a bundle has at most 200"):
        configure(catalogue, SaleLine.model_validate(sale("all", months=1)))


def test_a_catalogue_must_be_whole() -> None:
    bundle = product("a", options=(Option(product="b"),))
    with pytest.raises(ValidationError, match="option 'b', which is no product"):
        Catalogue(products=(bundle,))
    with pytest.raises(ValidationError, match="contain each other"):
        Catalogue(products=(bundle, product("b", options=(Option(product="a"),))))
    with pytest.raises(ValidationError, match="is there twice"):
        Catalogue(products=(product("a"), product("a")))
    with pytest.raises(ValidationError, match="is none of the values"):
        AttributeRule(name="edition", values=("a",), default="b")
    with pytest.raises(ValidationError, match="less than at least"):
        Option(product="a", least=3, most=2, child_quantity=ChildQuantity.CONSTANT)


@pytest.mark.parametrize(("quantity", "price", "tier"), [(1, "10.00", 0), (49, "10.00", 0), (50, "8.00", 50)])
def test_the_tier_of_the_whole_quantity_counts(quantity: int, price: str, tier: int) -> None:
    pricing = quote(sale("seats", quantity)).lines[0].pricing
    assert pricing is not None
    assert (pricing.list_price, pricing.tier_from) == (Decimal(price), tier)


def test_the_entry_with_the_most_matching_attributes_wins() -> None:
    found = [
        BOOK.list_price(product("seats").code, model, {"edition": edition}, 1).price
        for model, edition in [
            (SellingModel.TERMED, "basic"),
            (SellingModel.EVERGREEN, "basic"),
            (SellingModel.TERMED, "pro"),
        ]
    ]
    assert found == [Decimal(10), Decimal(12), Decimal(15)]


def test_prices_that_are_not_there_are_refused() -> None:
    few = PriceBook(name="few", currency="EUR", valid_from=date(2026, 1, 1), entries=(entry("seats", (10, "1")),))
    assert refused(sale("router"), book=few)[0] == "no_price"
    code, says = refused(sale("seats", 9), book=few)
    assert (code, says) == ("no_price", "seats is sold from 10 units on, not 9")
    once = few.having(entries=(entry("seats", (0, "1"), per=PriceUnit.ONCE),))
    assert refused(sale("seats"), book=once)[0] == "selling_model_not_offered"


def test_the_edition_of_a_price_book_that_is_valid_on_the_day_is_chosen() -> None:
    def edition(start: date, end: date | None) -> PriceBook:
        return PriceBook(name="standard", currency="EUR", entries=(), valid_from=start, valid_to=end)

    books = [edition(date(2025, 1, 1), date(2026, 1, 1)), edition(date(2026, 1, 1), None)]
    assert choose_book(books, "standard", "EUR", date(2025, 12, 31)) is books[0]
    assert choose_book(books, "standard", "EUR", date(2026, 1, 1)) is books[1]
    with pytest.raises(PriceBookNotValidError, match="2025-01-01 to 2026-01-01"):
        choose_book(books, "standard", "EUR", date(2024, 12, 31))
    with pytest.raises(PriceBookNotValidError, match=r"did you mean 'standard \(EUR\)'"):
        choose_book(books, "standart", "EUR", date(2026, 1, 1))


def test_a_price_by_the_year_keeps_its_cents_in_the_ledger() -> None:
    monthly = ledger_price(Decimal(100), PriceUnit.YEAR)
    assert round(monthly * 12 * 1_000_000, 2) == Decimal("100000000.00")


def test_tiers_must_ascend() -> None:
    with pytest.raises(ValidationError, match="ever larger"):
        PriceEntry(product="a", per=PriceUnit.MONTH, tiers=(Tier(price=Decimal(1)), Tier(price=Decimal(1))))
