"""How long customers wait for first value and go-live, with the orders behind each figure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from activities.kernel.clock import present
from activities.kernel.pool import Connection
from activities.success.value_reports import order_starts
from domain.success.value_report import BOUNDS, TimeToValue, times_to_value

COLUMNS = (*(f"up to {bound} days" for bound in BOUNDS), f"more than {BOUNDS[-1]}")


async def ttv(connection: Connection, start: date, end: date) -> list[TimeToValue]:
    """Time to value of the orders from a first day to a last."""
    return times_to_value(await order_starts(connection, start, end, present()))


def ttv_document(start: date, end: date, found: Sequence[TimeToValue]) -> dict[str, Any]:
    """The figures as a document."""
    return {"from": start, "to": end, "figures": list(map(_as_json, found))}


def _as_json(group: TimeToValue) -> dict[str, Any]:
    quartiles = dict(zip(("quarter", "median", "three_quarters"), group.quartiles or (None, None, None), strict=True))
    return {
        "milestone": group.milestone,
        "group": group.group or None,
        "began": len(group.orders),
        "reached": len(group.reached),
        **quartiles,
        "in_time": group.in_time,
        "without_evidence": group.without_evidence,
        "spread": dict(zip(COLUMNS, group.spread(), strict=True)),
        "orders": [
            {**one.model_dump(mode="json", exclude={"milestone"}), "in_time": one.in_time, "waited": one.waited}
            for one in group.orders
        ],
    }
