"""Fulfilment of order lines: ordered, shipped, delivered, installed, returned; in part, and what time starts there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import Field

from domain.assets.dates import Instant, Span, local_date
from domain.catalogue.errors import FulfilmentError
from domain.kernel.base import Carried
from domain.kernel.calendar import add_months


class FulfilmentStep(StrEnum):
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    INSTALLED = "installed"
    RETURNED = "returned"


class FulfilmentState(StrEnum):
    """The furthest step that all units have come to; `returned` if none is left."""

    ORDERED = "ordered"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    INSTALLED = "installed"
    RETURNED = "returned"


_BEFORE = {
    FulfilmentStep.DELIVERED: FulfilmentStep.SHIPPED,
    FulfilmentStep.INSTALLED: FulfilmentStep.DELIVERED,
    FulfilmentStep.RETURNED: FulfilmentStep.DELIVERED,
}
_FORWARD = (FulfilmentStep.INSTALLED, FulfilmentStep.DELIVERED, FulfilmentStep.SHIPPED)


class FulfilmentEvent(Carried):
    """`quantity` units came to a step; `event_id` makes it count once."""

    event_id: str
    at: Instant
    step: FulfilmentStep
    quantity: Annotated[int, Field(ge=1)]


class Fulfilment(Carried):
    """What became of an order line."""

    line_id: str
    quantity: Annotated[int, Field(ge=1)]
    promised: Instant | None = None
    events: tuple[FulfilmentEvent, ...] = ()

    def count(self, step: FulfilmentStep) -> int:
        """Units that ever came to a step."""
        return sum(event.quantity for event in self.events if event.step is step)

    @property
    def kept(self) -> int:
        """Units delivered and not returned."""
        return self.count(FulfilmentStep.DELIVERED) - self.count(FulfilmentStep.RETURNED)

    @property
    def state(self) -> FulfilmentState:
        if self.count(FulfilmentStep.RETURNED) == self.quantity:
            return FulfilmentState.RETURNED
        reached = [step for step in _FORWARD if self.count(step) == self.quantity]
        return FulfilmentState(reached[0]) if reached else FulfilmentState.ORDERED

    @property
    def in_part(self) -> bool:
        """Whether some units, not all, have come further than the state says, or went back."""
        return any(0 < self.count(step) < self.quantity for step in FulfilmentStep)

    def late(self, at: datetime) -> int:
        """Units that were promised by now and are not delivered."""
        due = self.promised is not None and at > self.promised
        return self.quantity - self.count(FulfilmentStep.DELIVERED) if due else 0


class Coverage(Carried):
    """Units that a warranty or a price protection covers, from the day of their delivery up to `end` (half-open)."""

    quantity: int
    start: date
    end: date


def record_step(fulfilment: Fulfilment, event: FulfilmentEvent) -> Fulfilment:
    """The line after an event; an event that is there already has no effect.

    Raises:
        FulfilmentError: More units than came through the step before, or before the last event.
    """
    if any(known.event_id == event.event_id for known in fulfilment.events):
        return fulfilment
    if fulfilment.events and event.at < fulfilment.events[-1].at:
        raise FulfilmentError(f"{event.event_id} is before the last event, {fulfilment.events[-1].at.isoformat()}")
    before = _BEFORE.get(event.step)
    most = fulfilment.quantity if before is None else fulfilment.count(before)
    if fulfilment.count(event.step) + event.quantity > most:
        raise FulfilmentError(
            f"line {fulfilment.line_id}: {fulfilment.count(event.step)} and {event.quantity} more units {event.step}, "
            f"but only {most} {before or 'ordered'}"
        )
    return fulfilment.model_copy(update={"events": (*fulfilment.events, event)})


def coverage(fulfilment: Fulfilment, months: int, anchor: FulfilmentStep, zone: str) -> tuple[Coverage, ...]:
    """What `months` from the anchor's local day cover, for each part that came to it; returned units last in, first out."""
    parts = [event for event in fulfilment.events if event.step is anchor]
    back = sum(event.quantity for event in parts) - fulfilment.kept
    return tuple(_covered(parts, back, months, ZoneInfo(zone)))[::-1]


def _covered(parts: list[FulfilmentEvent], back: int, months: int, zone: ZoneInfo) -> Iterator[Coverage]:
    for event in reversed(parts):
        gone = min(max(back, 0), event.quantity)
        back -= gone
        if gone < event.quantity:
            start = local_date(event.at, zone)
            span = Span(start, add_months(start, months))
            yield Coverage(quantity=event.quantity - gone, start=span.start, end=span.end)
