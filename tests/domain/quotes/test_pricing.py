"""Quotes: amounts with their reasons, and what is refused."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from domain.assets.contract_dates import ContractTerms
from domain.assets.errors import InFlightError, OverReductionError
from domain.assets.ledger import Ledger
from domain.assets.operations import apply
from domain.assets.requests import ChangeQuantity
from domain.catalogue.errors import PriceBookNotValidError, QuoteExpiredError, QuoteStaleError, SellingModelError
from domain.frame.ownership import POLICY
from domain.quotes.approval import discount_percent
from domain.quotes.discounts import Discount, DiscountKind
from domain.quotes.pricing import confirm, price
from domain.quotes.quote import Quote
from tests.domain.quotes.builders import (
    BOOK,
    BUYER,
    CATALOGUE,
    NOW,
    on,
    owned,
    percent,
    quote,
    refused,
    request,
    sale,
    sold,
)
from tests.oracles.dialects.started_months import StartedMonths

PRO = {"edition": "pro"}


def amounts(made: Quote) -> dict[str, str]:
    return {line.line_id: str(line.amount) for line in made.lines}


def change(kind: str, line_id: str = "c", **fields: Any) -> dict[str, Any]:
    return {"line_id": line_id, "kind": kind, "asset_id": owned()} | fields


def test_a_sale_is_quoted_line_by_line() -> None:
    made = quote(
        sale("seats", 10),
        sale("vault", 3, "2", attributes={"region": "eu"}, months=12),
        sale("router", 2, "3"),
        sale("seats", 4, "4", selling_model="evergreen"),
    )
    assert amounts(made) == {"1": "1200.00", "2": "300.00", "3": "499.80", "4": "None"}
    assert [line.monthly for line in made.lines] == [Decimal(100), Decimal(25), Decimal(0), Decimal(48)]
    assert made.totals.model_dump() == {
        "currency": "EUR",
        "amount": Decimal("1999.80"),
        "charges": Decimal("1999.80"),
        "credits": Decimal(0),
        "monthly": Decimal(173),
        "discount": Decimal(0),
        "open_lines": 1,
    }
    assert (made.as_of, made.valid_until) == (NOW, on("2026-03-31").replace(hour=9, minute=30))


def test_usage_is_quoted_by_its_rate_and_adds_no_recurring_revenue() -> None:
    (line,) = quote(sale("calls", 1, months=12), discounts=(percent("50"),)).lines
    assert line.pricing is not None
    assert (line.pricing.net_price, line.amount, line.monthly) == (Decimal("0.01"), Decimal(0), Decimal(0))


def test_discounts_come_one_after_the_other() -> None:
    discounts = (
        percent("10", name="partner"),
        Discount(name="launch", kind=DiscountKind.AMOUNT, value=Decimal("0.50"), products=("seats",)),
        percent("5", "1", name="volume"),
    )
    made = quote(sale("seats", 10), sale("helpdesk", 1, "2"), discounts=discounts)
    line = made.lines[0]
    assert line.pricing is not None
    assert [step.after for step in line.pricing.discounts] == [Decimal("9"), Decimal("8.5"), Decimal("8.075")]
    assert (line.amount, line.discount) == (Decimal("969.00"), Decimal("231.00"))
    assert amounts(made)["2"] == "324.00"
    assert made.totals.discount == Decimal("267.00")
    assert discount_percent(line) == Decimal("19.25")


@pytest.mark.parametrize(
    ("discount", "says"),
    [
        (percent("5", "9"), "no line '9'"),
        (percent("5", "1.2"), "line 1.2 has no new price"),
        (Discount(name="x", value=Decimal(5), products=("router",)), "takes effect on no line"),
        (Discount(name="x", kind=DiscountKind.AMOUNT, value=Decimal(41), lines=("1",)), "40.00 would become -1.00"),
        (Discount(name="x", kind=DiscountKind.PRICE, value=Decimal(41), lines=("1",)), "choose between 0 and 40.00"),
    ],
)
def test_discounts_that_cannot_work_are_refused(discount: Discount, says: str) -> None:
    code, message = refused(sale("office", choices=[{"option": "helpdesk", "quantity": 1}]), discounts=(discount,))
    assert code == "discount_not_applicable"
    assert says in message


def test_a_bundle_is_sold_with_its_parts_and_changes_with_them() -> None:
    chosen = [{"option": "helpdesk"}, {"option": "router"}, {"option": "cable", "quantity": 2}]
    made = quote(sale("office", 2, choices=chosen))
    assert amounts(made) == {"1": "1920.00", "1.1": "2400.00", "1.2": "249.90", "1.3": "10.50", "1.4": "0.00"}
    assert [line.parent_id for line in made.lines] == [None, "1", "1", "1", "1"]
    ledger = confirm(Ledger(), made, NOW)
    more = quote(
        change("quantity", effective=on("2026-04-01"), delta=1),
        assets=ledger,
        relationships=made.relationships,
        quote_id="q2",
    )
    # 23 months are left: one more office, and five more seats in it.
    assert amounts(more) == {"c": "920.00", "c.1": "1150.00"}
    after = confirm(ledger, more, NOW)
    assert after.record(owned("1.1")).periods[-1].quantity == 15
    back = made.relationships[0].having(parent_id=owned("1.1"), child_id=owned())
    circle = {"relationships": (*made.relationships, back), "assets": ledger, "quote_id": "q3"}
    assert refused(change("cancel", effective=on("2026-09-01")), **circle)[0] == "duplicate_line"
    gone = quote(
        change("cancel", effective=on("2026-09-01")), assets=ledger, relationships=made.relationships, quote_id="q3"
    )
    assert {line.asset_id for line in gone.lines} == set(ledger.assets)
    assert gone.totals.charges == 0


def test_a_reduction_credits_the_newest_lots_at_their_prices() -> None:
    ledger = sold(sale("seats", 10))
    more = change("quantity", effective=on("2026-06-01"), delta=5)
    ledger = sold(more, assets=ledger, discounts=(percent("20"),), quote_id="q2")
    made = quote(change("quantity", effective=on("2026-09-01"), delta=-7), assets=ledger, quote_id="q3")
    (line,) = made.lines
    assert [(part.lot, part.quantity, part.unit_price, part.months, part.amount) for part in line.parts] == [
        (2, -5, Decimal(8), Decimal(6), Decimal(-240)),
        (1, -2, Decimal(10), Decimal(6), Decimal(-120)),
    ]
    assert (line.amount, made.totals.credits, line.pricing) == (Decimal(-360), Decimal(-360), None)


def test_an_increase_takes_the_price_of_its_pricing_source() -> None:
    ledger = sold(sale("vault", 2, months=12, attributes={"region": "eu"}))
    dearer = BOOK.having(
        entries=tuple(entry.having(tiers=(entry.tiers[0].having(price=Decimal(120)),)) for entry in BOOK.entries)
    )
    more = change("quantity", effective=on("2026-09-01"), delta=1)
    assert amounts(quote(more, assets=ledger, book=dearer, quote_id="q2")) == {"c": "60.00"}
    seats = sold(sale("seats", 2))
    assert amounts(quote(more, assets=seats, book=dearer, quote_id="q2")) == {"c": "60.00"}


def test_attributes_change_the_price_where_the_book_makes_a_difference() -> None:
    ledger = sold(sale("seats", 10), sale("vault", 1, "2", months=12, attributes={"region": "eu"}))
    made = quote(
        change("attributes", effective=on("2026-09-01"), attributes=PRO),
        change("attributes", "d", asset_id=owned("2"), effective=on("2026-09-01"), attributes={"region": "us"}),
        assets=ledger,
        quote_id="q2",
    )
    assert amounts(made) == {"c": "300.00", "d": "0.00"}
    assert [line.pricing is None for line in made.lines] == [False, True]
    wrong = change("attributes", effective=on("2026-09-01"), attributes={"edition": "gold"})
    assert refused(wrong, assets=ledger)[0] == "attribute_value_not_allowed"


def test_a_price_change_needs_the_discount_that_makes_it() -> None:
    ledger = sold(sale("seats", 10))
    line = change("price", effective=on("2026-09-01"))
    assert refused(line, assets=ledger)[0] == "discount_not_applicable"
    made = quote(line, assets=ledger, discounts=(percent("10", "c"),), quote_id="q2")
    assert amounts(made) == {"c": "-60.00"}


def test_terms_move_at_the_price_of_their_lots() -> None:
    ledger = sold(sale("seats", 10, start="2026-06-01"))
    longer = change("end", effective=on("2026-06-01"), new_end=on("2027-08-01"))
    assert amounts(quote(longer, assets=ledger, quote_id="q2")) == {"c": "200.00"}
    later = change("start", new_start=on("2026-07-01"))
    assert amounts(quote(later, assets=ledger, quote_id="q2")) == {"c": "-100.00"}


def test_renewals_follow_the_renewal_pricing() -> None:
    ledger = sold(sale("seats", 10), sale("vault", 1, "2", months=12, attributes={"region": "eu"}))
    made = quote(
        change("renew", uplift_percent="5"), change("renew", "v", asset_id=owned("2")), assets=ledger, quote_id="q2"
    )
    assert amounts(made) == {"c": "1260.00", "v": "100.00"}
    cheaper = quote(change("renew", uplift_percent="5"), assets=ledger, discounts=(percent("10"),), quote_id="q2")
    assert amounts(cheaper) == {"c": "1134.00"}
    assert cheaper.lines[0].discount == Decimal("126.00")
    fixed = Discount(name="x", kind=DiscountKind.AMOUNT, value=Decimal(1), lines=("c",))
    assert "make discount x a percentage" in refused(change("renew"), assets=ledger, discounts=(fixed,))[1]


def test_a_swap_credits_the_old_and_charges_the_new() -> None:
    ledger = sold(sale("seats", 10))
    made = quote(
        change("swap", to_product="helpdesk", effective=on("2026-09-01"), quantity=4),
        assets=ledger,
        discounts=(percent("10"),),
        quote_id="q2",
    )
    assert amounts(made) == {"c": "-240.00", "c.1": "648.00"}
    assert [line.product for line in made.lines] == ["seats", "helpdesk"]
    assert confirm(ledger, made, NOW).record(owned("c", "q2")).periods[-1].quantity == 4
    once = change("swap", to_product="router", effective=on("2026-09-01"))
    assert refused(once, assets=ledger)[0] == "selling_model_not_offered"
    vault = change("swap", to_product="vault", effective=on("2026-09-01"))
    assert refused(vault, assets=ledger)[0] == "attribute_value_not_allowed"


def test_a_contract_with_a_common_end_ends_its_sales() -> None:
    contract = ContractTerms(
        contract_id="k1", account_id=BUYER, start=on("2026-01-01"), end=on("2026-12-01"), coterminous=True
    )
    vault = sale("vault", 12, attributes={"region": "eu"})
    made = quote(vault, sale("router", 1, "2"), contract=contract)
    assert [line.end for line in made.lines] == [on("2026-12-01"), None]
    assert amounts(made)["1"] == "900.00"


def test_under_a_contract_without_an_end_what_is_sold_has_none() -> None:
    contract = ContractTerms(
        contract_id="k1",
        account_id=BUYER,
        start=on("2026-01-01"),
        end=on("2999-12-31"),
        open_ended=True,
        coterminous=True,
    )
    made = quote(sale("seats", 4, selling_model="evergreen"), contract=contract)
    assert [line.end for line in made.lines] == [None]
    with pytest.raises(SellingModelError, match="contract k1 has no end; sell seats evergreen under it"):
        quote(sale("seats", 4, "2", months=12), contract=contract)


def test_what_is_sold_before_a_term_that_is_agreed_ahead_counts_the_months_of_each() -> None:
    # From the 5th on until 20 June, by the 20th after it.
    contract = ContractTerms(
        contract_id="k1",
        account_id=BUYER,
        start=on("2026-06-20"),
        end=on("2026-09-20"),
        coterminous=True,
        months_from=on("2026-01-20"),
        months_before=on("2026-01-05"),
    )
    ledger = Ledger(policy=POLICY)
    made = quote(sale("seats", 10, start="2026-05-05"), contract=contract, assets=ledger)
    assert amounts(made) == {"1": "450.00"}
    assert made.lines[0].parts[0].months == Decimal("4.5")
    record = confirm(ledger, made, NOW).record(owned())
    assert [(period.start, period.amount) for period in record.periods] == [
        (on("2026-05-05"), Decimal("150.00")),
        (on("2026-06-20"), Decimal("300.00")),
    ]
    after = quote(sale("seats", 10, start="2026-07-20"), contract=contract, assets=ledger)
    assert amounts(after) == {"1": "200.00"}


def test_months_are_counted_as_the_ledger_counts_them() -> None:
    part = sale("seats", 10, end=on("2026-04-16"))
    started = quote(part, assets=Ledger(policy=StartedMonths()))
    assert (amounts(started), started.proration) == ({"1": "200.00"}, "ceil")
    made = quote(part)
    assert (amounts(made), made.proration) == ({"1": "150.00"}, "term_days")
    assert made.lines[0].parts[0].months == Decimal("1.5")


def test_mixed_books_currencies_accounts_and_lines_are_refused() -> None:
    ledger = sold(sale("seats", 10))
    cancel = change("cancel", effective=on("2026-09-01"))
    dollars = BOOK.having(currency="USD")
    assert refused(cancel, assets=ledger, book=dollars)[0] == "mixed_price_books"
    assert refused(sale("seats"), currency="USD")[0] == "mixed_price_books"
    assert refused(sale("seats"), price_book="other")[0] == "mixed_price_books"
    assert refused(cancel, assets=ledger, account_id="other")[0] == "asset_of_other_account"
    assert refused(sale("seats"), sale("vault"))[0] == "duplicate_line"
    assert refused(cancel, change("renew", "d"), assets=ledger)[0] == "duplicate_line"
    assert refused(change("cancel", asset_id="none", effective=on("2026-09-01")), assets=ledger)[0] == "unknown_asset"
    late = BOOK.having(valid_from=date(2026, 3, 2))
    assert refused(sale("seats"), book=late)[0] == "price_book_not_valid"
    assert refused(sale("seats"), book=BOOK.having(valid_to=date(2026, 3, 1)))[0] == "price_book_not_valid"


def test_a_quote_has_a_thousand_lines_with_those_of_its_bundles() -> None:
    offices = [sale("office", 1, f"l{number}") for number in range(501)]
    assert refused(*offices) == (
        "too_many_lines",
        "1002 lines with those of bundles; a quote has at most 1000: split it",
    )
    assert len(quote(*offices[:500]).lines) == 1000


def test_what_the_ledger_refuses_names_its_line_and_leaves_nothing_behind() -> None:
    ledger = sold(sale("seats", 10))
    before = ledger.model_copy(deep=True)
    with pytest.raises(OverReductionError) as caught:
        quote(sale("router"), change("quantity", effective=on("2026-09-01"), delta=-11), assets=ledger, quote_id="q2")
    assert caught.value.__notes__ == ["line c of the quote"]
    assert ledger == before
    assert refused(change("cancel", effective=on("2026-02-28")), assets=ledger)[0] == "backdate_not_allowed"


def test_a_quote_is_confirmed_once_in_time_and_only_for_what_it_was_made_for() -> None:
    ledger = sold(sale("seats", 10))
    made = quote(change("quantity", effective=on("2026-09-01"), delta=2), assets=ledger, quote_id="q2")
    after = confirm(ledger, made, NOW)
    assert confirm(after, made, NOW) == after
    with pytest.raises(QuoteExpiredError):
        confirm(ledger, made, made.valid_until)
    other = ChangeQuantity(request_id="r", asset_id=owned(), effective=on("2026-08-01"), delta=1)
    with pytest.raises(InFlightError):
        confirm(apply(ledger, other), made, NOW)
    started = ledger.having(policy=StartedMonths())
    partly = quote(change("quantity", effective=on("2026-09-12"), delta=2), assets=ledger, quote_id="q2")
    with pytest.raises(QuoteStaleError):
        confirm(started, partly, NOW)


def test_a_quote_survives_storage() -> None:
    ledger = sold(sale("seats", 10), sale("office", 1, "2"), sale("seats", 1, "3"))
    made = quote(
        change("swap", to_product="helpdesk", effective=on("2026-09-01")),
        change("renew", "d", asset_id=owned("2"), months=12),
        change("cancel", "e", asset_id=owned("3"), effective=on("2026-09-01")),
        sale("router", 1, "f"),
        assets=ledger,
        quote_id="q2",
    )
    assert Quote.model_validate_json(made.model_dump_json()) == made


def test_a_price_book_is_valid_by_the_customers_own_day() -> None:
    """The first of January, 08:00 in Tokyo, is the last of December in UTC."""
    year = BOOK.having(valid_from=date(2027, 1, 1), valid_to=None)
    morning = datetime(2027, 1, 1, 8, tzinfo=ZoneInfo("Asia/Tokyo"))
    line = sale("seats", 10, start="2027-01-01")
    wanted = request(line, time_zone="Asia/Tokyo")
    assert price(CATALOGUE, year, Ledger(), wanted, (), as_of=morning).lines
    with pytest.raises(PriceBookNotValidError, match="not on 2026-12-31"):
        price(CATALOGUE, year, Ledger(), request(line), (), as_of=morning)
