"""Whose things are looked at: a customer who is on record, in their own time."""

from __future__ import annotations

from datetime import datetime

from pydantic import AwareDatetime

from activities.frame.customers import standing_of
from activities.kernel.clock import present
from activities.kernel.pool import Connection
from domain.kernel.refusals import UNKNOWN_ACCOUNT, Refusal
from gateway.views.shown import View


class Whose(View):
    """An account with its own time: the present, or the last that happened once its clock was moved."""

    account_id: str
    name: str
    country: str
    time_zone: str
    now: AwareDatetime


async def whose(connection: Connection, account_id: str) -> Whose:
    """The account of that id. Raises `Refusal` (UnknownAccount) if none is on record."""
    rows = await standing_of(connection, account_id, present())
    if not rows:
        raise Refusal(UNKNOWN_ACCOUNT, f"account {account_id!r} is not on record; place its first order")
    return Whose.model_validate(rows[0])


def nobody(now: datetime) -> Whose:
    """In place of whoever it is, while nobody knows."""
    return Whose(account_id="", name="", country="", time_zone="UTC", now=now)
