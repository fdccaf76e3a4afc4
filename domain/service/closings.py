"""How an agent's own words end: whoever has signed is not signed for once more."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum

_LOOKED_AT = 8
"""Lines from the end in which a signature begins."""
_FORMULA = (
    r"(?:with )?(?:(?:my )?(?:best|kind|kindest|warm|warmest|many) )?(?:regards|wishes|greetings)"
    r"|(?:yours )?(?:sincerely|faithfully|truly)(?: yours)?|best|cheers|(?:many |with )?thanks|thank you|br|kr|rgds"
    r"|mit freundlichen grüßen|viele grüße|敬具|草々"
)
_CLOSES = re.compile(rf"(?:{_FORMULA})(?P<rest>$|[ ]*[,.!、。][ ]*.*|[ ]+from .*)", re.IGNORECASE)
_SIGNATURE = 4
"""Lines of a signature without a closing, a name and how to reach its bearer."""
_REACHED = re.compile(r"\d|@|www\.|https?:")
_EDGES = " \t　-–—~*_,.!、。"


class Ends(StrEnum):
    """What is still to be written under a message."""

    OPEN = "open"
    """a closing and a name"""
    CLOSED = "closed"
    """a name"""
    SIGNED = "signed"
    """nothing"""


def ends_of(body: str, names: Iterable[str]) -> Ends:
    """How `body` ends, of which any of `names` may be the writer's."""
    lines = [line.strip(_EDGES) for line in body.splitlines() if line.strip(_EDGES)]
    last = lines[-_LOOKED_AT:]
    known = {part.lower() for name in names if name for part in (name, *name.split()) if len(part) > 1}
    closed = next((n for n, line in enumerate(last) if (len(lines) > 1 or n) and _CLOSES.fullmatch(line)), None)
    under = last[closed:] if closed is not None else lines[1:][-_SIGNATURE:]
    while closed is None and len(under) > 1 and not all(_REACHED.search(line) for line in under[1:]):
        under = under[1:]
    if any(_names(line, known) for line in under):
        return Ends.SIGNED
    return Ends.CLOSED if closed is not None and closed == len(last) - 1 else Ends.OPEN


def _names(line: str, known: set[str]) -> bool:
    """True for a line that is a name, alone, after a closing or before a title."""
    said = line.lower()
    if found := _CLOSES.fullmatch(line):
        said = found["rest"].strip(_EDGES).lower().removeprefix("from ")
    return any(said == name or re.match(rf"{re.escape(name)}\s*[,(|/、]", said) for name in known)
