"""What is computed for long does not keep the loop."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import pytest

from activities.kernel.computing import MANY, computed, extent_of


@dataclass
class Document:
    extent: int


@pytest.mark.parametrize(("size", "leaves"), [(MANY, False), (MANY + 1, True)])
async def test_what_is_about_many_things_leaves_the_loop(size: int, leaves: bool) -> None:
    there = await computed(size, threading.get_ident)
    assert (there != threading.get_ident()) is leaves


def test_the_largest_says_how_many_things_it_is_about() -> None:
    assert extent_of(Document(3), "a note", None, Document(70)) == 70
    assert extent_of("a note", None) == 0
