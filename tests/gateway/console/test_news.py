"""Open pages hear that something happened: what their reader may see, also after the database was away, until the server ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest

from activities.frame import session_rows
from activities.kernel.clock import present
from activities.kernel.news import CHANNEL
from domain.frame.access import AccessRole
from gateway.api.app import create_app
from gateway.cases import CaseClient
from gateway.console import news
from gateway.console.app import console
from gateway.console.visit import Place
from gateway.doors import Doors
from gateway.serving import served
from tests.builders import order
from tests.conftest import Servers
from tests.gateway.console.browser import person

SOON = 30.0


class Page:
    """An open page, and how often it was told of news."""

    def __init__(self) -> None:
        self.told = 0
        self.more = asyncio.Event()
        self.stands = asyncio.Event()

    async def hears(self) -> None:
        await asyncio.wait_for(self.more.wait(), SOON)
        self.more.clear()


@pytest.fixture
async def gateway(servers: Servers) -> AsyncIterator[str]:
    place = Place(Doors(servers.temporal, servers.pool, servers.settings.task_queue), local=True)
    async with served(create_app(place.doors, console(place)), "127.0.0.1", 0) as port:
        yield f"http://localhost:{port}"


async def _signed_in(servers: Servers, staff_id: str) -> dict[str, str]:
    secret = f"{staff_id:n>43}"[:43]
    async with servers.pool.acquire() as connection:
        await session_rows.end_session(connection, secret)
        await session_rows.begin_session(connection, secret, staff_id, present())
    return {"perennial-session": secret}


@asynccontextmanager
async def _open(servers: Servers, host: str, staff_id: str, about: str) -> AsyncIterator[Page]:
    """A page that listens, once the listener does."""
    page = Page()

    async def read() -> None:
        async with (
            httpx2.AsyncClient(base_url=host, cookies=await _signed_in(servers, staff_id), timeout=60) as http,
            http.stream("GET", "/news", params={"about": about}) as answer,
        ):
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith("text/event-stream")
            async for line in answer.aiter_lines():
                page.stands.set()
                if line == "data: news":
                    page.told += 1
                    page.more.set()

    reading = asyncio.create_task(read())
    try:
        await asyncio.wait_for(page.stands.wait(), SOON)
        yield page
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def _listens(servers: Servers, but: int = 0) -> int:
    """The server process of whoever listens."""
    query = "select pid from pg_stat_activity where datname = current_database() and query in ('select 1', $1) and pid <> $2"
    for _ in range(100):
        if pid := await servers.pool.fetchval(query, f'LISTEN "{CHANNEL}"', but):
            return int(pid)
        await asyncio.sleep(0.1)
    raise AssertionError("nobody listens")


async def _customer(servers: Servers) -> str:
    document = order()
    await servers.client.place_order(document)
    return str(document["account"]["account_id"])


async def _happens(servers: Servers, account: str, note: str) -> None:
    await servers.client.ask(
        account, "change_account", {"language": "en", "reason": note, "by": "s-1", "request_id": note}
    )


async def test_a_page_hears_of_its_customer_and_its_case_and_of_nothing_else(servers: Servers, gateway: str) -> None:
    mine, other = await _customer(servers), await _customer(servers)
    case_id = f"C-{mine}"
    cases = CaseClient(servers.temporal, servers.pool, task_queue=servers.settings.task_queue)
    await cases.open_case({"case_id": case_id, "account_id": mine, "subject": "Tills are down"})
    admin = await person(servers, AccessRole.ADMIN)
    async with (
        _open(servers, gateway, admin, f"account/{mine}") as customer,
        _open(servers, gateway, admin, f"case/{case_id}") as case,
        _open(servers, gateway, admin, "all") as today,
    ):
        await asyncio.sleep(0.5)
        before = customer.told, case.told
        await _happens(servers, other, "one")
        await today.hears()
        assert (customer.told, case.told) == before
        await _happens(servers, mine, "two")
        await customer.hears()
        assert case.told == before[1]
        await cases.ask(case_id, "note", {"body": "hm", "by": "s-2", "request_id": "three"})
        await case.hears()


async def test_who_sees_their_own_customers_hears_of_no_others(servers: Servers, gateway: str) -> None:
    mine, other = await _customer(servers), await _customer(servers)
    seller = await person(servers, AccessRole.SALES, own_only=True)
    await servers.pool.execute("update account set owner_id = $2 where account_id = $1", mine, seller)
    async with httpx2.AsyncClient(base_url=gateway, cookies=await _signed_in(servers, seller)) as http:
        assert (await http.get("/news", params={"about": f"account/{other}"})).status_code == 403
        assert (await http.get("/news", params={"about": "everything"})).status_code == 404
        http.cookies.clear()
        assert (await http.get("/news", params={"about": "all"})).status_code == 303
    async with _open(servers, gateway, seller, "all") as page:
        await asyncio.sleep(0.5)
        before = page.told
        await _happens(servers, other, "one")
        await asyncio.sleep(1)
        assert page.told == before
        await _happens(servers, mine, "two")
        await page.hears()


async def test_after_the_database_was_away_every_page_looks_anew_and_hears_again(
    servers: Servers, gateway: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news, "_LOOKED_AT", 0.2)
    account = await _customer(servers)
    admin = await person(servers, AccessRole.ADMIN)
    async with _open(servers, gateway, admin, f"account/{account}") as page:
        was = await _listens(servers)
        await servers.pool.execute("select pg_terminate_backend($1)", was)
        await page.hears()
        assert await _listens(servers, but=was) != was
        await _happens(servers, account, "afterwards")
        await page.hears()


async def test_an_open_page_does_not_hold_the_server_up(servers: Servers) -> None:
    admin = await person(servers, AccessRole.ADMIN)
    place = Place(Doors(servers.temporal, servers.pool, servers.settings.task_queue), local=True)
    loop = asyncio.get_running_loop()
    async with served(create_app(place.doors, console(place)), "127.0.0.1", 0) as port:
        page = _open(servers, f"http://localhost:{port}", admin, "all")
        await page.__aenter__()
        began = loop.time()
    assert loop.time() - began < 3
    await page.__aexit__(None, None, None)
