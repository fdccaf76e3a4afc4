"""The text of a received mail: what a database, a terminal and a mail can carry, its soft line ends undone."""

from __future__ import annotations

import re

TEXT_LIMIT = 100_000
"""Characters of text that are kept; the mail itself is kept whole."""

_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff]+")
_LINE_ENDS = re.compile("\r\n?|\x85|\u2028|\u2029")
_QUOTE_MARKS = re.compile(r"^>+")
_SIGNATURE = "-- "


def printable(text: str) -> str:
    """`text` as it can be carried anywhere: lines end with a line feed, no controls, no lone surrogates."""
    return _UNPRINTABLE.sub("", _LINE_ENDS.sub("\n", text))[:TEXT_LIMIT]


def unflowed(text: str, *, delete_space: bool) -> str:
    """`text` of the format "flowed" (RFC 3676), with each paragraph on a line of its own."""
    lines: list[str] = []
    open_marks: str | None = None
    for line in printable(text).split("\n"):
        marks = found[0] if (found := _QUOTE_MARKS.match(line)) else ""
        said = line[len(marks) :]
        said = said[1:] if said.startswith(" ") else said
        flows = said.endswith(" ") and said != _SIGNATURE
        kept = said[:-1] if flows and delete_space else said
        if open_marks == marks and said != _SIGNATURE:
            lines[-1] += kept
        else:
            lines.append(f"{marks} {kept}" if marks else kept)
        open_marks = marks if flows else None
    return "\n".join(lines)
