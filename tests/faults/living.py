"""Living a customer's story to its end, whatever fails on the way; what was carried out is kept for the accountant."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from domain.kernel.refusals import Refusal
from domain.success.usage import UsageRow
from tests.accountant.doors import Done, Lived
from tests.accountant.story import order_document
from tests.faults.customers import SERVICE, Customer, letter, weeks_of_use
from tests.faults.doors import Doors
from tests.faults.persisting import persist

STRIDE = timedelta(days=28)
"""So far a clock is moved at once: between two strides others have their turn."""
BROKEN = frozenset({"StepFailed", "TookTooLong", "Unreadable"})
"""Refusals that blame nobody's request."""
_SETTLES_WITHIN = 120.0


@dataclass
class Living:
    """One life, and how far it has come."""

    customer: Customer
    lived: Lived
    begun: list[str] = field(default_factory=list)
    at: datetime | None = None
    broken: list[str] = field(default_factory=list)
    """what went wrong and is nobody's refusal"""
    over: bool = False

    @property
    def days(self) -> int:
        """How many days it has lasted so far."""
        return (self.lived.last_day - self.customer.story.first).days if self.over else 0


async def live(doors: Doors, living: Living) -> None:
    """Lives to the end of the story."""
    story = living.customer.story
    for act in living.customer.acts:
        at = story.instant(act["day"], act["at"])
        await _come_near(doors, living, at)
        async with doors.gate.passing():
            await _move(doors, living, at)
            await _do(doors, living, act, at)
    end = story.instant(story.days, "12:00")
    await _come_near(doors, living, end)
    async with doors.gate.passing():
        await _move(doors, living, end)
    living.lived.last_day = story.first + timedelta(days=story.days)
    living.over = True


async def _come_near(doors: Doors, living: Living, at: datetime) -> None:
    """By strides, so that nobody has to wait for long who wants the gate to be closed."""
    while living.begun and living.at is not None and at - living.at > STRIDE:
        async with doors.gate.passing():
            await _move(doors, living, living.at + STRIDE)


async def _move(doors: Doors, living: Living, at: datetime) -> None:
    for account in sorted(living.begun):
        await doors.move(account, at)
    living.at = at


async def _do(doors: Doors, living: Living, act: dict[str, Any], at: datetime) -> None:
    try:
        answer = await _carry_out(doors, living, act, at)
    except Refusal as refusal:
        if refusal.type in BROKEN:
            living.broken.append(f"{act}: {refusal.type}: {refusal}")
        done = Done(act, at.date(), refusal.type, str(refusal))
    else:
        day = (
            datetime.fromisoformat(answer["accepted_at"]).astimezone(at.tzinfo).date() if "order" in act else at.date()
        )
        done = Done(act, day, answer=answer)
    if not act.get("beside"):
        living.lived.done.append(done)


async def _carry_out(doors: Doors, living: Living, act: dict[str, Any], at: datetime) -> dict[str, Any]:
    story, by_http = living.customer.story, living.customer.by_http
    if "order" in act:
        account = next(each for each in story.accounts if each["account_id"] == act["who"])
        answer = await doors.order(order_document(story, account, act), by_http=by_http)
        if act["who"] not in living.begun:
            living.begun.append(act["who"])
        return answer
    if "price" in act:
        await doors.publish(act["price"], at)
    elif "open" in act:
        await doors.open_case({"account_id": act["who"], **act["open"], "case_id": act["case"]}, by_http=by_http)
    elif "case" in act:
        return await doors.ask_case(act["case"], act["ask"], act["request"])
    elif "mail" in act:
        await doors.write(act["who"], letter(act["who"], act["mail"], at), f"jo@{act['who']}.example", SERVICE)
    elif "used" in act:
        await _report_use(doors, act["who"], at.date(), act["used"])
    else:
        answer = await doors.ask(act["who"], act["ask"], act["request"])
        if act["ask"] == "transfer_assets":
            await persist(lambda: _handed_over(doors, answer["transfer_id"]))
        return answer
    return {}


async def _report_use(doors: Doors, account: str, today: date, users: int) -> None:
    rows = [
        UsageRow(account_id=of, product=product, day=day, active_users=count)
        for of, product, day, count in weeks_of_use(account, today, users)
    ]
    await doors.usage(rows)


async def _handed_over(doors: Doors, transfer_id: str) -> None:
    """Waits until both customers have heard of a transfer: their clocks are moved one after the other."""
    settled = "select 1 from journal where kind = 'amendment_settled' and key like '%' || $1"
    deadline = time.monotonic() + _SETTLES_WITHIN
    while not await doors.pool.fetchval(settled, transfer_id):
        if time.monotonic() > deadline:
            raise TimeoutError(f"transfer {transfer_id} is not settled")
        await asyncio.sleep(0.05)
