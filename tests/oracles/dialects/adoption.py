"""Adoption as some systems count it: active users of those who could be."""

from __future__ import annotations

from decimal import Decimal


def adoption_rate(active: Decimal, base: Decimal) -> Decimal | None:
    """Active users of those who could be, in percent; may exceed 100, and is none without a base."""
    return active / base * 100 if base else None
