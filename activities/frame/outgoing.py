"""What a decision sends, as rows of the outbox: mails, notices, what is asked of other systems, and what they are told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from activities.frame import customers
from activities.frame.decided import document_of, documents_mail
from activities.frame.outbox import OutboxRow
from activities.kernel.pool import Connection
from activities.mail.signing import Signing
from domain.frame.customer import ContactFacts, Customer, StaffFacts
from domain.frame.decision import Decision, Mail, Notice
from domain.frame.flight import Channel
from domain.frame.mail_names import mail_in_words
from domain.frame.messages import Issuer, OutgoingMail, OwnWords, StaffNotice
from domain.holds.guard import SALES_MAILS
from domain.journey.webhooks import Event, payload
from domain.mail.papers import carries_papers
from domain.orders.order import ContactRole
from domain.service.case import CaseContact


@dataclass(frozen=True)
class Origin:
    """What rows come from: the key of what was done, its stage and instant, and the number of the key that signs answers."""

    key: str
    stage: str
    as_of: datetime
    signed_by: int | None = None


class Sender:
    """How the selling company signs its mails (`seller`, `signing`) and issues documents, and whether other systems are told by webhook."""

    def __init__(self, issuer: Issuer, signing: Signing, *, webhooks: bool) -> None:
        self.seller = issuer.name
        self._issuer = issuer
        self.signing = signing
        self._webhooks = webhooks

    def event_rows(self, events: Iterable[Event], account_id: str, origin: Origin) -> list[OutboxRow]:
        """What other systems are told, if they are told at all."""
        return [
            OutboxRow(f"{origin.key}#event{n}", Channel.WEBHOOK, origin.stage, payload(event, account_id, origin.as_of))
            for n, event in enumerate(events if self._webhooks else ())
        ]

    async def rows(
        self, connection: Connection, customer: Customer, decision: Decision, origin: Origin
    ) -> tuple[list[OutboxRow], bool]:
        """The messages of a decision; true if a mail found nobody to go to, which the owner is told instead."""
        if decision.mails or any(notice.case_id for notice in decision.notices):
            origin = replace(origin, signed_by=(await self.signing.current(connection)).number)
        rows = [self._mail_row(customer, mail, origin) for mail in decision.mails]
        lost = [mail for mail, row in zip(decision.mails, rows, strict=True) if row is None]
        notices = [*decision.notices, *(_undeliverable(mail) for mail in lost)]
        found = [*filter(None, rows), *(_notice_row(customer, notice, origin) for notice in notices)]
        if order := decision.provisioning:
            body = {"order_id": order.order_id, "items": order.items}
            found.append(OutboxRow("", Channel.PROVISIONING, origin.stage, body))
        if sent := decision.conveyance:
            body = {"transfer_id": sent.transfer_id, "to_account": sent.to_account}
            found.append(OutboxRow("", Channel.CONVEYANCE, sent.stage, body))
        return [_numbered(row, f"{origin.key}#{n}") for n, row in enumerate(found)], bool(lost)

    async def with_memos(
        self,
        connection: Connection,
        account_id: str,
        memos: Sequence[dict[str, Any]],
        rows: list[OutboxRow],
        origin: Origin,
    ) -> list[OutboxRow]:
        """The messages of a case with the credit notes that it has given: they reach the billing contact, with what that one is
        told of them anyway, or alone; nobody if nobody can be reached."""
        customer = await customers.load_customer(connection, account_id, origin.as_of) if memos else None
        contact = customer.contact(ContactRole.BILLING) if customer else None
        if customer is None or contact is None:
            return rows
        documents = tuple(document_of("credit_memo", memo, customer.day_of(origin.as_of)) for memo in memos)
        ids = {one["id"] for one in documents}
        for n, row in enumerate(rows):
            told = row.channel is Channel.MAIL and row.body["context"].get("credit_memo") in ids
            if told and row.body["to_email"].lower() == contact.email.lower():
                body = {**row.body, "documents": list(documents), "issuer": self._issuer.model_dump(mode="json")}
                return [*rows[:n], replace(row, body=body), *rows[n + 1 :]]
        origin = replace(origin, signed_by=(await self.signing.current(connection)).number)
        alone = self._mail_row(customer, documents_mail(customer, documents), origin)
        return [*rows, _numbered(alone, f"{origin.key}#documents")] if alone else rows

    def _mail_row(self, customer: Customer, mail: Mail, origin: Origin) -> OutboxRow | None:
        """A mail to the contact that it is for; its id is given later. Null if nobody can be reached."""
        contact = customer.contact(mail.role, mail.contact_id)
        if contact is None:
            return None
        signer = customer.owner if mail.contractual else customer.success_manager
        said = {"company": customer.account.name, "contact_name": contact.name}
        purpose = mail.purpose or SALES_MAILS.get(mail.template)
        row = mail_row(
            contact,
            origin,
            template=mail.template,
            context={**said, "seller": self.seller, "sender_name": signer.name, **mail.context},
            reply_to=signer.email,
            unsubscribe=None
            if mail.contractual or contact.unsubscribed
            else f"{customer.account.account_id}/{contact.contact_id}",
            completes=mail.completes,
            key=origin.signed_by,
            documents=mail.documents,
            issuer=self._issuer if carries_papers(mail.template, mail.context, mail.documents) else None,
        )
        return replace(row, purpose=purpose.value if purpose else None, product=mail.product)


def mail_row(contact: ContactFacts | CaseContact, origin: Origin, delivery_id: str = "", **said: Any) -> OutboxRow:
    """A mail to a contact; `said` are the other fields of an `OutgoingMail`."""
    body = OutgoingMail(
        delivery_id=delivery_id,
        to_name=contact.name,
        to_email=contact.email or "",
        language=contact.language,
        time_zone=contact.time_zone,
        at=origin.as_of,
        **said,
    )
    dumped = body.model_dump(mode="json")
    return OutboxRow(delivery_id, Channel.MAIL, origin.stage, dumped, contact_id=contact.contact_id)


def notice_row(
    person: StaffFacts, origin: Origin, lines: Sequence[str], delivery_id: str = "", **said: Any
) -> OutboxRow:
    """A notice to one of our people; `said` are the other fields of a `StaffNotice`."""
    body = StaffNotice(
        delivery_id=delivery_id,
        to_name=person.name,
        to_email=person.email,
        language=person.language,
        lines=tuple(map(str, lines)),
        own=tuple(n for n, line in enumerate(lines) if isinstance(line, OwnWords)),
        at=origin.as_of,
        **said,
    )
    dumped = body.model_dump(mode="json")
    return OutboxRow(delivery_id, Channel.NOTICE, origin.stage, dumped, staff_id=person.staff_id)


def _undeliverable(mail: Mail) -> Notice:
    lines = [f"The {mail_in_words(mail.template)} could not go out: no contact has a working address."]
    return Notice("Nobody at the customer can be reached by mail", lines, to="owner")


def _notice_row(customer: Customer, notice: Notice, origin: Origin) -> OutboxRow:
    """Signed is the address by which its reader answers a case's customer."""
    account = customer.account
    return notice_row(
        notice.person or (customer.owner if notice.to == "owner" else customer.success_manager),
        origin,
        notice.lines,
        title=notice.title,
        account_id=account.account_id,
        company=account.name,
        words=notice.words,
        case_id=notice.case_id,
        acts=notice.acts,
        task=notice.task,
        key=origin.signed_by if notice.case_id else None,
        due=notice.due,
        time_zone=account.time_zone,
    )


def _numbered(row: OutboxRow, delivery_id: str) -> OutboxRow:
    """A row under its id; mails and notices say theirs themselves, too."""
    body = {**row.body, "delivery_id": delivery_id} if "delivery_id" in row.body else row.body
    return replace(row, delivery_id=delivery_id, body=body)
