"""Mails and the people they go to, in words: whoever reads of them knows no names of templates and no ids."""

from __future__ import annotations

from domain.frame.customer import ContactFacts
from domain.frame.flight import Channel
from domain.frame.step_words import plain
from domain.orders.order import ContactRole

MAILS = {
    "assets_changed": "confirmation of a change",
    "assets_received": "confirmation of what was received",
    "assets_transferred": "confirmation of a transfer",
    "case_apology": "apology for a delay",
    "case_nudge": "reminder of an open question",
    "case_opened": "confirmation of a request",
    "case_reply": "answer in a case",
    "case_resolved": "news of a solution",
    "case_survey": "case survey",
    "check_in": "check-in",
    "claim_declined": "answer about a refund",
    "contact_welcome": "welcome of a new contact",
    "contract_ended": "news of a contract's end",
    "contract_news": "news of a contract",
    "delivery_follow_up": "question about a delivery",
    "documents": "mail with invoices or credit notes",
    "go_live": "mail about the first day of use",
    "goodwill_granted": "news of a credit",
    "introduction": "introduction of a new contact person",
    "onboarding_invite": "invitation for a first step",
    "onboarding_moved": "news of a new date",
    "onboarding_reminder": "reminder of a first step",
    "opted_out": "confirmation of fewer mails",
    "order_confirmed": "confirmation of an order",
    "outreach": "offer of help",
    "payment_reminder": "reminder of overdue invoices",
    "play_note": "mail of the playbook",
    "price_match": "news of a price match",
    "provisioning_done": "news that everything is set up",
    "quote_presented": "quote",
    "recovered": "mail about good progress",
    "reference": "question for a reference",
    "renewal_confirmed": "confirmation of a renewal",
    "renewal_declined": "confirmation of a contract's end",
    "renewal_grace": "mail about a contract that has run out",
    "renewal_notice": "renewal notice",
    "reorder_check_in": "question about the next order",
    "survey": "survey",
    "survey_thanks": "thanks for an answer",
    "touch_anniversary": "anniversary mail",
    "touch_day_1": "mail after the first day",
    "touch_month_1": "mail after the first month",
    "upsell_confirmed": "confirmation of more seats",
    "upsell_offer": "offer of more seats",
    "welcome": "welcome mail",
    "win_back": "question about a new beginning",
}
"""Every template, each so that "the" stands before it."""
ROLES = {
    ContactRole.MAIN: "main contact",
    ContactRole.SPONSOR: "sponsor",
    ContactRole.BILLING: "billing contact",
    ContactRole.ADMIN: "administrator",
}


def mail_in_words(template: str) -> str:
    """What a mail is, such as `renewal notice`; of a template of earlier releases its name without its dashes."""
    return MAILS.get(template) or plain(template)


def role_in_words(role: str | None) -> str:
    """Such as `billing contact`; of somebody who is no contact any more, `former contact`."""
    return ROLES[ContactRole(role)] if role else "former contact"


def person_in_words(name: str, role: str | None) -> str:
    """Such as `Jo Weber (billing contact)`."""
    return f"{' '.join(name.split())} ({role_in_words(role)})"


def contact_in_words(contact: ContactFacts | None) -> str:
    """The contact by name and role; somebody who is not, or no more, among them is `somebody at the customer`."""
    return person_in_words(contact.name, contact.role) if contact else "somebody at the customer"


CHANNELS = {
    Channel.MAIL: "a mail to the customer",
    Channel.NOTICE: "a notice to one of our people",
    Channel.PROVISIONING: "what was bought, asked of the provisioning service",
    Channel.WEBHOOK: "a webhook",
    Channel.CONVEYANCE: "assets for another account",
}
