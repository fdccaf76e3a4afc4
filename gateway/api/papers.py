"""Documents as PDF: invoices, credit notes and quotes as the customer got them, and the list of all that a customer got."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from activities.channels.papers import Press
from activities.mail.paper_rows import account_of_bill, account_of_quote
from domain.frame.access import READ, FieldGroup, Principal, require_sight
from domain.kernel.refusals import Refusal
from domain.mail.papers import Paper
from gateway import papers
from gateway.acting import Acting
from gateway.api.answers import ON_A_PAGE, Limit, answered, has, reads
from gateway.api.asking import Id
from gateway.api.documents import READING
from gateway.api.entry import entry_to
from gateway.api.reading import looking
from gateway.api.things import AssetId
from gateway.api.versions import VERSION
from gateway.doors import Doors
from gateway.papers import PDF, UNKNOWN_DOCUMENT, Language
from gateway.views.papers import PapersOfAccount, papers_of_account

_Language = Annotated[Language | None, Query(description="That of the customer, if it is left out.")]
_Version = Annotated[int | None, Query(ge=1, le=1_000_000, description="The latest, if it is left out.")]


def paper_paths(doors: Doors) -> APIRouter:
    """The paths of documents."""
    router = APIRouter(prefix=VERSION)
    press = Press()
    _of_bill(router, doors, press)
    _of_quote(router, doors, press)
    _of_account(router, doors)
    return router


async def _sees(doors: Doors, who: Principal, account_id: str | None, id: str) -> str:
    require_sight(who, FieldGroup.PRICES)
    if account_id is None:
        raise Refusal(UNKNOWN_DOCUMENT, f"there is no document {id!r}")
    await Acting(doors, "api").sees(who, account_id)
    return account_id


def _of_bill(router: APIRouter, doors: Doors, press: Press) -> None:
    enter = Depends(entry_to(doors.pool, "invoices", READ))

    async def one(
        request: Request, document_id: AssetId, language: _Language = None, who: Principal = enter
    ) -> Response:
        async with doors.pool.acquire() as connection:
            account_id = await _sees(doors, who, await account_of_bill(connection, document_id), document_id)
            paper = await papers.bill(connection, account_id, document_id, doors.issuer)
        return await _shown(request, doors, press, paper, language)

    router.add_api_route(
        "/invoices/{document_id}/document", one, **_told("invoices", "An invoice or a credit note as PDF")
    )


def _of_quote(router: APIRouter, doors: Doors, press: Press) -> None:
    enter = Depends(entry_to(doors.pool, "quotes", READ))

    async def one(
        request: Request,
        quote_id: AssetId,
        version: _Version = None,
        language: _Language = None,
        who: Principal = enter,
    ) -> Response:
        async with doors.pool.acquire() as connection:
            account_id = await _sees(doors, who, await account_of_quote(connection, quote_id), quote_id)
            paper = await papers.quote(connection, account_id, quote_id, version)
        return await _shown(request, doors, press, paper, language)

    router.add_api_route("/quotes/{quote_id}/document", one, **_told("quotes", "A quote or a renewal proposal as PDF"))


def _of_account(router: APIRouter, doors: Doors) -> None:
    enter = Depends(entry_to(doors.pool, "accounts", READ))

    async def some(request: Request, account_id: Id, limit: Limit = ON_A_PAGE, who: Principal = enter) -> Response:
        async with looking(doors, who, account_id) as (connection, _):
            found = await papers_of_account(connection, account_id, limit)
        return answered(request, found, who)

    told = reads(PapersOfAccount, "accounts", "documents_of_account", "The documents that a customer got, latest first")
    router.add_api_route("/accounts/{account_id}/documents", some, **told)


async def _shown(request: Request, doors: Doors, press: Press, paper: Paper, language: Language | None) -> Response:
    async with doors.pool.acquire() as connection:
        sheet = await papers.sheet(connection, press, paper, language)
    tag = f'"{sheet.tag}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}
    if has(request.headers.get("if-none-match", ""), tag):
        return Response(None, HTTPStatus.NOT_MODIFIED, headers)
    return Response(await papers.pdf(press, sheet), HTTPStatus.OK, {**headers, **papers.headers_of(paper)}, PDF)


def _told(resource: str, text: str) -> dict[str, Any]:
    """How FastAPI is told of a path that shows a document."""
    content = {PDF: {"schema": {"type": "string", "contentMediaType": PDF}}}
    return {
        "methods": ["GET"],
        "tags": [resource],
        "operation_id": f"document_of_{resource.removesuffix('s')}",
        "summary": text,
        "response_class": Response,
        "responses": {
            int(HTTPStatus.OK): {"description": "As the customer got it.", "content": content},
            int(HTTPStatus.NOT_MODIFIED): {"description": "As `If-None-Match` has it."},
            **READING,
        },
    }
