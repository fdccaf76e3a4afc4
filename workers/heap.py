"""Memory of a process that has begun: what it was made of stays, so the collector of garbage looks only at what came after it."""

from __future__ import annotations

import gc

YOUNG = 20_000
"""Objects that are made before the youngest are looked at: one large customer alone has more than the 700 that Python begins with, and each
look at them costs as much as making them did."""


def settle() -> None:
    """Once a process is ready: modules, models and statements stand for good."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
