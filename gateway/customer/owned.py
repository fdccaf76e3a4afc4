"""The page of what a customer owns: contracts with their terms and what becomes of them, what is in them, and the documents that went to
whoever reads it. Amounts are for those whose word changes a contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from activities.channels.formats import Formats
from activities.kernel.pool import Connection
from activities.mail import paper_rows
from activities.mail.keys import load_signing
from activities.mail.paper_rows import CarriedPapers
from activities.mail.reader_rows import MailReader
from domain.frame.customer import ContractStatus
from domain.kernel.money import money
from domain.mail.answering import DECIDES
from domain.mail.signing import AddressPurpose, token_of
from gateway.customer.drawing import Drawn, page_drawn, spoken_language, words_of
from gateway.views.assets import AssetLine, assets_page
from gateway.views.contracts import ContractOnRecord, contracts_page
from gateway.views.pages import LONGEST
from gateway.views.whose import whose

_MAILS = 60


@dataclass(frozen=True)
class Holdings:
    """What there is to show: `papers` are mails to this reader, each with the token of its documents."""

    contracts: list[ContractOnRecord]
    assets: list[AssetLine]
    papers: list[tuple[CarriedPapers, str]]


async def holdings_of(connection: Connection, reader: MailReader) -> Holdings:
    """As of the customer's own time."""
    of = await whose(connection, reader.account_id)
    contracts = (await contracts_page(connection, of, None, LONGEST)).items
    assets = (await assets_page(connection, of, None, LONGEST)).items
    mails = await paper_rows.mails_with_papers(connection, reader.account_id, _MAILS)
    _, key = await load_signing(connection)
    theirs = [one for one in mails if one.body.to_email.lower() == reader.email.lower()]
    return Holdings(
        [one for one in contracts if one.status is not ContractStatus.ENDED],
        [one for one in assets if one.quantity],
        [(one, token_of(one.delivery_id, AddressPurpose.PAPER, key)) for one in theirs],
    )


def owned_page(reader: MailReader, holdings: Holdings) -> Drawn:
    """Contracts first, then what is in none, then documents."""
    language = spoken_language(reader.language)
    words: Mapping[str, Any] = words_of(language)
    formats = Formats.of(reader.language, reader.time_zone, language)
    priced = reader.role in DECIDES
    contracts = [
        {
            "id": contract.contract_id,
            "facts": list(_facts(contract, words, formats)),
            "assets": _rows(holdings.assets, contract.contract_id, formats, priced=priced),
        }
        for contract in holdings.contracts
    ]
    return page_drawn(
        "owned.html",
        language,
        words["title"]["owned"],
        words=words,
        reader=reader,
        contracts=contracts,
        others=_rows(holdings.assets, None, formats, priced=priced),
        priced=priced,
        papers=list(_papers(holdings, words, formats)),
    )


def _facts(contract: ContractOnRecord, words: Mapping[str, Any], formats: Formats) -> Iterator[tuple[str, str]]:
    term = contract.terms[-1]
    if term.last_day is None:
        yield words["term"], words["evergreen"].format(start=formats.date(term.start_on.isoformat()))
        return
    start, end = formats.date(term.start_on.isoformat()), formats.date(term.last_day.isoformat())
    yield words["term"], f"{start} – {end}"
    if contract.status is ContractStatus.DECLINED:
        yield words["renewal"], words["ends"].format(end=end)
        return
    yield words["renewal"], words["by_itself" if contract.auto_renew else "by_answer"]
    if contract.answer_by is not None:
        yield (
            words["notice_until" if contract.auto_renew else "answer_until"],
            formats.date(contract.answer_by.isoformat()),
        )


def _rows(assets: list[AssetLine], contract_id: str | None, formats: Formats, *, priced: bool) -> list[dict[str, str]]:
    return [
        {
            "name": one.name,
            "quantity": formats.number(one.quantity or 0),
            "monthly": formats.money(money(one.mrr, one.currency).told()) if priced and one.mrr else "",
        }
        for one in assets
        if one.contract_id == contract_id
    ]


def _papers(holdings: Holdings, words: Mapping[str, Any], formats: Formats) -> Iterator[dict[str, str]]:
    for mail, token in holdings.papers:
        for number, paper in enumerate(mail.papers, 1):
            yield {
                "name": f"{words['papers'][paper.kind.value]} {paper.id}",
                "date": formats.date(paper.issued_on.isoformat()),
                "path": f"../document/{token}/{number}",
            }
