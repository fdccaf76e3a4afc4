"""A database is lost, or comes back as it was before: after one command every contract renews and bills as if nothing had been."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from activities.kernel.pool import Pool
from gateway.cases import CaseClient
from gateway.client import PerennialClient
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.killing import PERENNIAL, command_environment
from tests.e2e.lives import account_of, settled, until
from tests.e2e.test_restart import Up, up
from workers.embedded.placement import location

BEFORE, LOST, AFTER = timedelta(days=20), timedelta(days=60), timedelta(days=420)


async def doctor(folder: Path, *more: str) -> tuple[int, dict[str, Any]]:
    """Exit code and answer of `perennial doctor --reconcile`."""
    process = await asyncio.create_subprocess_exec(
        *PERENNIAL,
        "doctor",
        "--reconcile",
        "--json",
        *more,
        cwd=folder,
        env=command_environment(),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 240)
    assert out, err.decode()
    found: dict[str, Any] = json.loads(out)
    return process.returncode or 0, found


@dataclass
class Customers:
    """Four lives: a contract that renews by itself and takes what another hands over; one that is cancelled; one that hands
    over a part, with a case that stays open; one that comes only after the copy was made."""

    client: PerennialClient
    cases: CaseClient
    pool: Pool
    orders: list[dict[str, Any]] = field(default_factory=lambda: [quarterly() for _ in range(4)])
    began: datetime | None = None

    @property
    def accounts(self) -> list[str]:
        return [account_of(document) for document in self.orders]

    async def begin(self) -> None:
        for document in self.orders[:3]:
            await self.client.place_order(document)
        self.began = await self.client.now(self.accounts[0])
        await self.reach(BEFORE, self.accounts[:3])

    async def meanwhile(self) -> None:
        """What was asked and done between the copy and the loss."""
        renewing, cancelled, giving = self.accounts[:3]
        await self.client.ask(renewing, "amend_assets", {"assets": [{"asset_id": self.seats(0), "add": 5}]})
        await self.client.ask(cancelled, "cancel_assets", {"contract_id": self.contract(1), "effective": "period_end"})
        await self.client.ask(
            giving, "transfer_assets", {"to_account": renewing, "assets": [{"asset_id": self.seats(2), "quantity": 15}]}
        )
        await until(self._handed_over, "the seats change hands")
        case_id = f"down-{giving}"
        await self.cases.open_case({"case_id": case_id, "account_id": giving, "subject": "Till is down"})
        await self.cases.ask(case_id, "respond", {"body": "A new cable is on its way.", "by": "S-2"})
        await self.reach(LOST - timedelta(days=20), self.accounts[:3])
        await self.client.place_order(self.orders[3])
        await self.client.ask(renewing, "retry_deliveries", {})
        await self.reach(LOST, self.accounts)

    async def end(self) -> None:
        """The case is closed, and everybody lives on beyond the end of their terms."""
        # Who was brought back is at the last instant that is known of them, hours before the others.
        await self.reach(LOST, self.accounts)
        await self.cases.ask(
            f"down-{self.accounts[2]}", "resolve", {"code": "replaced", "text": "A cable.", "by": "S-2"}
        )
        await self.reach(AFTER, self.accounts)

    async def reach(self, by: timedelta, accounts: Sequence[str]) -> None:
        assert self.began is not None
        for account in accounts:
            await self.client.fast_forward_to(account, self.began + by)
            await settled(self.pool, account)

    async def lived(self) -> list[dict[str, Any]]:
        return [await lived(self.pool, account) for account in self.accounts]

    def seats(self, n: int) -> str:
        return f"{self.orders[n]['order_id']}.1"

    def contract(self, n: int) -> str:
        return str(self.orders[n]["contracts"][0]["contract_id"])

    async def _handed_over(self) -> bool:
        locked = "select 1 from asset where asset_id = $1 and lock is not null"
        return not await self.pool.fetchval(locked, self.seats(2))


def quarterly() -> dict[str, Any]:
    document = order()
    document["contracts"][0].update({"billing": "quarterly", "auto_renew": True})
    return document


async def lived(pool: Pool, account: str) -> dict[str, Any]:
    """Invoices, credits, terms, assets, cases and mails of an account, in their order."""
    invoices = await pool.fetch("select total, issued_on from invoice where account_id = $1 order by number", account)
    credits = await pool.fetch(
        "select total, issued_on from credit_memo where account_id = $1 order by number", account
    )
    terms = await pool.fetch(
        "select t.number, t.start_on, t.until, t.origin, c.status from contract c join contract_term t using (contract_id)"
        " where c.account_id = $1 order by t.start_on, t.origin",
        account,
    )
    units = await pool.fetch(
        "select product_code, starts_at::date, quantity, mrr from asset_state_period join asset using (asset_id)"
        " where account_id = $1 order by 1, 2, 3",
        account,
    )
    cases = await pool.fetch("select status from service_case where account_id = $1", account)
    mails = await pool.fetch(
        "select body->>'template' from outbox where account_id = $1 and channel = 'deliver_mail' and status = 'sent' order by 1",
        account,
    )
    tables = {"invoices": invoices, "credits": credits, "terms": terms, "units": units, "cases": cases, "mails": mails}
    return {name: [tuple(map(str, row)) for row in rows] for name, rows in tables.items()}


def _keep(folder: Path) -> None:
    """A copy with its owners, as of a server that does not run."""
    subprocess.run(["cp", "-a", folder, folder.with_name(f"{folder.name}.kept")], check=True)


def _bring_back(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.with_name(f"{folder.name}.kept").rename(folder)


def temporal_of(folder: Path) -> Path:
    return folder / ".perennial" / "temporal"


def postgres_of(folder: Path) -> Path:
    return location(folder / ".perennial" / "postgres")


async def twins(servers: Servers) -> list[dict[str, Any]]:
    """The same customers, whom nothing befalls."""
    calm = Customers(servers.client, CaseClient(servers.temporal, servers.pool), servers.pool)
    await calm.begin()
    await calm.meanwhile()
    await calm.end()
    return await calm.lived()


DISASTERS: dict[str, tuple[Callable[[Path], Path], Callable[[Path], Any]] | None] = {
    "temporal_deleted": (temporal_of, shutil.rmtree),
    "temporal_from_before": (temporal_of, _bring_back),
    "postgres_from_before": (postgres_of, _bring_back),
    "terminated": None,
}


@pytest.mark.slow("disaster")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("disaster", DISASTERS)
async def test_what_is_lost_comes_back_and_every_contract_lives_on(
    tmp_path: Path, servers: Servers, disaster: str
) -> None:
    lose = DISASTERS[disaster]
    lives: Customers | None = None

    @asynccontextmanager
    async def stack() -> AsyncIterator[Up]:
        nonlocal lives
        async with up(tmp_path) as running:
            cases = CaseClient(running.temporal, running.pool)
            again = Customers(running.client, cases, running.pool)
            lives = replace(again, orders=lives.orders, began=lives.began) if lives else again
            yield running
            assert await running.end(signal.SIGTERM) == 0

    try:
        async with stack():
            assert lives is not None
            await lives.begin()
        if lose and lose[1] is _bring_back:
            _keep(lose[0](tmp_path))
        async with stack() as running:
            await lives.meanwhile()
            if lose is None:
                for account in lives.accounts:
                    await running.temporal.get_workflow_handle(f"journey-{account}").terminate("by hand")
        if lose:
            lose[1](lose[0](tmp_path))
        async with stack() as running:
            code, found = await doctor(tmp_path)
            assert code == 1
            assert {one["account_id"] for one in found["found"]} == set(lives.accounts)
            code, mended = await doctor(tmp_path, "--mend")
            left = [one for one in mended["found"] if not one["mended"]] or mended["standing"]
            assert (code, left) == (0, 0)
            assert await doctor(tmp_path) == (0, {**mended, "differences": 0, "by_kind": {}, "found": []})
            await lives.end()
            after = await lives.lived()
            arrived = running.mailbox.list()
            assert len(arrived) == len({mail.message_id for mail in arrived})
    finally:
        await asyncio.to_thread(shutil.rmtree, postgres_of(tmp_path), True)
    assert after == await twins(servers)
