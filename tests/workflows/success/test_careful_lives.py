"""What is owed to customers who use too little, do not pay, decline, complain or lose their people, over a year of each.

`CARE_CUSTOMERS=200 PLAN_FEED=orders.csv.gz` lives more of them, half of them of another feed.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

from tests.careful_lives import Care, CarefulLife, read_mails, subscription
from tests.cases import case_client, staffed
from tests.conftest import Servers
from tests.workflows.journey.test_plan_agreement import feed_of

CUSTOMERS = int(os.environ.get("CARE_CUSTOMERS", "4"))
SEED = int(os.environ.get("CARE_SEED", "5"))


async def test_nobody_falls_unseen_nobody_is_healthy_in_trouble_and_nobody_is_written_to_too_often(
    servers: Servers, tmp_path: Path
) -> None:
    chance = random.Random(SEED)
    team = await staffed(servers, "AG-CARE")
    lives = [([subscription(chance)], n) for n in range(CUSTOMERS - CUSTOMERS // 3)]
    lives += [(documents, n) for n, documents in enumerate(feed_of(tmp_path)[: CUSTOMERS // 3])]
    care = Care()
    for documents, n in lives:
        life = CarefulLife(servers, case_client(servers), team, random.Random(f"{SEED}/{n}"))
        care += await life.live(documents[0], documents[1:])
    care += await read_mails(servers)
    print(care)
    assert care.wrong == []
    assert care.seen["optional mails"] > CUSTOMERS
    assert sum(count for what, count in care.seen.items() if what.startswith("falls")) >= CUSTOMERS // 2
    assert sum(count for what, count in care.seen.items() if what.startswith("looks")) >= CUSTOMERS // 2
