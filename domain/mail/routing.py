"""Where a received mail belongs: to a case, to a new one, to a contact's wishes, or before the eyes of a person. Nothing is dropped.

An address counts as a contact's if it is exactly theirs, or as somebody of a customer's if only that customer has contacts
under its domain. What several customers could claim is nobody's until a person has looked at it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from domain.frame.keys import case_of_delivery
from domain.kernel.base import Carried
from domain.mail.answering import DECIDES, Door, SentMail, Wish
from domain.mail.asks import Act
from domain.mail.quoting import passes_on
from domain.mail.reading import InboundMail
from domain.mail.shared_domains import SHARED_DOMAINS
from domain.orders.order import ContactRole

CASES_A_DAY = 10
"""New cases by mail from one address in 24 hours, after which machines are not heard by themselves, and no case is acknowledged."""


class InboxStatus(StrEnum):
    """What became of a mail."""

    NEW = "new"
    """stored, not yet looked at"""
    MATCHED = "matched"
    """with a case, or done as it asked"""
    UNKNOWN = "unknown"
    """waits for a person to say whose it is"""
    AUTOMATIC = "automatic"
    """no person wrote it: recorded, never answered"""
    FAILED = "failed"
    """could not be taken in; waits for a person"""
    DISCARDED = "discarded"


class KnownSender(Carried):
    """A contact with the address that a mail came from."""

    account_id: str
    contact_id: str
    role: ContactRole = ContactRole.MAIN


class FoundCase(Carried):
    """A case that a mail may belong to; `email` is the address of whoever opened it."""

    case_id: str
    account_id: str | None = None
    email: str = ""


class MailAudience(Carried):
    """Who has a mail of one of our people, apart from us and from them."""

    customer: bool = False
    """whoever is served, or anybody else at the customer"""
    others: tuple[str, ...] = ()


class Found(Carried):
    """What the facts know around a mail."""

    senders: tuple[KnownSender, ...] = ()
    """contacts with exactly the sender's address"""
    neighbours: tuple[str, ...] = ()
    """accounts that have contacts under the sender's domain"""
    addressed: FoundCase | None = None
    """the case of the mail whose signed address it went to"""
    threaded: FoundCase | None = None
    """the case that has the mail which this one answers"""
    named: FoundCase | None = None
    """the case that its addresses or its subject name"""
    answered: SentMail | None = None
    """the mail of ours that it answers, by its signed address or a signed id"""
    chosen: SentMail | None = None
    """the mail of ours whose question was answered on its page"""
    choice: str = ""
    """how: a score, `yes` or `no`"""
    stopped: SentMail | None = None
    """the mail of ours whose address for no more mails it went to"""
    forged: bool = False
    """a delivery report about ids under our domain that are not signed"""
    returned: SentMail | None = None
    """the mail that a delivery report is about"""
    reported: tuple[str, ...] = ()
    """accounts with a contact who was written to lately and of whom a delivery report says, naming no mail, that the address is wrong"""
    doubt: str | None = None
    """why its sender may be forged, by what our own mail server found out"""
    own: bool = False
    """one of our own mails, or written by one of our own machines"""
    staff: str | None = None
    """the id of the one of our own people who wrote it"""
    noticed: FoundCase | None = None
    """the case of the notice that one of our people answers"""
    audience: MailAudience | None = None
    """whom else one of our people wrote to, beside the case"""
    cases_today: int = 0
    """cases that this sender's mails opened or joined within a day"""


class RouteKind(StrEnum):
    """What is to be done with a mail."""

    JOIN = "join"
    OPEN = "open"
    UNSUBSCRIBE = "unsubscribe"
    BOUNCE = "bounce"
    ANSWER = "answer"
    """it answers what a mail of ours had asked: `door` takes the answer"""
    RESPOND = "respond"
    """one of our people answers the customer"""
    KEEP = "keep"
    """nothing but keeping it"""


class Route(Carried):
    """What is to be done with a mail and with which status it ends. For a mail that waits, `case_id` and `account_id` are a suggestion."""

    kind: RouteKind
    status: InboxStatus = InboxStatus.MATCHED
    account_id: str | None = None
    contact_id: str | None = None
    case_id: str | None = None
    answered: SentMail | None = None
    reason: str = ""
    door: Door | None = None
    agent: str | None = None
    """the one of our people who answers"""
    sent: bool = False
    """the customer has the agent's answer already"""
    replied: SentMail | None = None
    """the mail of ours to which what is done by itself is the reply"""
    quiet: bool = False
    """nothing is answered by a machine: two of them may be writing to each other"""


def route_mail(mail: InboundMail, found: Found, wish: Wish | None = None) -> Route:
    """What to do with a mail that came in, by what the facts know around it and what it asks."""
    case = found.addressed or found.threaded or found.named
    about: dict[str, Any] = {
        "account_id": case.account_id if case else found.answered.account_id if found.answered else _only(found),
        "case_id": case.case_id if case else None,
    }
    if found.own:
        return _kept("our own mail came back")
    if found.doubt is not None:
        return _waits(found.doubt, **about)
    if found.stopped is not None:
        return _stopped(found.stopped)
    if found.chosen is not None:
        return _chosen(found.chosen, wish, found)
    if mail.bounce is not None:
        return _bounced(mail, found)
    if mail.unsubscribes is not None:
        return _unsubscribed(mail.unsubscribes, found)
    if mail.automatic is not None:
        return _kept(mail.automatic, **about)
    if found.staff is not None:
        return _of_agent(mail, found, found.staff, found.noticed or case)
    if not mail.sender:
        return _waits("nobody can be read as its sender", **about)
    if wish is not None and (answer := _answer(mail, found, wish)) is not None:
        return answer
    if case is not None:
        return _to_case(mail, found, case)
    return _to_customer(mail, found)


def _of_agent(mail: InboundMail, found: Found, staff: str, case: FoundCase | None) -> Route:
    """An agent answers from their own mail program: to the case alone, or to the customer as well.

    It leaves under our name, so that whoever wrote it has to be part of the thread: names of cases are easily guessed.
    """
    ours = "written by one of our own people"
    if case is None:
        return _waits(f"{ours}, and nothing says about which case", account_id=_only(found))
    about = {"account_id": case.account_id, "case_id": case.case_id}
    audience = found.audience or MailAudience()
    if found.senders:
        return _waits(f"{ours}, who is a contact of a customer as well", **about)
    if passes_on(mail.subject):
        return _waits(f"{ours}, who passes on what somebody else wrote", **about)
    if not _own_lines(mail.own_words) and not mail.attachments:
        return _waits(f"{ours}, in no words of their own", **about)
    if not (found.noticed or found.addressed or found.threaded):
        return _waits(f"{ours}, by no answer to a mail of case {case.case_id}", **about)
    if audience.others and not audience.customer:
        return _waits(f"{ours}, to {', '.join(audience.others[:3])} and not to the customer", **about)
    return Route(
        kind=RouteKind.RESPOND,
        agent=staff,
        sent=audience.customer,
        reason=f"answer of {staff}, {'which the customer has' if audience.customer else 'sent on to the customer'}",
        **about,
    )


def _own_lines(words: str) -> list[str]:
    """The lines of a mail that quote nothing; a reader gives a mail that only quotes as it is."""
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    heads = {number for number, following in enumerate(lines[1:]) if following.startswith(">")}
    return [
        line
        for number, line in enumerate(lines)
        if not line.startswith(">") and not (number in heads and line.endswith(":"))
    ]


def _answer(mail: InboundMail, found: Found, wish: Wish) -> Route | None:
    """A reply that answers what was asked; null if it is for a person to read."""
    account_id = wish.account_id
    known = [one for one in found.senders if one.account_id == account_id]
    asked = found.answered.contact_id if found.answered else None
    contact = next((one for one in known if one.contact_id == asked), next(iter(known), None))
    about = {"account_id": account_id, "case_id": wish.door.case_id if wish.door else None}
    if found.answered is not None and not _went_to(mail, found.answered, found):
        return _waits(f"it would {wish.words}, but the mail that it answers went to somebody else", **about)
    if wish.ask.act is Act.UNSUBSCRIBE:
        if contact is None:
            return _waits("it asks for no more mails, but from an address that is not known at the customer", **about)
        return Route(
            kind=RouteKind.UNSUBSCRIBE,
            account_id=account_id,
            contact_id=contact.contact_id,
            reason="no more optional mails",
            door=wish.door,
            replied=found.answered,
        )
    if wish.door is None:
        return None
    decides = contact is not None and (contact.role in DECIDES or not wish.binds)
    if wish.ask.act is not Act.SCORE and not decides:
        roles = ", ".join(role.value for role in DECIDES)
        return _waits(f"it would {wish.words}, but its sender is no contact of role {roles}", **about)
    return Route(
        kind=RouteKind.ANSWER,
        account_id=account_id,
        contact_id=contact.contact_id if contact else None,
        case_id=wish.door.case_id,
        reason=wish.words,
        door=wish.door,
        replied=found.answered,
    )


def _went_to(mail: InboundMail, sent: SentMail, found: Found) -> bool:
    """True if whoever wrote is the one to whom a mail of ours went, by that address or by the one that they have now."""
    if mail.sender == sent.email.lower():
        return True
    whom = (sent.account_id, sent.contact_id)
    return sent.contact_id is not None and any((one.account_id, one.contact_id) == whom for one in found.senders)


def _to_case(mail: InboundMail, found: Found, case: FoundCase) -> Route:
    """Who answers within a case has to be whoever opened it, or somebody of its customer: headers are easily copied."""
    if mail.sender == case.email.lower() or _belongs(mail, found, case.account_id):
        return Route(
            kind=RouteKind.JOIN,
            account_id=case.account_id,
            contact_id=_contact(found, case.account_id),
            case_id=case.case_id,
        )
    whose = "the address is known at another customer" if found.senders else "the address is not known at its customer"
    return _waits(f"it answers case {case.case_id}, but {whose}", account_id=case.account_id, case_id=case.case_id)


def _to_customer(mail: InboundMail, found: Found) -> Route:
    answered = found.answered
    if answered is not None and answered.account_id is not None:
        if not _belongs(mail, found, answered.account_id):
            return _waits("it answers a mail of ours to somebody else", account_id=answered.account_id)
        account_id = answered.account_id
    else:
        accounts = dict.fromkeys(sender.account_id for sender in found.senders) or dict.fromkeys(
            _neighbours(mail, found)
        )
        if len(accounts) > 1:
            return _waits(f"several customers could have sent it: {', '.join(list(accounts)[:5])}")
        if not accounts:
            return _waits("nobody knows the address")
        account_id = next(iter(accounts))
    many = found.cases_today >= CASES_A_DAY
    if many and not mail.may_answer:
        return _waits(f"{found.cases_today} cases came from this address within a day", account_id=account_id)
    return Route(
        kind=RouteKind.OPEN,
        account_id=account_id,
        contact_id=_contact(found, account_id),
        answered=answered,
        quiet=many,
    )


def _bounced(mail: InboundMail, found: Found) -> Route:
    """Only a report about a mail that we sent to that very address says anything about a contact."""
    sent, report = found.returned, mail.bounce
    case_id = case_of(sent)
    if sent is None and found.forged:
        return _waits("a delivery report about a mail under our domain that we have not signed")
    if sent is None and report is not None and found.reported:
        says = f"a delivery report about {report.recipient}, to whom we wrote lately, names no mail of ours, and anybody may have"
        alone = found.reported[0] if len(found.reported) == 1 else None
        return _waits(f"{says} written it; if it is right, give the contact another address", account_id=alone)
    if report is None or sent is None or (sent.contact_id is None and case_id is None):
        return _kept("a delivery report about no mail of ours")
    to: dict[str, Any] = {
        "account_id": sent.account_id,
        "contact_id": sent.contact_id,
        "case_id": case_id,
        "answered": sent,
    }
    if report.recipient and report.recipient != sent.email.lower():
        return _kept(f"a delivery report about {report.recipient}, to whom the mail was not sent", **to)
    reason = f"{report.status} {report.said}".strip()
    if report.is_for_good and sent.contact_id is None:
        return _waits(f"a mail of case {case_id} came back: {reason}", account_id=sent.account_id, case_id=case_id)
    kind = RouteKind.BOUNCE if report.is_for_good else RouteKind.KEEP
    return Route(kind=kind, status=InboxStatus.AUTOMATIC, reason=f"not delivered: {reason}", **to)


def case_of(sent: SentMail | None) -> str | None:
    """The case that a mail of ours belongs to: its delivery is named after it."""
    return case_of_delivery(sent.delivery_id) if sent and sent.delivery_id else None


def _unsubscribed(who: tuple[str, str], found: Found) -> Route:
    """A wish that anybody could have written counts from the contact's own address alone."""
    if any((one.account_id, one.contact_id) == who for one in found.senders):
        return _unsubscribe(*who)
    return _waits("it asks for no more mails to a contact, but not from that contact's address")


def _stopped(sent: SentMail) -> Route:
    """Whoever has the signed address has it from the mail itself. It concerns the address that the mail went to."""
    if sent.account_id is None or sent.contact_id is None:
        return _waits("it asks for no more mails to somebody who is no contact of a customer", case_id=case_of(sent))
    if not sent.current:
        reason = "it asks for no more mails to an address that its contact has no more"
        return _kept(reason, account_id=sent.account_id, answered=sent)
    return _unsubscribe(sent.account_id, sent.contact_id)


def _chosen(sent: SentMail, wish: Wish | None, found: Found) -> Route:
    """Whoever has the page has its address from the mail itself."""
    if wish is not None and wish.ask.act is Act.SAY:
        return _said(sent, wish, found)
    if wish is None or wish.door is None:
        return _waits("it answers a question that our mail did not ask", account_id=sent.account_id)
    if wish.binds and not (sent.current and sent.role in DECIDES):
        return _waits(f"it would {wish.words}, but went to nobody who decides today", account_id=sent.account_id)
    return Route(
        kind=RouteKind.ANSWER,
        account_id=sent.account_id,
        contact_id=sent.contact_id,
        case_id=wish.door.case_id,
        reason=wish.words,
        door=wish.door,
    )


def _said(sent: SentMail, wish: Wish, found: Found) -> Route:
    """What is said on a page becomes what a reply would: a part of the case that our mail is of, else a case of which its journey hears."""
    case_id = case_of(sent)
    whom: dict[str, Any] = {"account_id": sent.account_id, "contact_id": sent.contact_id}
    if not sent.current and (sent.contact_id is not None or case_id is None):
        reason = f"it would {wish.words}, but went to nobody who is a contact today"
        return _waits(reason, account_id=sent.account_id, case_id=case_id)
    if case_id is not None:
        return Route(kind=RouteKind.JOIN, case_id=case_id, **whom)
    if found.cases_today >= CASES_A_DAY:
        return _waits(f"{found.cases_today} cases came from this address within a day", account_id=sent.account_id)
    return Route(kind=RouteKind.OPEN, answered=sent, **whom)


def _unsubscribe(account_id: str, contact_id: str) -> Route:
    return Route(
        kind=RouteKind.UNSUBSCRIBE,
        account_id=account_id,
        contact_id=contact_id,
        reason="no more optional mails",
    )


def _belongs(mail: InboundMail, found: Found, account_id: str | None) -> bool:
    """True if the sender is somebody of this account: a contact, or a colleague of one who is no other customer's contact."""
    if found.senders:
        return any(sender.account_id == account_id for sender in found.senders)
    return account_id in _neighbours(mail, found)


def _neighbours(mail: InboundMail, found: Found) -> tuple[str, ...]:
    return () if mail.sender.rpartition("@")[2] in SHARED_DOMAINS else found.neighbours


def _contact(found: Found, account_id: str | None) -> str | None:
    return next((sender.contact_id for sender in found.senders if sender.account_id == account_id), None)


def _only(found: Found) -> str | None:
    accounts = {sender.account_id for sender in found.senders}
    return next(iter(accounts)) if len(accounts) == 1 else None


def _waits(reason: str, *, account_id: str | None = None, case_id: str | None = None) -> Route:
    return _kept(reason[:300], InboxStatus.UNKNOWN, account_id=account_id, case_id=case_id)


def _kept(reason: str, status: InboxStatus = InboxStatus.AUTOMATIC, **about: Any) -> Route:
    """Kept, and nothing else; recorded as a machine's, if not said otherwise."""
    return Route(kind=RouteKind.KEEP, status=status, reason=reason, **about)
