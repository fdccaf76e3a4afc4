"""The real thing for every test that needs it: one stack for the whole run, a worker, and a mailbox per account."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from temporalio.client import Client
from xdist.remote import Producer

from activities.kernel.pool import Pool, open_pool
from gateway.client import PerennialClient
from gateway.connection import connect
from tests import answers, budgets, moving, ports, properties, suite
from tests.living_in_memory import InMemory
from tests.own_database import keep_template, own_database
from workers.cli import common
from workers.embedded.mailbox import MailSummary
from workers.embedded.stack import EmbeddedStack
from workers.migrating import migrate
from workers.settings import Settings
from workers.wiring import build_worker
from workflows.visibility import SEARCH_ATTRIBUTES

properties.register()
moving.take_time_given()
answers.watch()
ports.prefer_own()
common.console.width = common.PIPED_WIDTH  # whoever runs the tests beside each other sets COLUMNS


def pytest_addoption(parser: pytest.Parser) -> None:
    suite.add_options(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    suite.side_by_side(config)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(budgets.InProcess())
    if not suite.is_process(config):
        config.pluginmanager.register(budgets.Sum(binding=suite.is_usual(config)))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> suite.WhoeverIsFree | None:
    return suite.scheduler(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    suite.choose(config, items)


@dataclass(frozen=True)
class Servers:
    """What a test works with."""

    stack: EmbeddedStack
    temporal: Client
    pool: Pool
    settings: Settings
    client: PerennialClient

    def mails_to(self, address: str) -> list[MailSummary]:
        """The mails that reached an address, oldest first."""
        return [mail for mail in self.stack.mailbox.list() if address in mail.to]

    async def journal(self, account_id: str) -> list[Any]:
        """The account's journal, as it was written."""
        return await self.pool.fetch("select * from journal where account_id = $1 order by journal_id", account_id)

    def handle(self, account_id: str) -> Any:
        """The account's journey."""
        return self.temporal.get_workflow_handle(f"journey-{account_id}")


@pytest.fixture(scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[EmbeddedStack]:
    """PostgreSQL with the schema, Temporal, and a mailbox that refuses the user `nobody`."""
    folder: Path = tmp_path_factory.mktemp("stack")

    def refused(address: str) -> str | None:
        return "550 5.1.1 no such user" if address.startswith("nobody") else None

    async with EmbeddedStack(folder, SEARCH_ATTRIBUTES, keep=False, reject=refused) as running:
        await migrate(running.postgres_dsn)
        await keep_template(running)
        yield running


@pytest.fixture(scope="session")
async def on_engine(stack: EmbeddedStack) -> AsyncIterator[Servers]:
    """The stack with a worker of this process on it."""
    os.environ.pop("TEMPORAL_ADDRESS", None)
    settings = Settings.of_stack(database_url=stack.postgres_dsn, smtp_host=stack.smtp_host, smtp_port=stack.smtp_port)
    temporal = moving.moved(await connect(stack.temporal_address))
    pool = await open_pool(stack.postgres_dsn)
    async with build_worker(temporal, pool, settings):
        yield Servers(stack, temporal, pool, settings, PerennialClient(temporal, pool))
    await pool.close()


@pytest.fixture(scope="session")
async def in_memory(on_engine: Servers) -> AsyncIterator[tuple[Servers, InMemory]]:
    """Workflows in this process, on a database of their own; the mailbox is the stack's."""
    async with own_database(on_engine.stack, "in_memory") as own:
        await own.pool.execute("alter database in_memory set synchronous_commit = off")
        await own.pool.expire_connections()
        settings = on_engine.settings.model_copy(update={"database_url": SecretStr(own.dsn)})
        server = InMemory()
        temporal = server.open(own.pool, settings)
        yield Servers(on_engine.stack, temporal, own.pool, settings, PerennialClient(temporal, own.pool)), server


@pytest.fixture
def world(request: pytest.FixtureRequest) -> tuple[Servers, InMemory | None]:
    """Where a test's customers live."""
    if suite.on_engine(request.node):
        return request.getfixturevalue("on_engine"), None
    found: tuple[Servers, InMemory] = request.getfixturevalue("in_memory")
    return found


@pytest.fixture
async def servers(world: tuple[Servers, InMemory | None]) -> AsyncIterator[Servers]:
    """What a test works with: Temporal's own server if it is marked `engine` or `--engine` is given, else one in memory."""
    found, memory = world
    if memory is None:
        yield found
        return
    with moving.usual_day(), memory.is_the_present():
        yield found
        await memory.forget_all()
