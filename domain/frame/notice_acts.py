"""What a notice offers its reader to do in the console, and by which verb."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import quote, urlencode

VERBS: Mapping[str, str] = MappingProxyType(
    {
        "acknowledge_hold": "Note that somebody has talked to them",
        "answer_lead": "Accept or reject it",
        "approve": "Approve or reject it",
        "approve_renewal": "Approve or reject it",
        "change_contacts": "Change the contact",
        "finish_staff_task": "Note what came of it",
        "hand_over_staff_task": "Hand it over to somebody else",
        "merge_account": "Ask for the merge once more",
        "note_churn_reason": "Note the reason",
        "override_hold": "Let all else go for some hours",
        "release_for_renewal": "Decide whether the renewal may be talked about",
        "revise_renewal": "Offer other terms",
    }
)
"""By the request that is asked of the customer's journey."""


def act(update: str, **known: str) -> str:
    """A request as a notice carries it, with what is known of it already: `approve_renewal?contract_id=K-1`."""
    if update not in VERBS:
        raise KeyError(f"no verb says what {update!r} does")
    return f"{update}?{urlencode(known, quote_via=quote)}" if known else update


def verb(given: str) -> str:
    """What whoever follows an act does there."""
    return VERBS[given.partition("?")[0]]
