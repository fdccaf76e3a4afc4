"""Workers killed around refunds: every claim is answered, every refund booked once, every customer's mail written once."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from activities.kernel.clock import present
from activities.kernel.pool import open_pool
from domain.kernel.calendar import local_day
from gateway.cases import CaseClient
from gateway.client import PerennialClient
from gateway.connection import connect
from tests.builders import order
from tests.e2e.killing import Fragile
from tests.e2e.lives import settled

SEED = 20261202
LINES = 8
KILLS = 3


@pytest.mark.slow("kill")
async def test_workers_killed_around_refunds_neither_double_nor_lose_one(tmp_path: Path) -> None:
    dice = random.Random(SEED)
    async with Fragile(tmp_path) as stack:
        temporal = await connect(stack.temporal.address)
        pool = await open_pool(stack.postgres.dsn)
        client, cases = PerennialClient(temporal, pool), CaseClient(temporal, pool)
        document = order()
        document["lines"] = [
            {"line_id": f"L-{n}", "product": "TERMINAL", "quantity": 1, "unit_price": "80000"} for n in range(LINES)
        ]
        account_id, order_id = document["account"]["account_id"], document["order_id"]
        await client.place_order(document)
        now = present()
        await client.publish_prices(
            {
                "product": "TERMINAL",
                "price": "72000",
                "currency": "JPY",
                "valid_from": local_day(now, "Asia/Tokyo").isoformat(),
            },
            as_of=now,
        )

        async def refund(number: int) -> dict[str, Any]:
            case_id = f"K-{number}"
            await cases.open_case(
                {"case_id": case_id, "account_id": account_id, "subject": "Cheaper today", "channel": "phone"}
            )
            await asyncio.sleep(dice.uniform(0, 5))
            request = {"order_id": order_id, "line_id": f"L-{number}", "by": "S-9", "request_id": "call"}
            return await cases.ask(case_id, "claim_price_match", request)

        claiming = asyncio.gather(*(refund(number) for number in range(LINES)))
        for kill in range(KILLS):
            await asyncio.sleep(dice.uniform(1, 2))
            await stack.kill(f"worker-{kill % 2}", 0)
        answers = await claiming
        assert stack.killed["worker"] == KILLS
        assert [answer["refund"]["amount"] for answer in answers] == ["8000"] * LINES

        memos = await pool.fetch(
            "select l.line_id, m.total from credit_memo m join credit_memo_line l using (credit_memo_id)"
        )
        assert Counter((row["line_id"], row["total"]) for row in memos) == {(f"L-{n}", 8_000): 1 for n in range(LINES)}
        assert await pool.fetchval("select count(*) from refund_claim where status = 'refunded'") == LINES
        events = await pool.fetchval("select count(*) from case_event where kind = 'refunded'")
        assert events == LINES

        # A mail may arrive twice if its worker dies before it is noted; then with the same Message-ID.
        await settled(pool, account_id)
        mails = {mail.message_id for mail in stack.mail.mailbox.list() if "CM-" in mail.subject}
        assert len(mails) == LINES
        assert stack.returned_by_itself == 0
        await pool.close()
