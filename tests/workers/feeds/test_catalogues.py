"""Real price pages of several years: into the catalogue and price books, and what renewing against next year's means."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import yaml

from activities.catalogue.catalogue import load_catalogue, load_price_book
from domain.assets.ledger import Ledger
from domain.assets.model import SellingModel
from domain.catalogue.price_changes import price_changes, renewal_effect
from domain.catalogue.pricebook import PriceUnit
from domain.orders.order import ProductKind
from domain.quotes.pricing import confirm, price
from domain.quotes.quote import Quote
from domain.quotes.request_lines import QuoteRequest
from tests.own_database import OwnDatabase, own_database
from tests.workers.cli.running import perennial
from workers.embedded.stack import EmbeddedStack
from workers.feeds.catalogue_mapping import bundled, code_of, read_edition
from workers.feeds.catalogues import CatalogueReport, import_catalogues
from workers.feeds.errors import FeedError
from workers.feeds.rejects import RejectedError

PAGES = Path(__file__).parents[2] / "data" / "price_pages"
UNLIMITED, AI = "clickup.unlimited", "clickup.add-on.click-up-ai"
NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
async def own(stack: EmbeddedStack) -> AsyncIterator[OwnDatabase]:
    """An empty database."""
    async with own_database(stack, "catalogues") as database:
        yield database


async def take_in(own: OwnDatabase, folder: Path, *places: Path, **options: Any) -> CatalogueReport:
    return await import_catalogues(own.pool, places or [PAGES], rejects=folder / "rejects.jsonl", as_of=NOW, **options)


async def test_price_pages_become_a_catalogue_and_editions(own: OwnDatabase, tmp_path: Path) -> None:
    report = await take_in(own, tmp_path)
    assert (report.files, report.editions, report.editions_before) == (8, 8, 0)
    assert (report.items, report.imported) == (48, 35)
    assert report.reasons == {"no_price": 13}
    rejected = [json.loads(line) for line in Path(report.rejects_file).read_text().splitlines()]
    assert len(rejected) == report.rejected == 13
    assert {"item": "plans.ENTERPRISE", "reason": "no_price"}.items() <= rejected[0].items()
    async with own.pool.acquire() as connection:
        catalogue = await load_catalogue(connection, [UNLIMITED, "notion.plus", "clickup.business-plus"])
        books = {
            year: await load_price_book(connection, "clickup", "USD", date(year, 6, 1), [UNLIMITED, AI])
            for year in (2022, 2023, 2024, 2025)
        }
    plan = catalogue.product(UNLIMITED)
    assert (plan.name, plan.kind) == ("ClickUp Unlimited", ProductKind.SUBSCRIPTION)
    assert plan.selling_models == (SellingModel.TERMED, SellingModel.EVERGREEN)
    # The plan as the page of 2025 has it: with the add-ons of that year, also those whose price is asked for.
    assert {str(option.product).rpartition(".")[2] for option in plan.options} >= {"click-up-ai", "click-up-assist"}
    notion = catalogue.product("notion.plus")
    [rule] = notion.rules
    assert (rule.kind, rule.option, rule.other) == (
        "requires",
        "notion.add-on.extra-custom-domain",
        "notion.add-on.custom-domain",
    )
    monthly = {year: book.list_price(UNLIMITED, SellingModel.EVERGREEN, {}, 5).price for year, book in books.items()}
    assert monthly == {2022: 9, 2023: 9, 2024: 10, 2025: 10}
    assert books[2025].list_price(UNLIMITED, SellingModel.TERMED, {}, 5).price == 7  # 30 percent off for a year


async def test_again_it_changes_nothing(own: OwnDatabase, tmp_path: Path) -> None:
    first = await take_in(own, tmp_path)
    assert first.products == await own.pool.fetchval("select count(*) from product")
    for places in ((), (PAGES / "clickup-2021.yml",)):
        again = await take_in(own, tmp_path, *places)
        assert (again.products, again.editions_before) == (0, again.editions)
    assert await own.pool.fetchval("select max(version) from catalogue_product") == 1


async def test_older_pages_that_come_later_change_no_product(own: OwnDatabase, tmp_path: Path) -> None:
    await take_in(own, tmp_path, PAGES / "clickup-2025.yml")
    async with own.pool.acquire() as connection:
        before = await load_catalogue(connection, [UNLIMITED])
    report = await take_in(own, tmp_path, PAGES / "clickup-2021.yml")
    assert report.editions == 1
    async with own.pool.acquire() as connection:
        assert await load_catalogue(connection, [UNLIMITED]) == before
        old = await load_price_book(connection, "clickup", "USD", date(2022, 1, 1), [UNLIMITED])
    assert old.entries[0].tiers[0].price == 9


def quoted(own_catalogue: Any, book: Any, ledger: Ledger, as_of: datetime, **line: Any) -> Quote:
    request = QuoteRequest.model_validate(
        {"quote_id": f"q-{as_of:%Y}", "account_id": "buyer", "lines": [{"line_id": "1"} | line]}
    )
    return price(own_catalogue, book, ledger, request, (), as_of=as_of)


@pytest.mark.parametrize(
    ("start", "before", "after"), [("2022-12-01", 9, 10), ("2023-12-01", 10, 10), ("2024-06-01", 10, 7)]
)
async def test_a_contract_renews_at_next_years_price(
    own: OwnDatabase, tmp_path: Path, start: str, before: int, after: int
) -> None:
    """25 users for a year, then another year by the price book that is valid when the first one ends."""
    await take_in(own, tmp_path)
    begins = datetime.fromisoformat(start).replace(tzinfo=UTC)
    ends = begins.replace(year=begins.year + 1)
    async with own.pool.acquire() as connection:
        catalogue = await load_catalogue(connection, [UNLIMITED])
        books = [
            await load_price_book(connection, "clickup", "USD", day.date(), [UNLIMITED, AI]) for day in (begins, ends)
        ]
    sale = quoted(catalogue, books[0], Ledger(), begins, kind="sale", product=UNLIMITED, quantity=25, start=begins)
    assert sale.totals.amount == 25 * before * 12
    ledger = confirm(Ledger(), sale, begins)
    [asset_id] = ledger.assets
    renewal = quoted(catalogue, books[1], ledger, ends, kind="renew", asset_id=asset_id)
    assert renewal.totals.amount == 25 * after * 12
    effect = renewal_effect(price_changes(*books), {UNLIMITED: 25})
    if books[0].valid_from != books[1].valid_from and after != 7:
        assert effect == renewal.totals.amount - sale.totals.amount
    record = confirm(ledger, renewal, ends).record(asset_id)
    assert [period.mrr for period in record.periods] == [25 * before, 25 * after]


async def test_the_report_names_what_changed(own: OwnDatabase, tmp_path: Path) -> None:
    ended = await perennial("import", "catalogue", str(PAGES), "--json", dsn=own.dsn, folder=tmp_path)
    assert json.loads(ended.out)["editions"] == 8, ended.err
    asked = ("report", "prices", "clickup", "--from", "2023-01-01", "--to", "2024-01-01")
    said = json.loads((await perennial(*asked, "--json", dsn=own.dsn, folder=tmp_path)).out)
    assert said["editions"] == {"from": "2022-11-28", "to": "2023-11-30"}
    by_product = {line["product"]: line for line in said["changes"]}
    assert by_product[UNLIMITED] | {"held": 0} == {
        "product": UNLIMITED,
        "selling_model": None,
        "per": "month",
        "before": "9",
        "after": "10",
        "percent": "11.1",
        "held": 0,
    }
    assert by_product["clickup.business-plus"]["after"] is None
    assert by_product[AI]["before"] is None
    table = (await perennial(*asked, dsn=own.dsn, folder=tmp_path)).out
    assert "+11.1%" in table
    assert "withdrawn" in table
    unknown = await perennial("report", "prices", "nobody", "--from", "2023-01-01", dsn=own.dsn, folder=tmp_path)
    assert unknown.code == 1
    assert "no price book nobody; there are: clickup, notion" in unknown.err


async def test_what_cannot_be_read_is_named(own: OwnDatabase, tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    good = yaml.safe_load((PAGES / "notion-2024.yml").read_text())
    pages: dict[str, Any] = {
        "a-good": good,
        "b-no-currency": {**good, "currency": None},
        "c-no-day": {**good, "createdAt": "soon"},
        "d-other-prices": {**good, "plans": {"FREE": {"price": 1, "unit": "user/month"}}},
        "e-unit": {**good, "createdAt": "2024-08-01", "plans": {"FREE": {"price": 1, "unit": "moon"}}, "addOns": None},
        "f-price": {
            **good,
            "createdAt": "2024-09-01",
            "plans": {"FREE": {"price": -1, "unit": "month"}},
            "addOns": None,
        },
        "f2-power": {
            **good,
            "createdAt": "2024-10-01",
            "plans": {"FREE": {"price": "1e2", "unit": "month"}},
            "addOns": None,
        },
        "g-another-format": {"products": []},
    }
    for name, page in pages.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(page))
    (folder / "h-broken.json").write_text("{ nothing: [")
    report = await take_in(own, tmp_path, folder)
    rejected = [json.loads(line) for line in Path(report.rejects_file).read_text().splitlines()]
    found = {
        (Path(line["file"]).stem, line["item"]): line["reason"] for line in rejected if "a-good" not in line["file"]
    }
    assert found == {
        ("b-no-currency", ""): "money_without_currency",
        ("c-no-day", ""): "malformed",
        ("d-other-prices", ""): "duplicate_line",
        ("e-unit", "plans.FREE"): "unknown_unit",
        ("f-price", "plans.FREE"): "malformed",
        ("f2-power", "plans.FREE"): "malformed",
        ("g-another-format", ""): "malformed",
        ("h-broken", ""): "malformed",
    }
    assert report.imported + report.rejected == report.items
    with pytest.raises(FeedError, match="neither a file nor a folder"):
        await take_in(own, tmp_path, folder / "nothing.yaml")


async def test_another_format_needs_a_mapping_alone(own: OwnDatabase, tmp_path: Path) -> None:
    """No code knows a format: another one is another mapping."""
    mapping, page = tmp_path / "mapping.yaml", tmp_path / "page.json"
    mapping.write_text(
        "title: Ours\nname: vendor\nvalid_from: day\ncurrency: money\n"
        "plans: {at: editions, price: costs, unit: each, code: '{name}/{item}'}\n"
        "units: [{is: 'seat a year', per: year}, {is: call, per: use}, {is: setup, per: once}]\nno_price: 'ask us'\nterm_months: 36\n"
    )
    editions = {
        "GoldPlan": {"costs": 120, "each": "seat a year"},
        "Calls": {"costs": 0.05, "each": "call"},
        "Start": {"costs": 900, "each": "setup"},
        "Rest": {"costs": "ask us", "each": ""},
    }
    page.write_text(json.dumps({"vendor": "Acme CRM", "day": "2026-01-01", "money": "EUR", "editions": editions}))
    report = await take_in(own, tmp_path, page, mapping=mapping)
    assert (report.items, report.imported, report.reasons) == (4, 3, {"no_price": 1})
    async with own.pool.acquire() as connection:
        codes = ["acme-crm/gold-plan", "acme-crm/calls", "acme-crm/start", "acme-crm/rest"]
        book = await load_price_book(connection, "acme-crm", "EUR", date(2026, 2, 1), codes)
        catalogue = await load_catalogue(connection, codes)
    assert [(entry.product, entry.per, entry.tiers[0].price) for entry in book.entries] == [
        ("acme-crm/gold-plan", PriceUnit.YEAR, 120),
        ("acme-crm/calls", PriceUnit.USE, Decimal("0.05")),
        ("acme-crm/start", PriceUnit.ONCE, 900),
    ]
    assert catalogue.product("acme-crm/gold-plan").term_months == 36
    assert catalogue.product("acme-crm/start").kind is ProductKind.SERVICE


def test_codes_stay_apart_when_they_are_cut() -> None:
    long = "AnAddOnWithAVeryLongNameThatNobodyWouldEverPutIntoACodeOfSixtyFourLetters"
    one, other = (code_of("{name}.{item}", "Vendor", f"{long}{end}") for end in ("One", "Two"))
    assert len(one) == len(other) == 64
    assert one != other


def test_a_page_that_sells_nothing_is_refused() -> None:
    [mapping] = bundled()
    with pytest.raises(RejectedError, match="names nothing that is sold"):
        read_edition({"saasName": "x", "createdAt": "2026-01-01", "currency": "EUR", "plans": {}}, mapping)
