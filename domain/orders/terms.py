"""How long a contract of an order runs: to an end, or from period to period until notice is given."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from domain.kernel.base import Received
from domain.kernel.calendar import FOR_EVER, add_months, started_months, within_reach


class Evergreen(StrEnum):
    """How a contract without an end goes on until somebody gives notice: from period to period, at whose ends it can be given up."""

    MONTHLY = "monthly"
    YEARLY = "yearly"

    @property
    def months(self) -> int:
        """The length of a period."""
        return 1 if self is Evergreen.MONTHLY else 12


class Term(Received):
    """A contract's term by local dates: from `start` to `end`, the last day included, or `months` long. With `evergreen` it has no end:
    it goes on by the month, or by the year, until notice is given."""

    start: Annotated[date, AfterValidator(within_reach)]
    end: Annotated[date, AfterValidator(within_reach)] | None = None
    months: Annotated[int, Field(ge=1, le=240)] | None = None
    evergreen: Evergreen | None = None

    @model_validator(mode="after")
    def _has_one_end(self) -> Self:
        if self.evergreen is not None:
            if self.end is not None or self.months is not None:
                raise ValueError("an evergreen term has no end and no length; leave out end and months, or evergreen")
            return self
        if (self.end is None) == (self.months is None):
            raise ValueError(
                "give either end (the last day of the term) or months (its length), not both and not none; evergreen for none"
            )
        if self.end is not None and self.end < self.start:
            raise ValueError(
                f"the term ends on {self.end} before it starts on {self.start}; its end must be on or after its start"
            )
        return self

    @property
    def until(self) -> date:
        """The first day after the term."""
        if self.evergreen is not None:
            return FOR_EVER
        return self.end + timedelta(days=1) if self.end else add_months(self.start, self.months or 1)

    @property
    def length(self) -> int:
        """The term's length in whole months, an incomplete one counted; of one without an end that of its periods."""
        if self.evergreen is not None:
            return self.evergreen.months
        return started_months(self.start, self.until)
