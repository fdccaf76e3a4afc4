"""Billing: what falls due within a term is invoiced on its day. A term that is paid at once needs no step."""

from __future__ import annotations

STEPS = frozenset(
    {
        "billing_invoice",  # what has fallen due of a contract's assets, or of an asset without a contract
    }
)
