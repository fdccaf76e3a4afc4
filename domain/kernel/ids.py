"""The identifiers that everybody shares. All are opaque: none carries a person's name or address."""

from __future__ import annotations

import hashlib
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

ID_LIMIT = 64
_ALLOWED = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


def _opaque(value: str) -> str:
    if not value or len(value) > ID_LIMIT or not set(value) <= _ALLOWED:
        raise ValueError(
            f"{value[:80]!r} is no identifier; use 1 to {ID_LIMIT} letters, digits, '-', '_' or '.', and no name or address of a person"
        )
    return value


Opaque = AfterValidator(_opaque)

AccountRef = Annotated[str, Opaque]
ContactRef = Annotated[str, Opaque]
StaffRef = Annotated[str, Opaque]
OrderRef = Annotated[str, Opaque]
ContractRef = Annotated[str, Opaque]
CaseRef = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*$", max_length=56)]
"""Opaque, and fit to stand in a mail address: `case+C-17@…` is where answers go."""

JOURNEY = "journey-"
CASE = "case-"


def journey_id(account_id: str) -> str:
    """The workflow id of an account's journey."""
    return f"{JOURNEY}{account_id}"


def case_workflow_id(case_id: str) -> str:
    """The workflow id of a case."""
    return f"{CASE}{case_id}"


def opaque_id(key: str) -> str:
    """An id for what is made under a key: the same for the same key, however often it is asked for."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]
