"""Why a case refuses what it is asked: rules of service, in words for whoever asked."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from domain.kernel.business_errors import ServiceRuleError
from domain.kernel.refusals import Problem, Refusal
from domain.service.errors import StaleCaseError, TransitionNotAllowedError


def refusal_of(error: ServiceRuleError) -> Refusal:
    """What the sender of a request is told when a rule of service forbids it."""
    kind = "".join(part.capitalize() for part in error.code.split("_"))
    problems = []
    if isinstance(error, TransitionNotAllowedError):
        problems = [Problem(field="status", problem=f"allowed: {', '.join(error.allowed) or 'nothing else'}")]
    return Refusal(kind, str(error), problems)


@contextmanager
def named_rules() -> Iterator[None]:
    """Rules of service that are broken in the block are refusals for whoever asked."""
    try:
        yield
    except ServiceRuleError as error:
        raise refusal_of(error) from None


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
    try:
        check_version(seen if seen is None or seen <= current else current, current)
    except ServiceRuleError as error:
        raise refusal_of(error) from None
