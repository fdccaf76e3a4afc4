"""Mails that want to hear something in words: what can be said by a pick on the page that their link leads to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType


class Saying(StrEnum):
    """What somebody picks before their own words."""

    ANSWER = "answer"
    SETTLED = "settled"
    STILL_OPEN = "still_open"
    WELL = "well"
    NEED = "need"
    TIME = "time"
    """half an hour on a day that they name"""
    NO_HELP = "no_help"
    ARRIVED = "arrived"
    AMISS = "amiss"
    BACK = "back"
    NOT_BACK = "not_back"
    ORDER = "order"
    NOTHING = "nothing"


IN_WORDS: Mapping[str, tuple[Saying, ...]] = MappingProxyType(
    {
        "case_nudge": (Saying.ANSWER, Saying.SETTLED),
        "case_resolved": (Saying.STILL_OPEN,),
        "check_in": (Saying.WELL, Saying.NEED),
        "outreach": (Saying.TIME, Saying.NO_HELP),
        "delivery_follow_up": (Saying.ARRIVED, Saying.AMISS),
        "win_back": (Saying.BACK, Saying.NOT_BACK),
        "reorder_check_in": (Saying.ORDER, Saying.NOTHING),
    }
)
"""By the template."""
NEEDS_WORDS = frozenset({Saying.ANSWER, Saying.NEED, Saying.AMISS})
"""What says nothing without them."""
ASKED_FOR = timedelta(days=90)
"""How long after the mail its page takes an answer."""
