"""What becomes of an order's lines, as whoever ships and installs them reports it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

from domain.frame.requests import Request
from domain.kernel.calendar import within_reach
from domain.kernel.ids import OrderRef
from domain.orders.order import Quantity
from domain.quotes.fulfilment import Fulfilment, FulfilmentEvent, FulfilmentStep

LineRef = Annotated[str, StringConstraints(pattern=r"^[\w.-]{1,60}$")]
Moment = Annotated[AwareDatetime, AfterValidator(within_reach)]


class ReportedStep(StrEnum):
    """What can be reported; `ordered` tells when delivery is promised."""

    ORDERED = "ordered"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    INSTALLED = "installed"
    RETURNED = "returned"


class ReportFulfilment(Request):
    """`quantity` units of an order line (all that are left if it is not given) came to a step, at `at` (now if not given)."""

    order_id: OrderRef
    line_id: LineRef
    step: ReportedStep
    quantity: Quantity | None = None
    at: Moment | None = None
    promised_at: Moment | None = None
    reason: Annotated[str, Field(max_length=500)] = ""


@dataclass(frozen=True)
class RecordFulfilment:
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


def left_for(fulfilment: Fulfilment, step: FulfilmentStep) -> int:
    """The units that can still come to a step: those that came through the one before."""
    before = {
        FulfilmentStep.SHIPPED: fulfilment.quantity,
        FulfilmentStep.DELIVERED: fulfilment.count(FulfilmentStep.SHIPPED),
        FulfilmentStep.INSTALLED: fulfilment.count(FulfilmentStep.DELIVERED),
        FulfilmentStep.RETURNED: fulfilment.count(FulfilmentStep.DELIVERED),
    }[step]
    return before - fulfilment.count(step)


def event_of(request: ReportFulfilment, event_id: str, quantity: int, as_of: datetime) -> FulfilmentEvent:
    """The event that a report is about."""
    return FulfilmentEvent(
        event_id=event_id, at=request.at or as_of, step=FulfilmentStep(request.step.value), quantity=quantity
    )
