"""What the page of a customer costs: one statement for each of its parts, however much there is of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from activities.kernel.clock import present
from activities.kernel.pool import Connection, Pool
from domain.frame.access import AccessRole
from gateway.api.app import create_app
from gateway.console.app import console
from gateway.console.visit import Place
from gateway.doors import Doors
from tests.builders import goods_order
from tests.conftest import Servers
from tests.gateway.api.test_parts import with_a_case
from tests.gateway.api.test_reading import placed
from tests.gateway.console.browser import as_person, in_front_of, person

_AROUND = ("BEGIN", "COMMIT", "ROLLBACK", "SET", "RESET", "SELECT pg_advisory", "LISTEN")
MOST = 20
"""Parts of the whole page: who they are, what they own on the time axis and in lists, tasks, mails that wait, the timeline, the plan;
and who looks."""


class Heard:
    """A pool that writes down what is asked."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.asked: list[str] = []

    @asynccontextmanager
    async def acquire(self, **options: Any) -> AsyncIterator[Connection]:
        async with self._pool.acquire(**options) as connection:
            with connection.query_logger(lambda said: self.asked.append(said.query)):
                yield connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)


async def test_the_whole_page_asks_each_part_once_however_much_there_is(servers: Servers) -> None:
    little = (await placed(servers))["account"]["account_id"]
    document, _ = await with_a_case(servers)
    much = document["account"]["account_id"]
    for _ in range(2):
        await servers.client.place_order(goods_order(document, present()))
    heard = Heard(servers.pool)
    doors = Doors(servers.temporal, heard, servers.settings.task_queue)  # type: ignore[arg-type]
    app = create_app(doors, console(Place(doors)))
    browser = await as_person(servers, in_front_of(app), await person(servers, AccessRole.ADMIN))
    asked = {}
    for account in (little, much):
        await browser.open(f"/customers/{account}")  # what is looked up once for a process is known from here on
        heard.asked.clear()
        page = await browser.open(f"/customers/{account}")
        assert browser.answer.status_code == 200
        assert "Tanuki Tea" in page.text
        asked[account] = Counter(one for one in heard.asked if not one.startswith(_AROUND))
    assert {one: times for one, times in asked[much].items() if times > 1} == {}
    assert asked[much].keys() == asked[little].keys()
    assert sum(asked[much].values()) <= MOST, list(asked[much])
