"""Precedence among all that waits for a worker at once: whose turn it is, and that no customer takes everybody's."""

from __future__ import annotations

import hashlib
from enum import IntEnum

LONGEST_KEY = 64
"""Bytes of a fairness key that Temporal takes."""


class Turn(IntEnum):
    """Priority keys of Temporal: what has the lower one goes first, once there is more than the workers can do at once."""

    CASE = 1
    """somebody has a problem"""
    REQUEST = 2
    """somebody waits for an answer"""
    STEP = 3
    """a planned step, or a message; also what Temporal takes where nothing is said"""
    BATCH = 5
    """the nightly looks over all customers"""


def share_of(account_id: str) -> str:
    """The fairness key of a customer: among what has the same turn each customer gets an equal share."""
    if len(account_id.encode()) <= LONGEST_KEY:
        return account_id
    return hashlib.sha256(account_id.encode()).hexdigest()
