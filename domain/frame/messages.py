"""What leaves the company as a message: raw values here, words and formats only at delivery."""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime

from domain.kernel.base import Carried


class Issuer(Carried):
    """Who issues documents: the selling company as it stands on them."""

    name: str
    address: tuple[str, ...] = ()
    registration: str | None = None
    """the number under which it is registered for tax: of a qualified invoice in Japan, T and 13 digits; elsewhere a VAT number"""
    pay_to: str | None = None
    """where invoices are paid to: a bank account in words"""
    pay_within_days: int | None = None


class OutgoingMail(Carried):
    """One mail to one person, before it is put into words.

    `context` holds raw values for the template: dates as "2027-03-01", instants as ISO 8601 with an offset,
    money as {"amount": "12.50", "currency": "JPY"}, shares as decimal strings such as "0.42".
    """

    delivery_id: str
    """unique for ever; the Message-ID is derived from it, so that a resend carries the same one"""
    template: str
    to_name: str
    to_email: str
    language: str
    """BCP 47 tag of the contact, such as "ja", "en-GB" or "de" """
    time_zone: str
    """IANA name"""
    context: dict[str, Any]
    at: AwareDatetime
    """the instant of the step; it becomes the Date header"""
    reply_to: str | None = None
    """the address of the owner or the success manager, for as long as no inbox is served"""
    unsubscribe: str | None = None
    """opaque token for List-Unsubscribe; None for contractual mails and notices"""
    in_reply_to: str | None = None
    """Message-ID, with its angle brackets, of the mail that this one answers"""
    references: tuple[str, ...] = ()
    """Message-IDs of the thread, oldest first"""
    files_from: str | None = None
    """the received mail whose files go along, by its id in the inbox"""
    completes: str | None = None
    """the task of its onboarding that is done once a mail server has taken it"""
    key: int | None = None
    """the number of the key by which it is signed, at every attempt; None for notices, and for what was written before there were keys"""
    documents: tuple[dict[str, Any], ...] = ()
    """invoices and credit notes that go with it, each as a file: `kind` ("invoice", "credit_memo"), `id`, `issued_on`, and sums
    and lines as other systems are told them"""
    issuer: Issuer | None = None
    """who issues the documents of this mail, as of when it was written; None in other mails"""
    automatic: bool = True
    """false for what a person wrote in answer to a person; all else says in its headers that no human sent it"""


class OwnWords(str):
    """What a person wrote, as a line of a notice: it stays as it is in every language."""


class StaffNotice(Carried):
    """An internal notice to a member of staff: something to know or to do about one customer, or about several (then `account_id` and
    `company` are empty)."""

    delivery_id: str
    """unique for ever, like that of a mail"""
    to_name: str
    to_email: str
    title: str
    account_id: str
    company: str
    lines: tuple[str, ...] = ()
    own: tuple[int, ...] = ()
    """the numbers of the lines that are people's own words, from 0"""
    language: str | None = None
    """of whoever is told; None: the company's"""
    words: str = ""
    """what somebody wrote, if that is passed on; only its beginning if it is long"""
    case_id: str | None = None
    """the case whose customer gets what is replied to the notice"""
    acts: tuple[str, ...] = ()
    """what its reader is offered to do in the console, see `notice_acts.py`"""
    task: str | None = None
    """the key of the task that it asks of its reader"""
    key: int | None = None
    """number of the key that signs its addresses; null before there were any, and where nothing can be replied"""
    due: AwareDatetime | None = None
    """until when it should be done, if there is anything to do"""
    at: AwareDatetime
    """the instant of the step"""
    time_zone: str = "UTC"
    """IANA name: the zone in which `due` is shown"""
