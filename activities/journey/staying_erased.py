"""Whoever was erased stays so, whatever orders are sent again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from activities.frame.unit_of_work import Performer
from activities.journey.erasing_rows import erasures_of
from activities.kernel.pool import Connection
from domain.frame.customer import Customer
from domain.frame.state import ERASED
from domain.journey.staying_erased import ERASED_CUSTOMER, ERASED_PERSON, check_erased
from domain.kernel.refusals import Refusal
from domain.orders.order import Order


async def check_orders(
    connection: Connection, customer: Customer | None, orders: Iterable[Order], *, opening: bool
) -> None:
    """Refuses orders that name somebody who was erased. A journey that goes on knows of them by itself. Raises `Refusal`."""
    if customer is not None and (opening or customer.account.name == ERASED):
        account_id = customer.account.account_id
        erased = [row["contact_id"] for row in await erasures_of(connection, account_id)]
        for order in orders:
            check_erased(account_id, erased, order)


@asynccontextmanager
async def forgotten_again(performer: Performer, account_id: str) -> AsyncIterator[None]:
    """What is refused in the block because somebody was erased stands in a history by then: the engine has to forget it once more."""
    try:
        yield
    except Refusal as refusal:
        if refusal.type in (ERASED_CUSTOMER, ERASED_PERSON):
            async with performer.connection() as connection:
                await connection.execute("update erasure set over_at = null where account_id = $1", account_id)
        raise
