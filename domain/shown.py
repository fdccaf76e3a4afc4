"""Words of others in what people read: shown as they were written, never as Markdown or a link."""

from __future__ import annotations

import re

_MARKS = re.compile(
    r"[\\`*\[\]<>|]"  # code, emphasis, links, pictures, HTML, tables
    r"|(?<![^\W_])_|_(?![^\W_])|~|&(?=#?\w+;)"
    r"|:(?=//)|(?<=www)\.|@(?=\w)|(?<=mailto):"  # what becomes a link by itself
)
_BEGINS = re.compile(r"^(?:[#+=-]|[0-9]{1,9}(?=[.)]))")


def as_text(words: str) -> str:
    """`words` on one line, so that Markdown shows them as they are."""
    line = " ".join(words.split())
    escaped = _MARKS.sub(lambda found: f"\\{found[0]}", line)
    begins = _BEGINS.match(escaped)
    if begins is None:
        return escaped
    end = begins.end()
    return f"\\{escaped}" if not begins[0].isdigit() else f"{escaped[:end]}\\{escaped[end:]}"
