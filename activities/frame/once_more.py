"""Whether an activity is done once more, as of the instant at which it was done first, because the database has lost it."""

from __future__ import annotations

from contextvars import ContextVar

once_more: ContextVar[bool] = ContextVar("once_more", default=False)
