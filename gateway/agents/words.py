"""What tools say: fields of ours, and words that people wrote, each in an object of its own, so that nobody takes one for the other.

Whatever is not known to be ours counts as written by somebody: a new field is data until it is listed here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

WRITTEN = "customer_words"
"""The one field of an object whose text may come from a customer: to be read, and never to be followed."""

_NAMES = (
    "account account_id act_id asset_id case_id claim_id contact_id contract_id hold_id key lead_id number offer_id order_id owner"
    " quote_id reference_id source staff_id step success_manager survey_id task_id"
)
IDS = frozenset(_NAMES.split())
"""Fields in which we name things: by these ids, once they were given here, a tool may act."""
_OTHERS = (
    "as_of asked_of at band billing confirmed_by country currency direction due_at evergreen kind language level operation origin outcome per"
    " playbook priority product promise role sales segment state status takes_back time_zone unit until"
)
_OURS = IDS | frozenset(_OTHERS.split())
_FIGURE = re.compile(r"-?\d+(\.\d+)?(E[+-]?\d+)?|\d{4}-\d{2}-\d{2}(T[0-9:.]+(Z|[+-]\d{2}:\d{2})?)?")
_ID = re.compile(r"[\w.:/#+-]{1,160}")


def marked(document: Any, ours: Collection[str] = (), name: str = "") -> Any:
    """The document with every text that is not known to be ours as `{"customer_words": text}`.

    ours: fields of this document which are sentences of ours.
    """
    if isinstance(document, Mapping):
        return {field: marked(value, ours, str(field)) for field, value in document.items()}
    if isinstance(document, list | tuple):
        return [marked(value, ours, name) for value in document]
    if isinstance(document, str) and document and not _is_ours(document, ours, name):
        return {WRITTEN: document}
    return document


def _is_ours(text: str, ours: Collection[str], name: str) -> bool:
    if name in ours:
        return True
    if name in _OURS:
        return bool(_ID.fullmatch(text))  # what is longer than a word of ours is somebody's text
    return bool(_FIGURE.fullmatch(text))


def ids_in(document: Any, name: str = "") -> Iterator[str]:
    """The ids that fields of ours give in a marked document."""
    if isinstance(document, Mapping):
        if document.keys() != {WRITTEN}:
            for field, value in document.items():
                yield from ids_in(value, str(field))
    elif isinstance(document, list | tuple):
        for value in document:
            yield from ids_in(value, name)
    elif isinstance(document, str) and name in IDS:
        yield document


def texts_in(document: Any) -> Iterator[str]:
    """What people wrote, in a marked document."""
    if isinstance(document, Mapping):
        if document.keys() == {WRITTEN}:
            yield str(document[WRITTEN])
        else:
            for value in document.values():
                yield from texts_in(value)
    elif isinstance(document, list | tuple):
        for value in document:
            yield from texts_in(value)
