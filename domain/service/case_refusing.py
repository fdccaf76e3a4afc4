"""Two at once: whoever asks for a change of a case says which version they have seen."""

from __future__ import annotations

from domain.kernel.refusals import named_refusals
from domain.service.errors import StaleCaseError


def check_version(seen: int | None, current: int) -> None:
    """Two at once: the second is told.

    Raises:
        StaleCaseError: the case was changed since `seen`.
    """
    if seen is not None and seen != current:
        raise StaleCaseError(f"the case is at version {current}, not {seen}; read it again and repeat the change")


def check_not_older(seen: int | None, current: int) -> None:
    """Refuses what was asked in view of an older version. A later one than ours there can be: a case that another one was merged
    into changes without being asked."""
    with named_refusals():
        check_version(seen if seen is None or seen <= current else current, current)
