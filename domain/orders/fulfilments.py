"""What becomes of an order's lines, as whoever ships and installs them reports it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

from domain.assets.dates import Instant
from domain.kernel.base import Carried, Write
from domain.kernel.calendar import within_reach
from domain.kernel.ids import OrderRef
from domain.kernel.requests import Request
from domain.kernel.rule_errors import RuleError
from domain.orders.order import Quantity

LineRef = Annotated[str, StringConstraints(pattern=r"^[\w.-]{1,60}$")]
Moment = Annotated[AwareDatetime, AfterValidator(within_reach)]


class FulfilmentError(RuleError):
    """More units in a step than came through the one before, or a step back in time."""

    code = "fulfilment_not_valid"


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

    def most(self, step: FulfilmentStep) -> int:
        """Units that may come to a step: those that came through the one before."""
        before = _BEFORE.get(step)
        return self.quantity if before is None else self.count(before)

    def left(self, step: FulfilmentStep) -> int:
        """Units that can still come to a step."""
        return self.most(step) - self.count(step)

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


def record_step(fulfilment: Fulfilment, event: FulfilmentEvent) -> Fulfilment:
    """The line after an event; an event that is there already has no effect.

    Raises:
        FulfilmentError: More units than came through the step before, or before the last event.
    """
    if any(known.event_id == event.event_id for known in fulfilment.events):
        return fulfilment
    if fulfilment.events and event.at < fulfilment.events[-1].at:
        raise FulfilmentError(f"{event.event_id} is before the last event, {fulfilment.events[-1].at.isoformat()}")
    if event.quantity > fulfilment.left(event.step):
        raise FulfilmentError(
            f"line {fulfilment.line_id}: {fulfilment.count(event.step)} and {event.quantity} more units {event.step}, "
            f"but only {fulfilment.most(event.step)} {_BEFORE.get(event.step, 'ordered')}"
        )
    return fulfilment.having(events=(*fulfilment.events, event))


class ReportedStep(StrEnum):
    """What can be reported; `ordered` tells when delivery is promised."""

    ORDERED = "ordered"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    INSTALLED = "installed"
    RETURNED = "returned"


class ReportFulfilment(Request):
    """`quantity` units of an order line (all that are left if it is not given) came to a step, at `at` (now if not given).

    In part, late, returned; `ordered` tells when delivery is promised (`promised_at`).
    """

    order_id: OrderRef
    line_id: LineRef
    step: ReportedStep
    quantity: Quantity | None = None
    at: Moment | None = None
    promised_at: Moment | None = None
    reason: Annotated[str, Field(max_length=500)] = ""


@dataclass(frozen=True)
class RecordFulfilment(Write):
    """A step of an order line."""

    order_id: str
    line_id: str
    event_id: str
    step: str
    quantity: int
    at: datetime
    promised_at: datetime | None
    by: str


@dataclass(frozen=True)
class OrderLine:
    """An order line with what became of it. `asset_id`: the asset that it is, if it is one that was paid once."""

    order_id: str
    product_name: str
    unit_price: str
    currency: str
    asset_id: str | None
    fulfilment: Fulfilment


def event_of(request: ReportFulfilment, event_id: str, quantity: int, as_of: datetime) -> FulfilmentEvent:
    """The event that a report is about."""
    return FulfilmentEvent(
        event_id=event_id, at=request.at or as_of, step=FulfilmentStep(request.step.value), quantity=quantity
    )
