"""How a CSV with a line per period of an asset becomes documents of whole assets. A YAML file, checked before anything is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, StringConstraints, ValidationError

from domain.kernel.base import Received
from domain.kernel.money import CurrencyCode
from domain.kernel.refusals import Refusal
from domain.orders.order import PricePer, ProductKind
from workers.feeds.countries import country_code
from workers.feeds.errors import FeedError
from workers.feeds.files import csv_rows, read_header
from workers.feeds.mapping import AccountRules, Column, ContactRules, known_encoding
from workers.feeds.mapping_file import MappingSyntaxError, read_mapping
from workers.feeds.rejects import Reason, Reject
from workers.feeds.spelling import DateFormats, Spelling, parsed_date

FIRST_DAY_AFTER = "first_day_after"


class AssetColumns(Received):
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

    def named(self) -> dict[str, str]:
        """Field to column, for those that the feed has."""
        return {name: column for name, column in self.model_dump().items() if column is not None}


class AssetMapping(Spelling):
    """A feed of asset periods in CSV. `ends` says how the end of a period is written: its last day, or the first day after it."""

    title: str
    encoding: Annotated[str, AfterValidator(known_encoding)] = "utf-8-sig"
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1, strip_whitespace=False)] = ","
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


def load_asset_mapping(file: Path) -> AssetMapping:
    """The mapping in a YAML file. Raises FeedError that names each field that is wrong."""
    try:
        return AssetMapping.model_validate(read_mapping(file))
    except (OSError, UnicodeError, MappingSyntaxError) as error:
        raise FeedError(f"the mapping {file} cannot be read: {error}") from error
    except ValidationError as error:
        raise FeedError(
            str(Refusal.from_validation("InvalidMapping", f"the mapping {file} is wrong", error))
        ) from error


def read_periods(file: Path, mapping: AssetMapping) -> AssetFeed:
    """The assets in a CSV file, each with its periods by their starts. Raises FeedError if a column is missing."""
    header = read_header(file, encoding=mapping.encoding, delimiter=mapping.delimiter)
    columns = mapping.columns.named()
    for name, column in columns.items():
        if column not in header:
            raise FeedError(f"columns.{name}: {file} has no column {column!r}; it has {', '.join(header)}")
    places = {name: header.index(column) for name, column in columns.items()}
    feed = AssetFeed()
    assets: dict[str, list[tuple[int, dict[str, str]]]] = {}
    rows = csv_rows(file, encoding=mapping.encoding, delimiter=mapping.delimiter)
    next(rows)
    for line, row in rows:
        feed.lines += 1
        if len(row) != len(header):
            feed.rejects[line] = Reject(Reason.MALFORMED, f"{len(row)} columns instead of {len(header)}")
            continue
        record = {name: row[place].strip() for name, place in places.items()}
        assets.setdefault(record["asset_id"], []).append((line, record))
    for asset_id, own in assets.items():
        lines = [line for line, _ in own]
        try:
            feed.documents[asset_id] = (lines, _document([record for _, record in own], mapping))
        except _Unreadable as problem:
            feed.rejects.update(dict.fromkeys(lines, Reject(problem.reason, f"asset {asset_id}: {problem}")))
    return feed


class _Unreadable(Exception):  # noqa: N818 - a line, not a fault
    def __init__(self, says: str, reason: Reason = Reason.MALFORMED) -> None:
        super().__init__(says)
        self.reason = reason


def _document(rows: list[dict[str, str]], mapping: AssetMapping) -> dict[str, Any]:
    """The document of one asset from its lines."""
    first = rows[0]
    for name in ("account_id", "product", "contract_id", "serial_number"):
        if len(found := {row.get(name, "") for row in rows}) > 1:
            raise _Unreadable(f"its lines name different values of {name}: {', '.join(sorted(found))}")
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
    period: dict[str, Any] = {"start": _day(row, "start", mapping), "quantity": _quantity(row, mapping)}
    if row.get("end"):
        period["end"] = _last_day(row, "end", mapping)
    if currency := _currency(row, mapping):
        period["currency"] = currency
    for name in ("unit_price", "mrr", "amount"):
        if row.get(name):
            period[name] = format(_number(row, name, mapping), "f")
    for name in ("reference", "price_book", "recorded_at"):
        if row.get(name):
            period[name] = row[name]
    if row.get("renewal"):
        period["renewal"] = _flag(row, "renewal", mapping)
    return period


def _account(row: dict[str, str], mapping: AssetMapping) -> dict[str, Any]:
    rules, contact, customer = mapping.account, mapping.contact, row["account_id"]
    country = rules.country
    if name := row.get("country"):
        known = rules.countries.get(name) or country_code(name)
        if known is None:
            raise _Unreadable(
                f"no country is called {name!r}; add it to account.countries of the mapping", Reason.UNKNOWN_COUNTRY
            )
        country = known
    return {
        "account": {
            "account_id": rules.id.format(customer_id=customer),
            "name": rules.name.format(customer_id=customer),
            "country": country,
            "time_zone": rules.time_zones.get(country, rules.time_zone),
            "language": rules.languages.get(country, rules.language),
            "segment": rules.segment,
            "owner": rules.owner.model_dump(mode="json"),
        },
        "contacts": [
            {
                "contact_id": contact.id.format(customer_id=customer),
                "name": contact.name.format(customer_id=customer),
                "email": contact.email.format(customer_id=customer),
            }
        ],
    }


def _contract(row: dict[str, str], mapping: AssetMapping) -> dict[str, Any]:
    """The contract, or its id alone where the feed does not say its term."""
    if not row.get("contract_id"):
        return {}
    if not (row.get("contract_start") and row.get("contract_end")):
        return {"contract_id": row["contract_id"]}
    term = {"start": _day(row, "contract_start", mapping), "end": _last_day(row, "contract_end", mapping)}
    return {
        "contract": {"contract_id": row["contract_id"], "term": term, "auto_renew": _flag(row, "auto_renew", mapping)}
    }


def _day(row: Mapping[str, str], name: str, mapping: AssetMapping) -> str:
    return str(_parsed(row, name, mapping))


def _last_day(row: Mapping[str, str], name: str, mapping: AssetMapping) -> str:
    day = _parsed(row, name, mapping)
    return str(day - timedelta(days=1) if mapping.ends == FIRST_DAY_AFTER else day)


def _parsed(row: Mapping[str, str], name: str, mapping: AssetMapping) -> Any:
    try:
        return parsed_date(row[name], mapping.date_format).date()
    except ValueError as error:
        raise _Unreadable(f"{name}: {error}") from error


def _flag(row: Mapping[str, str], name: str, mapping: AssetMapping) -> bool:
    try:
        return mapping.flag(row.get(name, ""))
    except ValueError as error:
        raise _Unreadable(f"{name}: {error}") from error


def _number(row: Mapping[str, str], name: str, mapping: AssetMapping) -> Decimal:
    try:
        return mapping.number(row[name])
    except ValueError as error:
        raise _Unreadable(f"{name}: {error}") from error


def _quantity(row: Mapping[str, str], mapping: AssetMapping) -> int:
    number = _number(row, "quantity", mapping)
    if number != number.to_integral_value():
        raise _Unreadable(f"quantity: {row['quantity']!r} is no whole number")
    return int(number)
