"""Wishes: which optional mails a contact wants, and how often. What is owed by contract comes in any case."""

from __future__ import annotations

from typing import Literal

from domain.frame.decision import Decision, JournalLine
from domain.frame.mail_kinds import MailTopic
from domain.frame.mail_names import contact_in_words
from domain.frame.situation import Situation
from domain.frame.state import Outcome
from domain.kernel.ids import ContactRef
from domain.kernel.refusals import NOT_ALLOWED, Refusal
from domain.kernel.requests import Request
from domain.mail.writes import KeepMailWishes

_TOPICS = {
    MailTopic.REVIEWS: "how it goes",
    MailTopic.HELP: "help and first steps",
    MailTopic.SURVEYS: "surveys",
    MailTopic.OFFERS: "offers",
}


class ChooseMails(Request):
    """A contact chooses which optional mails they get, and how often. `declined`: what they do not want, of reviews, help, surveys and
    offers; `every_days`: so many days lie between two of them, null for as often as usual. It takes back that they wanted none at all."""

    contact_id: ContactRef
    declined: tuple[MailTopic, ...] = ()
    every_days: Literal[14, 30] | None = None


def choose_mails(situation: Situation, request: ChooseMails) -> Decision:
    """It holds for the contact's address, from the next mail that is decided on."""
    contact = next((one for one in situation.customer.contacts if one.contact_id == request.contact_id), None)
    if contact is None:
        raise Refusal(NOT_ALLOWED, f"there is no contact {request.contact_id!r}; nothing was changed")
    declined = tuple(topic for topic in MailTopic if topic in request.declined)
    who = contact_in_words(contact)
    wants = f"wants no mails about {', '.join(_TOPICS[one] for one in declined)}" if declined else "wants all mails"
    often = f", at most one in {request.every_days} days" if request.every_days else ""
    write = KeepMailWishes(contact.contact_id, declined, request.every_days, situation.as_of)
    answer = {"declined": list(declined), "every_days": request.every_days}
    return Decision(JournalLine(f"{who[:1].upper()}{who[1:]} {wants}{often}"), Outcome(answer=answer), [write])
