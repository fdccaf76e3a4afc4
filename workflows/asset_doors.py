"""The doors of a journey for changes to what the customer owns: amendments, renewals, cancellations, transfers, swaps, rollbacks."""

from __future__ import annotations

from workflows.journey import Journey


class AssetDoors(Journey):
    """A journey with these handlers."""
