"""Memory of a process that has begun: what it was made of stays, so the collector of garbage looks only at what came after it."""

from __future__ import annotations

import gc

YOUNG, OLDER, OLD = 10_000, 2, 5
"""Objects that are made before the youngest are looked at: one large customer alone has more than the 700 that Python begins with. Those
that outlive it are looked at the sooner, so that no garbage of theirs piles up."""


def settle() -> None:
    """Once a process is ready: modules, models and statements stand for good."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, OLDER, OLD)
