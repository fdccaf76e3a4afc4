"""The mapping of a case log: how its columns and words become cases, and what those cases were promised."""

from __future__ import annotations

import re
import string
from collections.abc import Mapping as Dict
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, StringConstraints, ValidationError, model_validator

from domain.frame.case_words import CaseState, Priority
from domain.kernel import zones
from domain.kernel.base import Received
from domain.kernel.business_calendar import BusinessCalendar, check_before_saving
from domain.kernel.business_errors import ServiceRuleError
from domain.kernel.calendar import ZoneName
from domain.kernel.national import national_holidays
from domain.kernel.refusals import Refusal
from domain.orders.order import Country, Language, Staff
from domain.service.entitlements import ServicePolicy, check_targets
from domain.service.opening import CaseCategory, CaseChannel
from workers.feeds.errors import FeedError
from workers.feeds.files import read_header
from workers.feeds.mapping import BUNDLED, Column
from workers.feeds.mapping_file import MappingSyntaxError, read_mapping
from workers.feeds.spelling import DateFormats, parsed_date

CASE_MAPPINGS = BUNDLED / "cases"

_RESERVED = (".example", ".test", ".invalid", "example.com", "example.net", "example.org")


def _with_value(template: str) -> str:
    try:
        filled = template.format(value="17")
    except (KeyError, IndexError, ValueError) as error:
        raise ValueError(f"{template!r} may hold {{value}} and no other placeholder") from error
    if filled == template:
        raise ValueError(f"{template!r} must hold {{value}}, or all would be the same")
    return template


def _to_nobody(template: str) -> str:
    if not template.lower().endswith(_RESERVED):
        raise ValueError(f"{template!r} lies in a domain where a stranger could get the mail; use customers.example")
    return template


Template = Annotated[str, AfterValidator(_with_value)]
"""A text with `{value}` where the log's own word goes."""


def opaque(word: str) -> str:
    """A word of the log as part of an id: small letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-")


class CaseColumns(Received):
    """The log's column for each field; those with none are told by nobody. Each line is an event of one case."""

    case_id: Column
    at: Column
    state: Column
    customer: Column
    opened_at: Column | None = None
    """without it a case was opened with its first line"""
    priority: Column | None = None
    product: Column | None = None
    owner: Column | None = None
    channel: Column | None = None

    def named(self) -> dict[str, str]:
        """Field to column, for those that the log has."""
        return {field: column for field, column in self.model_dump().items() if column is not None}


class Ids(Received):
    """How the log's words become ids. A case keeps its number as it is written unless the template says otherwise."""

    case: Template = "{value}"
    account: Template = "{value}"
    product: Template = "{value}"
    owner: Template = "{value}"


class CustomerRules(Received):
    """What an account gets that only the log knows of; one that is on record stays as it is."""

    name: Template = "Customer {value}"
    segment: str = "standard"
    owner: Staff
    country: Country
    time_zone: ZoneName
    language: Language = "en"
    contact_name: Template = "Service desk {value}"
    contact_email: Annotated[Template, AfterValidator(_to_nobody)] = "{value}@customers.example"


class NationalHolidays(Received):
    """The public holidays of a country that the calendar keeps, as dates of their years."""

    country: Country
    first_year: int
    last_year: int


class CaseMapping(Received):
    """A log of case events in CSV: where its fields are, what its words mean, and the promises that held."""

    title: str
    encoding: str = "utf-8-sig"
    delimiter: Annotated[str, StringConstraints(min_length=1, max_length=1, strip_whitespace=False)] = ","
    columns: CaseColumns
    date_format: DateFormats
    time_zone: ZoneName
    nothing: tuple[str, ...] = ("",)
    """words that stand for no value"""
    subject: str
    """of each case, with columns in braces: `Category {category}`"""
    ids: Ids = Ids()
    states: dict[str, CaseState]
    same_state: tuple[str, ...] = ()
    """words of the state column that change nothing"""
    priorities: dict[str, Priority] = {}
    priority: Priority = Priority.MEDIUM
    """of cases whose log names none"""
    channels: dict[str, CaseChannel] = {}
    category: CaseCategory = CaseCategory.INCIDENT
    customer: CustomerRules
    calendar: BusinessCalendar
    holidays: NationalHolidays | None = None
    policy: ServicePolicy

    @model_validator(mode="after")
    def _promises_hold(self) -> CaseMapping:
        try:
            check_before_saving(self.calendar)
            check_targets(self.policy)
        except ServiceRuleError as error:
            raise ValueError(str(error)) from error
        others = {one.calendar_id for one in self.policy.milestones if one.calendar_id} | {self.policy.calendar_id}
        if others != {self.calendar.id}:
            raise ValueError(
                f"the policy counts in the calendars {sorted(others)}; the mapping has {self.calendar.id!r}"
            )
        if twice := sorted(set(self.same_state) & set(self.states)):
            raise ValueError(f"{twice[0]!r} is a state and changes nothing; name it once")
        return self

    def instant(self, text: str) -> datetime:
        """A date of the log as an instant in UTC. Raises ValueError."""
        return instant_of(text, self.date_format, self.time_zone)

    def whole_calendar(self) -> BusinessCalendar:
        """The calendar with its national holidays."""
        if self.holidays is None:
            return self.calendar
        years = range(self.holidays.first_year, self.holidays.last_year + 1)
        dates = national_holidays(self.holidays.country, years)
        return self.calendar.model_copy(update={"holidays": (*self.calendar.holidays, *dates)})

    @property
    def subject_columns(self) -> list[str]:
        """The columns that the subject shows."""
        return [name for _, name, _, _ in string.Formatter().parse(self.subject) if name]


@lru_cache(maxsize=65_536)
def instant_of(text: str, formats: tuple[str, ...], zone: str) -> datetime:
    """The instant of a feed: with the offset that it says, else on the clock of `zone`. Raises ValueError."""
    local = parsed_date(text, formats)
    return local.astimezone(UTC) if local.tzinfo else zones.instant_of(local, zone)


def load_case_mapping(file: Path) -> CaseMapping:
    """The mapping in a YAML file. Raises FeedError that names each field that is wrong."""
    try:
        document: Any = read_mapping(file)
    except (OSError, UnicodeError, MappingSyntaxError) as error:
        raise FeedError(f"the mapping {file} cannot be read: {error}") from error
    try:
        return CaseMapping.model_validate(document)
    except ValidationError as error:
        refusal = Refusal.from_validation("InvalidMapping", f"the mapping {file} is wrong", error)
        raise FeedError(str(refusal)) from error


def case_mapping_for(file: Path, chosen: Path | None = None) -> tuple[CaseMapping, list[str]]:
    """The mapping to read `file` by, and the file's header: the chosen one, or one that comes along and knows its columns.

    Raises FeedError if the log cannot be read by it.
    """
    if chosen is not None:
        mapping = load_case_mapping(chosen)
        header = read_header(file, encoding=mapping.encoding, delimiter=mapping.delimiter)
        if missing := _missing(mapping, header):
            said = ", ".join(f"{field}: no column {column!r}" for field, column in missing.items())
            raise FeedError(f"{file} does not fit the mapping {chosen}: {said}; it has {', '.join(header)}")
        return mapping, header
    header = read_header(file)
    for place in sorted(CASE_MAPPINGS.glob("*.yaml")):
        mapping = load_case_mapping(place)
        if not _missing(mapping, header):
            return mapping, header
    raise FeedError(
        f"no known case log has the columns of {file}: {', '.join(header)};"
        " give a mapping with --mapping that says what each column holds"
    )


def _missing(mapping: CaseMapping, header: list[str]) -> Dict[str, str]:
    named = {f"columns.{field}": column for field, column in mapping.columns.named().items()}
    named |= {f"subject {column}": column for column in mapping.subject_columns}
    return {field: column for field, column in named.items() if column not in header}
