"""The words by which every area speaks of holding sales back, and what may raise or lift a hold: cases, answers, people."""

from __future__ import annotations

from enum import StrEnum

from pydantic import AwareDatetime, Field

from domain.frame.case_words import CaseState, Priority
from domain.kernel.base import Carried


class HoldLevel(StrEnum):
    """How far sales is held back."""

    NONE = "none"
    WARN = "warn"
    """a person may go on after acknowledging, automatic mails wait"""
    BLOCK = "block"
    """nothing goes out but what the contract and the case itself need"""


class HoldReason(StrEnum):
    """What raised a hold."""

    PRESSING_CASE = "pressing_case"
    ESCALATED = "escalated"
    RESOLUTION_LATE = "resolution_late"
    REFUND_DISPUTE = "refund_dispute"
    SECURITY_OR_LEGAL = "security_or_legal"
    COOLING_DOWN = "cooling_down"
    OPEN_CASE = "open_case"
    QUIET_CASE = "quiet_case"
    LOW_RATING = "low_rating"
    DETRACTOR = "detractor"
    MANUAL = "manual"


BY_HAND = frozenset({HoldReason.MANUAL})
"""Reasons of people: such a hold is a fact itself, and follows from no case and no answer."""


class CaseForHold(Carried):
    """A case as far as holds look at it. `rating` is what the customer said of its resolution, one to five."""

    case_id: str
    state: CaseState
    priority: Priority
    opened_at: AwareDatetime
    last_activity_at: AwareDatetime
    product: str | None = None
    escalated: bool = False
    resolution_late: bool = False
    refund_dispute: bool = False
    security_or_legal: bool = False
    resolved_at: AwareDatetime | None = None
    rating: int | None = None


class Feedback(Carried):
    """An answer to a survey: a rating of one to five or a recommendation of nought to ten, and what was done about it."""

    id: str
    at: AwareDatetime
    rating: int | None = Field(default=None, ge=1, le=5)
    recommendation: int | None = Field(default=None, ge=0, le=10)
    followed_up: bool = False


class ManualHold(Carried):
    """A hold that a person placed, until it is lifted or runs out."""

    id: str
    level: HoldLevel
    says: str
    placed_by: str
    since: AwareDatetime
    product: str | None = None
    until: AwareDatetime | None = None
    lifted_at: AwareDatetime | None = None
    reason: HoldReason = HoldReason.MANUAL


class Purpose(StrEnum):
    """Why somebody or something wants to reach the customer."""

    SALES_OUTREACH = "sales_outreach"
    UPSELL = "upsell"
    NEW_QUOTE = "new_quote"
    CAMPAIGN = "campaign"
    SURVEY = "survey"
    RENEWAL_TALK = "renewal_talk"
    CONTRACTUAL_NOTICE = "contractual_notice"
    TRANSACTIONAL = "transactional"
    CASE_MAIL = "case_mail"
    SERVICE_RECOVERY = "service_recovery"
    INTRODUCTION = "introduction"
    """who is new is told so: a block keeps it back, a warning does not"""


class Override(Carried):
    """A named person's decision to reach the customer in spite of a hold, for a short time, shown to the case owner."""

    id: str
    by: str
    role: str
    reason: str
    since: AwareDatetime
    until: AwareDatetime


PROMOTER_FROM, DETRACTOR_UP_TO = 9, 6
"""Recommendations of nought to ten: who would praise us, and who would warn of us."""


class SurveyKind(StrEnum):
    """What a survey asks about."""

    CSAT = "csat"
    """one resolved case, from 1 to 5"""
    NPS = "nps"
    """the relationship, from 0 to 10"""
    CES = "ces"
    """how easy something was, from 1 to 7: to begin with us"""


class AskedBefore(Carried):
    """A survey that went out earlier. `contact_id` tells people apart; `case_id` is none for one about the relationship."""

    kind: SurveyKind
    contact_id: str
    sent_at: AwareDatetime
    case_id: str | None = None
