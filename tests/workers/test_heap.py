"""What a process was made of is not looked at again by the collector of garbage; what it leaves behind later is."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest

from workers import heap


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


class _Knot:
    """Garbage that only the collector finds."""

    def __init__(self) -> None:
        self.itself = self


def test_what_was_there_stays_and_what_comes_later_is_still_collected() -> None:
    heap.settle()
    assert gc.get_freeze_count() > 10_000
    later = weakref.ref(_Knot())
    kept = [[] for _ in range(3 * heap.YOUNG)]  # type: ignore[var-annotated]
    assert later() is None
    assert len(kept) == 3 * heap.YOUNG
