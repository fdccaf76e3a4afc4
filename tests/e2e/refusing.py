"""Whom no mail server of the tests knows."""

from __future__ import annotations

NOBODY = "nobody"
"""how such addresses begin"""


def refused(address: str) -> str | None:
    """The reply for addresses that do not exist."""
    return "550 5.1.1 no such user" if address.startswith(NOBODY) else None
