"""Short numbers: what a person types for a contract, a quote or an offer whose own id is long: K-1, Q-7, O-3."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any


class Numbered(StrEnum):
    """What has a short number, counted from 1 for each customer and kind."""

    CONTRACT = "contract"
    QUOTE = "quote"
    OFFER = "offer"

    @property
    def letter(self) -> str:
        """The letter before its numbers."""
        return {Numbered.CONTRACT: "K", Numbered.QUOTE: "Q", Numbered.OFFER: "O"}[self]


TYPED_LENGTH = 12
"""Characters of an id that people still type."""

_TYPED = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*")
_SPOKEN = re.compile(r"([KQO])[ -]?([1-9]\d{0,8})", re.IGNORECASE)


def is_typed_easily(thing_id: str) -> bool:
    """True for a short id of letters and digits with single dashes. Digits alone look like a quantity."""
    return len(thing_id) <= TYPED_LENGTH and _TYPED.fullmatch(thing_id) is not None


def number_of(kind: Numbered, number: int) -> str:
    """The number as it is written: K-1."""
    return f"{kind.letter}-{number}"


def spoken(name: str) -> tuple[Numbered, int] | None:
    """The kind and the number in what somebody typed: K-1, k 1 or K1; null if it is no short number."""
    found = _SPOKEN.fullmatch(name.strip())
    if found is None:
        return None
    kind = next(kind for kind in Numbered if kind.letter == found[1].upper())
    return kind, int(found[2])


def to_be_numbered(context: Mapping[str, Any]) -> list[tuple[Numbered, str]]:
    """What a mail with this context names by an id that nobody types, in the order in which it is numbered."""
    named = [(kind, context.get(f"{kind.value}_id")) for kind in Numbered]
    named += [(Numbered.CONTRACT, contract.get("contract_id")) for contract in context.get("contracts") or ()]
    found = [(kind, str(thing_id)) for kind, thing_id in named if thing_id]
    return list(dict.fromkeys(one for one in found if not is_typed_easily(one[1])))
