"""Makers: for each update the function that makes a request which may well be accepted, in the order in which they are written."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from tests.driver.life import Life, Party

Made = dict[str, Any] | None
"""A request; null if nothing is there that it could be about."""
T = TypeVar("T")


class Makers(dict[str, Callable[[Life, Party], Awaitable[T]]]):
    """The makers of some updates, by their names."""

    def of(self, name: str) -> Callable[[Callable[[Life, Party], Awaitable[T]]], Callable[[Life, Party], Awaitable[T]]]:
        """Registers the maker of an update's requests."""

        def register(maker: Callable[[Life, Party], Awaitable[T]]) -> Callable[[Life, Party], Awaitable[T]]:
            self[name] = maker
            return maker

        return register
