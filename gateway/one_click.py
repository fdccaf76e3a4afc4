"""What a mail's links lead to: one click (RFC 8058) that opts out, and the page on which its question is answered.

A POST to a signed address does it, a GET shows a button and does nothing: mail scanners follow links.

What is asked is kept as a mail to the signed address would be, and done by whichever process looks at the inbox.
"""

from __future__ import annotations

import asyncio
import email
import logging
import socket
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import BoundedSemaphore, Thread
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from activities.mail.questions import MailQuestion
from gateway import answer_page
from gateway.reception import Reception

FOLDER = "unsubscribe"
"""Before the token in the address."""
ANSWERS = "answer"
"""Before the token of a question, and what a link answers."""
_FIELD, _VALUE = "List-Unsubscribe", "One-Click"
_BODY_LIMIT = 64 * 1024
_MOST_AT_ONCE = 50
_SECONDS = 15
_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_ASKING = (
    "<p>You will get no more optional mails from us at this address. Mails about your contracts still come.</p>"
    '<p lang="ja">このアドレスへのご案内メールの配信を停止します。ご契約に関するメールは引き続きお送りします。</p>'
    f'<form method="post"><input type="hidden" name="{_FIELD}" value="{_VALUE}">'
    "<button>Unsubscribe / 配信を停止する</button></form>"
)
_DONE = (
    '<p>Done: you will get no more optional mails at this address.</p><p lang="ja">配信停止のお手続きを承りました。</p>'
)
_UNKNOWN = (
    "<p>This address does not belong to a mail of ours, or is too old. Reply to the mail with the word “unsubscribe”.</p>"
    '<p lang="ja">このURLは無効です。お手数ですが、メールに「配信停止」とご返信ください。</p>'
)
_NO_QUESTION = (
    "<p>This address does not belong to a question of ours, or is too old. Please reply to the mail.</p>"
    '<p lang="ja">このURLは無効です。お手数ですが、メールにご返信ください。</p>'
)
_AWAY = "<p>This cannot be done now. Please try again in a few minutes.</p>"
_NOT_SO = f"<p>Send a form with {_FIELD}={_VALUE}.</p>"

_log = logging.getLogger(__name__)


class OneClick:
    """The server, as an async context manager. Whoever answers the world by https passes requests on to it.

    Args:
        reception: knows the tokens and keeps what is asked.
        port: 0 for any free one; `port` is the one taken.

    Raises:
        OSError: on entering, if it cannot listen there.
    """

    def __init__(self, reception: Reception, *, host: str, port: int) -> None:
        self._reception = reception
        self._host = host
        self.port = port
        self._server: _Server | None = None
        self._thread: Thread | None = None

    async def __aenter__(self) -> Self:
        self._server = _Server(self._reception, asyncio.get_running_loop(), self._host, self.port)
        self.port = int(self._server.server_address[1])
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), name="one-click", daemon=True)
        self._thread.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None and self._thread is not None:
            await asyncio.to_thread(self._server.shutdown)
            self._server.server_close()
            await asyncio.to_thread(self._thread.join)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, reception: Reception, loop: asyncio.AbstractEventLoop, host: str, port: int) -> None:
        self.reception = reception
        self._loop = loop
        self._places = BoundedSemaphore(_MOST_AT_ONCE)
        self.address_family = socket.AF_INET6 if ":" in host else socket.AF_INET
        super().__init__((host, port), _Handler)

    def server_bind(self) -> None:
        # HTTPServer would look up our host name here, which may ask a name server and take seconds.
        super(ThreadingHTTPServer, self).server_bind()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def knows(self, token: str) -> bool:
        """True for a token that stops mails."""
        return asyncio.run_coroutine_threadsafe(self.reception.knows_stop(token), self._loop).result(_SECONDS)

    def stop(self, token: str) -> bool:
        """Keeps the wish. False for a token that we have not signed."""
        return asyncio.run_coroutine_threadsafe(self.reception.stop(token), self._loop).result(_SECONDS)

    def question(self, token: str) -> MailQuestion | None:
        """The question of a mail; null for a token that we have not signed."""
        return asyncio.run_coroutine_threadsafe(self.reception.question(token), self._loop).result(_SECONDS)

    def answer(self, token: str, choice: str, comment: str) -> None:
        """Keeps an answer."""
        kept = self.reception.answer(token, choice, comment)
        asyncio.run_coroutine_threadsafe(kept, self._loop).result(_SECONDS)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that went away is worth no line."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 10
    server_version = "Perennial"
    sys_version = ""

    def do_GET(self) -> None:  # the names are the base class's
        if (asked := self._asked()) is not None:
            return self._question(*asked, None)
        return self._answer(self.server.knows, _ASKING)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        size = self.headers.get("Content-Length", "")
        if not size.isascii() or not size.isdigit():
            return self._send(HTTPStatus.LENGTH_REQUIRED, _NOT_SO)
        if int(size) > _BODY_LIMIT:
            return self._send(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _NOT_SO)
        body = self.rfile.read(int(size))
        if (asked := self._asked()) is not None:
            return self._question(*asked, _filled_in(body))
        if not _says_so(self.headers.get("Content-Type", ""), body):
            return self._send(HTTPStatus.BAD_REQUEST, _NOT_SO)
        return self._answer(self.server.stop, _DONE)

    def _asked(self) -> tuple[str, str] | None:
        """The token of a question and what the link answers; null for another address."""
        *_, folder, token, choice = ["", "", "", *urlsplit(self.path).path.rstrip("/").split("/")]
        if folder == ANSWERS:
            return token, choice
        return (choice, "") if token == ANSWERS else None

    def _question(self, token: str, choice: str, filled_in: dict[str, str] | None) -> None:
        """Shows the question of a mail, or keeps what was filled in."""
        try:
            question = self.server.question(token)
            choices = answer_page.choices_of(question) if question is not None else None
            if question is None or choices is None:
                return self._send(HTTPStatus.NOT_FOUND, _NO_QUESTION)
            chosen = filled_in.get("choice", "") if filled_in is not None else choice
            if filled_in is None or chosen not in choices.options:
                wrong = filled_in is not None
                page = answer_page.asking(question, choices, chosen, wrong=wrong)
                status = HTTPStatus.BAD_REQUEST if wrong else HTTPStatus.OK
                return self._send(status, page, question)
            self.server.answer(token, chosen, filled_in.get("comment", "")[: answer_page.COMMENT_LIMIT])
        except Exception as away:  # the database; whoever asks may try again
            _log.warning("an answer could not be kept: %s", type(away).__name__)
            return self._send(HTTPStatus.SERVICE_UNAVAILABLE, _AWAY)
        return self._send(HTTPStatus.OK, answer_page.thanks(question, chosen), question)

    def _answer(self, done: Any, page: str) -> None:
        *_, folder, token = ["", "", *urlsplit(self.path).path.rstrip("/").split("/")]
        try:
            known = folder == FOLDER and done(token)
        except Exception as away:  # the database; whoever asks may try again
            _log.warning("a wish for fewer mails could not be kept: %s", type(away).__name__)
            return self._send(HTTPStatus.SERVICE_UNAVAILABLE, _AWAY)
        return self._send(HTTPStatus.OK, page) if known else self._send(HTTPStatus.NOT_FOUND, _UNKNOWN)

    def _send(self, status: HTTPStatus, words: str, question: MailQuestion | None = None) -> None:
        language, title = (
            ("en", "Mails") if question is None else (answer_page.language_of(question), answer_page.title(question))
        )
        head = f'<html lang="{language}"><meta charset="utf-8"><title>{title}</title>'
        content = f"<!doctype html>{head}{words}</html>".encode()
        self.send_response(status)
        for name, value in {**_HEADERS, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Tokens have no place in a log."""


def _filled_in(body: bytes) -> dict[str, str]:
    """The fields of a form, each once."""
    return {name: said[0] for name, said in parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True).items()}


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
