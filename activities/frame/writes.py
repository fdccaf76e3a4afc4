"""Carrying out what a decision writes, by the handlers that the areas list."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby

from activities.assets import ledger
from activities.billing import payment_rows
from activities.contracts import holdings
from activities.frame.handlers import Added, Gathers, Handlers, Sql, Writing, on
from activities.frame.staff_rows import STAFF_TASK
from activities.holds import hold_writes
from activities.journey import people_rows, placed_rows, staff_task_rows
from activities.mail import contact_writes
from activities.orders import fulfilment_rows, order_rows
from activities.quotes import quote_rows
from activities.service import case_events
from activities.success import success_writes
from domain.billing.writes import BILLED
from domain.frame.decision import CloseStaffTasks, OpenStaffTask
from domain.frame.staff_tasks import task_id
from domain.kernel.base import Write

_CLOSE = Sql(
    "update staff_task set closed_at = :at, ended = :ended, ended_by = :by, outcome = :outcome"
    " where account_id = :account_id and closed_at is null"
    " and (key = :prefix or right(:prefix, 1) = '/' and starts_with(key, :prefix))"
)


_TASK = STAFF_TASK.of(OpenStaffTask, "account_id opened_at task_id staff_id reason")


async def _open_tasks(place: Writing, writes: list[OpenStaffTask]) -> None:
    given = {"account_id": place.account_id, "opened_at": place.as_of}
    rows = [
        _TASK.row(
            write,
            **given,
            task_id=task_id(place.account_id, write.key, place.as_of),
            staff_id=place.staff_id(write.to),
            reason=write.reason or write.title,
        )
        for write in writes
    ]
    await place.add(STAFF_TASK, rows)


HANDLERS: Handlers = {
    **dict([on(OpenStaffTask, Gathers(_open_tasks)), on(CloseStaffTasks, _CLOSE)]),
    **ledger.HANDLERS,
    **holdings.HANDLERS,
    **payment_rows.HANDLERS,
    **hold_writes.HANDLERS,
    **case_events.HANDLERS,
    **people_rows.HANDLERS,
    **placed_rows.HANDLERS,
    **staff_task_rows.HANDLERS,
    **contact_writes.HANDLERS,
    **fulfilment_rows.HANDLERS,
    **order_rows.HANDLERS,
    **quote_rows.HANDLERS,
    **success_writes.HANDLERS,
}
"""One for each kind of write but those that are billed, which is decided once all others are there."""


async def carry_out(place: Writing, writes: Iterable[Write]) -> None:
    """Every write, in order; runs of the same kind go to the server together, and so do rows of several kinds: some may wait after this."""
    apart = replace(place, gathered=None)
    for kind, run in groupby((write for write in writes if not isinstance(write, BILLED)), type):
        handler = HANDLERS[kind]
        if isinstance(handler, Added | Gathers):
            await handler(place, list(run))
        else:
            await place.written()
            await handler(apart, list(run))
