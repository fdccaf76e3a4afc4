"""What comes with a request and goes on with its activity, such as the trace that it belongs to: headers, which no workflow reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_carried: ContextVar[Any] = ContextVar("carried", default=None)


def carried() -> Any:
    """What came with the request that is handled or answered here; null for what nobody asked for."""
    return _carried.get()


@contextmanager
def carrying(what: Any) -> Iterator[None]:
    """For the block, `what` came along."""
    before = _carried.get()
    _carried.set(what)
    try:
        yield
    finally:
        _carried.set(before)
