"""What happened in a case, as events in the order of their own time, and the spans in which its clocks stood still."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pydantic import AwareDatetime

from domain.kernel.base import Carried
from domain.kernel.business_clock import Span


class EventKind(StrEnum):
    """The kinds of event that milestones look at."""

    CREATED = "created"
    CUSTOMER_MESSAGE = "customer_message"
    AGENT_MESSAGE = "agent_message"
    """a message that the customer can see"""
    FIRST_RESPONSE = "first_response"
    """an answer known only as the first one; it answers no particular customer message"""
    NOTE = "note"
    """internal: never counts as an answer"""
    PAUSE = "pause"
    RESUME = "resume"
    RESOLVED = "resolved"
    CLOSED = "closed"
    REOPENED = "reopened"
    CUSTOM = "custom"
    """anything else, told apart by its name"""


ENDINGS = frozenset({EventKind.RESOLVED, EventKind.CLOSED})


class CaseEvent(Carried):
    """One thing that happened, at the time it happened. `automatic` marks messages that no human wrote."""

    at: AwareDatetime
    kind: EventKind
    name: str = ""
    automatic: bool = False


@dataclass(frozen=True, slots=True)
class CaseHistory:
    """The events of one case with the spans that follow from them.

    `pauses` are over, `paused_since` is the one that is not; `closed_spans` lie between an ending and the reopening
    after it; `ended_at` is set while the case is resolved or closed.
    """

    events: tuple[CaseEvent, ...]
    created_at: datetime | None
    pauses: tuple[Span, ...]
    paused_since: datetime | None
    closed_spans: tuple[Span, ...]
    ended_at: datetime | None
    reopen_count: int

    def stops(self, *, pausable: bool, until: datetime | None = None) -> list[Span]:
        """The spans in which a milestone's clock stands still, up to `until` when that is given.

        A pause that still lasts is part of it only as far as `until`.
        """
        spans = [*self.pauses, *self.closed_spans] if pausable else list(self.closed_spans)
        if until is None:
            return spans
        if pausable and self.paused_since is not None:
            spans.append((self.paused_since, max(until, self.paused_since)))
        return [(begin, min(end, until)) for begin, end in spans if begin < until]


def history_of(events: Iterable[CaseEvent]) -> CaseHistory:
    """The history that events tell, whatever order they arrive in; those of one instant keep the order given.

    A resolution or closing ends a running pause. What follows an ending, other than a reopening, is kept among the
    events but moves no clock.
    """
    ordered = tuple(sorted(events, key=lambda event: event.at))
    created_at = next((event.at for event in ordered if event.kind is EventKind.CREATED), None)
    pauses: list[Span] = []
    closed: list[Span] = []
    paused_since: datetime | None = None
    ended_at: datetime | None = None
    for event in ordered:
        if ended_at is not None:
            if event.kind is EventKind.REOPENED:
                closed.append((ended_at, event.at))
                ended_at = None
        elif event.kind is EventKind.PAUSE:
            paused_since = paused_since or event.at
        elif event.kind is EventKind.RESUME or event.kind in ENDINGS:
            if paused_since is not None:
                pauses.append((paused_since, event.at))
                paused_since = None
            if event.kind in ENDINGS:
                ended_at = event.at
    return CaseHistory(
        events=ordered,
        created_at=created_at,
        pauses=tuple(pauses),
        paused_since=paused_since,
        closed_spans=tuple(closed),
        ended_at=ended_at,
        reopen_count=len(closed),
    )


def unanswered_since(events: Iterable[CaseEvent]) -> datetime | None:
    """Since when the customer waits for an answer: the opening, or their first message after our last one. None: they do not."""
    since: datetime | None = None
    for event in sorted(events, key=lambda event: event.at):
        if event.kind in _ASKING:
            since = since or event.at
        elif event.kind in _ANSWERING:
            since = None
    return since


_ASKING = frozenset({EventKind.CREATED, EventKind.CUSTOMER_MESSAGE})
_ANSWERING = ENDINGS | {EventKind.AGENT_MESSAGE, EventKind.FIRST_RESPONSE}


def running(history: CaseHistory) -> Sequence[CaseEvent]:
    """The events that happened while the case was running.

    Endings and reopenings are among them, and what came at the very instant of a reopening: the message that caused it.
    """
    kept: list[CaseEvent] = []
    skipped: list[CaseEvent] = []
    ended = False
    for event in history.events:
        if not ended:
            kept.append(event)
            ended = event.kind in ENDINGS
        elif event.kind is EventKind.REOPENED:
            kept += [event, *(before for before in skipped if before.at == event.at)]
            ended = False
        else:
            skipped.append(event)
    return kept
