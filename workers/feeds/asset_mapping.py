"""How a CSV with a line per period of an asset becomes documents of whole assets. A YAML file, checked before anything is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import StringConstraints

from domain.kernel.money import CurrencyCode
from domain.orders.order import PricePer, ProductKind
from workers.feeds.mapping import AccountRules, ContactRules
from workers.feeds.mapping_file import Column, Columns, CsvMapping, data_rows, fields_of
from workers.feeds.rejects import Reason, Reject, RejectedError, value
from workers.feeds.spelling import DateFormats, Spelling, parsed_date

FIRST_DAY_AFTER = "first_day_after"


class AssetColumns(Columns):
    """The feed's column for each field. What a feed has no column for is left out, or holds for all lines (see `AssetMapping`)."""

    asset_id: Column
    account_id: Column
    product: Column
    start: Column
    quantity: Column
    end: Column | None = None
    unit_price: Column | None = None
    currency: Column | None = None
    product_name: Column | None = None
    country: Column | None = None
    contract_id: Column | None = None
    contract_start: Column | None = None
    contract_end: Column | None = None
    auto_renew: Column | None = None
    renewal: Column | None = None
    recorded_at: Column | None = None
    reference: Column | None = None
    serial_number: Column | None = None
    price_book: Column | None = None
    mrr: Column | None = None
    amount: Column | None = None


class AssetMapping(CsvMapping, Spelling):
    """A feed of asset periods in CSV. `ends` says how the end of a period is written: its last day, or the first day after it."""

    columns: AssetColumns
    date_format: DateFormats = ("%Y-%m-%d",)
    ends: Annotated[str, StringConstraints(pattern=f"^(last_day|{FIRST_DAY_AFTER})$")] = "last_day"
    currency: CurrencyCode | None = None
    per: PricePer = PricePer.MONTH
    product_kind: ProductKind = ProductKind.SUBSCRIPTION
    proration: str | dict[str, Any] | None = None
    account: AccountRules
    contact: ContactRules = ContactRules()


@dataclass
class AssetFeed:
    """What a file says: the lines of each asset with its document, and the lines that say nothing that can be read."""

    lines: int = 0
    documents: dict[str, tuple[list[int], dict[str, Any]]] = field(default_factory=dict)
    rejects: dict[int, Reject] = field(default_factory=dict)


def read_periods(file: Path, mapping: AssetMapping, header: list[str]) -> AssetFeed:
    """The assets in a CSV file, each with its periods by their starts."""
    places = {name: header.index(column) for name, column in mapping.columns.named().items()}
    feed = AssetFeed()
    assets: dict[str, list[tuple[int, dict[str, str]]]] = {}
    for line, row in data_rows(file, mapping.layout):
        feed.lines += 1
        try:
            record = fields_of(row, len(header), places)
        except RejectedError as error:
            feed.rejects[line] = error.reject
        else:
            assets.setdefault(record["asset_id"], []).append((line, record))
    for asset_id, own in assets.items():
        lines = [line for line, _ in own]
        try:
            feed.documents[asset_id] = (lines, _document([record for _, record in own], mapping))
        except RejectedError as error:
            feed.rejects.update(dict.fromkeys(lines, error.reject._replace(says=f"asset {asset_id}: {error}")))
    return feed


def _document(rows: list[dict[str, str]], mapping: AssetMapping) -> dict[str, Any]:
    """The document of one asset from its lines."""
    first = rows[0]
    for name in ("account_id", "product", "contract_id", "serial_number"):
        if len(found := {row.get(name, "") for row in rows}) > 1:
            raise RejectedError(
                Reason.MALFORMED, f"its lines name different values of {name}: {', '.join(sorted(found))}"
            )
    periods = sorted((_period(row, mapping) for row in rows), key=lambda period: str(period["start"]))
    document: dict[str, Any] = {
        "asset_id": first["asset_id"],
        "account_id": mapping.account.id.format(customer_id=first["account_id"]),
        "product": first["product"],
        "products": [
            {
                "code": first["product"],
                "name": first.get("product_name") or first["product"],
                "kind": mapping.product_kind.value,
            }
        ],
        "currency": _currency(first, mapping),
        "per": mapping.per.value,
        "periods": periods,
        **_account(first, mapping),
        **_contract(first, mapping),
    }
    for name in ("price_book", "serial_number"):
        if first.get(name):
            document[name] = first[name]
    if mapping.proration is not None:
        document["proration"] = mapping.proration
    return document


def _currency(row: Mapping[str, str], mapping: AssetMapping) -> str | None:
    return row.get("currency") or mapping.currency


def _period(row: dict[str, str], mapping: AssetMapping) -> dict[str, Any]:
    period: dict[str, Any] = {
        "start": _day(row, "start", mapping),
        "quantity": value("quantity", mapping.whole, row["quantity"]),
    }
    if row.get("end"):
        period["end"] = _last_day(row, "end", mapping)
    if currency := _currency(row, mapping):
        period["currency"] = currency
    for name in ("unit_price", "mrr", "amount"):
        if row.get(name):
            period[name] = format(value(name, mapping.number, row[name]), "f")
    for name in ("reference", "price_book", "recorded_at"):
        if row.get(name):
            period[name] = row[name]
    if row.get("renewal"):
        period["renewal"] = value("renewal", mapping.flag, row["renewal"])
    return period


def _account(row: dict[str, str], mapping: AssetMapping) -> dict[str, Any]:
    name, customer = row.get("country") or None, row["account_id"]
    country = mapping.account.country_of(name)
    if country is None:
        says = f"no country is called {name!r}; add it to account.countries of the mapping"
        raise RejectedError(Reason.UNKNOWN_COUNTRY, says)
    return {"account": mapping.account.of(customer, country), "contacts": [mapping.contact.of(customer)]}


def _contract(row: dict[str, str], mapping: AssetMapping) -> dict[str, Any]:
    """The contract, or its id alone where the feed does not say its term."""
    if not row.get("contract_id"):
        return {}
    if not (row.get("contract_start") and row.get("contract_end")):
        return {"contract_id": row["contract_id"]}
    term = {"start": _day(row, "contract_start", mapping), "end": _last_day(row, "contract_end", mapping)}
    renews = value("auto_renew", mapping.flag, row.get("auto_renew", ""))
    return {"contract": {"contract_id": row["contract_id"], "term": term, "auto_renew": renews}}


def _day(row: Mapping[str, str], name: str, mapping: AssetMapping, less: timedelta = timedelta(0)) -> str:
    return str(value(name, lambda text: parsed_date(text, mapping.date_format).date(), row[name]) - less)


def _last_day(row: Mapping[str, str], name: str, mapping: AssetMapping) -> str:
    return _day(row, name, mapping, timedelta(days=mapping.ends == FIRST_DAY_AFTER))
