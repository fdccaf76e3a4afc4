"""A case's own words: its facts, what happened in it, what a decision tells the workflow, and what the workflow carries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime

from domain.frame.case_words import CaseState, Level, Priority
from domain.frame.customer import StaffFacts
from domain.kernel.base import Carried
from domain.service.assignment import CaseTraits
from domain.service.history import CaseEvent, EventKind
from domain.service.lifecycle import CaseRules
from domain.service.milestone_actions import Violation

ENDED = frozenset({CaseState.CLOSED, CaseState.MERGED, CaseState.CANCELLED})
"""The states in which nothing more is done to a case by itself, but what it still owes."""


class Happened(StrEnum):
    """The kinds of event in a case's record."""

    CREATED = "created"
    CUSTOMER_MESSAGE = "customer_message"
    AGENT_MESSAGE = "agent_message"
    FIRST_RESPONSE = "first_response"
    """of an import: an answer known only as the first one"""
    NOTE = "note"
    WAITING = "waiting"
    """`detail.status` says for whom"""
    RESUMED = "resumed"
    RESOLVED = "resolved"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    MERGED = "merged"
    REOPENED = "reopened"
    ASSIGNED = "assigned"
    ESCALATED = "escalated"
    DE_ESCALATED = "de_escalated"
    PRIORITISED = "prioritised"
    IDENTIFIED = "identified"
    ABSORBED = "absorbed"
    """another case was merged into this one; `detail.unanswered_since` says since when its customer waits for an answer"""
    FIRED = "fired"
    """an action of a milestone, of an escalation rule or a reminder was done"""
    VIOLATED = "violated"
    REVERSED = "reversed"
    """late evidence took a violation back"""
    SURVEYED = "surveyed"
    RATED = "rated"
    CLAIMED = "claimed"
    """money back was asked for and waits for an approval"""
    REFUNDED = "refunded"
    CLAIM_REFUSED = "claim_refused"
    DISPUTED = "disputed"
    """the customer does not accept what came of a refund"""
    MAIL_HELD = "mail_held"
    """an automatic mail that was not written: enough for one day, or nobody to write to"""
    CUSTOM = "custom"
    """`detail.name` tells it apart"""


_CLOCK: dict[Happened, EventKind] = {
    Happened.CREATED: EventKind.CREATED,
    Happened.CUSTOMER_MESSAGE: EventKind.CUSTOMER_MESSAGE,
    Happened.AGENT_MESSAGE: EventKind.AGENT_MESSAGE,
    Happened.FIRST_RESPONSE: EventKind.FIRST_RESPONSE,
    Happened.NOTE: EventKind.NOTE,
    Happened.RESUMED: EventKind.RESUME,
    Happened.RESOLVED: EventKind.RESOLVED,
    Happened.CLOSED: EventKind.CLOSED,
    Happened.CANCELLED: EventKind.CLOSED,
    Happened.MERGED: EventKind.CLOSED,
    Happened.REOPENED: EventKind.REOPENED,
    Happened.CUSTOM: EventKind.CUSTOM,
}


class Recorded(Carried):
    """One event of a case: when it happened, when it was heard of, and who did it."""

    sequence: int
    at: AwareDatetime
    recorded_at: AwareDatetime
    kind: Happened
    by: str
    detail: dict[str, Any] = {}
    visibility: str = "shared"


def clock_events(events: Iterable[Recorded], rules: CaseRules) -> Iterator[CaseEvent]:
    """The events as promises are judged by them; an auto-reply of the customer's mail program is none."""
    for event in events:
        if event.kind is Happened.WAITING:
            pausing = event.detail.get("status") in rules.pausing
            yield CaseEvent(at=event.at, kind=EventKind.PAUSE if pausing else EventKind.RESUME)
        elif event.kind is Happened.ABSORBED and (since := event.detail.get("unanswered_since")):
            yield CaseEvent(at=datetime.fromisoformat(since), kind=EventKind.CUSTOMER_MESSAGE)
        elif event.kind in _CLOCK and not event.detail.get("automatic"):
            yield CaseEvent(at=event.at, kind=_CLOCK[event.kind], name=str(event.detail.get("name", "")))


class CaseContact(Carried):
    """Who a case is with. Without an address they are answered by telephone; `rejected` once a mail came back for good,
    `unsubscribed` once they want no optional mails."""

    contact_id: str | None = None
    name: str = ""
    email: str | None = None
    phone: str | None = None
    language: str = "en"
    time_zone: str = "UTC"
    rejected: bool = False
    unsubscribed: bool = False


class CaseAccount(Carried):
    """Whose case it is, as far as service needs it. `owner` is the sales rep."""

    account_id: str
    name: str
    country: str
    time_zone: str
    language: str
    segment: str
    owner: StaffFacts


class CaseFile(Carried):
    """The row of a case: how it stands."""

    case_id: str
    account_id: str | None = None
    contact_id: str | None = None
    contact: CaseContact = CaseContact()
    subject: str
    channel: str
    category: str = "question"
    product_code: str | None = None
    asset_id: str | None = None
    contract_id: str | None = None
    order_id: str | None = None
    line_id: str | None = None
    impact: Level
    urgency: Level
    priority: Priority
    severity: int | None = None
    status: CaseState
    status_reason: str = ""
    status_at: AwareDatetime
    escalated: bool = False
    escalated_at: AwareDatetime | None = None
    owner_id: str | None = None
    team: str | None = None
    version: int = 1
    opened_at: AwareDatetime
    first_response_at: AwareDatetime | None = None
    resolved_at: AwareDatetime | None = None
    closed_at: AwareDatetime | None = None
    last_activity_at: AwareDatetime
    resume_at: AwareDatetime | None = None
    resolution_code: str | None = None
    resolution_text: str | None = None
    reopen_count: int = 0
    merged_into: str | None = None
    parent_id: str | None = None
    follows_id: str | None = None
    policy_id: str | None = None
    policy_version: int | None = None
    chosen_by: str = "nothing"
    entitlement_id: str | None = None
    entitled: bool = False
    calendar_id: str | None = None
    calendar_version: int | None = None
    calendars: dict[str, int] = {}
    planned_at: AwareDatetime
    next_action_at: AwareDatetime | None = None
    digest: str = ""
    followers: list[str] = []
    imported: bool = False

    @property
    def ended_at(self) -> datetime | None:
        """The last resolution or closing, while the case is over."""
        over = self.status in ENDED or self.status is CaseState.RESOLVED
        return (self.resolved_at or self.closed_at or self.status_at) if over else None

    def traits(self, account: CaseAccount | None) -> CaseTraits:
        """What assignment and escalation rules look at."""
        return CaseTraits(
            priority=self.priority,
            product=self.product_code,
            segment=account.segment if account else None,
            language=self.contact.language,
            channel=self.channel,
        )


class MessageFacts(Carried):
    """A message of the thread, without its text."""

    number: int
    direction: str
    message_id: str | None = None
    at: AwareDatetime
    automatic: bool = False
    delivery_id: str | None = None
    withdrawn: bool = False
    """it was taken back before it left"""
    digest: str = ""  # of its text


class MilestoneFacts(Carried):
    """A promise's row. `violation_target` is what a violation was judged by."""

    milestone: str
    number: int
    kind: str
    started_at: AwareDatetime
    target: timedelta | None = None
    counted_from: AwareDatetime | None = None
    """since when the target counts, where another priority set it later than the start"""
    due_at: AwareDatetime | None = None
    warned_at: AwareDatetime | None = None
    completed_at: AwareDatetime | None = None
    violated_at: AwareDatetime | None = None
    violation_target: timedelta | None = None
    reversed_at: AwareDatetime | None = None
    elapsed: timedelta | None = None
    state: str

    @property
    def key(self) -> str:
        """Names the occurrence inside its case."""
        return f"{self.milestone}:{self.number}"

    def violation(self) -> Violation | None:
        """The violation on record, unless it was taken back."""
        if self.violated_at is None or self.violation_target is None or self.reversed_at is not None:
            return None
        return Violation(
            occurrence=self.key, milestone=self.milestone, target=self.violation_target, violated_at=self.violated_at
        )


class CsatFacts(Carried):
    """A survey about a resolution, and its answer. `sent_to` is the address that it went to, in lower case."""

    survey_id: str
    sent_at: AwareDatetime
    sent_to: str | None = None
    withdrawn_at: AwareDatetime | None = None
    score: int | None = None
    answered_at: AwareDatetime | None = None
