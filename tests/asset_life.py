"""One customer with assets, for tests that change them: what they ask, what the tables say afterwards."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any

import pytest

from activities.assets.ledger import load_record
from domain.assets.invariants import violations
from domain.frame.ownership import POLICY
from domain.kernel.calendar import add_months, local_day, local_instant
from domain.kernel.refusals import Refusal
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of, settled

ZONE = "Asia/Tokyo"


class Life:
    """One customer with a contract of a year: seats (40 at 1,200 yen a month) and care (60,000 yen a year)."""

    def __init__(self, servers: Servers, document: dict[str, Any]) -> None:
        self.servers = servers
        self.document = document
        self.account = account_of(document)
        self.contract = str(document["contracts"][0]["contract_id"])
        self.seats = f"{document['order_id']}.1"
        self.care = f"{document['order_id']}.2"
        self.start = date.fromisoformat(document["contracts"][0]["term"]["start"])

    @classmethod
    async def begin(cls, servers: Servers, *, days: int = 50, **contract: Any) -> Life:
        """So many days after the first day of the term."""
        document = order()
        document["contracts"][0].update(contract)
        document["products"].append({"code": "PRO", "name": "Workspace Pro", "kind": "subscription"})
        life = cls(servers, document)
        await servers.client.place_order(document)
        await life.reach(life.start + timedelta(days=days))
        return life

    def month(self, months: int) -> str:
        """The first day of a month of the term."""
        return self.day(months).isoformat()

    async def ask(self, update: str, **request: Any) -> dict[str, Any]:
        return await self.servers.client.ask(self.account, update, request)

    def day(self, months: int) -> date:
        return add_months(self.start, months)

    async def reach(self, day: date) -> None:
        """Noon of a local day."""
        noon = local_instant(day, ZONE, time(12))
        await self.servers.client.fast_forward_to(self.account, noon)

    async def today(self) -> date:
        return local_day(await self.servers.client.now(self.account), ZONE)

    async def periods(self, asset_id: str) -> list[tuple[str, int, int]]:
        """First local day, units and MRR of each period."""
        rows = await self.servers.pool.fetch(
            "select (starts_at at time zone $2)::date as day, quantity, mrr from asset_state_period"
            " where asset_id = $1 order by starts_at",
            asset_id,
            ZONE,
        )
        return [(row["day"].isoformat(), row["quantity"], int(row["mrr"])) for row in rows]

    async def term(self) -> dict[str, Any]:
        row = await self.servers.pool.fetchrow(
            "select c.status, t.number, t.start_on, t.until, t.origin from contract c join contract_term t using (contract_id)"
            " where contract_id = $1 order by number desc limit 1",
            self.contract,
        )
        assert row is not None
        return dict(row)

    async def titles(self) -> list[str]:
        return [row["title"] for row in await self.servers.journal(self.account)]

    async def kinds(self) -> list[str]:
        return [row["kind"] for row in await self.servers.journal(self.account)]

    async def check(self) -> None:
        """Every asset keeps the invariants of the ledger, in the tables."""
        rows = await self.servers.pool.fetch("select asset_id from asset where account_id = $1", self.account)
        async with self.servers.pool.acquire() as connection:
            for row in rows:
                record = await load_record(connection, row["asset_id"])
                assert record is not None
                assert violations(record, POLICY) == []

    async def mails(self) -> list[str]:
        await settled(self.servers.pool, self.account)
        return [mail.subject for mail in self.servers.mails_to(self.document["contacts"][0]["email"])]


async def refused(life: Life, update: str, request: dict[str, Any], type: str, says: str = "") -> None:
    with pytest.raises(Refusal) as told:
        await life.servers.client.ask(life.account, update, request)
    assert told.value.type == type, (update, request, str(told.value))
    assert says in str(told.value)
