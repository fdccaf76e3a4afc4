"""The changes of workflow code that runs of before do without, by the ids that `workflow.patched` is asked for."""

from __future__ import annotations

PATCHES: tuple[str, ...] = (
    "account-in-memo",
    "catches-up",
    "delivered-together",
    "instants-stay",
    "moved-by-an-order",
    "next-action-of-a-pause",
    "one-sitting",
)
"""Every one of them, sorted. A build tells the engine which it knows, so that a run that went one of these ways is never given to a
build that does not know it."""
