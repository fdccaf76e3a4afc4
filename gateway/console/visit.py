"""One visit of a page: who is signed in, in which language they read, and how the page is written for them."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from activities.frame import access_rows, session_rows
from activities.kernel.clock import present
from activities.service_policies import FOLDER, read_service_book
from domain.frame.access import FieldGroup, Principal
from domain.kernel.refusals import Refusal
from domain.service.desk import ServiceBook
from gateway.acting import Acting
from gateway.console.forms import read_form
from gateway.console.hosts import cookie_name, is_secure
from gateway.console.language import LANGUAGES, Words, language_of
from gateway.doors import Doors

if TYPE_CHECKING:  # a stack on loopback does without
    from gateway.console.provider import Provider
    from gateway.inbound import Inbox

SESSION, ENTRY, LANGUAGE, DRAFT = "session", "entry", "language", "draft"
"""The cookies: who is signed in, the browser before that, the language that it chose, a form that it sent too late."""
_POLICY = "Content-Security-Policy"
_HEADERS = {
    _POLICY: "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_KEPT_LANGUAGE = 400 * 86_400
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_AMOUNT = re.compile(r"[-+]?\d[\d.,]* [A-Z]{3}\b|\b[A-Z]{3} [-+]?\d[\d.,]*")
_PAGES = Environment(
    loader=PackageLoader("gateway.console"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)


@dataclass(frozen=True)
class Place:
    """Where the console stands: what it works with, and what leads out of it.

    local: whoever reaches it chooses who they are; for a stack on loopback alone. ui: the Temporal UI, empty if none is known.
    provider: with whom people sign in. book: the folder of the service book, if it is another than ours. inbox: what takes mails in.
    line: the database past its pooler, to listen there; none if it has no pooler.
    """

    doors: Doors
    local: bool = False
    ui: str = ""
    provider: Provider | None = None
    book: Path | None = None
    inbox: Inbox | None = None
    line: str | None = None

    @cached_property
    def acting(self) -> Acting:
        """The acts of this door."""
        return Acting(self.doors, "console")

    @cached_property
    def service_book(self) -> ServiceBook:
        """What service promises, as the files have it."""
        return read_service_book(self.book or FOLDER)

    def run_of(self, workflow_id: str) -> str:
        """The address of a workflow in the Temporal UI; empty without one."""
        return f"{self.lists}/{quote(workflow_id, safe='')}" if self.lists else ""

    @property
    def lists(self) -> str:
        """The address of the Temporal UI's list of workflows; empty without one."""
        space = quote(self.doors.temporal.namespace, safe="")
        return f"{self.ui.rstrip('/')}/namespaces/{space}/workflows" if self.ui else ""


@dataclass
class Visit:
    """A request for a page, and the answer in the making."""

    place: Place
    request: Request
    person: dict[str, Any] | None
    secret: str
    words: Words
    form: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    async def of(cls, place: Place, request: Request) -> Visit:
        """The visit that a request makes, its form not read yet."""
        session = request.cookies.get(cookie_name(request, SESSION), "")
        person = await _signed_in(place, session) if _SECRET.fullmatch(session) else None
        entry = request.cookies.get(cookie_name(request, ENTRY), "")
        secret = session if person else entry if _SECRET.fullmatch(entry) else secrets.token_urlsafe(32)
        own = person["language"] if person else None
        chosen = request.cookies.get(cookie_name(request, LANGUAGE))
        language = language_of(chosen, own, request.headers.get("accept-language", ""))
        return cls(place, request, person, secret, Words(language))

    @classmethod
    def of_nobody(cls, place: Place, request: Request) -> Visit:
        """The visit of somebody of whom nothing can be looked up."""
        chosen = request.cookies.get(cookie_name(request, LANGUAGE))
        language = language_of(chosen, None, request.headers.get("accept-language", ""))
        return cls(place, request, None, secrets.token_urlsafe(32), Words(language))

    @cached_property
    def who(self) -> Principal:
        """Who is signed in; pages that anybody sees do not ask."""
        assert self.person is not None
        return access_rows.principal_of(self.person)

    @cached_property
    def token(self) -> str:
        """What a form of this browser's carries, and no other site knows."""
        return session_rows.form_token(self.secret)

    async def read_form(self) -> bool:
        """Reads what was posted; false if the form is not one of ours that this browser got."""
        self.form = await read_form(self.request)
        return self.is_from_here and hmac.compare_digest(self.form.get("token", ""), self.token)

    @property
    def is_from_here(self) -> bool:
        """False if the browser says that another site sent it here."""
        return self.request.headers.get("sec-fetch-site", "same-origin") in ("same-origin", "none")

    def cookie(self, name: str) -> str:
        """The secret in a cookie of ours; empty for none."""
        found = self.request.cookies.get(cookie_name(self.request, name), "")
        return found if _SECRET.fullmatch(found) else ""

    def sees(self, group: FieldGroup) -> bool:
        """True if a group of fields is shown to whoever reads."""
        return self.who.sees(group)

    def told(self, sentence: str) -> str:
        """A sentence of ours in the reader's language, without amounts for who sees no prices."""
        said = self.words.sentence(sentence)
        return said if self.sees(FieldGroup.PRICES) else _AMOUNT.sub("…", said)

    def id(self, name: str, refused_as: str) -> str:
        """An id in the path. Raises `Refusal` for what cannot be one."""
        found = str(self.request.path_params[name])
        if not _ID.fullmatch(found):
            raise Refusal(refused_as, f"{found[:80]!r} is no id")
        return found

    def asked(self, name: str, longest: int = 200) -> str:
        """A value of the query, as far as anybody means it."""
        return self.request.query_params.get(name, "").replace("\x00", "").strip()[:longest]

    def back(self, otherwise: str) -> str:
        """The page that the form says to go back to."""
        path = safe_path(self.form.get("back", otherwise)).partition("?")[0]
        return path if path in ("/", otherwise) else otherwise

    def page(self, template: str, status: HTTPStatus = HTTPStatus.OK, **values: Any) -> Response:
        """A page in the reader's language."""
        shown = _PAGES.get_template(template).render(
            t=self.words, visit=self, FieldGroup=FieldGroup, languages=LANGUAGES, here=self.here, **values
        )
        return self.finished(HTMLResponse(shown, int(status)))

    @property
    def here(self) -> str:
        """The page that is shown, with its query, to come back to."""
        query = self.request.url.query
        return self.request.url.path + (f"?{query}" if query else "")

    def to(self, path: str, **query: str) -> Response:
        """On to another page: a reload of it posts nothing again."""
        given = {name: value for name, value in query.items() if value}
        mark = "&" if "?" in path else "?"
        return self.finished(RedirectResponse(path + (mark + urlencode(given) if given else ""), HTTPStatus.SEE_OTHER))

    def finished(self, response: Response) -> Response:
        """The response as every one leaves: shown in no frame, kept nowhere, asking no other host for anything."""
        response.headers.update(_HEADERS)
        response.headers.setdefault("Cache-Control", "no-store")
        if self.person is None and self.request.cookies.get(cookie_name(self.request, ENTRY)) != self.secret:
            self.set_cookie(response, ENTRY, self.secret)
        return response

    def leave(self) -> None:
        """Nobody is signed in from here on, and the browser is another one."""
        self.person, self.secret = None, secrets.token_urlsafe(32)
        self.__dict__.pop("token", None)

    @staticmethod
    def let_forms_lead_to(response: Response, address: str) -> None:
        """On this page alone a form may be sent to another host, that of the address."""
        parts = urlsplit(address)
        policy = _HEADERS[_POLICY].replace("form-action 'self'", f"form-action 'self' {parts.scheme}://{parts.netloc}")
        response.headers[_POLICY] = policy

    def set_cookie(self, response: Response, name: str, value: str, seconds: int | None = None) -> None:
        """A cookie that no script reads, no other site sends along with a form, and no open line carries."""
        secure = is_secure(self.request)
        named = cookie_name(self.request, name)
        response.set_cookie(named, value, seconds, path="/", secure=secure, httponly=True, samesite="lax")

    def choose_language(self, language: str) -> Response:
        """Back to the page, in another language from now on."""
        response = self.to(safe_path(self.form.get("back", "/")))
        if language in LANGUAGES:
            self.set_cookie(response, LANGUAGE, language, _KEPT_LANGUAGE)
        return response


async def _signed_in(place: Place, secret: str) -> dict[str, Any] | None:
    """Whose session it is, as a row of our people; null if it has ended, or they have left or lost their roles."""
    async with place.doors.pool.acquire() as connection:
        session = await session_rows.session_of(connection, secret, present())
        rows = await access_rows.people(connection, session.staff_id, None) if session else []
    given = {} if session is None or session.roles is None else {"roles": session.roles}
    return next((row | given for row in rows if may_enter(row | given)), None)


def may_enter(person: Mapping[str, Any]) -> bool:
    """True for one of our people who is here, and for something."""
    return person["left_at"] is None and bool(person["roles"])


def safe_path(path: str) -> str:
    """A path of ours to go back to; the first page for whatever might lead elsewhere."""
    return path if re.fullmatch(r"/(?![/\\])[^\s\\]*", path) and path.isprintable() else "/"
