"""Plays: steps of a playbook's own. Each counts from an anchor, holds under a condition, and writes a mail or asks a person."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from domain.kernel.base import Received
from domain.orders.order import ContactRole, Text

PlayName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,30}$")]
MonthDay = Annotated[str, StringConstraints(pattern=r"^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")]
MOST_PLAYS = 50
LONGEST_CONDITION = 500


class PlayAnchor(StrEnum):
    """What a play counts its days from."""

    ORDER_ACTIVATED = "order_activated"
    FIRST_VALUE = "first_value"
    GO_LIVE = "go_live"
    CONTRACT_START = "contract_start"
    TERM_START = "term_start"
    CONTRACT_END = "contract_end"
    DEADLINE_TO_DECLINE = "deadline_to_decline"
    ANNIVERSARY = "anniversary"
    BAND_CHANGED = "band_changed"
    CASE_OPENED = "case_opened"
    CASE_RESOLVED = "case_resolved"
    MANAGER_CHANGED = "manager_changed"
    OWNER_CHANGED = "owner_changed"
    SEGMENT_CHANGED = "segment_changed"
    CONTACT_ADDED = "contact_added"
    SPONSOR_GONE = "sponsor_gone"


KNOWN_AHEAD = frozenset({PlayAnchor.CONTRACT_END, PlayAnchor.DEADLINE_TO_DECLINE, PlayAnchor.ANNIVERSARY})
"""Anchors whose day is known before it comes: what counts from any other one can only come after it."""


OF_PEOPLE = frozenset(
    {
        PlayAnchor.MANAGER_CHANGED,
        PlayAnchor.OWNER_CHANGED,
        PlayAnchor.SEGMENT_CHANGED,
        PlayAnchor.CONTACT_ADDED,
        PlayAnchor.SPONSOR_GONE,
    }
)
"""Anchors that come when people change."""


class PlayDays(StrEnum):
    """Which days are counted: all, or those on which the customer works."""

    CALENDAR = "calendar"
    BUSINESS = "business"


class PlayTemplate(StrEnum):
    """The mails that a play can send."""

    NOTE = "play_note"
    REORDER = "reorder_check_in"
    INTRODUCTION = "introduction"
    CONTACT_WELCOME = "contact_welcome"


_COUNTS_FROM = {
    PlayTemplate.INTRODUCTION: frozenset({PlayAnchor.MANAGER_CHANGED, PlayAnchor.OWNER_CHANGED}),
    PlayTemplate.CONTACT_WELCOME: frozenset({PlayAnchor.CONTACT_ADDED}),
}
"""Mails that are about somebody, with the anchors that say about whom."""


class PlayPerson(StrEnum):
    """Who of the seller's people does something."""

    OWNER = "owner"
    SUCCESS_MANAGER = "success_manager"


class PlayWords(Received):
    """What a mail of the playbook's own says: a subject, and paragraphs that an empty line parts."""

    subject: Text
    text: Annotated[str, StringConstraints(min_length=1, max_length=4000)]


class PlayMail(Received):
    """A mail to the contact of `role`. `play_note` says the playbook's own `words`, by language; `en` is always there."""

    template: PlayTemplate
    role: ContactRole = ContactRole.MAIN
    words: dict[str, PlayWords] = {}

    @model_validator(mode="after")
    def _has_its_words(self) -> Self:
        if self.template is PlayTemplate.NOTE and "en" not in self.words:
            raise ValueError("play_note needs words in English (words.en)")
        if self.template is not PlayTemplate.NOTE and self.words:
            raise ValueError(f"{self.template.value} has words of its own; give words with play_note alone")
        return self


class PlayEscalation(Received):
    """Whom a task goes to if it is still open so many business days after it was due."""

    after: Annotated[int, Field(ge=1, le=60)]
    to: PlayPerson = PlayPerson.OWNER


class PlayTask(Received):
    """A task for a person, due within so many business days. `briefing`: whoever gets it is told how the customer stands."""

    title: Text
    owner: PlayPerson = PlayPerson.SUCCESS_MANAGER
    due_in: Annotated[int, Field(ge=1, le=60)] = 2
    escalation: PlayEscalation | None = None
    briefing: bool = False


class PlayRepeat(Received):
    """Again every so many days, `times` in all: nothing repeats without an end."""

    every: Annotated[int, Field(ge=1, le=366)]
    times: Annotated[int, Field(ge=2, le=52)]

    @model_validator(mode="before")
    @classmethod
    def _ends(cls, value: object) -> object:
        if isinstance(value, dict) and "times" not in value:
            raise ValueError("this would repeat for ever; say how often in all (times, 2 to 52)")
        return value


class QuietTime(Received):
    """Days of each year, the first and the last as month-day, on which a play says nothing: it waits for the day after."""

    first: MonthDay
    last: MonthDay

    def covers(self, day: date) -> bool:
        """True for a day within it, over the turn of the year as well."""
        here = f"{day:%m-%d}"
        if self.first <= self.last:
            return self.first <= here <= self.last
        return here >= self.first or here <= self.last


class Play(Received):
    """A step of the playbook's own: `days` from its `anchor` (less than nought: before it), a mail or a task, if `when` holds.

    `when` is a condition in CEL over the facts of the customer, asked on the day itself; without one it always holds.
    """

    name: PlayName
    title: Text
    anchor: PlayAnchor
    days: Annotated[int, Field(ge=-366, le=366)] = 0
    count: PlayDays = PlayDays.CALENDAR
    when: Annotated[str, StringConstraints(max_length=LONGEST_CONDITION)] | None = None
    mail: PlayMail | None = None
    task: PlayTask | None = None
    repeat: PlayRepeat | None = None
    quiet: Annotated[tuple[QuietTime, ...], Field(max_length=10)] = ()

    @model_validator(mode="after")
    def _can_be_done(self) -> Self:
        if (self.mail is None) == (self.task is None):
            raise ValueError(f"play {self.name!r} needs either a mail or a task")
        anchors = _COUNTS_FROM.get(self.mail.template) if self.mail else None
        if anchors is not None and self.mail and self.anchor not in anchors:
            said = " or ".join(sorted(anchors))
            raise ValueError(
                f"play {self.name!r}: {self.mail.template.value} counts from {said}, which say of whom it is"
            )
        if self.days < 0 and self.anchor not in KNOWN_AHEAD:
            known = ", ".join(sorted(KNOWN_AHEAD))
            raise ValueError(
                f"play {self.name!r} would be due {-self.days} days before {self.anchor.value}, which nobody knows of by then;"
                f" only {known} are known ahead"
            )
        if all(any(time.covers(date(2024, 1, 1) + timedelta(days=n)) for time in self.quiet) for n in range(366)):
            raise ValueError(f"play {self.name!r} has no day of the year that is not quiet")
        return self
