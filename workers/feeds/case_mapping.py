"""The mapping of a case log: how its columns and words become cases, and what those cases were promised."""

from __future__ import annotations

import re
import string
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import model_validator

from domain.frame.case_words import CaseState, Priority
from domain.kernel import zones
from domain.kernel.base import Received
from domain.kernel.business_calendar import BusinessCalendar, check_before_saving
from domain.kernel.business_errors import ServiceRuleError
from domain.kernel.calendar import ZoneName
from domain.kernel.national import national_holidays
from domain.orders.order import Country, Language, Staff
from domain.service.entitlements import ServicePolicy, check_targets
from domain.service.opening import CaseCategory, CaseChannel
from workers.feeds.mapping_file import BUNDLED, Column, Columns, CsvMapping, OfNobody, filled, fitting
from workers.feeds.spelling import DateFormats, parsed_date

CASE_MAPPINGS = BUNDLED / "cases"

Template = Annotated[str, filled("value", all_alike="all")]
"""A text with `{value}` where the log's own word goes."""


def opaque(word: str) -> str:
    """A word of the log as part of an id: small letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-")


class CaseColumns(Columns):
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
    contact_email: Annotated[Template, OfNobody] = "{value}@customers.example"


class NationalHolidays(Received):
    """The public holidays of a country that the calendar keeps, as dates of their years."""

    country: Country
    first_year: int
    last_year: int


class CaseMapping(CsvMapping):
    """A log of case events in CSV: where its fields are, what its words mean, and the promises that held."""

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
        return self.calendar.having(holidays=(*self.calendar.holidays, *dates))

    def needed(self) -> dict[str, str]:
        """Where the mapping names a column to the column, those that the subject shows included."""
        return super().needed() | {f"subject {column}": column for column in self.subject_columns}

    @property
    def subject_columns(self) -> list[str]:
        """The columns that the subject shows."""
        return [name for _, name, _, _ in string.Formatter().parse(self.subject) if name]


@lru_cache(maxsize=65_536)
def instant_of(text: str, formats: tuple[str, ...], zone: str) -> datetime:
    """The instant of a feed: with the offset that it says, else on the clock of `zone`. Raises ValueError."""
    local = parsed_date(text, formats)
    return local.astimezone(UTC) if local.tzinfo else zones.instant_of(local, zone)


def case_mapping_for(file: Path, chosen: Path | None = None) -> tuple[CaseMapping, list[str]]:
    """The mapping to read `file` by, and the file's header: the chosen one, or one that comes along and knows its columns.

    Raises FeedError if the log cannot be read by it.
    """
    return fitting(file, CaseMapping, chosen, CASE_MAPPINGS)
