"""Spans of what is done, where this process tells them to anybody. Where it does not, nothing is loaded and nothing is noted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from hashlib import sha256
from typing import Protocol


class Teller(Protocol):
    """Whoever takes spans."""

    @contextmanager
    def span(self, name: str, of: str | None, about: Mapping[str, str | int]) -> Iterator[None]:
        """A span for as long as the block, of the trace `of` or else of the present one."""

    def here(self) -> str | None:
        """The present span as W3C's traceparent; null without one."""


_NOTHING: Mapping[str, str | int] = {}
_teller: Teller | None = None
_latest: ContextVar[str | None] = ContextVar("latest_trace", default=None)


def tell(teller: Teller | None) -> None:
    """From now on spans of this process go to `teller`, or nowhere."""
    global _teller  # noqa: PLW0603 - one process has one
    _teller = teller


@contextmanager
def span(name: str, about: Mapping[str, str | int] = _NOTHING, of: str | None = None) -> Iterator[None]:
    """A span around the block, if anybody is told. of: the traceparent that it belongs to, else the present one."""
    if _teller is None:
        yield
        return
    with _teller.span(name, of, about):
        _latest.set(trace_of(_teller.here()))
        yield


def here() -> str | None:
    """The present span, for a row that is carried on later."""
    return None if _teller is None else _teller.here()


def present() -> str | None:
    """The trace of what is done here, or of the span that ended here last."""
    return None if _teller is None else trace_of(_teller.here()) or _latest.get()


def opaque(id: str) -> str:
    """An id as it may be told: one that another system made of an address by its digest."""
    return sha256(id.encode()).hexdigest()[:16] if "@" in id else id


def trace_of(traceparent: str | None) -> str | None:
    """The trace's id of a traceparent, 00-{trace}-{span}-{flags}."""
    return traceparent.split("-")[1] if traceparent else None
