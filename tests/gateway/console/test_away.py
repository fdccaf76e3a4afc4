"""A server that is down shows as such: what was typed is kept, under the same id, and the page says whether it was handed over."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest

from domain.frame.access import AccessRole
from gateway.api.app import create_app
from gateway.cases import CaseClient
from gateway.client import PerennialClient
from gateway.connection import connect
from gateway.console.app import console
from gateway.console.visit import Place
from gateway.doors import Doors
from tests.builders import order
from tests.conftest import Servers
from tests.gateway.console.browser import Browser, Form, as_person, in_front_of, person
from workers.wiring import build_worker

LONG = "A new cable is on its way.\n" * 60
SOON = timedelta(seconds=2)


def _form(browser: Browser, path: str) -> Form:
    return next(form for form in browser.page.forms if form.action == path)


async def _before(servers: Servers, doors: Doors, staff_id: str) -> Browser:
    """A browser in front of a console that works with these doors, at which somebody is signed in."""
    return await as_person(servers, in_front_of(create_app(doors, console(Place(doors, True)))), staff_id)


async def _answers(servers: Servers, case_id: str) -> int:
    query = "select count(*) from case_message where case_id = $1 and body like 'A new cable%'"
    return int(await servers.pool.fetchval(query, case_id))


@asynccontextmanager
async def _line_to(address: str) -> AsyncIterator[str]:
    """A line to a server that is cut at the end of the block."""
    host, _, port = address.rpartition(":")
    ends: list[asyncio.StreamWriter] = []

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends.append(writer)
        with suppress(ConnectionError):
            while content := await reader.read(65536):
                writer.write(content)
                await writer.drain()

    async def joined(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(host, int(port))
        await asyncio.gather(pipe(reader, back), pipe(there, writer))

    server = await asyncio.start_server(joined, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for end in ends:
            end.close()


@pytest.mark.engine
async def test_without_a_worker_the_answer_is_not_lost_and_is_sent_once(servers: Servers) -> None:
    settings = servers.settings.model_copy(update={"task_queue": f"away-{os.getpid()}"})
    queue, document = settings.task_queue, order()
    case_id = f"C-{document['account']['account_id']}"
    opening = {"case_id": case_id, "account_id": document["account"]["account_id"], "subject": "Tills are down"}
    async with build_worker(servers.temporal, servers.pool, settings):
        await PerennialClient(servers.temporal, servers.pool, task_queue=queue).place_order(document)
        await CaseClient(servers.temporal, servers.pool, task_queue=queue).open_case(opening)
    doors = Doors(servers.temporal, servers.pool, queue, within=SOON)
    browser = await _before(servers, doors, await person(servers, AccessRole.SERVICE))
    path = f"/cases/{case_id}/acts/respond"
    await browser.open(path)
    before = _form(browser, path).fields["request_id"]
    page = await browser.send(path, body=LONG)
    assert browser.answer.status_code == 503
    assert "Not handed over: nobody has taken this in" in page.text
    form = _form(browser, path)
    assert (form.fields["body"], form.fields["request_id"]) == (LONG, before)
    assert await _answers(servers, case_id) == 0
    async with build_worker(servers.temporal, servers.pool, settings):
        patient = Doors(servers.temporal, servers.pool, queue)
        later = await _before(servers, patient, await person(servers, AccessRole.SERVICE))
        later.http.cookies, later.answer = browser.http.cookies, browser.answer
        page = await later.send(path)
        assert "Answer the customer: done." in page.text
    assert await _answers(servers, case_id) == 1


@pytest.mark.engine
async def test_with_the_engine_away_the_form_comes_back_and_the_pages_go_on(servers: Servers) -> None:
    document = order()
    account = document["account"]["account_id"]
    await servers.client.place_order(document)
    staff_id = await person(servers, AccessRole.SALES, language="ja")
    async with _line_to(servers.stack.temporal_address) as line:
        temporal = await connect(line)
    doors = Doors(temporal, servers.pool, servers.settings.task_queue, within=SOON)
    browser = await _before(servers, doors, staff_id)
    page = await browser.open(f"/customers/{account}")
    assert document["account"]["name"] in page.text
    path = f"/customers/{account}/acts/change_account"
    await browser.open(path)
    before = _form(browser, path).fields["request_id"]
    page = await browser.send(path, language="ja", reason="they asked for it")
    assert browser.answer.status_code == 503
    assert "受け付けられたかどうか確認できません" in page.text
    form = _form(browser, path)
    assert (form.fields["reason"], form.fields["request_id"]) == ("they asked for it", before)
    back = await _before(servers, Doors(servers.temporal, servers.pool, servers.settings.task_queue), staff_id)
    back.answer = browser.answer
    await back.send(path)
    assert back.answer.url.path == f"/customers/{account}"
    assert await servers.pool.fetchval("select language from account where account_id = $1", account) == "ja"


class _Away:
    """The database, while it cannot be reached."""

    def acquire(self) -> AbstractAsyncContextManager[Any]:
        raise ConnectionRefusedError


async def test_with_the_database_away_what_was_typed_is_on_the_page_and_sent_from_it(servers: Servers) -> None:
    document = order()
    account = document["account"]["account_id"]
    await servers.client.place_order(document)
    staff_id = await person(servers, AccessRole.SALES)
    here = Doors(servers.temporal, servers.pool, servers.settings.task_queue)
    browser = await _before(servers, here, staff_id)
    path = f"/customers/{account}/acts/change_account"
    await browser.open(path)
    dark = Doors(servers.temporal, _Away(), servers.settings.task_queue)  # type: ignore[arg-type]
    broken = in_front_of(create_app(dark, console(Place(dark, True))))
    broken.http.cookies, broken.answer = browser.http.cookies, browser.answer
    sent = _form(browser, path).fields | {"language": "ja", "reason": "<b>they</b> asked"}
    broken.answer = await broken.http.post(path, data=sent)
    assert broken.answer.status_code == 503
    assert "they</b> asked" not in broken.answer.text
    assert _form(broken, path).fields == sent
    foreign = await broken.http.post(path, data=sent, headers={"Sec-Fetch-Site": "cross-site"})
    assert "they" not in foreign.text
    browser.answer = broken.answer
    page = await browser.send(path)
    assert "done." in page.text
    assert await servers.pool.fetchval("select language from account where account_id = $1", account) == "ja"
