"""Fulfilment in tables: every step of every order line, as it was reported."""

from __future__ import annotations

from activities.frame.handlers import Handlers, inserted, on
from activities.kernel.pool import Connection
from domain.orders.fulfilments import Fulfilment, FulfilmentEvent, OrderLine, RecordFulfilment

_EVENT = "order_id line_id event_id step quantity at promised_at reported_by=by recorded_at=as_of"
HANDLERS: Handlers = dict([on(RecordFulfilment, inserted("fulfilment_event", _EVENT, "on conflict do nothing"))])
"""An event that is there already changes nothing."""


async def load_line(connection: Connection, account_id: str, order_id: str, line_id: str) -> OrderLine | None:
    """An order line of an account, with all that became of it; its asset if that was paid once."""
    row = await connection.fetchrow(
        "select l.quantity, l.unit_price::text as unit_price, o.currency, p.name, a.asset_id"
        " from order_line l join sales_order o using (order_id) join product p on p.code = l.product_code"
        " left join asset a on a.order_id = l.order_id and a.line_id = l.line_id and a.selling_model = 'one_time'"
        " where o.account_id = $1 and l.order_id = $2 and l.line_id = $3",
        account_id,
        order_id,
        line_id,
    )
    if row is None:
        return None
    return OrderLine(
        order_id=order_id,
        product_name=row["name"],
        unit_price=row["unit_price"],
        currency=row["currency"],
        asset_id=row["asset_id"],
        fulfilment=await fulfilment_of(connection, order_id, line_id, row["quantity"]),
    )


async def fulfilment_of(connection: Connection, order_id: str, line_id: str, quantity: int) -> Fulfilment:
    """What became of a line of `quantity` units."""
    events = await connection.fetch(
        "select event_id, step, quantity, at, promised_at from fulfilment_event where order_id = $1 and line_id = $2"
        " order by number",
        order_id,
        line_id,
    )
    promised = [event["promised_at"] for event in events if event["promised_at"] is not None]
    return Fulfilment(
        line_id=line_id,
        quantity=quantity,
        promised=promised[-1] if promised else None,
        events=tuple(
            FulfilmentEvent(event_id=e["event_id"], at=e["at"], step=e["step"], quantity=e["quantity"])
            for e in events
            if e["step"] != "ordered"
        ),
    )
