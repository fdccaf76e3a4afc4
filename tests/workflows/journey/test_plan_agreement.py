"""The plan of the first day agrees with the year that follows, on all steps that nothing disturbed.

`PLAN_CUSTOMERS=200 PLAN_FEED=orders.csv.gz` tries more customers, of another feed.
"""

from __future__ import annotations

import os
import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from activities.kernel.clock import present
from domain.kernel.calendar import add_months, local_day
from tests.builders import order
from tests.conftest import Servers
from tests.e2e.lives import account_of, report_usage, settled
from tests.plan_agreement import Agreement, compared, foretold
from tests.workers.feeds.builders import sample_of_its_own, sample_rows
from tests.workflows.success.test_plays import follow, play
from workers.cli.rehearse import weeks_to_today
from workers.feeds.documents import order_document
from workers.feeds.mapping import mapping_for
from workers.feeds.scanning import Scanner

CUSTOMERS = int(os.environ.get("PLAN_CUSTOMERS", "8"))
ENOUGH = 0.98
PLAYS = (
    play("tip", "order_activated", 70, repeat={"every": 40, "times": 3}),
    play("review", "contract_end", -75, task={"title": "Review"}),
    play("yearly", "anniversary", -20, when="arr > 1000.0", task={"title": "Card"}),
)


def feed_of(folder: Path) -> list[list[dict[str, Any]]]:
    """The orders of customers of a feed, each a list of documents, moved to begin today."""
    if given := os.environ.get("PLAN_FEED"):
        file = Path(given)
    else:
        customers = sorted({row[6] for row in sample_rows() if not row[0].startswith("C")})
        file, _ = sample_of_its_own(folder, tuple(customers))
    rules, header = mapping_for(file)
    scan = Scanner(rules, header).scan(file)
    by_customer = scan.by_customer()
    drawn = random.Random(1).sample(sorted(by_customer), min(CUSTOMERS, len(by_customer)))
    first = min(one.local.date() for one in scan.orders.values())
    weeks = weeks_to_today(first, local_day(present(), rules.time_zone))
    return [[order_document(one, rules, scan.names, weeks=weeks) for one in by_customer[name]] for name in drawn]


async def _go_live(servers: Servers, account: str) -> None:
    """Everything that onboarding still asks of people is done."""
    tasks = await servers.pool.fetch(
        "select name from onboarding_task where account_id = $1 and status = 'open' and owner <> 'system' order by due_on",
        account,
    )
    for row in tasks:
        await servers.client.ask(account, "complete_task", {"task": row["name"], "by": "customer"})


async def year_of(servers: Servers, documents: list[dict[str, Any]], chance: random.Random) -> Agreement:
    """A customer's year: their later orders come, some do what onboarding asks, some use what they pay for."""
    first, account = documents[0], account_of(documents[0])
    await servers.client.place_order(first)
    if chance.random() < 0.5:
        await follow(servers, account, *PLAYS)
    since = await servers.client.now(account)
    plan = await foretold(servers, account)
    end = add_months(since, 12) + timedelta(days=1)
    acts = [datetime.fromisoformat(one["activated_at"]) for one in documents[1:]]
    if first.get("contracts") and chance.random() < 0.5:
        await servers.client.fast_forward(account, timedelta(days=chance.randint(20, 60)))
        await _go_live(servers, account)
        if chance.random() < 0.5:
            await report_usage(servers.client, account, chance.randint(10, 39))
    for document, at in zip(documents[1:], acts, strict=True):
        if at >= end:
            break
        if at > await servers.client.now(account):
            await servers.client.fast_forward_to(account, at)
        await servers.client.place_order(document)
    await servers.client.fast_forward_to(account, end)
    await settled(servers.pool, account)
    return await compared(servers, account, plan, since)


async def test_the_plan_of_the_first_day_is_what_happens(servers: Servers, tmp_path: Path) -> None:
    chance = random.Random(7)
    lives = feed_of(tmp_path)
    for _ in range(CUSTOMERS - CUSTOMERS // 2):
        document = order()
        document["account"]["segment"] = chance.choice(["standard", "enterprise", "tech_touch"])
        document["contracts"][0] |= {
            "auto_renew": chance.random() < 0.5,
            "billing": chance.choice(["monthly", "quarterly", "yearly"]),
            "notice_days": chance.choice([30, 60]),
        }
        lives.append([document])
    found = Agreement()
    for documents in lives:
        found += await year_of(servers, documents, chance)
    print(found)
    assert found.share >= ENOUGH, str(found)
    assert len(found.kept) > 10 * CUSTOMERS
