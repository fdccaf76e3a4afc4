"""What a decision leaves behind, as rows: lines of the journal, notices, webhooks, and the documents that were written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from activities.billing.falling_due import Billed
from activities.frame import effects
from domain.billing.documents import Document
from domain.contracts import news
from domain.frame.customer import ContactFacts, Customer
from domain.frame.decision import Decision, JournalLine, Mail
from domain.frame.mail_kinds import template_of
from domain.frame.mail_names import contact_in_words, mail_in_words
from domain.frame.unread import contracts_of
from domain.orders.order import ContactRole

DOCUMENTS = "documents"
"""The template of the mail that brings documents and says nothing else."""


def with_copies(customer: Customer, decision: Decision) -> Decision:
    """The decision whose mails go to all whom they concern: once to a person, whatever roles they have. Main contacts hear of a
    contract's end or renewal."""
    copies = [copy for mail in decision.mails if mail.contact_id is None for copy in _copies(customer, mail)]
    mails = [*decision.mails, *copies]
    mails += news.for_main_contacts(customer, mails)
    return replace(decision, mails=mails) if len(mails) > len(decision.mails) else decision


def _copies(customer: Customer, mail: Mail) -> Iterator[Mail]:
    first = customer.contact(mail.role)
    told = {first.email.lower()} if first else set()
    for role in template_of(mail.template).copies:
        also = customer.contact(role)
        apart = also is None or also.contact_id in mail.but
        if also is not None and not apart and also.role is role and also.email.lower() not in told:
            told.add(also.email.lower())
            yield replace(mail, contact_id=also.contact_id, completes=None)


def with_documents(customer: Customer, decision: Decision, billed: Billed, today: date) -> Decision:
    """The decision whose invoices and credit notes go to the billing contact: with what they are written to anyway, or alone."""
    invoices, memos = billed.told()
    documents = tuple(
        document_of(kind, document, today)
        for kind, found in (("invoice", invoices), ("credit_memo", memos))
        for document in found
    )
    if not documents:
        return decision
    mails = list(decision.mails)
    billing = customer.contact(ContactRole.BILLING)
    theirs = (
        n for n, one in enumerate(mails) if one.contractual and customer.contact(one.role, one.contact_id) == billing
    )
    place = next(theirs, None)
    if place is None:
        mails.append(documents_mail(customer, documents))
    else:
        mails[place] = replace(mails[place], documents=documents)
    return replace(decision, mails=mails)


def document_of(kind: str, document: dict[str, Any], issued_on: date) -> dict[str, Any]:
    """An invoice or a credit note as a mail takes it along."""
    return {"kind": kind, "id": document[f"{kind}_id"], "issued_on": issued_on.isoformat(), **document}


def documents_mail(customer: Customer, documents: tuple[dict[str, Any], ...]) -> Mail:
    """The mail that brings documents to the billing contact and says nothing else: each with what it is for."""
    charged = [line["asset_id"] for one in documents for line in one["lines"] if line["asset_id"]]
    by_asset = contracts_of(customer.assets, charged)
    sums = [
        {"kind": one["kind"], "id": one["id"], "total": one["total"], **_what_for(one, by_asset)} for one in documents
    ]
    return Mail(DOCUMENTS, {"documents": sums}, documents=documents)


def _what_for(document: dict[str, Any], by_asset: Mapping[str, str | None]) -> dict[str, Any]:
    """The contracts of a document, if all its lines are of some, and the time that they are for, if all have an end."""
    lines = document["lines"]
    contracts = [by_asset.get(line["asset_id"] or "") for line in lines]
    spans = [line["period"] for line in lines]
    ends = [span["end"] for span in spans]
    return {
        "contracts": sorted({one for one in contracts if one}) if all(contracts) else [],
        "period": {"start": min(span["start"] for span in spans), "end": max(ends)} if spans and all(ends) else None,
    }


def without_unwanted_mails(customer: Customer, decision: Decision) -> Decision:
    """Optional mails to a contact who wants none are left out, with a line each in the journal; nobody gets them instead. Of what
    reaches nobody the journal does not say that it is on its way."""
    unwanted = [(mail, contact) for mail in decision.mails if (contact := _unwilling(customer, mail))]
    leaves = [mail for mail in decision.mails if customer.contact(mail.role, mail.contact_id)]
    if decision.mails and len(leaves) <= len(unwanted):
        decision = replace(decision, line=replace(decision.line, title=_not_sent(decision.line.title)))
    if not unwanted:
        return decision
    lines = [
        JournalLine(
            f"The {mail_in_words(mail.template)} was not sent: {contact_in_words(contact)} wants no"
            f" {'optional mails' if contact.unsubscribed else 'mails of this kind'}",
            name=f"unwanted-{mail.template}",
            kind="mail_unwanted",
        )
        for mail, contact in unwanted
    ]
    left_out = [mail for mail, _ in unwanted]
    kept = [mail for mail in decision.mails if mail not in left_out]
    return replace(decision, mails=kept, more_lines=[*decision.more_lines, *lines])


def _not_sent(title: str) -> str:
    return re.sub(r"(is )?on its way\b", "was not sent", title)


def _unwilling(customer: Customer, mail: Mail) -> ContactFacts | None:
    contact = (
        None if mail.contractual or template_of(mail.template).always else customer.contact(mail.role, mail.contact_id)
    )
    return contact if contact is not None and not contact.wants(mail.template) else None


def journal_rows(
    decision: Decision, key: str, stage: str, kind: str, as_of: datetime, actor: str | None
) -> list[effects.JournalRow]:
    """The lines of a decision, the first under the key of what was done."""
    rows = []
    for line in [decision.line, *decision.more_lines]:
        detail: dict[str, Any] = {**line.detail, **({"by": actor} if actor else {})}
        line_key = f"{key}/{line.name}" if line.name else key
        rows.append(effects.JournalRow(line_key, line.at or as_of, stage, line.kind or kind, line.title, detail))
    return rows


def billing_rows(billed: Billed, key: str, as_of: datetime) -> list[effects.JournalRow]:
    """A line of the journal for every invoice and credit memo that was written."""
    documents = [(document, "Invoice", "invoice") for document in billed.invoices]
    documents += [(document, "Credit memo", "credit_memo") for document in billed.memos]
    return [
        effects.JournalRow(
            f"{key}/{document.id}",
            as_of,
            "billing",
            kind,
            f"{what} {document.id}: {document.total:f} {document.currency}{_with_tax(document)}",
            {
                "id": document.id,
                "net": f"{document.net:f}",
                "tax": f"{document.tax:f}",
                "total": f"{document.total:f}",
                "currency": document.currency,
            },
        )
        for document, what, kind in documents
    ]


def _with_tax(document: Document) -> str:
    return f" ({document.net:f} and {document.tax:f} tax)" if document.taxes else ""
