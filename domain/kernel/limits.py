"""Limits of what is taken in, which rules, handlers and settings share."""

from __future__ import annotations

MOST_LINES = 1000
"""So many lines an order may have, contracts included: it is accepted in one transaction. What is more comes in several orders."""
MAIL_BYTES = 32 * 1024 * 1024
"""Bytes of a mail, as it travels: files of some 24 MB."""
MOST_MAIL_BYTES = 256 * 1024 * 1024
"""What no setting goes beyond: a mail is held in memory."""
