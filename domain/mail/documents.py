"""Documents: what a case is told of a mail that belongs to it."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from domain.kernel.shown import counted
from domain.mail.answering import SentMail
from domain.mail.reading import Attachment, InboundMail
from domain.mail.routing import Route
from domain.mail.text import TEXT_LIMIT

_RECIPIENTS_LIMIT = 50
_SUBJECT_LIMIT = 200


def case_id_of(inbox_id: str) -> str:
    """The id of the case that a mail opens; the same mail opens the same case."""
    digest = hashlib.sha256(inbox_id.encode()).digest()
    return f"M-{base64.b32encode(digest)[:12].decode().lower()}"


def opening_document(inbox_id: str, mail: InboundMail, route: Route) -> dict[str, Any]:
    """The document that opens a case with a mail. Whoever wrote is named if they are not among the contacts."""
    document: dict[str, Any] = {
        "case_id": case_id_of(inbox_id),
        "subject": mail.subject or "(no subject)",
        "body": body_of(mail),
        "channel": "mail",
        "references": list(mail.answers),
    }
    if mail.message_id:
        document["message_id"] = mail.message_id
    if route.quiet or not mail.may_answer:
        document["automatic"] = True
    if route.account_id:
        document["account_id"] = route.account_id
    if route.account_id and route.contact_id:
        document["contact_id"] = route.contact_id
    else:
        document["contact"] = {"email": mail.sender, **({"name": mail.sender_name} if mail.sender_name else {})}
    return document


def as_reply(mail: InboundMail, sent: SentMail) -> InboundMail:
    """What was said on a page that a mail of ours leads to, as if whom it went to had replied: the first line is what it is about."""
    about = next((line for line in mail.text.splitlines() if line.strip()), "")
    return mail.having(sender=sent.email.lower(), subject=about[:_SUBJECT_LIMIT])


def message_document(inbox_id: str, mail: InboundMail) -> dict[str, Any]:
    """The request that adds a mail to a case."""
    document: dict[str, Any] = {
        "request_id": inbox_id,
        "body": body_of(mail),
        "channel": "mail",
        "subject": mail.subject,
        "sender": mail.sender,
        "references": list(mail.answers),
    }
    optional = {
        "message_id": mail.message_id,
        "in_reply_to": mail.in_reply_to,
        "recipients": list(mail.recipients[:_RECIPIENTS_LIMIT]),
    }
    return {**document, **{name: value for name, value in optional.items() if value}}


def response_document(inbox_id: str, mail: InboundMail, route: Route) -> dict[str, Any]:
    """The request by which an agent's mail becomes the answer of its case."""
    notes = "\n".join(f"[{_named(file)}]" for file in mail.attachments)
    words = mail.text.strip() or notes
    document: dict[str, Any] = {"request_id": inbox_id, "by": route.agent, "channel": "mail"}
    if not route.sent:
        document |= {"files_from": inbox_id} if mail.attachments else {}
        return document | {"body": words[:TEXT_LIMIT]}
    document |= {"message_id": mail.message_id} if mail.message_id else {}
    kept = words if words == notes else f"{words}\n\n{notes}".strip()
    return document | {"sent": True, "body": kept[:TEXT_LIMIT]}


def body_of(mail: InboundMail) -> str:
    """What the sender wrote, and the names of the files that came along; of what it quotes, that it is there."""
    notes = [f"[{_named(attachment)}]" for attachment in mail.attachments]
    if mail.quoted:
        notes.append(f"[quoted: {counted(len(mail.quoted.splitlines()), 'line')}]")
    return "\n\n".join(part for part in (mail.text, "\n".join(notes)) if part)[:TEXT_LIMIT]


def _named(attachment: Attachment) -> str:
    size = attachment.size
    return f"{attachment.name}, {size} bytes" if size < 1024 else f"{attachment.name}, {size // 1024} kB"
