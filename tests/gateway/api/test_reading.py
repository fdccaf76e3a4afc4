"""What is on record over HTTP: one customer whole and in parts, as each role sees them, in pages that writes do not move."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from activities.kernel.clock import present
from domain.frame.access import AccessRole, Principal
from domain.kernel.refusals import Refusal
from gateway.api.reading import looking
from gateway.doors import Doors
from gateway.views.customer import customer
from tests.builders import order
from tests.conftest import Servers
from tests.gateway.api.callers import calling, token_of

SEES_ALL = Principal("staff:s-1", "s-1", frozenset({AccessRole.ADMIN}))
PARTS = 4
"""A customer's page: who they are with what they own, what service knows, health, renewals."""


async def placed(servers: Servers, account_id: str | None = None, seat_price: str = "1200") -> dict[str, Any]:
    """An order that was placed, with a contract that runs since today."""
    document = order(account_id)
    document["contracts"][0]["lines"][0]["unit_price"] = seat_price
    document["contracts"][0]["term"]["start"] = str(present().date())
    await servers.client.place_order(document)
    return document


async def test_one_customer_whole(servers: Servers) -> None:
    document = await placed(servers)
    account, contract = document["account"], document["contracts"][0]
    async with calling(servers, await token_of(servers, AccessRole.SALES)) as http:
        answer = await http.get(f"/accounts/{account['account_id']}")
        same = await http.get(f"/accounts/{account['account_id']}", headers={"If-None-Match": answer.headers["etag"]})
        nobody = await http.get("/accounts/nobody")
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert (found["company"], found["owner"]["name"], found["tenure_days"]) == (account["name"], "Olga Owner", 0)
    start = date.fromisoformat(contract["term"]["start"])
    assert found["renewal"]["contract_id"] == contract["contract_id"]
    assert found["renewal"]["last_day"] == str(start.replace(year=start.year + 1) - timedelta(days=1))
    assert found["renewal"]["answer_by"] <= found["renewal"]["last_day"]
    assert (found["sales"], found["holds"], found["cases"]) == ("none", [], [])
    assert found["next"]
    assert (same.status_code, same.content) == (304, b"")
    assert (nobody.status_code, nobody.json()["code"]) == (404, "UnknownAccount")


async def test_each_role_sees_of_a_customer_what_is_for_it(servers: Servers) -> None:
    account = (await placed(servers))["account"]["account_id"]
    seen: dict[AccessRole, dict[str, Any]] = {}
    for role in (AccessRole.SUCCESS, AccessRole.SERVICE, AccessRole.FINANCE):
        async with calling(servers, await token_of(servers, role)) as http:
            seen[role] = (await http.get(f"/accounts/{account}")).json()
    monthly = Decimal(40 * 1200 + 5000)
    (revenue,) = seen[AccessRole.SUCCESS]["revenue"]
    assert (Decimal(revenue["mrr"]), Decimal(revenue["arr"])) == (monthly, monthly * 12)
    assert {name for name in seen[AccessRole.SUCCESS] if name not in seen[AccessRole.SERVICE]} == {"revenue"}
    assert {name for name in seen[AccessRole.SUCCESS] if name not in seen[AccessRole.FINANCE]} == {"health"}
    assert [one["asset_id"] for one in seen[AccessRole.SERVICE]["owns"]]
    assert all("mrr" not in one for one in seen[AccessRole.SERVICE]["owns"])
    assert "arr" not in seen[AccessRole.SERVICE]["renewal"]


async def test_sums_are_written_as_people_write_them(servers: Servers) -> None:
    """Their columns have six and twelve places: nobody asked for the zeros."""
    account = (await placed(servers, seat_price="1200.25"))["account"]["account_id"]
    parts = ("", "/assets", "/contracts", "/orders", "/invoices")
    period = {"from": str(present().date()), "to": str(present().date() + timedelta(days=200))}
    async with calling(servers, await token_of(servers, AccessRole.ADMIN)) as http:
        answers = [await http.get(f"/accounts/{account}{part}") for part in parts]
        answers.append(await http.get("/reports/retention", params=period))
    assert {answer.status_code for answer in answers} == {200}
    assert '"53010"' in answers[2].text
    assert '"1200.25"' in answers[3].text
    assert answers[-1].json()["currencies"][0]["cohorts"]
    assert [re.findall(r'"\d+\.\d*0{3,}"', answer.text) for answer in answers] == [[]] * len(answers)


async def test_somebody_with_customers_of_their_own_sees_those_alone(servers: Servers) -> None:
    account = (await placed(servers))["account"]["account_id"]
    doors = Doors(servers.temporal, servers.pool, servers.settings.task_queue)
    theirs, others = (
        Principal(f"staff:{id}", id, frozenset({AccessRole.SALES}), own_only=True, staff_id=id)
        for id in ("S-1", "S-99")
    )
    async with looking(doors, theirs, account) as (_, whose):
        assert whose.account_id == account
    with pytest.raises(Refusal, match="not among the customers"):
        async with looking(doors, others, account):
            pass


async def test_the_customer_page_asks_one_statement_of_each_part(servers: Servers) -> None:
    account = (await placed(servers))["account"]["account_id"]
    doors = Doors(servers.temporal, servers.pool, servers.settings.task_queue)
    asked: list[str] = []
    async with looking(doors, SEES_ALL, account) as (connection, whose):
        with connection.query_logger(lambda said: asked.append(said.query)):
            await customer(connection, whose)
    assert len(asked) == PARTS, asked
