"""Papers: the documents that a mail carries, as they can be shown again in the way that the customer got them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

from domain.frame.messages import Issuer, OutgoingMail
from domain.kernel.base import Carried
from domain.kernel.calendar import local_day

_REMINDER = "payment_reminder"


class PaperKind(StrEnum):
    """What a document is."""

    INVOICE = "invoice"
    CREDIT_MEMO = "credit_memo"
    QUOTE = "quote"
    RENEWAL = "renewal"
    """the proposal for the next term of a contract"""


class Paper(Carried):
    """A document. `said`: its raw values, as the mail had them. `id` is that of the invoice, the credit note or the quote; a quote of
    which there is a later version is another document."""

    kind: PaperKind
    id: str
    version: int = 1
    issued_on: date
    issuer: Issuer
    company: str
    language: str
    time_zone: str
    said: dict[str, Any]

    @property
    def pay_by(self) -> date | None:
        """The day by which an invoice is to be paid; null where no time was set for that."""
        if self.kind is not PaperKind.INVOICE or self.issuer.pay_within_days is None:
            return None
        return self.issued_on + timedelta(days=self.issuer.pay_within_days)

    @property
    def name(self) -> str:
        """What it is called among all documents, such as `quote Q-7 version 2`."""
        return f"{self.kind.value} {self.id}" + (f" version {self.version}" if self.version > 1 else "")


def papers_of(mail: OutgoingMail) -> tuple[Paper, ...]:
    """The documents of a mail, in its order."""
    return tuple(_papers(mail))


def bills_named(mail: OutgoingMail) -> tuple[str, ...]:
    """The invoices that a mail speaks of without bringing them: those of a reminder."""
    return tuple(str(one["invoice_id"]) for one in mail.context["invoices"]) if mail.template == _REMINDER else ()


def carries_papers(template: str, context: dict[str, Any], documents: tuple[dict[str, Any], ...]) -> bool:
    """True for a mail that has documents."""
    return bool(documents) or _offered(template, context) is not None


def _papers(mail: OutgoingMail) -> Iterator[Paper]:
    shared = {
        "issuer": mail.issuer or Issuer(name=str(mail.context.get("seller", ""))),
        "company": str(mail.context.get("company", "")),
        "language": mail.language,
        "time_zone": mail.time_zone,
    }
    for document in mail.documents:
        on = date.fromisoformat(document["issued_on"])
        yield Paper(kind=PaperKind(document["kind"]), id=document["id"], issued_on=on, said=document, **shared)
    if (offered := _offered(mail.template, mail.context)) is not None:
        kind, said = offered
        on, version = local_day(mail.at, mail.time_zone), int(said.get("version", 1))
        yield Paper(kind=kind, id=said["quote_id"], version=version, issued_on=on, said=said, **shared)


def _offered(template: str, context: dict[str, Any]) -> tuple[PaperKind, dict[str, Any]] | None:
    """The quote of a mail, or the proposal for the next term, with the contract that it is for."""
    if template == "quote_presented":
        return PaperKind.QUOTE, context
    quote = context.get("quote")
    if template in ("renewal_notice", "renewal_grace") and isinstance(quote, dict):
        return PaperKind.RENEWAL, {**quote, "contract_id": context["contract_id"]}
    return None
