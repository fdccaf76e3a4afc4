"""Goods bought again and again: a check-in on the customer's own rhythm, and the lapse alarm. An order moves both."""

from __future__ import annotations

STEPS = frozenset(
    {
        "reorder_check_in",  # the usual rhythm has passed
        "reorder_lapse",  # long past it: the owner is alarmed
    }
)
