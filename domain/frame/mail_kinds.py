"""What each mail to a customer is: an answer, owed by contract or optional; whom it concerns; and which is the most useful.

One table for all templates. Whoever decides on a mail names its template and says nothing of this.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from domain.orders.order import ContactRole


class MailKind(StrEnum):
    """Whether a mail waits for others, and whether it can be unsubscribed from."""

    ANSWER = "answer"
    """answers what was just done, ordered or asked: nobody waits for it, and it waits for none"""
    CONTRACTUAL = "contractual"
    """owed by what was agreed: never late, and nobody can unsubscribe from it"""
    OPTIONAL = "optional"
    """keeps its distance from others of its kind, and is left out for whoever wants none"""


class MailTopic(StrEnum):
    """What optional mails are about, as somebody chooses among them."""

    REVIEWS = "reviews"
    """how it goes: what they use, and days to look back"""
    HELP = "help"
    """first steps, tips, and offers of help"""
    SURVEYS = "surveys"
    OFFERS = "offers"
    """more of it, or a next order"""


@dataclass(frozen=True)
class Template:
    """A template: what it is, and the role of the contact whom it concerns; without such a contact the main one gets it.

    `copies`: further roles that hear of it, where other people bear them. `early`: so many days before its own day it may go along with
    another optional mail; null: it never does. `moment`: about a day of the first weeks, and so many days after a customer came not true
    any more. `apart`: its step also gives people something to do, which does not wait for the mail. `keeps_its_day`: it is of one day and
    of no other. `alone`: it asks for an answer of its own, so it says nothing else. `asks`: it asks for a number, which can be told from
    every other answer: it may go along with a mail that `takes_question`, one of them. `with_owed`: it may go along with what is owed by
    contract. `always`: it gets to whoever wants no optional mails, too. `foretold`: the customer knows its day. `follows_a_case`: what is
    foretold does not wait for it. `beyond`: it is not owed by contract, and leads to the page of what they own all the same.
    """

    kind: MailKind
    role: ContactRole = ContactRole.MAIN
    copies: tuple[ContactRole, ...] = ()
    early: int | None = None
    moment: int | None = None
    apart: bool = False
    keeps_its_day: bool = False
    alone: bool = False
    asks: bool = False
    takes_question: bool = False
    with_owed: bool = False
    always: bool = False
    foretold: bool = False
    follows_a_case: bool = False
    beyond: bool = False
    steps: bool = False

    @property
    def shows_owned(self) -> bool:
        """True for a mail about what they own or owe, which leads to the page of all that."""
        return self.kind is MailKind.CONTRACTUAL or self.beyond


_ANSWER = Template(MailKind.ANSWER)
_OWED = Template(MailKind.CONTRACTUAL)
_OPTIONAL = Template(MailKind.OPTIONAL)
_OF_CONTRACTS = Template(MailKind.CONTRACTUAL, ContactRole.BILLING)
_OF_TERMS = Template(MailKind.CONTRACTUAL, ContactRole.BILLING, copies=(ContactRole.SPONSOR,))

TEMPLATES: Mapping[str, Template] = {
    "case_reply": _ANSWER,
    "case_resolved": _ANSWER,
    "case_opened": _ANSWER,
    "case_apology": _ANSWER,
    "case_nudge": _ANSWER,
    "claim_declined": _ANSWER,
    "goodwill_granted": _ANSWER,
    "price_match": _ANSWER,
    "survey_thanks": _ANSWER,
    "opted_out": _OWED,
    "welcome": Template(MailKind.ANSWER, beyond=True),
    "order_confirmed": _OWED,
    "quote_presented": Template(MailKind.CONTRACTUAL, ContactRole.BILLING, alone=True),
    "renewal_notice": _OF_TERMS,
    "renewal_grace": _OF_TERMS,
    "renewal_confirmed": _OF_TERMS,
    "renewal_declined": _OF_TERMS,
    "contract_ended": _OF_TERMS,
    "contract_news": _OWED,
    "upsell_confirmed": Template(MailKind.CONTRACTUAL, ContactRole.SPONSOR),
    "assets_changed": _OF_CONTRACTS,
    "assets_received": _OF_CONTRACTS,
    "assets_transferred": _OF_CONTRACTS,
    "provisioning_done": Template(MailKind.ANSWER, ContactRole.ADMIN, copies=(ContactRole.MAIN,), always=True),
    "go_live": Template(MailKind.ANSWER, copies=(ContactRole.SPONSOR,), takes_question=True),
    "introduction": Template(MailKind.ANSWER, copies=(ContactRole.SPONSOR, ContactRole.ADMIN)),
    "payment_reminder": Template(MailKind.CONTRACTUAL, ContactRole.BILLING, alone=True),
    "documents": _OF_CONTRACTS,
    "contact_welcome": _OPTIONAL,
    "onboarding_moved": Template(MailKind.ANSWER, steps=True),
    "onboarding_reminder": Template(MailKind.OPTIONAL, steps=True),
    "onboarding_invite": Template(MailKind.OPTIONAL, steps=True),
    "outreach": Template(MailKind.OPTIONAL, apart=True),
    "upsell_offer": Template(MailKind.OPTIONAL, ContactRole.SPONSOR, alone=True),
    "play_note": _OPTIONAL,
    "win_back": _OPTIONAL,
    "check_in": Template(MailKind.OPTIONAL, foretold=True, takes_question=True, beyond=True),
    "recovered": Template(MailKind.OPTIONAL, apart=True, takes_question=True),
    "delivery_follow_up": _OPTIONAL,
    "reorder_check_in": Template(MailKind.OPTIONAL, takes_question=True),
    "survey": Template(MailKind.OPTIONAL, early=0, asks=True),
    "reference": Template(MailKind.OPTIONAL, alone=True),
    "case_survey": Template(MailKind.OPTIONAL, alone=True, follows_a_case=True),
    "touch_day_1": Template(MailKind.OPTIONAL, moment=5),
    "touch_month_1": Template(MailKind.OPTIONAL, early=2, moment=40),
    "touch_anniversary": Template(MailKind.OPTIONAL, ContactRole.SPONSOR, with_owed=True, keeps_its_day=True),
}
"""Every template, the most useful first: what two of them say in one mail begins with the earlier one of this list."""

TOPICS: Mapping[MailTopic, tuple[str, ...]] = {
    MailTopic.REVIEWS: ("check_in", "recovered", "touch_day_1", "touch_month_1", "touch_anniversary"),
    MailTopic.HELP: (
        "contact_welcome",
        "onboarding_reminder",
        "onboarding_invite",
        "outreach",
        "play_note",
        "delivery_follow_up",
    ),
    MailTopic.SURVEYS: ("survey", "case_survey", "reference"),
    MailTopic.OFFERS: ("upsell_offer", "win_back", "reorder_check_in"),
}
"""What each optional mail is about."""

_TOPIC_OF = {name: topic for topic, names in TOPICS.items() for name in names}

_RANK = {name: place for place, name in enumerate(TEMPLATES)}


def template_of(name: str) -> Template:
    """What a template is; one that no release of ours has is optional and for the main contact."""
    return TEMPLATES.get(name, _OPTIONAL)


def topic_of(name: str) -> MailTopic | None:
    """What an optional mail is about; null for what nobody chooses, as it answers or is owed."""
    return _TOPIC_OF.get(name)


def rank(name: str) -> int:
    """Where a template stands in the order of usefulness, 0 first."""
    return _RANK.get(name, len(_RANK))


def of_kind(kind: MailKind) -> frozenset[str]:
    """The templates of a kind."""
    return frozenset(name for name, template in TEMPLATES.items() if template.kind is kind)


OF_CASES = frozenset(name for name, template in TEMPLATES.items() if template.follows_a_case)
