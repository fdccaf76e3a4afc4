"""The words by which every area speaks of a service case: where it stands, and how pressing it is."""

from __future__ import annotations

from enum import StrEnum


class CaseState(StrEnum):
    """Where a case stands; escalation is a flag beside it, not a state."""

    NEW = "new"
    OPEN = "open"
    WAITING_CUSTOMER = "waiting_customer"
    WAITING_INTERNAL = "waiting_internal"
    WAITING_THIRD_PARTY = "waiting_third_party"
    RESOLVED = "resolved"
    CLOSED = "closed"
    MERGED = "merged"
    CANCELLED = "cancelled"


_IN_WORDS = {
    CaseState.WAITING_CUSTOMER: "waiting for the customer",
    CaseState.WAITING_INTERNAL: "waiting for us",
    CaseState.WAITING_THIRD_PARTY: "waiting for a third party",
}


def state_in_words(state: str) -> str:
    """Where a case stands, as people say it."""
    return _IN_WORDS.get(CaseState(state), str(state))


WAITING = frozenset({CaseState.WAITING_CUSTOMER, CaseState.WAITING_INTERNAL, CaseState.WAITING_THIRD_PARTY})
RUNNING = WAITING | {CaseState.NEW, CaseState.OPEN}
"""The states in which work is owed."""


class Priority(StrEnum):
    """How pressing a case is, from `URGENT` down."""

    URGENT = "urgent"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def rank(self) -> int:
        """1 for the most pressing, 4 for the least."""
        return list(Priority).index(self) + 1


class Level(StrEnum):
    """How many are affected (impact), or how soon it hurts (urgency)."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
