"""The one place where the clock on the wall is read. Rules are given instants, a customer's own time is their workflow's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_ahead = timedelta()


def present() -> datetime:
    """The present instant, in UTC; it goes on from what `begin_at` was given."""
    return datetime.now(UTC) + _ahead  # noqa: TID251 - here it is read


def begin_at(at: datetime) -> None:
    """From now on it is `at` in this process. ValueError for an instant without an offset."""
    global _ahead  # noqa: PLW0603 - one process has one clock
    if at.tzinfo is None:
        raise ValueError(f"{at.isoformat()} is no instant; add its offset")
    _ahead = at - datetime.now(UTC)  # noqa: TID251 - here it is read
