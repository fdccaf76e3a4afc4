"""The mapping: how a feed's columns and constants become orders. A YAML file, checked before anything is read."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, StringConstraints, ValidationError

from domain.kernel.base import Received
from domain.kernel.calendar import ZoneName
from domain.kernel.money import CurrencyCode
from domain.kernel.refusals import Refusal
from domain.kernel.zones import instant_of, wall_clock
from domain.orders.order import Country, Language, ProductKind, Staff
from workers.feeds.countries import country_code
from workers.feeds.errors import FeedError
from workers.feeds.files import guess_delimiter, read_header
from workers.feeds.mapping_file import MappingSyntaxError, read_mapping
from workers.feeds.spelling import DateFormats, Spelling, parsed_date

BUNDLED = Path(__file__).parent / "mappings"

_RESERVED = ("example", "test", "invalid", "localhost")
_RESERVED_NAMES = ("example.com", "example.net", "example.org")


def _with_customer(template: str) -> str:
    try:
        filled = template.format(customer_id="17")
    except (KeyError, IndexError, ValueError) as error:
        raise ValueError(f"{template!r} may hold {{customer_id}} and no other placeholder") from error
    if filled == template:
        raise ValueError(f"{template!r} must hold {{customer_id}}, or all customers would be the same")
    return template


def _of_nobody(template: str) -> str:
    domain = template.rpartition("@")[2].lower()
    if domain.rpartition(".")[2] not in _RESERVED and domain not in _RESERVED_NAMES:
        raise ValueError(
            f"addresses made up from ids must lie in a reserved domain such as customers.example, not in {domain!r}:"
            " a stranger could get the mail"
        )
    return template


def pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from error
    return text


def known_encoding(name: str) -> str:
    try:
        "".encode(name)
    except LookupError as error:
        raise ValueError(f"unknown encoding {name!r}; use one such as utf-8 or cp1252") from error
    return name


Column = Annotated[str, StringConstraints(min_length=1)]
Template = Annotated[str, AfterValidator(_with_customer)]


class Columns(Received):
    """The feed's column for each field. Without a country column every customer is in the default country."""

    order_id: Column
    customer_id: Column
    product_code: Column
    product_name: Column
    quantity: Column
    unit_price: Column
    date: Column
    country: Column | None = None

    def named(self) -> dict[str, str]:
        """Field to column, for those that the feed has."""
        return {field: column for field, column in self.model_dump().items() if column is not None}


class AccountRules(Received):
    """How a customer id becomes an account. `countries` are spellings that are no English territory name."""

    id: Template = "{customer_id}"
    name: Template = "Customer {customer_id}"
    segment: str = "wholesale"
    owner: Staff
    country: Country
    countries: dict[str, Country] = {}
    time_zone: ZoneName
    time_zones: dict[Country, ZoneName] = {}
    language: Language = "en"
    languages: dict[Country, Language] = {}


class ContactRules(Received):
    """The one contact of each account; a feed of order lines knows no people."""

    id: Template = "{customer_id}-1"
    name: Template = "Purchasing {customer_id}"
    email: Annotated[Template, AfterValidator(_of_nobody)] = "{customer_id}@customers.example"


class Exclusions(Received):
    """Lines that sell nothing: codes that are no products (in any case), order ids that mark a cancellation."""

    not_products: tuple[str, ...] = ()
    cancelled_orders: Annotated[str, AfterValidator(pattern)] | None = None


class Mapping(Spelling):
    """A feed of order lines in CSV: where its fields are, what holds for all lines, and which lines sell nothing."""

    title: str
    encoding: Annotated[str, AfterValidator(known_encoding)] = "utf-8-sig"
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1, strip_whitespace=False)] = ","
    columns: Columns
    date_format: DateFormats
    time_zone: ZoneName
    currency: CurrencyCode
    product_kind: ProductKind = ProductKind.GOODS
    account: AccountRules
    contact: ContactRules = ContactRules()
    exclude: Exclusions = Exclusions()

    def local_time(self, text: str) -> datetime:
        """A date of the feed on the feed's own clock. Raises ValueError."""
        read = parsed_date(text, self.date_format)
        return wall_clock(read, self.time_zone) if read.tzinfo else read

    def instant(self, local: datetime, *, weeks: int = 0) -> datetime:
        """The instant of a time on the feed's clock, `weeks` later by that clock."""
        return instant_of(local + timedelta(weeks=weeks), self.time_zone)

    def country_of(self, name: str | None) -> str | None:
        """The country code for a name in the feed; null for one that nobody knows."""
        if name is None:
            return self.account.country
        return self.account.countries.get(name) or country_code(name)


def load_mapping(file: Path) -> Mapping:
    """The mapping in a YAML file. Raises FeedError that names each field that is wrong."""
    try:
        document: Any = read_mapping(file)
    except (OSError, UnicodeError, MappingSyntaxError) as error:
        raise FeedError(f"the mapping {file} cannot be read: {error}") from error
    try:
        return Mapping.model_validate(document)
    except ValidationError as error:
        raise FeedError(
            str(Refusal.from_validation("InvalidMapping", f"the mapping {file} is wrong", error))
        ) from error


def mapping_for(file: Path, chosen: Path | None = None) -> tuple[Mapping, list[str]]:
    """The mapping to read `file` by, and the file's header: the chosen one, or the bundled one that knows its columns."""
    if chosen is not None:
        mapping = load_mapping(chosen)
        header = read_header(file, encoding=mapping.encoding, delimiter=mapping.delimiter)
        _check_columns(mapping, header, file)
        return mapping, header
    header = read_header(file)
    for place in sorted(BUNDLED.glob("*.yaml")):
        mapping = load_mapping(place)
        if set(mapping.columns.named().values()) <= set(header):
            return mapping, header
    raise FeedError(
        f"no known feed has the columns of {file}: {', '.join(header)}{_hint(header)}."
        " Give a mapping with --mapping that says what each column holds"
    )


def _check_columns(mapping: Mapping, header: list[str], file: Path) -> None:
    for field, column in mapping.columns.named().items():
        if column not in header:
            raise FeedError(
                f"columns.{field}: {file} has no column {column!r}; it has {', '.join(header)}{_hint(header)}"
            )


def _hint(header: list[str]) -> str:
    found = guess_delimiter(header)
    return (
        f" (one column; its delimiter seems to be {found!r}, so say so in the mapping's `delimiter`)" if found else ""
    )
