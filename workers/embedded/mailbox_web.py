"""Read the mailbox in a browser: a list, newest first, and a page for each mail."""

import re
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from workers.embedded.mailbox import Mailbox, MailNotFoundError
from workers.embedded.ports import LOOPBACK

_PAGE_SIZE = 100
_HEADERS = {
    # Nothing is loaded from anywhere and no script runs, neither ours (there is none) nor a mail's.
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
# Only ASCII: Japanese text follows an address without a space. The last character is none that ends a sentence.
_ADDRESS = re.compile(r"https?://[!-~]*[\w/=&#-]", re.ASCII)
_PLAIN = "text/plain; charset=utf-8"


class MailboxWeb:
    """A web server in a thread of its own on `port` of loopback; it serves from construction until `close`."""

    def __init__(self, mailbox: Mailbox, port: int) -> None:
        self._server = _Server(mailbox, port)
        self._thread = Thread(target=self._server.serve_forever, args=(0.05,), name="mailbox-web", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Address of the list."""
        return f"http://{LOOPBACK}:{self._server.server_port}"

    def close(self) -> None:
        """Stop serving and give the port back. Blocks for up to 50 ms."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, mailbox: Mailbox, port: int) -> None:
        self.mailbox = mailbox
        super().__init__((LOOPBACK, port), _Handler)

    def server_bind(self) -> None:
        # HTTPServer would look up our host name here, which may ask a name server and take seconds.
        super(ThreadingHTTPServer, self).server_bind()
        self.server_name, self.server_port = LOOPBACK, int(self.server_address[1])


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 10

    def do_GET(self) -> None:  # the name is the base class's
        if not _is_local(self.headers):
            # Another site whose name was pointed at loopback could otherwise read the mails.
            return self._send(HTTPStatus.FORBIDDEN, "Only as localhost.", _PLAIN)
        url = urlsplit(self.path)
        try:
            match url.path.strip("/").split("/"):
                case [""]:
                    query = parse_qs(url.query)
                    page = _list_page(self.server.mailbox, query.get("q", [""])[0], query.get("before", [""])[0])
                    self._send(HTTPStatus.OK, page)
                case ["mail", mail_id]:
                    self._send(HTTPStatus.OK, _mail_page(self.server.mailbox, mail_id))
                case ["mail", mail_id, "raw"]:
                    raw = self.server.mailbox.raw(mail_id).decode("utf-8", errors="replace")
                    self._send(HTTPStatus.OK, raw, _PLAIN)
                case _:
                    self._send(HTTPStatus.NOT_FOUND, "No such page.", _PLAIN)
        except MailNotFoundError:
            self._send(HTTPStatus.NOT_FOUND, "No such mail.", _PLAIN)

    def _send(self, status: HTTPStatus, body: str, kind: str = "text/html; charset=utf-8") -> None:
        content = body.encode()
        self.send_response(status)
        for name, value in {**_HEADERS, "Content-Type": kind, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Requests are not worth a line on the caller's terminal."""


def _is_local(headers: Message) -> bool:
    return urlsplit(f"//{headers.get('Host', '')}").hostname in {LOOPBACK, "localhost", "::1"}


def _list_page(mailbox: Mailbox, wanted: str, before: str) -> str:
    words = wanted.casefold().split()
    found = [
        mail
        for mail in reversed(mailbox.list())
        if all(word in f"{mail.to} {mail.sender} {mail.subject}".casefold() for word in words)
    ]
    rest = [mail for mail in found if not before or mail.id < before]
    page, older = rest[:_PAGE_SIZE], rest[_PAGE_SIZE:]
    return _TEMPLATES.get_template("mailbox_list.html").render(
        mails=page, total=len(found), wanted=wanted, older=page[-1].id if older else "", live=not before
    )


def _mail_page(mailbox: Mailbox, mail_id: str) -> str:
    mail = mailbox.read(mail_id)
    text = None if mail.text is None else _linked(mail.text)
    # The frame has no origin and no scripts; its links open in a tab of their own.
    frame = Markup('<!doctype html><base target="_blank">') + Markup(mail.html) if mail.html is not None else None
    return _TEMPLATES.get_template("mailbox_mail.html").render(
        mail=mail.summary, text=text, frame=None if frame is None else str(frame), headers=mail.headers
    )


def _linked(text: str) -> Markup:
    """The text with its web addresses as links."""
    parts, end = Markup(), 0
    for found in _ADDRESS.finditer(text):
        link = Markup('<a href="{0}" target="_blank" rel="noopener noreferrer">{0}</a>').format(found[0])
        parts += escape(text[end : found.start()]) + link
        end = found.end()
    return parts + escape(text[end:])
