"""Whom to ask for more: those whom something calls for it and nothing holds back, once in a while, with the reason."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from temporalio.client import Client

from activities.kernel.clock import present
from domain.frame.batches import Batch, BatchReport
from domain.kernel.refusals import Refusal
from tests import builders
from tests.conftest import Servers
from tests.e2e.lives import account_of, report_usage
from tests.workflows.service_side import onboarded
from tests.workflows.success.test_unhappy import notices
from workflows.batch import BatchRun

SUGGESTED = {"product": "Backup", "because": "Workspace", "together": 31, "buyers": 60}


async def consider(servers: Servers, account: str, *suggested: dict[str, Any]) -> dict[str, Any]:
    return await servers.client.ask(account, "consider_expansion", {"suggested": list(suggested), "by": "S-1"})


async def used(servers: Servers, account: str, share: float) -> None:
    """So much of the 40 seats is used, for four weeks by now."""
    await report_usage(servers.client, account, int(40 * share))


async def test_the_owner_has_a_task_with_the_reason_and_is_asked_once_in_a_while(servers: Servers) -> None:
    _, account = await onboarded(servers)
    await used(servers, account, 0.85)
    asked = await servers.client.now(account)
    answer = await consider(servers, account, SUGGESTED)
    assert answer["ready"]
    assert answer["score"] == sum(answer["parts"].values()) >= 60
    assert answer["parts"]["trigger"] == 35  # the seats, and what others have too
    (task,) = await servers.pool.fetch(
        "select * from staff_task where account_id = $1 and key = 'expansion/ready'", account
    )
    assert task["staff_id"] == "S-1"
    assert timedelta(days=5) < task["due_at"] - asked < timedelta(days=11)
    assert "34 of 40 seats" in task["title"]
    assert "31 of 60 customers who bought Workspace have Backup too" in task["reason"]
    (told,) = [one for one in await notices(servers, account) if one[1].startswith("Ready for more")]
    assert told[0] == "S-1"
    for days in (0, 40):
        await servers.client.fast_forward(account, timedelta(days=days))
        await used(servers, account, 0.85)
        again = await consider(servers, account, SUGGESTED)
        assert not again["ready"]
        assert "were asked on" in again["why_not"]


@pytest.mark.parametrize(
    ("suggested", "why"),
    [
        ([], "nothing calls for it"),
        ([{**SUGGESTED, "buyers": 9, "together": 9}], "nothing calls for it"),
        ([{**SUGGESTED, "product": "Workspace"}], "nothing calls for it"),
        ([{**SUGGESTED, "together": 14}], "nothing calls for it"),
    ],
)
async def test_who_has_no_reason_to_buy_more_is_not_asked(
    servers: Servers, suggested: list[dict[str, Any]], why: str
) -> None:
    _, account = await onboarded(servers)
    await used(servers, account, 0.6)
    answer = await consider(servers, account, *suggested)
    assert (answer["ready"], answer["why_not"]) == (False, why)
    asked = "select count(*) from staff_task where account_id = $1 and key = 'expansion/ready'"
    assert await servers.pool.fetchval(asked, account) == 0


async def test_nobody_is_asked_in_onboarding_or_while_service_holds_sales_back(servers: Servers) -> None:
    document = builders.order()
    new = account_of(document)
    await servers.client.place_order(document)
    assert "onboarding" in (await consider(servers, new, SUGGESTED))["why_not"]
    _, account = await onboarded(servers)
    await used(servers, account, 0.85)
    hold = {"level": "block", "reason": "their director called", "by": "S-1"}
    await servers.client.ask(account, "place_hold", {**hold, "until": (await later(servers, account)).isoformat()})
    held = await consider(servers, account, SUGGESTED)
    assert not held["ready"]
    await servers.client.fast_forward(account, timedelta(days=15))
    await used(servers, account, 0.85)
    assert (await consider(servers, account, SUGGESTED))["ready"]


async def later(servers: Servers, account: str) -> datetime:
    return await servers.client.now(account) + timedelta(days=10)


async def test_what_cannot_be_so_is_refused_by_field(servers: Servers) -> None:
    _, account = await onboarded(servers)
    with pytest.raises(Refusal, match="all of them"):
        await consider(servers, account, {**SUGGESTED, "together": 61})


@pytest.mark.engine
async def test_the_batch_asks_the_journeys_of_those_whom_something_calls(servers: Servers) -> None:
    run = str(builders.order()["order_id"])

    async def customer(*goods: str) -> str:
        document = builders.order()
        document["activated_at"] = (present() - timedelta(days=100)).isoformat()
        document["contracts"] = []
        document["products"] = [{"code": f"{run}-{one}", "name": one, "kind": "goods"} for one in goods]
        document["lines"] = [
            {"line_id": one, "product": f"{run}-{one}", "quantity": 1, "unit_price": "30"} for one in goods
        ]
        await servers.client.import_order(document)
        return account_of(document)

    for _ in range(9):
        await customer("Press", "Filter")
    called = [await customer("Press") for _ in range(2)]
    await servers.pool.execute("delete from health_score where account_id = any($1)", called)
    await servers.pool.executemany(
        "insert into health_score (account_id, at, score, band, parts) values ($1, $2, 80, 'healthy', '[]')",
        [(called[0], present() - timedelta(hours=1))],
    )
    report = await do(servers.temporal, servers.settings.task_queue)
    assert report.counts["looked at"] >= 1
    asked = "select count(*) from effect where account_id = $1 and key like '%/consider_expansion:%'"
    assert [await servers.pool.fetchval(asked, account) for account in called] == [1, 0]
    await do(servers.temporal, servers.settings.task_queue)
    assert await servers.pool.fetchval(asked, called[0]) == 1


async def do(temporal: Client, queue: str) -> BatchReport:
    return await temporal.execute_workflow(
        BatchRun.run, Batch.EXPANSION, id=f"expansion-{present():%H%M%S%f}", task_queue=queue
    )
