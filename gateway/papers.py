"""Documents for whoever may see them: each as the customer got it, looked up by what it is called, and made a PDF."""

from __future__ import annotations

from http import HTTPStatus
from typing import Literal

from activities.billing.credits import load_credit_memo
from activities.billing.invoices import load_invoice
from activities.channels.papers import PaperError, Press, Sheet
from activities.kernel.pool import Connection
from activities.mail import paper_rows
from domain.frame.messages import Issuer
from domain.kernel.refusals import Refusal
from domain.mail.papers import Paper, PaperKind
from gateway.api.problems import CallError
from gateway.doors import NOBODY

Language = Literal["en", "ja"]
UNKNOWN_DOCUMENT = "UnknownDocument"
PDF = "application/pdf"


async def bill(connection: Connection, account_id: str, id: str, issuer: Issuer) -> Paper:
    """An invoice or a credit note; one that no mail has brought to anybody as it would be issued by `issuer`. Raises `Refusal`."""
    for mail in await paper_rows.mails_with_bill(connection, account_id, id):
        return next(one for one in mail.papers if one.id == id)
    row = await paper_rows.bill_head(connection, id)
    if not row:
        raise Refusal(UNKNOWN_DOCUMENT, f"there is no invoice and no credit note {id!r}")
    kind, on = PaperKind(row[0]["kind"]), row[0]["issued_on"]
    load = load_invoice if kind is PaperKind.INVOICE else load_credit_memo
    said = {**(await load(connection, id)).told(), "kind": kind.value, "id": id, "issued_on": on.isoformat()}
    whose = {"company": row[0]["name"], "language": row[0]["language"], "time_zone": row[0]["time_zone"]}
    return Paper(kind=kind, id=id, issued_on=on, issuer=issuer, said=said, **whose)


async def quote(connection: Connection, account_id: str, id: str, version: int | None) -> Paper:
    """A quote or a proposal for a next term as it was sent, in this or its latest version. Raises `Refusal`."""
    for mail in await paper_rows.mails_with_quote(connection, account_id, id):
        for one in mail.papers:
            if one.id == id and version in (None, one.version):
                return one
    named = f"quote {id!r}" if version is None else f"version {version} of quote {id!r}"
    raise Refusal(UNKNOWN_DOCUMENT, f"{named} was not sent to anybody")


async def named(
    connection: Connection, account_id: str, id: str, version: int | None, issuer: Issuer = NOBODY
) -> Paper:
    """A document of an account by its id, whatever it is. Raises `Refusal`."""
    if await paper_rows.account_of_bill(connection, id) == account_id:
        return await bill(connection, account_id, id, issuer)
    return await quote(connection, account_id, id, version)


async def sheet(connection: Connection, press: Press, paper: Paper, language: Language | None = None) -> Sheet:
    """What a document says, in the language in which it was sent or in another one."""
    corrects = await paper_rows.corrected_by(connection, paper.id) if paper.kind is PaperKind.CREDIT_MEMO else []
    return press.sheet(paper, language=language, corrects=tuple(corrects))


async def pdf(press: Press, what: Sheet) -> bytes:
    """The document. Raises CallError (503) if it is not ready in time."""
    try:
        return await press.pdf(what)
    except PaperError as late:
        raise CallError(HTTPStatus.SERVICE_UNAVAILABLE, "NotReady", f"{late}; try again", Retry_After="10") from late


def headers_of(paper: Paper) -> dict[str, str]:
    """How a browser shows the document, and under which name it keeps it."""
    name = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "-" for letter in paper.id)
    version = f"-{paper.version}" if paper.version > 1 else ""
    return {"Content-Disposition": f'inline; filename="{name}{version}.pdf"', "X-Content-Type-Options": "nosniff"}
