"""What keeps a whole file from being read."""

from __future__ import annotations

from domain.kernel.refusals import MendableError


class FeedError(MendableError):
    """A file or mapping that cannot be used at all; the message says why and what would be right. Nothing was imported."""
