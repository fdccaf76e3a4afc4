"""Fulfilment: order lines are ordered, shipped, delivered, installed and returned as whoever does it reports."""

from __future__ import annotations

STEPS = frozenset(
    {
        "fulfilment_follow_up",  # some days after an order: has everything arrived?
        "fulfilment_late",  # a promised day is over: has everything come?
    }
)
