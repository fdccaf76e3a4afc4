"""Spelling out: English as if nobody shortened or mistyped, so that what people mean is looked for in one form only."""

from __future__ import annotations

from domain.mail.wording import Wording

_said = Wording("spelling")


def spelled_out(text: str) -> str:
    """`text`, in lower case, with English contractions and common short forms in full: "we'd" as "we would"."""
    text = _said.any.sub(lambda found: _said.file.words[found[0]], text)
    for short, whole in _said.endings:
        text = short.sub(whole, text)
    return text
