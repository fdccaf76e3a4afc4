"""The mapping: how a feed's columns and constants become orders. A YAML file, checked before anything is read."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator

from domain.kernel.base import Received
from domain.kernel.calendar import ZoneName
from domain.kernel.money import CurrencyCode
from domain.kernel.zones import instant_of, wall_clock
from domain.orders.order import Country, Language, ProductKind, Staff
from workers.feeds.countries import country_code
from workers.feeds.mapping_file import Column, Columns, CsvMapping, OfNobody, filled, fitting, pattern
from workers.feeds.spelling import DateFormats, Spelling, parsed_date

Template = Annotated[str, filled("customer_id", all_alike="all customers")]


class OrderColumns(Columns):
    """The feed's column for each field. Without a country column every customer is in the default country."""

    order_id: Column
    customer_id: Column
    product_code: Column
    product_name: Column
    quantity: Column
    unit_price: Column
    date: Column
    country: Column | None = None


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

    def of(self, customer_id: str, country: str) -> dict[str, Any]:
        """The account of a customer, as an order or an asset brings it along."""
        return {
            "account_id": self.id.format(customer_id=customer_id),
            "name": self.name.format(customer_id=customer_id),
            "country": country,
            "time_zone": self.time_zones.get(country, self.time_zone),
            "language": self.languages.get(country, self.language),
            "segment": self.segment,
            "owner": self.owner.model_dump(mode="json"),
        }

    def country_of(self, name: str | None) -> str | None:
        """The country code for a name in the feed; null for one that nobody knows."""
        return self.country if name is None else self.countries.get(name) or country_code(name)


class ContactRules(Received):
    """The one contact of each account; a feed of order lines knows no people."""

    id: Template = "{customer_id}-1"
    name: Template = "Purchasing {customer_id}"
    email: Annotated[Template, OfNobody] = "{customer_id}@customers.example"

    def of(self, customer_id: str) -> dict[str, str]:
        """The contact of a customer."""
        return {
            "contact_id": self.id.format(customer_id=customer_id),
            "name": self.name.format(customer_id=customer_id),
            "email": self.email.format(customer_id=customer_id),
        }


class Exclusions(Received):
    """Lines that sell nothing: codes that are no products (in any case), order ids that mark a cancellation."""

    not_products: tuple[str, ...] = ()
    cancelled_orders: Annotated[str, AfterValidator(pattern)] | None = None


class Mapping(CsvMapping, Spelling):
    """A feed of order lines in CSV: where its fields are, what holds for all lines, and which lines sell nothing."""

    columns: OrderColumns
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


def mapping_for(file: Path, chosen: Path | None = None) -> tuple[Mapping, list[str]]:
    """The mapping to read `file` by, and the file's header: the chosen one, or the bundled one that knows its columns."""
    return fitting(file, Mapping, chosen)
