"""The orders of a customer: what was sold, and how far each line has come."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import AwareDatetime

from activities.kernel.pool import Connection
from activities.orders.order_pages import orders_of
from domain.frame.access import FieldGroup
from domain.journey.customer_timeline import Cursor
from domain.orders.fulfilments import Fulfilment, FulfilmentEvent, FulfilmentState, FulfilmentStep
from gateway.views.pages import Page, page_of
from gateway.views.shown import Exact, View
from gateway.views.whose import Whose


class _Piece(View):
    line_id: str
    product: str
    name: str
    contract_id: str | None
    site: str | None
    quantity: int
    unit_price: Annotated[Exact, FieldGroup.PRICES]
    per: str
    asset_id: str | None
    promised: AwareDatetime | None


class SoldPiece(_Piece):
    """A line of an order. `state`: how far all of it has come, null if nobody ever told; `late`: how much was promised by now and is not
    delivered."""

    state: FulfilmentState | None
    late: int
    delivered: int
    returned: int


class _Order(View):
    order_id: str
    account_id: str
    activated_at: AwareDatetime
    activated_on: date
    recorded_at: AwareDatetime
    currency: str
    imported: bool
    contracts: list[str]


class PlacedOrder(_Order):
    """An order as it was accepted. `imported`: it was taken over from before."""

    lines: list[SoldPiece]


async def orders_page(
    connection: Connection, whose: Whose, place: Cursor | None, limit: int, order_id: str | None = None
) -> Page[PlacedOrder]:
    """Orders, the latest first; or the one of an id."""
    found = await page_of(_AsKept, orders_of, connection, place, limit, whose.account_id, order_id)
    return Page[PlacedOrder](items=[one.told(whose.now) for one in found.items], next=found.next)


class _KeptLine(_Piece):
    events: tuple[FulfilmentEvent, ...]
    told: bool

    def piece(self, now: datetime) -> SoldPiece:
        """The line with how far it has come by now."""
        came = Fulfilment(line_id=self.line_id, quantity=self.quantity, promised=self.promised, events=self.events)
        return SoldPiece(
            **self.model_dump(exclude={"events", "told"}),
            state=came.state if self.told else None,
            late=came.late(now),
            delivered=came.count(FulfilmentStep.DELIVERED),
            returned=came.count(FulfilmentStep.RETURNED),
        )


class _AsKept(_Order):
    lines: list[_KeptLine]

    def told(self, now: datetime) -> PlacedOrder:
        """The order with how far its lines have come by now."""
        return PlacedOrder(**self.model_dump(exclude={"lines"}), lines=[line.piece(now) for line in self.lines])
