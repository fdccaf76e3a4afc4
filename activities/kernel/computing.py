"""Long computing leaves the event loop, so that a customer with many assets does not keep all others waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, ParamSpec, Protocol, TypeVar, runtime_checkable

MANY = 40
"""About so many assets are computed with in 50 ms; what is smaller is done on the spot, without the cost of a thread."""

_Asked = ParamSpec("_Asked")
_Result = TypeVar("_Result")


@runtime_checkable
class Extended(Protocol):
    """What says of how many assets or lines it is."""

    @property
    def extent(self) -> int: ...


def extent_of(*about: Any) -> int:
    """Of how many assets or lines the largest of some things is; what does not say it is of none."""
    return max((one.extent for one in about if isinstance(one, Extended)), default=0)


async def computed(size: int, work: Callable[_Asked, _Result], *args: _Asked.args, **kwargs: _Asked.kwargs) -> _Result:
    """What `work`, which is pure, comes to: in a thread of its own if it is about many things.

    Args:
        size: of how many assets or lines it is.
    """
    if size <= MANY:
        return work(*args, **kwargs)
    return await asyncio.to_thread(work, *args, **kwargs)
