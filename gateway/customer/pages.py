"""What a mail's links lead to: one click (RFC 8058) that opts out, and the page on which its question is answered.

A POST to a signed address does it, a GET shows a button and does nothing: mail scanners follow links.

What is asked is kept as a mail to the signed address would be, and done by whichever process looks at the inbox.
"""

from __future__ import annotations

import email
import logging
from collections.abc import Awaitable
from email.message import Message
from http import HTTPStatus
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, FastAPI, Path, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from activities.channels.papers import Press
from activities.mail import reader_rows
from domain.frame.renewal_facts import ChurnReason
from domain.mail.choices import PageChoice, Pick
from domain.mail.routing import InboxStatus
from domain.mail.signing import AddressPurpose
from gateway.customer.drawing import UNITS, Drawn, Filled, drawn, new_mark, said, thanks, words_of
from gateway.customer.mails import chosen_mails, mails_page
from gateway.customer.owned import holdings_of, owned_page
from gateway.customer.papers import NoPaper, paper_of, pdf_of
from gateway.customer.questions import COMMENT_LIMIT, Page
from gateway.customer.readers import NoReader, reader_of
from gateway.customer.saying import said_on, says_itself
from gateway.customer.steps import said_of_step, steps_page
from gateway.papers import PDF, headers_of
from gateway.reception import Reception

_FIELD, _VALUE = "List-Unsubscribe", "One-Click"
_BODY_LIMIT = 64 * 1024
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_DONE = ("Done: you will get no more optional mails at this address.", "配信停止のお手続きを承りました。")
_UNKNOWN = (
    "This address does not belong to a mail of ours, or is too old. Reply to the mail with the word “unsubscribe”.",
    "このURLは無効です。お手数ですが、メールに「配信停止」とご返信ください。",
)
_NO_QUESTION = (
    "This address does not belong to a question of ours, or is too old. Please reply to the mail.",
    "このURLは無効です。お手数ですが、メールにご返信ください。",
)
_NO_DOCUMENT = (
    "This address does not belong to a document of ours. Please reply to the mail, and we send it again.",
    "このURLは無効です。お手数ですが、メールにご返信ください。書類を改めてお送りいたします。",
)
_EXPIRED = (
    "This link has expired. Please reply to the mail, and we send the document again.",
    "このリンクの有効期限は過ぎております。お手数ですが、メールにご返信ください。書類を改めてお送りいたします。",
)
_OLD = (
    "This link has expired. Please use that of a later mail, or reply to ours.",
    "このリンクの有効期限は過ぎております。新しいメールのリンクをご利用いただくか、メールにご返信ください。",
)
_GONE = (
    "This link was for somebody who is no contact of this customer any more, or has another address. Please reply to the mail.",
    "このリンクの宛先の方は、現在ご担当者として登録されておりません。お手数ですが、メールにご返信ください。",
)
_AWAY = (
    "This cannot be done now. Please try again in a few minutes.",
    "ただいまお手続きできません。数分後にもう一度お試しください。",
)
_NOT_SO = (f"Send a form with {_FIELD}={_VALUE}.", "")

_log = logging.getLogger(__name__)

Token = Annotated[str, Path(max_length=100)]
_Given = Annotated[str, Path(max_length=20)]


def customer_pages(reception: Reception) -> APIRouter:
    """The paths of all links in mails. Whoever answers the world may pass them on from under a path of their own."""
    router = APIRouter(include_in_schema=False)
    press = Press()

    @router.api_route("/{before:path}unsubscribe/{token}", methods=["GET", "HEAD", "POST"])
    async def unsubscribe(request: Request, token: Token) -> Response:
        return await _tried(_unsubscribed(reception, request, token))

    @router.api_route("/{before:path}answer/{token}", methods=["GET", "HEAD", "POST"])
    async def answer(request: Request, token: Token) -> Response:
        return await _tried(_answered(reception, request, token, ""))

    @router.api_route("/{before:path}answer/{token}/{given}", methods=["GET", "HEAD", "POST"])
    async def answer_given(request: Request, token: Token, given: _Given) -> Response:
        return await _tried(_answered(reception, request, token, given))

    @router.api_route("/{before:path}document/{token}/{number:int}", methods=["GET", "HEAD"])
    async def document(token: Token, number: int) -> Response:
        return await _tried(_document(reception, press, token, number))

    @router.api_route("/{before:path}owned/{token}", methods=["GET", "HEAD"])
    async def owned(token: Token) -> Response:
        return await _tried(_owned(reception, token))

    @router.api_route("/{before:path}mails/{token}", methods=["GET", "HEAD", "POST"])
    async def mails(request: Request, token: Token) -> Response:
        return await _tried(_mails(reception, request, token))

    @router.api_route("/{before:path}steps/{token}", methods=["GET", "HEAD", "POST"])
    async def steps(request: Request, token: Token) -> Response:
        return await _tried(_steps(reception, request, token))

    return router


def customer_app(reception: Reception) -> FastAPI:
    """These pages alone, for a process that has nothing else to serve."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False)
    app.include_router(customer_pages(reception))

    @app.exception_handler(HTTPStatus.NOT_FOUND)
    async def nothing(_: Request, __: Exception) -> Response:
        return _spoken(HTTPStatus.NOT_FOUND, _NO_QUESTION)

    return app


async def _tried(work: Awaitable[Response]) -> Response:
    """An answer in words, also while the database is away: whoever asks may try again."""
    try:
        return await work
    except Exception as away:
        _log.warning("a link of a mail could not be followed: %s", type(away).__name__)
        return _spoken(HTTPStatus.SERVICE_UNAVAILABLE, _AWAY)


# Documents


async def _document(reception: Reception, press: Press, token: str, number: int) -> Response:
    """A document as it was sent: whoever has the link has got it by mail as well."""
    found = await paper_of(reception.pool, token, number)
    if found is NoPaper.EXPIRED:
        return _spoken(HTTPStatus.GONE, _EXPIRED)
    if isinstance(found, NoPaper):
        return _spoken(HTTPStatus.NOT_FOUND, _NO_DOCUMENT)
    return Response(await pdf_of(reception.pool, press, found), 200, {**_HEADERS, **headers_of(found)}, PDF)


# What they own, and which mails they get


async def _owned(reception: Reception, token: str) -> Response:
    async with reception.pool.acquire() as connection:
        reader = await reader_of(connection, token, AddressPurpose.OWNED)
        if isinstance(reader, NoReader):
            return _nobody(reader)
        return _page(HTTPStatus.OK, owned_page(reader, await holdings_of(connection, reader)))


async def _mails(reception: Reception, request: Request, token: str) -> Response:
    """Shows what is chosen, or keeps another choice."""
    body = await _body(request) if request.method == "POST" else b""
    if isinstance(body, Response):
        return body
    async with reception.pool.acquire() as connection:
        reader = await reader_of(connection, token, AddressPurpose.MAILS)
    if isinstance(reader, NoReader):
        return _nobody(reader)
    if request.method != "POST":
        came = await _came(reception, request.query_params.get("sent", ""))
        return _page(HTTPStatus.OK, mails_page(reader, new_mark(), "mails_kept" if came else ""))
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    choice = chosen_mails(fields)
    if choice is None:
        return _page(HTTPStatus.BAD_REQUEST, mails_page(reader, new_mark()))
    kept = await reception.answer(token, choice, "", _mark_in({name: one[0] for name, one in fields.items()}))
    await reception.settled(kept)
    return RedirectResponse(f"{token}?sent={kept}", 303, _HEADERS)


async def _steps(reception: Reception, request: Request, token: str) -> Response:
    """Shows the steps of an onboarding, or keeps what is said of one."""
    body = await _body(request) if request.method == "POST" else b""
    if isinstance(body, Response):
        return body
    async with reception.pool.acquire() as connection:
        reader = await reader_of(connection, token, AddressPurpose.STEPS)
        if isinstance(reader, NoReader):
            return _nobody(reader)
        steps = await reader_rows.steps_of(connection, reader.account_id)
    if request.method != "POST":
        came = await _came(reception, request.query_params.get("sent", ""))
        return _page(HTTPStatus.OK, steps_page(reader, steps, new_mark(), {}, came="step_kept" if came else ""))
    fields = _fields(body)
    said = said_of_step(reader, steps, fields)
    if isinstance(said, str):
        return _page(HTTPStatus.BAD_REQUEST, steps_page(reader, steps, new_mark(), fields, wrong=said))
    kept = await reception.answer(token, *said, _mark_in(fields))
    await reception.settled(kept)
    return RedirectResponse(f"{token}?sent={kept}", 303, _HEADERS)


def _nobody(why: NoReader) -> Response:
    status = {
        NoReader.NOT_OURS: HTTPStatus.NOT_FOUND,
        NoReader.EXPIRED: HTTPStatus.GONE,
        NoReader.GONE: HTTPStatus.GONE,
    }
    said = {NoReader.NOT_OURS: _NO_QUESTION, NoReader.EXPIRED: _OLD, NoReader.GONE: _GONE}
    return _spoken(status[why], said[why])


# No more mails


async def _unsubscribed(reception: Reception, request: Request, token: str) -> Response:
    if request.method != "POST":
        if not await reception.knows_stop(token):
            return _spoken(HTTPStatus.NOT_FOUND, _UNKNOWN)
        lines = [(language, str(words_of(language)["unsubscribe"])) for language in ("en", "ja")]
        button = "Unsubscribe / 配信を停止する"
        return _page(HTTPStatus.OK, said("Mails", *lines, button=button, field=_FIELD, value=_VALUE))
    body = await _body(request)
    if isinstance(body, Response):
        return body
    if not _says_so(request.headers.get("content-type", ""), body):
        return _spoken(HTTPStatus.BAD_REQUEST, _NOT_SO)
    if not await reception.stop(token):
        return _spoken(HTTPStatus.NOT_FOUND, _UNKNOWN)
    return _spoken(HTTPStatus.OK, _DONE)


# Questions


async def _answered(reception: Reception, request: Request, token: str, given: str) -> Response:
    """Shows the question of a mail, or keeps what was filled in."""
    body = await _body(request) if request.method == "POST" else b""
    if isinstance(body, Response):
        return body
    page = await reception.page(token)
    if page is None:
        return _spoken(HTTPStatus.NOT_FOUND, _NO_QUESTION)
    if request.method != "POST":
        came = await _came(reception, request.query_params.get("sent", ""))
        wished = await _came(reception, request.query_params.get("wished", ""))
        came = ("said_kept" if page.sayings else "wish_kept") if wished else came
        return _page(HTTPStatus.OK, drawn(page, Filled(chosen=given, came=came), new_mark()))
    fields = _fields(body)
    said = said_on(page, fields) if says_itself(page, fields.get("pick", "")) else _said(page, fields)
    if isinstance(said, str):
        chosen = fields.get("pick") or fields.get("choice", "")
        return _page(HTTPStatus.BAD_REQUEST, drawn(page, Filled(chosen, fields, wrong=said), new_mark()))
    choice, _ = said
    kept = await reception.answer(token, *said, _mark_in(fields))
    if page.options:
        return _page(HTTPStatus.OK, thanks(page, choice.written))
    await reception.settled(kept)
    # Relative, as whoever passes us on may have a path of their own before ours.
    became = "wished" if choice.pick is Pick.SAY else "sent"
    return RedirectResponse(f"{'../' if given else ''}{token}?{became}={kept}", 303, _HEADERS)


def _fields(body: bytes) -> dict[str, str]:
    return {name: one[0] for name, one in parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True).items()}


def _said(page: Page, fields: dict[str, str]) -> tuple[PageChoice, str] | str:
    """An answer that can be done by itself, with what was written beside it; or what is wrong with it, by its word."""
    choice = _choice_in(fields)
    wrong = _wrong(page, choice, fields)
    return wrong or "wrong" if wrong or choice is None else (choice, fields.get("comment", "")[:COMMENT_LIMIT])


def _choice_in(fields: dict[str, str]) -> PageChoice | None:
    """What a form says, if it says something that can be answered."""
    if "pick" not in fields:
        return PageChoice.read(fields.get("choice", ""))
    said = [fields["pick"]]
    said += [fields[name] for name in ("version", "why") if fields.get(name)]
    said += [
        f"#{name.removeprefix(UNITS)}={one.strip()}"
        for name, one in fields.items()
        if name.startswith(UNITS) and one.strip()
    ]
    said += [f"months={fields['months'].strip()}"] if fields.get("months", "").strip() else []
    return PageChoice.read(" ".join(said))


def _wrong(page: Page, choice: PageChoice | None, fields: dict[str, str]) -> str:
    """What is missing of an answer, by its word; empty if nothing is."""
    pick = fields.get("pick")
    if pick == Pick.REVISE and choice is None:
        return "terms_missing"
    if choice is None or (not page.options and not page.allows(choice)):
        return "wrong"
    if page.options and choice.written not in page.options:
        return "wrong"
    renewal = bool(page.reasons)
    if choice.pick is Pick.DECLINE and renewal and choice.why is None:
        return "reason_missing"
    if choice.why is ChurnReason.OTHER and not fields.get("comment", "").strip():
        return "reason_missing"
    return ""


def _mark_in(fields: dict[str, str]) -> str:
    """The mark of the page that was sent, or a new one for whoever sends something else."""
    mark = fields.get("once", "")
    return mark if mark.replace("-", "").isalnum() and mark.isascii() and len(mark) <= 40 else new_mark()


async def _came(reception: Reception, inbox_id: str) -> str:
    """What is said of the answer that was sent before this page was asked for."""
    if not inbox_id or len(inbox_id) > 40:
        return ""
    match await reception.became(inbox_id):
        case None:
            return ""
        case InboxStatus.NEW | InboxStatus.MATCHED:
            return "sent"
        case _:
            return "sent_to_a_person"


async def _body(request: Request) -> bytes | Response:
    """What was sent, or the answer to somebody who sends too much."""
    size = request.headers.get("content-length", "")
    if not size.isascii() or not size.isdigit():
        return _spoken(HTTPStatus.LENGTH_REQUIRED, _NOT_SO)
    if int(size) > _BODY_LIMIT:
        return _spoken(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _NOT_SO)
    return await request.body()


def _spoken(status: HTTPStatus, lines: tuple[str, str]) -> HTMLResponse:
    given = [(language, line) for language, line in zip(("en", "ja"), lines, strict=True) if line]
    return _page(status, said("Mails", *given))


def _page(status: HTTPStatus, page: Drawn) -> HTMLResponse:
    policy = f"default-src 'none'; style-src 'nonce-{page.nonce}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    return HTMLResponse(page.html, status, {**_HEADERS, "Content-Security-Policy": policy})


def _says_so(kind: str, body: bytes) -> bool:
    """True if a form, in either of its encodings, says what RFC 8058 wants it to say."""
    if not kind.lower().startswith("multipart/form-data"):
        return parse_qs(body.decode("ascii", "replace")).get(_FIELD) == [_VALUE]
    form = email.message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode("ascii", "replace") + body)
    fields = form.get_payload() if form.is_multipart() else []
    return any(
        isinstance(field, Message)
        and field.get_param("name", header="content-disposition") == _FIELD
        and str(field.get_payload()).strip() == _VALUE
        for field in fields
    )
