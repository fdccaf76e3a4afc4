"""One timeline per customer over sales and service: its items, who may see which, and the cursor that pages through it."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, Self

from pydantic import AwareDatetime

from domain.kernel.base import Carried
from domain.kernel.refusals import INVALID_REQUEST, Problem, Refusal

PAGE = 50
LONGEST_PAGE = 500


class TimelineKind(StrEnum):
    """What an item is about."""

    PURCHASE = "purchase"
    ASSET = "asset"
    CONTRACT = "contract"
    QUOTE = "quote"
    OFFER = "offer"
    INVOICE = "invoice"
    CREDIT = "credit"
    ONBOARDING = "onboarding"
    USAGE = "usage"
    HEALTH = "health"
    SURVEY = "survey"
    MESSAGE = "message"
    CASE = "case"
    MILESTONE = "milestone"
    """a promise of a case that was kept, or was due and was not"""
    HOLD = "hold"
    LEAD = "lead"
    RELATIONSHIP = "relationship"
    """the rest: anniversaries, pauses, what was delivered or could not be"""


class Visibility(StrEnum):
    """Who may see an item."""

    CUSTOMER = "customer"
    """what the customer saw themselves"""
    STAFF = "staff"
    """all of our people"""
    SERVICE = "service"
    """service alone: internal notes"""


class Audience(StrEnum):
    """Whose eyes a page is for."""

    CUSTOMER = "customer"
    SALES = "sales"
    SERVICE = "service"

    @property
    def sees(self) -> tuple[Visibility, ...]:
        """The items that it may see."""
        order = {Audience.CUSTOMER: 1, Audience.SALES: 2, Audience.SERVICE: 3}
        return tuple(Visibility)[: order[self]]


class TimelineItem(Carried):
    """One thing that happened, or a contract's date to come. `link` names what to open, such as `case/C-17`."""

    key: str
    at: AwareDatetime
    kind: TimelineKind
    title: str
    actor: str
    link: str | None = None
    visibility: Visibility

    @property
    def cursor(self) -> Cursor:
        """Where the page behind this item begins."""
        return Cursor(self.at, self.key)


class TimelinePage(Carried):
    """Items from the newest on; `next` is the cursor of the page behind it, none at the end."""

    items: tuple[TimelineItem, ...]
    next: str | None = None


class Cursor(NamedTuple):
    """A place in a timeline. Items that come later move no page that lies behind it."""

    at: datetime
    key: str

    @classmethod
    def as_of(cls, at: datetime) -> Self:
        """The place behind everything that is still ahead at an instant, such as a term that ends later."""
        return cls(at + _MICRO, "")

    def __str__(self) -> str:
        text = f"{(self.at - _EPOCH) // _MICRO}/{self.key}"
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICRO = timedelta(microseconds=1)


def read_cursor(text: str, field: str = "before") -> Cursor:
    """The place that a cursor names. Raises Refusal (InvalidRequest) for a text that never was one, in the `field` that it came in."""
    try:
        padded = text + "=" * (-len(text) % 4)
        micros, found, key = base64.b64decode(padded, altchars=b"-_", validate=True).decode().partition("/")
        if not found or "\0" in key:
            raise ValueError("no key")
        return Cursor(_EPOCH + int(micros) * _MICRO, key)
    except (ValueError, OverflowError, binascii.Error) as error:
        problem = Problem(field=field, problem=f"{text[:80]!r} is no cursor; give `next` of an earlier page")
        raise Refusal(INVALID_REQUEST, "the page cannot be found", [problem]) from error
