"""What a customer's mail means for their journey: an answer to one of its mails, the wish for fewer, an address that is wrong."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Self

from pydantic import StringConstraints, model_validator

from domain.frame.decision import Decision, JournalLine, Mail, Notice
from domain.frame.mail_names import contact_in_words, mail_in_words, role_in_words
from domain.frame.notice_acts import act
from domain.frame.situation import Situation
from domain.frame.state import Outcome
from domain.kernel.ids import ContactRef
from domain.kernel.refusals import NOT_ALLOWED, Refusal
from domain.kernel.requests import Remark, Request
from domain.mail.writes import FlagContact, StopOptionalMails
from domain.orders.order import MailAddress

COPIED = 4000
"""Characters of a customer's words that a copy shows."""
_Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,60}$")]


class MailEvent(StrEnum):
    """What came in."""

    ANSWERED = "answered"
    """the customer answered a mail of the journey; `case_id` is the case that it opened"""
    UNSUBSCRIBED = "unsubscribed"
    """a contact wants no optional mails any more"""
    BOUNCED = "bounced"
    """a mail came back: the address of a contact, `email`, is refused for good"""


class NoteMail(Request):
    """A mail of the customer that concerns the journey; sent by the inbox. `template` names the mail of ours that it is about.

    Of an answer, `email` is where it came from, `words` what it says, `done` what was done by itself because of it, and `person`
    the address of whoever's name our mail carries: they get a copy, unless they have the answer (`has_it`).
    """

    event: MailEvent
    contact_id: ContactRef | None = None
    email: MailAddress | None = None
    template: _Name | None = None
    case_id: Annotated[str, StringConstraints(max_length=56)] | None = None
    subject: Remark = ""
    reason: Remark = ""
    person: MailAddress | None = None
    has_it: bool = False
    words: Annotated[str, StringConstraints(max_length=COPIED)] = ""
    done: Remark = ""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        needed = {
            MailEvent.ANSWERED: ("template",) if self.done else ("case_id", "template"),
            MailEvent.UNSUBSCRIBED: ("contact_id",),
            MailEvent.BOUNCED: ("contact_id", "email"),
        }
        missing = [name for name in needed[self.event] if getattr(self, name) is None]
        if missing:
            raise ValueError(f"{self.event.value} needs {' and '.join(missing)}")
        return self


def note_mail(situation: Situation, request: NoteMail) -> Decision:
    """The line in the journal, and what follows."""
    match request.event:
        case MailEvent.ANSWERED:
            return _answered(situation, request)
        case MailEvent.UNSUBSCRIBED:
            return _unsubscribed(situation, request)
        case MailEvent.BOUNCED:
            return _bounced(situation, request)


def _answered(situation: Situation, request: NoteMail) -> Decision:
    """The person behind the mail gets a copy; the owner hears of a case in any event."""
    who = _who(situation, request)
    title = f"{who} answered the {mail_in_words(request.template or '')}"
    says = f"{title}: {f'case {request.case_id}' if request.case_id else request.done}"
    customer = situation.customer
    manages = customer.success_manager.email.lower() == (request.person or "").lower()
    behind = customer.success_manager if manages else customer.owner
    subject = [f"Subject: {request.subject}"] if request.subject else []
    notices = []
    if request.words and not request.has_it:
        lines = [*subject, *([f"Done by itself: {request.done}"] if request.done else [])]
        lines += [f"They wrote from {request.email}."] if request.email else []
        to = "success_manager" if manages else "owner"
        notices.append(Notice(title, lines, to=to, words=request.words, case_id=request.case_id))
    told = bool(notices) and behind.staff_id == customer.owner.staff_id
    if request.case_id and not told:
        lines = [*subject, f"It is case {request.case_id}; service answers it. Look before you call."]
        notices.append(Notice(title, lines, to="owner"))
    return Decision(JournalLine(says), Outcome(answer={"noted": True}), notices=notices)


def _who(situation: Situation, request: NoteMail) -> str:
    """Whoever wrote, to begin a sentence with."""
    found = contact_in_words(
        next((one for one in situation.customer.contacts if one.contact_id == request.contact_id), None)
    )
    return f"{found[:1].upper()}{found[1:]}"


def _unsubscribed(situation: Situation, request: NoteMail) -> Decision:
    contact = next((one for one in situation.customer.contacts if one.contact_id == request.contact_id), None)
    if contact is None:
        raise Refusal(NOT_ALLOWED, f"there is no contact {request.contact_id!r}; nothing was changed")
    answer = {"unsubscribed": True}
    confirmed = [Mail("opted_out", contact_id=contact.contact_id)]
    if contact.unsubscribed:
        line = JournalLine(f"{_who(situation, request)} asked again for no optional mails")
        return Decision(line, Outcome(answer=answer), mails=confirmed)
    line = JournalLine(f"{_who(situation, request)} wants no optional mails any more")
    return Decision(line, Outcome(answer=answer), [StopOptionalMails(contact.contact_id, situation.as_of)], confirmed)


def _bounced(situation: Situation, request: NoteMail) -> Decision:
    contact = next((one for one in situation.customer.contacts if one.contact_id == request.contact_id), None)
    about = f"The {mail_in_words(request.template)}" if request.template else "A mail"
    says = f"{about} to {contact_in_words(contact)} came back"
    email = request.email or ""
    if contact is None or contact.email.lower() != email.lower():
        return Decision(JournalLine(f"{says}; the address has changed since"), Outcome(answer={"flagged": False}))
    if contact.rejected:
        return Decision(JournalLine(f"{says}; the address is flagged already"), Outcome(answer={"flagged": True}))
    lines = [
        f"The mail server said: {request.reason}",
        "Find out the right address, and change it.",
    ]
    return Decision(
        JournalLine(says),
        Outcome(
            answer={"flagged": True},
            attention={
                f"address_rejected:{contact.contact_id}": f"{about} to the {role_in_words(contact.role)} came back"
            },
        ),
        [FlagContact(contact.contact_id, contact.email, situation.as_of, request.reason)],
        notices=[Notice(says, lines, to="owner", acts=(act("change_contacts"),))],
    )
