"""Churn reasons: why somebody does not go on, in a word of the list, if a reply to a farewell names just one."""

from __future__ import annotations

from domain.frame.renewal_facts import ChurnReason
from domain.mail.wording import Wording

_said = Wording("churn")

_LONG = 600
"""Characters of a reply beyond which a person reads why."""


def churn_reason(body: str) -> ChurnReason | None:
    """The one reason that a reply of this body, in one spelling, gives; null if it gives none, or several."""
    if len(body) > _LONG:
        return None
    found = [reason for reason in ChurnReason if getattr(_said, reason.value).search(body)]
    return found[0] if len(found) == 1 else None
