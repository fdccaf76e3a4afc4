"""An installed base taken over: histories in the ledger, contracts in the agenda, and what is wrong named and left out."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from activities.assets.audit import audit
from activities.assets.ledger import load_record, load_records
from activities.journey.imported_assets import export_assets
from activities.kernel.clock import present
from activities.playbooks import FOLDER, read_playbooks
from domain.assets.invariants import violations
from domain.assets.model import Category
from domain.frame.ownership import POLICY
from domain.kernel.calendar import start_of_day
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import rows_at_rest, rows_of
from tests.workers.feeds.asset_documents import installed
from workers.feeds.assets import AssetReport, import_assets
from workers.feeds.errors import FeedError


async def take_over(servers: Servers, folder: Path, *documents: Any, **options: Any) -> AssetReport:
    file = folder / "assets.jsonl"
    file.write_text(
        "".join(f"{document if isinstance(document, str) else json.dumps(document)}\n" for document in documents)
    )
    return await import_file(servers, file, **options)


async def import_file(servers: Servers, file: Path, **options: Any) -> AssetReport:
    rejects = file.with_suffix(".rejects")
    return await import_assets(
        servers.client, servers.pool, read_playbooks(FOLDER), file, **({"rejects": rejects} | options)
    )


async def test_a_history_is_taken_over_and_looked_after(servers: Servers, tmp_path: Path) -> None:
    document = installed()
    account, asset, contract = document["account_id"], document["asset_id"], document["contract"]["contract_id"]
    report = await take_over(servers, tmp_path, document)
    assert (report.lines, report.imported, report.rejected) == (1, 1, 0)
    assert (report.assets, report.contracts, report.accounts, report.journeys) == (1, 1, 1, 1)
    async with servers.pool.acquire() as connection:
        record = await load_record(connection, asset)
        assert record is not None
        assert violations(record, POLICY) == []
        assert await audit(connection, asset) == []
    assert [action.category for action in record.actions] == [
        Category.INITIAL_SALE,
        Category.RENEWALS,
        Category.RENEWALS,
        Category.UPSELLS,
        Category.UPSELLS,
    ]
    assert [(period.quantity, str(period.mrr)) for period in record.periods] == [
        (20, "20000"),
        (20, "21000"),
        (25, "27500"),
        (30, "33000"),
    ]
    # What is past was recorded and not acted on: nobody hears of the import.
    assert servers.mails_to(document["contacts"][0]["email"]) == []
    # The term's end is in the agenda: the contract renews by itself, with its notices before.
    ends = await servers.pool.fetchval("select ends_at from contract_term where contract_id = $1", contract)
    await servers.client.fast_forward_to(account, ends + timedelta(hours=1))
    terms = await servers.pool.fetch(
        "select number, origin from contract_term where contract_id = $1 order by 1", contract
    )
    assert [tuple(term) for term in terms] == [(1, "imported"), (2, "automatic")]
    async with servers.pool.acquire() as connection:
        record = await load_record(connection, asset)
    assert record is not None
    assert record.actions[-1].category is Category.RENEWALS
    assert record.periods[-1].quantity == 30
    kinds = [row["kind"] for row in await servers.journal(account)]
    assert kinds[0] == "take_up_holdings"
    assert "renewal_notice" in kinds


async def test_again_it_changes_nothing(servers: Servers, tmp_path: Path) -> None:
    first, second = installed(), installed()
    account = first["account_id"]
    assert (await take_over(servers, tmp_path, first, second)).assets_before == 0
    before = await rows_at_rest(servers.temporal, servers.pool, account)
    again = await take_over(servers, tmp_path, first, second)
    assert (again.assets, again.assets_before, again.contracts, again.journeys) == (2, 2, 0, 0)
    assert await rows_of(servers.pool, account) == before
    # Also once the asset has changed here.
    await servers.client.ask(account, "amend_assets", {"assets": [{"asset_id": first["asset_id"], "add": 2}]})
    again = await take_over(servers, tmp_path, first)
    assert (again.assets, again.assets_before, again.rejected) == (1, 1, 0)
    other = installed(account, asset_id=first["asset_id"], contract=first["contract"], currency="EUR")
    refused = await take_over(servers, tmp_path, other)
    assert (refused.assets, refused.rejected, refused.reasons) == (0, 1, {"refused": 1})


def changed(number: int, **fields: Any) -> dict[str, Any]:
    """An installed asset with other values in one of its periods."""
    document = installed()
    periods = [dict(period) for period in document["periods"]]
    periods[number] |= fields
    return {**document, "periods": [{k: v for k, v in p.items() if v is not None} for p in periods]}


def shifted(number: int, days: int) -> dict[str, Any]:
    """An installed asset of which a period begins some days later, or earlier."""
    document = installed()
    start = date.fromisoformat(document["periods"][number]["start"]) + timedelta(days=days)
    document["periods"][number]["start"] = start.isoformat()
    return document


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in installed().items() if key != name}


WRONG: dict[str, tuple[Callable[[], Any], str, str]] = {
    "overlap": (lambda: shifted(1, -3), "segments_not_valid", "begins before the one from"),
    "gap": (lambda: shifted(1, 3), "segments_not_valid", "nothing from"),
    "backwards": (lambda: changed(3, end="2001-01-01"), "segments_not_valid", "is empty"),
    "unknown policy": (lambda: installed(proration="by_moon"), "policy_not_valid", "no proration policy 'by_moon'"),
    "contradictory policy": (
        lambda: installed(proration={"amount_from": "rounded_multiplier"}),
        "policy_not_valid",
        "need multiplier_rounding",
    ),
    "unknown parameter": (lambda: installed(proration={"weekday": 3}), "policy_not_valid", "weekday"),
    "another price book": (lambda: changed(2, price_book="partners"), "mixed_price_books", "partners, standard"),
    "another currency": (lambda: changed(2, currency="EUR"), "mixed_price_books", "EUR, JPY"),
    "money without currency": (lambda: without("currency"), "money_without_currency", "give `currency`"),
    "another MRR": (lambda: changed(0, mrr="19999"), "history_not_valid", "make an MRR of 20000, not 19999"),
    "another amount": (
        lambda: {**changed(0, amount="239999"), "proration": "actual_days"},
        "history_not_valid",
        "the policy makes 240000",
    ),
    "an amount without policy": (lambda: changed(0, amount="240000"), "history_not_valid", "name it"),
    "nothing to renew": (lambda: changed(0, quantity=0, mrr=None), "history_not_valid", "cannot be renewed"),
    "no account": (lambda: without("account"), "no_customer", "bring it along as `account`"),
    "no product": (lambda: installed(product="NOBODYS"), "refused", "unknown product 'NOBODYS'"),
    "no contract": (
        lambda: {**without("contract"), "contract_id": "K-none"},
        "refused",
        "bring it along with its term",
    ),
    "sold once": (lambda: installed(per="once"), "refused", "sold for a term"),
    "misspelt": (lambda: installed(quantitty=3), "malformed", "quantitty"),
    "no history": (lambda: without("periods"), "malformed", "give the history"),
    "no JSON": (lambda: "{ nothing", "malformed", "no JSON"),
    "no asset": (lambda: without("asset_id"), "malformed", "asset_id: is missing"),
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_what_is_wrong_is_named_and_leaves_nothing_behind(servers: Servers, tmp_path: Path, wrong: str) -> None:
    make, reason, says = WRONG[wrong]
    document, good = make(), installed()
    report = await take_over(servers, tmp_path, good, document)
    assert (report.imported, report.rejected) == (1, 1)
    assert report.reasons == {reason: 1}
    [reject] = [json.loads(line) for line in Path(report.rejects_file).read_text().splitlines()]
    assert (reject["line"], reject["reason"]) == (2, reason)
    assert says in reject["explanation"]
    assert reject["record"] == document
    if isinstance(document, dict):
        assert await rows_of(servers.pool, document["account_id"]) == {}
        assert (
            await servers.pool.fetchval("select count(*) from asset where asset_id = $1", document.get("asset_id")) == 0
        )


async def test_mended_rejects_are_imported_again(servers: Servers, tmp_path: Path) -> None:
    document = changed(0, mrr="1")
    report = await take_over(servers, tmp_path, document)
    mended = tmp_path / "mended.jsonl"
    mended.write_text(Path(report.rejects_file).read_text().replace('"mrr": "1"', '"mrr": "20000"'))
    assert (await import_file(servers, mended)).imported == 1


async def test_amounts_of_another_system_are_checked_by_its_own_policy(servers: Servers, tmp_path: Path) -> None:
    """A company keeps its cents: 30 days of each month, or the days of the calendar, as the policy says."""
    first = {"start": "2026-01-01", "end": "2026-02-14", "quantity": 1, "unit_price": "100.00"}
    rest = {"start": "2026-02-15", "end": "2026-12-31", "quantity": 1, "unit_price": "100.00", "reference": "x"}
    for policy, amount in (
        ("actual_days", "150.00"),
        ({"day_count": "actual_30"}, "146.67"),
        ("touched_periods", "200.00"),
    ):
        document = {**without("contract"), "currency": "EUR", "proration": policy}
        document["periods"] = [{**first, "amount": amount}, rest]
        assert (await take_over(servers, tmp_path, document)).reasons == {}
        document = {
            **document,
            "asset_id": document["asset_id"] + "x",
            "periods": [{**first, "amount": "150.01"}, rest],
        }
        assert (await take_over(servers, tmp_path, document)).reasons == {"history_not_valid": 1}


class _CrashError(Exception):
    """The process dies."""


async def test_a_crash_before_the_journey_hears_of_it_is_made_up_for(
    servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = installed()

    async def dies(*args: Any, **options: Any) -> Any:
        raise _CrashError

    with monkeypatch.context() as patched:
        patched.setattr(servers.client, "take_up_holdings", dies)
        with pytest.raises(_CrashError):
            await take_over(servers, tmp_path, document)
    assert "effect" not in await rows_of(servers.pool, document["account_id"])
    report = await take_over(servers, tmp_path, document)
    assert (report.assets, report.assets_before, report.journeys) == (1, 1, 1)
    assert "renewal" in await servers.client.briefing(document["account_id"])


async def test_assets_join_a_journey_that_goes_on(servers: Servers, tmp_path: Path) -> None:
    placed = order()
    account = placed["account"]["account_id"]
    await servers.client.place_order(placed)
    document = {
        key: value for key, value in installed(account).items() if key not in ("account", "contacts", "products")
    }
    report = await take_over(servers, tmp_path, document)
    assert (report.assets, report.contracts, report.journeys) == (1, 1, 1)
    contract = document["contract"]["contract_id"]
    ends = await servers.pool.fetchval("select ends_at from contract_term where contract_id = $1", contract)
    assert "renewal_term_end" not in [row["kind"] for row in await servers.journal(account)]
    await servers.client.fast_forward_to(account, ends + timedelta(hours=1))
    assert await servers.pool.fetchval("select count(*) from contract_term where contract_id = $1", contract) == 2


async def test_a_contract_that_is_over_is_not_renewed(servers: Servers, tmp_path: Path) -> None:
    document = installed()
    contract = document["contract"]
    term = {"start": "2020-01-01", "end": "2020-12-31"}
    document = {**document, "contract": {**contract, "term": term}}
    document["periods"] = [{**term, "quantity": 5, "unit_price": "100"}]
    assert (await take_over(servers, tmp_path, document)).imported == 1
    status = await servers.pool.fetchval("select status from contract where contract_id = $1", contract["contract_id"])
    assert status == "ended"
    account = document["account_id"]
    await servers.client.fast_forward(account, timedelta(days=30))
    assert servers.mails_to(document["contacts"][0]["email"]) == []


MAPPING = """\
title: Assets of the old system
columns:
  asset_id: Asset
  account_id: Customer
  product: SKU
  product_name: Product
  start: From
  end: To
  quantity: Qty
  unit_price: Price
  currency: Cur
  renewal: New term
  contract_id: Contract
  contract_start: Term from
  contract_end: Term to
date_format: "%d.%m.%Y"
ends: first_day_after
delimiter: ";"
per: year
account:
  id: "csv-{customer_id}"
  name: "Customer {customer_id}"
  segment: standard
  owner: {staff_id: s-9, name: Ann Lee, email: ann@seller.example}
  country: DE
  time_zone: Europe/Berlin
"""
HEADER = "Asset;Customer;SKU;Product;From;To;Qty;Price;Cur;New term;Contract;Term from;Term to"


async def test_csv_with_a_line_for_each_period(servers: Servers, tmp_path: Path) -> None:
    mapping, file = tmp_path / "mapping.yaml", tmp_path / "base.csv"
    mapping.write_text(MAPPING)
    tag = f"{present():%H%M%S%f}"
    rows = [
        f"A1-{tag};{tag};CSV-CRM;CRM;01.01.2024;01.01.2025;10;120.00;EUR;;K-{tag};01.01.2025;01.01.2026",
        f"A1-{tag};{tag};CSV-CRM;CRM;01.01.2025;01.01.2026;12;126.00;EUR;yes;K-{tag};01.01.2025;01.01.2026",
        f"A2-{tag};{tag};CSV-CRM;CRM;01.01.2024;01.01.2025;1;99.00;;;;;",
        f"A3-{tag};{tag};CSV-CRM;CRM;01.01.2024;01.06.2024;1;99.00;EUR;;;;",
        f"A3-{tag};{tag};CSV-CRM;CRM;01.05.2024;01.01.2025;2;99.00;EUR;;;;",
        f"A4-{tag};{tag};CSV-CRM;CRM;2024-01-01;01.01.2025;1;99.00;EUR;;;;",
        "A5;too;few",
        f"A6-{tag};{tag};CSV-CRM;C R M;01.01.2024;01.01.2025;1;99.00;EUR;;;;",
    ]
    file.write_text("\n".join([HEADER, *rows]) + "\n")
    report = await import_file(servers, file, mapping=mapping)
    assert (report.lines, report.imported, report.rejected) == (8, 3, 5)
    assert report.reasons == {"malformed": 2, "segments_not_valid": 2, "money_without_currency": 1}
    async with servers.pool.acquire() as connection:
        record = (await load_records(connection, f"csv-{tag}"))[f"A1-{tag}"]
    assert [(p.start, p.quantity, p.mrr) for p in record.periods] == [
        (start_of_day(date(2024, 1, 1), "Europe/Berlin"), 10, Decimal(100)),
        (start_of_day(date(2025, 1, 1), "Europe/Berlin"), 12, Decimal(126)),
    ]
    assert await servers.pool.fetchval("select unit_price from asset where asset_id = $1", f"A1-{tag}") == 126
    again = await import_file(servers, file, mapping=mapping)
    assert (again.imported, again.assets_before, again.rejected) == (3, 2, 5)
    with file.with_suffix(".rejects").open() as text:
        rejected = list(csv.DictReader(text, delimiter=";"))
    assert [(row["line"], row["reason"]) for row in rejected] == [
        ("4", "money_without_currency"),
        ("5", "segments_not_valid"),
        ("6", "segments_not_valid"),
        ("7", "malformed"),
        ("8", "malformed"),
    ]


async def test_a_csv_needs_a_mapping_that_fits(servers: Servers, tmp_path: Path) -> None:
    file, mapping = tmp_path / "base.csv", tmp_path / "mapping.yaml"
    file.write_text("Asset;Customer\n1;2\n")
    with pytest.raises(FeedError, match="say with --mapping"):
        await import_file(servers, file)
    mapping.write_text(MAPPING)
    with pytest.raises(FeedError, match="no column 'SKU'"):
        await import_file(servers, file, mapping=mapping)
    mapping.write_text(MAPPING.replace("start: From", ""))
    with pytest.raises(FeedError, match=r"columns\.start: is missing"):
        await import_file(servers, file, mapping=mapping)


async def test_what_was_exported_comes_back_equal(servers: Servers, tmp_path: Path) -> None:
    """An account with a life of orders, offers and amendments, exported, and imported as another account."""
    placed = order()
    account, order_id = placed["account"]["account_id"], placed["order_id"]
    contract = placed["contracts"][0]["contract_id"]
    await servers.client.place_order(placed)
    seats, device = f"{order_id}.1", f"{order_id}.3"
    await servers.client.ask(account, "amend_assets", {"assets": [{"asset_id": seats, "add": 7}]})
    await servers.client.ask(account, "amend_assets", {"assets": [{"asset_id": device, "remove": 1}]})
    async with servers.pool.acquire() as connection:
        documents = await export_assets(connection, account)
        records = await load_records(connection, account)
    text = "\n".join(json.dumps(document) for document in documents)
    for old, new in ((account, f"{account}-copy"), (order_id, f"{order_id}-copy"), (contract, f"{contract}-copy")):
        text = text.replace(old, new)
    file = tmp_path / "exported.jsonl"
    file.write_text(text)
    report = await import_file(servers, file)
    assert (report.assets, report.rejected, report.contracts) == (3, 0, 1)
    async with servers.pool.acquire() as connection:
        copied = await load_records(connection, f"{account}-copy")
        again = await export_assets(connection, f"{account}-copy")
    dumped = {key: record.model_dump_json() for key, record in records.items()}
    expected = {
        key.replace(order_id, f"{order_id}-copy"): value.replace(account, f"{account}-copy")
        .replace(order_id, f"{order_id}-copy")
        .replace(contract, f"{contract}-copy")
        for key, value in dumped.items()
    }
    # From when on an asset is invoiced here is of this system, and no part of what was exported.
    here = {key: record.asset.having(invoiced_from=None) for key, record in copied.items()}
    own = {key: record.having(asset=here[key]) for key, record in copied.items()}
    assert {key: record.model_dump_json() for key, record in own.items()} == expected
    assert [json.loads(line) for line in text.splitlines()] == json.loads(json.dumps(again))
