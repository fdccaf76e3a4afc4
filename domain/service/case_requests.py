"""What people, services and customers may ask of a case by update: one model each, with who asks."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from domain.frame.case_words import Level, Priority
from domain.kernel.base import Received
from domain.kernel.fingerprints import Asked, asked_by
from domain.kernel.ids import CaseRef
from domain.kernel.requests import Reason, Remark
from domain.orders.order import MailAddress
from domain.service.opening import Actor, CaseChannel, HeaderId, Instant, MessageText

Written = Annotated[MessageText, StringConstraints(min_length=1)]


class CaseRequest(Received):
    """Common to all: `request_id` makes a repetition harmless (default: the update's id); `by` is an opaque id of who asks.

    With `expected_version` the request is refused if somebody changed the case since the caller read that version.
    """

    request_id: Annotated[str, StringConstraints(pattern=r"^[\w.:<>@+=/-]{1,200}$")] | None = None
    by: Actor = "agent"
    expected_version: Annotated[int, Field(ge=1)] | None = None

    def asked(self, request_id: str) -> Asked:
        """What it asks under its id, so that a repetition is told from another request."""
        return asked_by(self, request_id)


class Timed(CaseRequest):
    """Something that happened at `at`, never later than now (default: now). Promises are judged by this time."""

    at: Instant | None = None


class Respond(Timed):
    """An agent's message to the customer. By mail it is sent, and counts from then; on other channels it is recorded.

    The first one answers the case. `sent`: the customer has this mail already, from the agent's own mail program, under
    `message_id`; it is recorded and not sent again.
    """

    body: Written
    channel: CaseChannel = CaseChannel.MAIL
    sent: bool = False
    message_id: HeaderId | None = None
    files_from: Annotated[str, StringConstraints(pattern=r"^m-[0-9a-f]{32}$")] | None = None
    """a mail in the inbox whose files go along"""

    @model_validator(mode="after")
    def _was_a_mail(self) -> Self:
        if self.sent and self.channel is not CaseChannel.MAIL:
            raise ValueError("only a mail can have been sent; leave `sent` out, and the message is recorded")
        return self


class AddNote(Timed):
    """An internal note: never an answer. `shared` lets sales read it."""

    body: Written
    shared: bool = False


class WaitFor(StrEnum):
    """Whose turn it is."""

    CUSTOMER = "customer"
    INTERNAL = "internal"
    THIRD_PARTY = "third_party"


class Wait(Timed):
    """The case waits. `until`: it is opened again by itself at that instant.

    `reason` says for what: a customer who is waited for reads it in reminders.
    """

    waiting_for: WaitFor = WaitFor.CUSTOMER
    reason: Reason
    until: Instant | None = None


class Resume(Timed):
    """The case is worked on again."""

    reason: Remark = ""


class Assign(CaseRequest):
    """The case goes to `owner` (a staff id), to `team`, or with neither to whoever the rules choose."""

    owner: Actor | None = None
    team: Annotated[str, StringConstraints(pattern=r"^[\w.-]{1,64}$")] | None = None
    reason: Remark = ""


class Escalate(CaseRequest):
    """The case is marked as burning: lead and manager are told. `to` takes it over."""

    reason: Reason
    to: Actor | None = None


class DeEscalate(CaseRequest):
    """The case burns no longer."""

    reason: Reason


class Prioritise(CaseRequest):
    """Another impact, urgency or priority: due times are computed again from the start."""

    impact: Level | None = None
    urgency: Level | None = None
    priority: Priority | None = None
    reason: Remark = ""

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if self.impact is None and self.urgency is None and self.priority is None:
            raise ValueError("give impact, urgency or priority")
        return self


class Resolve(Timed):
    """The work is done. `text` is what was done, in words for the customer."""

    code: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,40}$")] = ""
    text: Annotated[MessageText, StringConstraints(max_length=5000)] = ""


class Reopen(Timed):
    """A resolved or closed case goes on."""

    reason: Reason


class Merge(CaseRequest):
    """This case is the same matter as `into`: its customer's messages go there from now on.

    What was more urgent or owed stays so; a merge wins no time.
    """

    into: CaseRef
    reason: Remark = ""


class Close(Timed):
    """A resolved case is final."""

    reason: Remark = ""


class Cancel(Timed):
    """The case is not needed any more: with a reason, or by the customer's own word."""

    reason: Remark = ""
    by_customer: bool = False


class CustomerMessage(Timed):
    """Something the customer wrote or said; mails are sent by the inbox. `automatic`: an auto-reply, which is kept and changes nothing."""

    body: MessageText = ""
    channel: CaseChannel = CaseChannel.MAIL
    subject: Annotated[MessageText, StringConstraints(max_length=300)] = ""
    sender: MailAddress | None = None
    message_id: HeaderId | None = None
    in_reply_to: HeaderId | None = None
    references: Annotated[tuple[HeaderId, ...], Field(max_length=50)] = ()
    recipients: Annotated[tuple[Annotated[str, StringConstraints(max_length=400)], ...], Field(max_length=50)] = ()
    """who else has it: none of them gets a copy"""
    automatic: bool = False
    by: Actor = "customer"


class AnswerCsat(CaseRequest):
    """How satisfied the customer is with the resolution: 1 (not at all) to 5 (very). Without `survey_id` the latest survey."""

    score: Annotated[int, Field(strict=True, ge=1, le=5)]
    comment: Remark = ""
    survey_id: Annotated[str, StringConstraints(max_length=120)] | None = None
    by: Actor = "customer"


class Identify(CaseRequest):
    """A case of somebody unknown turns out to be an account's."""

    account_id: Actor
    contact_id: Actor | None = None


class Retry(CaseRequest):
    """What could not be done or delivered is tried again."""
