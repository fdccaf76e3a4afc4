"""The documents that a customer got, each with where it is shown again."""

from __future__ import annotations

from datetime import date
from urllib.parse import quote

from pydantic import AwareDatetime

from activities.kernel.pool import Connection
from activities.mail.paper_rows import CarriedPapers, mails_with_papers
from domain.mail.papers import Paper, PaperKind
from gateway.views.shown import View

_BILLS = (PaperKind.INVOICE, PaperKind.CREDIT_MEMO)


class PaperLine(View):
    """A document. `path`: where the API shows it, beginning with its resource."""

    kind: PaperKind
    id: str
    version: int
    issued_on: date
    language: str
    sent_at: AwareDatetime
    sent_to: str
    path: str


class PapersOfAccount(View):
    """Documents, the latest first."""

    items: list[PaperLine]


async def papers_of_account(connection: Connection, account_id: str, limit: int) -> PapersOfAccount:
    """The documents of so many mails; sent to several, a document is told once, as the first one got it."""
    mails = await mails_with_papers(connection, account_id, limit)
    told = {(one.kind, one.id, one.version): _line(mail, one) for mail in mails for one in mail.papers if mail.sent_at}
    return PapersOfAccount(items=list(told.values()))


def _line(mail: CarriedPapers, paper: Paper) -> PaperLine:
    return PaperLine(
        kind=paper.kind,
        id=paper.id,
        version=paper.version,
        issued_on=paper.issued_on,
        language=paper.language,
        sent_at=mail.sent_at or mail.body.at,
        sent_to=mail.body.to_name,
        path=path_of(paper),
    )


def path_of(paper: Paper) -> str:
    """Where a document is shown, from its resource on."""
    if paper.kind in _BILLS:
        return f"invoices/{quote(paper.id, safe='')}/document"
    return f"quotes/{quote(paper.id, safe='')}/document?version={paper.version}"
