"""A browser without scripts: it keeps cookies, follows redirects, and posts the forms of the page that it shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from itertools import count
from typing import Any

import httpx2
from fastapi import FastAPI
from starlette.applications import Starlette
from temporalio.client import Client

from activities.frame import access_rows, session_rows
from activities.frame.access_rows import StaffAccess
from activities.kernel.clock import present
from activities.kernel.pool import Pool
from domain.frame.access import AccessRole
from gateway.api.app import create_app
from gateway.console.app import console
from gateway.console.provider import Provider
from gateway.console.visit import Place
from gateway.doors import Doors
from tests.conftest import Servers

HOST = "http://localhost"
_numbers = count(1)


@dataclass
class Form:
    """A form of a page: what a browser would send if nobody typed anything."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    buttons: list[tuple[str, str]] = field(default_factory=list)
    options: dict[str, list[str]] = field(default_factory=dict)


class Shown(HTMLParser):
    """What is on a page: its text, links and forms."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.html = html
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._text: list[str] = []
        self._select: str | None = None
        self._area: str | None = None
        self._form: Form | None = None
        self._apart: dict[str, list[tuple[str, str]]] = {}
        self.feed(html)

    @property
    def text(self) -> str:
        """The words of the page, one space between them."""
        return " ".join(" ".join(self._text).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = dict(attrs)
        self.tags.append((tag, has))
        name, value = has.get("name"), has.get("value") or ""
        if tag == "a" and has.get("href"):
            self.links.append(str(has["href"]))
        elif tag == "form":
            self._form = Form(has.get("action") or "", (has.get("method") or "get").lower())
            self._form.buttons += self._apart.pop(has.get("id") or "", [])
            self.forms.append(self._form)
        elif tag == "button" and name and has.get("form"):  # it stands before its form
            self._apart.setdefault(str(has["form"]), []).append((name, value))
        elif self._form is None:
            return
        elif tag == "button" and name:
            self._form.buttons.append((name, value))
        elif tag == "input" and name and (has.get("type") not in ("checkbox", "radio") or "checked" in has):
            self._form.fields[name] = value
        elif tag == "select" and name:
            self._select = name
            self._form.options[name] = []
        elif tag == "option" and self._select:
            self._form.options[self._select].append(value)
            if "selected" in has or self._select not in self._form.fields:
                self._form.fields[self._select] = value
        elif tag == "textarea" and name:
            self._area = name
            self._form.fields[name] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = None
        elif tag == "textarea":
            self._area = None

    def handle_data(self, data: str) -> None:
        if self._area is not None and self._form is not None:
            self._form.fields[self._area] += data
        self._text.append(data)


class Browser:
    """One person at one browser."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self.http = http
        self.answer: httpx2.Response = httpx2.Response(204)

    @property
    def page(self) -> Shown:
        """The page that is shown."""
        return Shown(self.answer.text)

    async def open(self, path: str) -> Shown:
        """Goes to a page."""
        self.answer = await self.http.get(path, follow_redirects=True)
        return self.page

    async def send(self, action: str, button: str = "", **typed: str) -> Shown:
        """Fills in the form of the page that leads to `action`, and presses its button, the first one or that of this value."""
        form = next(one for one in self.page.forms if one.action == action)
        pressed = next((one for one in form.buttons if not button or one[1] == button), None)
        assert pressed or not button, form.buttons
        fields = {**form.fields, **({pressed[0]: pressed[1]} if pressed else {}), **typed}
        assert typed.keys() <= form.fields.keys(), form.fields
        how = {"params": fields} if form.method == "get" else {"data": fields}
        self.answer = await self.http.request(form.method.upper(), action, follow_redirects=True, **how)  # type: ignore[arg-type]
        return self.page


def browsing(
    servers: Servers,
    host: str = HOST,
    *,
    local: bool = True,
    ui: str = "",
    headers: Mapping[str, str] | None = None,
) -> Browser:
    """A browser in front of the console."""
    at = servers.temporal, servers.pool, servers.settings.task_queue
    return in_front_of(_application(*at, local, ui), host, headers)


@cache
def _application(temporal: Client, pool: Pool, task_queue: str, local: bool, ui: str) -> FastAPI:
    """The API and the pages, made once: that takes longer than most tests."""
    doors = Doors(temporal, pool, task_queue)
    return create_app(doors, console(Place(doors, local, ui)))


def at_door(servers: Servers, provider: Provider, host: str = HOST) -> Browser:
    """A browser in front of the pages alone, of a console where people sign in with a provider."""
    doors = Doors(servers.temporal, servers.pool, servers.settings.task_queue)
    return in_front_of(Starlette(routes=[console(Place(doors, provider=provider))]), host)


def in_front_of(app: Any, host: str = HOST, headers: Mapping[str, str] | None = None) -> Browser:
    """A browser in front of an application."""
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    return Browser(httpx2.AsyncClient(transport=transport, base_url=host, headers=dict(headers or {})))


async def person(servers: Servers, *roles: AccessRole, language: str = "en", **more: Any) -> str:
    """One of our people with these roles; their id."""
    staff_id = f"con-{next(_numbers)}"
    await servers.pool.execute(
        "insert into staff (staff_id, name, email, language) values ($1, $2, $3, $4)",
        staff_id,
        f"Pat {staff_id}",
        f"{staff_id}@seller.example",
        language,
    )
    access = {"titles": (), "own_only": False, "team": False, "subject": None, **more}
    given = tuple(role.value for role in roles)
    async with servers.pool.acquire() as connection:
        await access_rows.grant(
            connection, StaffAccess(staff_id, given, granted_at=present(), granted_by="t", **access)
        )
    return staff_id


async def signed_in(servers: Servers, staff_id: str, host: str = HOST, **options: Any) -> Browser:
    """A browser at which this person is signed in."""
    return await as_person(servers, browsing(servers, host, **options), staff_id)


async def as_person(servers: Servers, browser: Browser, staff_id: str) -> Browser:
    """The browser, with this person signed in at it."""
    secret = f"{staff_id:s>43}"[:43]
    async with servers.pool.acquire() as connection:
        await session_rows.end_session(connection, secret)
        await session_rows.begin_session(connection, secret, staff_id, present())
    browser.http.cookies.set("perennial-session", secret)
    return browser


async def with_role(servers: Servers, *roles: AccessRole, **options: Any) -> Browser:
    """A browser at which somebody with these roles is signed in."""
    return await signed_in(servers, await person(servers, *roles, **options))
