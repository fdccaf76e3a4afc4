"""Days, instants and half-open spans, and the ways in which their ends are written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime


def _in_utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
"""An aware datetime, kept in UTC."""

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Span:
    """The days from `start` up to, but without, `end`."""

    start: date
    end: date

    @classmethod
    def written(cls, start: date, end: date, inclusive_end: bool) -> Span:
        """A span from two written dates, the second of which may be the last day that counts."""
        return cls(start, end + DAY if inclusive_end else end)

    @property
    def days(self) -> int:
        return (self.end - self.start).days


def is_month_end(day: date) -> bool:
    return (day + DAY).day == 1
