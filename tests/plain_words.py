"""What people are told is in words of people: no name of a request, no command, no key of a machine."""

from __future__ import annotations

import re

_ADDRESS = re.compile(r"https?://\S+")
_MACHINE = re.compile(
    r"`"
    r"|(?<![\w@./-])[A-Za-z]+(?:_[A-Za-z]+)+(?![\w@-])"
    r"|(?<![\w@./-])(?=[0-9a-f]*[0-9])(?=[0-9a-f]*[a-f])[0-9a-f]{8,}(?![\w@-])"
)


def of_machines(*texts: str) -> list[str]:
    """What nobody would say to a person: `acknowledge_hold`, `3ad58ecc403115eb`, a backtick. Addresses of pages do not count."""
    return [found[0] for text in texts for found in _MACHINE.finditer(_ADDRESS.sub("", text))]
