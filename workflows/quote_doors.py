"""The doors of a journey for quotes: asked for, approved, accepted."""

from __future__ import annotations

from workflows.journey import Journey


class QuoteDoors(Journey):
    """A journey with these handlers."""
