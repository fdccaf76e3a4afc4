"""The parts of a customer over HTTP: what is in each, who sees what of it, and pages that nobody falls through."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from activities.kernel.clock import present
from domain.frame.access import AccessRole
from gateway.cases import CaseClient
from tests.builders import goods_order
from tests.conftest import Servers
from tests.gateway.api.callers import calling, token_of
from tests.gateway.api.test_reading import placed


async def with_a_case(servers: Servers) -> tuple[dict[str, Any], str]:
    """A customer with a case, in which service wrote notes for all of ours and for itself."""
    document = await placed(servers)
    account = document["account"]["account_id"]
    cases = CaseClient(servers.temporal, servers.pool, task_queue=servers.settings.task_queue)
    case_id = f"C-{account}"
    await cases.open_case(
        {"case_id": case_id, "account_id": account, "subject": "Till is down", "body": "since nine", "urgency": "high"}
    )
    await cases.ask(case_id, "note", {"body": "for all of us", "shared": True, "by": "s-7"})
    await cases.ask(case_id, "note", {"body": "for service", "shared": False, "by": "s-7"})
    return document, case_id


async def test_each_part_is_what_is_on_record(servers: Servers) -> None:
    document, case_id = await with_a_case(servers)
    path = f"/accounts/{document['account']['account_id']}"
    async with calling(servers, await token_of(servers, AccessRole.ADMIN)) as http:

        async def items(part: str) -> list[dict[str, Any]]:
            answer = await http.get(f"{path}/{part}")
            assert answer.status_code == 200, answer.text
            found: list[dict[str, Any]] = answer.json()["items"]
            return found

        owned = await items("assets")
        (contract,) = await items("contracts")
        bills = await items("invoices")
        (open_case,) = await items("cases?open=true")
        (contact,) = await items("contacts")
        holds = (await http.get(f"{path}/holds")).json()
        theirs = (await http.get("/tasks", params={"owner": "S-1", "limit": 200})).json()["items"]
        assert await items("tasks") == [one for one in theirs if path.endswith(f"/{one['account_id']}")]
        assert [one["kind"] for one in await items("timeline?kind=case")] == ["case"] * 3
        assert (await items("quotes"), await items("surveys"), await items("health/scores")) == ([], [], [])
        asset = (await http.get(f"/assets/{owned[0]['asset_id']}")).json()
    assert {one["product"]: one["quantity"] for one in owned} == {"SEATS": 40, "CARE": 1, "TERMINAL": 5}
    seats = next(one for one in owned if one["product"] == "SEATS")
    assert [Decimal(one["mrr"]) for one in seats["periods"]] == [40 * 1200]
    assert [one["category"] for one in asset["actions"]] == ["Initial Sale"]
    assert contract["contract_id"] == document["contracts"][0]["contract_id"]
    assert [term["number"] for term in contract["terms"]] == [1]
    for bill in bills:
        assert Decimal(bill["net"]) == sum(Decimal(line["amount"]) for line in bill["lines"])
    assert sum(Decimal(bill["net"]) for bill in bills) == 40 * 1200 * 12 + 60000 + 5 * 80000
    assert (open_case["case_id"], open_case["priority"]) == (case_id, "high")
    assert open_case["due_at"] is not None
    assert contact["contact_id"] == "P-1"
    assert (holds["level"], [one["case_id"] for one in holds["items"]]) == (holds["active"][0]["level"], [case_id])


async def test_one_case_with_the_notes_that_are_for_each(servers: Servers) -> None:
    _, case_id = await with_a_case(servers)
    seen = {}
    for role in (AccessRole.SERVICE, AccessRole.SALES, AccessRole.PROGRAM):
        async with calling(servers, await token_of(servers, role)) as http:
            answer = await http.get(f"/cases/{case_id}")
            assert answer.status_code == 200, answer.text
            seen[role] = answer.json()
    whole = seen[AccessRole.SERVICE]
    assert whole["messages"][0]["body"] == "since nine"
    assert {one["milestone"] for one in whole["promises"]} >= {"first_response"}
    assert whole["company"].startswith("Tanuki")
    notes = {role: (len(one.get("notes", ())), len(one.get("internal", ()))) for role, one in seen.items()}
    assert notes == {AccessRole.SERVICE: (1, 1), AccessRole.SALES: (1, 0), AccessRole.PROGRAM: (0, 0)}
    assert "for service" not in str(seen[AccessRole.SALES])
    assert "for all of us" not in str(seen[AccessRole.PROGRAM])


async def test_a_timeline_tells_what_has_happened_and_not_what_lies_ahead(servers: Servers) -> None:
    account = (await placed(servers))["account"]["account_id"]
    ahead = "select count(*) from timeline_item where account_id = $1 and at > now() + interval '1 day'"
    assert await servers.pool.fetchval(ahead, account), "the end of a term is on record"
    async with calling(servers, await token_of(servers, AccessRole.ADMIN)) as http:
        items = (await http.get(f"/accounts/{account}/timeline")).json()["items"]
    assert items
    assert max(datetime.fromisoformat(one["at"]) for one in items) <= present()


async def test_documents_of_one_group_alone_are_shown_to_those_who_see_it(servers: Servers) -> None:
    account = (await placed(servers))["account"]["account_id"]
    async with calling(servers, await token_of(servers, AccessRole.SERVICE)) as http:
        bills = await http.get(f"/accounts/{account}/invoices")
        owned = (await http.get(f"/accounts/{account}/assets")).json()["items"]
        kinds = {one["kind"] for one in (await http.get(f"/accounts/{account}/timeline")).json()["items"]}
    async with calling(servers, await token_of(servers, AccessRole.FINANCE)) as http:
        health = await http.get(f"/accounts/{account}/health")
    async with calling(servers, await token_of(servers, AccessRole.ADMIN, scopes=("cases:*",))) as http:
        elsewhere = await http.get(f"/accounts/{account}/assets")
    assert [one.status_code for one in (bills, health, elsewhere)] == [403, 403, 403]
    assert (bills.json()["code"], elsewhere.json()["code"]) == ("NotAllowed", "OutOfScope")
    assert owned
    assert "mrr" not in str(owned)
    assert "unit_price" not in str(owned)
    assert "purchase" in kinds
    assert "invoice" not in kinds


async def test_pages_hold_everything_once_whatever_is_written_meanwhile(servers: Servers) -> None:
    document = await placed(servers)
    account = document["account"]["account_id"]
    async with calling(servers, await token_of(servers, AccessRole.ADMIN)) as http:
        whole = [one["asset_id"] for one in (await http.get(f"/accounts/{account}/assets")).json()["items"]]
        paged, cursor = list[str](), None
        while True:
            given = {"limit": 1, **({"cursor": cursor} if cursor else {})}
            page = (await http.get(f"/accounts/{account}/assets", params=given)).json()
            paged += [one["asset_id"] for one in page["items"]]
            cursor = page["next"]
            if cursor is None:
                break
            await servers.client.place_order(goods_order(document, _later(document, len(paged))))
    assert paged == whole
    assert len(paged) == 3


def _later(document: dict[str, Any], seconds: int) -> datetime:
    return datetime.fromisoformat(document["activated_at"]) + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("cursor=nonsense", 422),
        ("cursor=AAAA", 422),
        ("cursor=MC8A", 422),  # a key with a NUL
        ("limit=0", 422),
        ("limit=201", 422),
        ("limit=many", 422),
        ("kind=unheard-of", 422),
        ("limit=200", 200),
    ],
)
async def test_what_a_page_is_asked_for_wrongly_is_said(servers: Servers, query: str, status: int) -> None:
    account = (await placed(servers))["account"]["account_id"]
    async with calling(servers, await token_of(servers, AccessRole.SALES)) as http:
        answer = await http.get(f"/accounts/{account}/timeline?{query}")
    assert answer.status_code == status, answer.text


async def test_customers_are_found_by_what_is_known_of_them(servers: Servers) -> None:
    document = await placed(servers)
    account, mail = document["account"], document["contacts"][0]["email"]
    async with calling(servers, await token_of(servers, AccessRole.FINANCE)) as http:

        async def found(q: str) -> list[str]:
            answer = await http.get("/accounts", params={"q": q})
            assert answer.status_code == 200, answer.text
            assert all("score" not in one for one in answer.json()["items"])
            return [one["account_id"] for one in answer.json()["items"]]

        assert await found(account["account_id"]) == [account["account_id"]]
        assert await found(mail) == [account["account_id"]]
        assert account["account_id"] in await found(account["name"])
        assert await found("nobody-is-called-so") == []
        nul = await http.get("/accounts?q=a%00b")
        unknown = [await http.get(path) for path in ("/assets/none", "/cases/none", "/tasks/none")]
        mine = await http.get("/tasks?mine=true")
    assert nul.status_code == 422
    assert [one.status_code for one in unknown] == [404, 404, 404]
    assert mine.status_code == 422


async def test_all_customers_are_read_page_by_page(servers: Servers) -> None:
    placed_now = {(await placed(servers))["account"]["account_id"] for _ in range(3)}
    async with calling(servers, await token_of(servers, AccessRole.SALES)) as http:
        seen, cursor = list[str](), None
        while True:
            given = {"limit": 2, **({"cursor": cursor} if cursor else {})}
            page = (await http.get("/accounts", params=given)).json()
            seen += [one["account_id"] for one in page["items"]]
            cursor = page["next"]
            if cursor is None:
                break
        wrong = [await http.get("/accounts", params={"cursor": one}) for one in ("x", "WzEsIDIsIDNd", "bnVsbA")]
    assert placed_now <= set(seen)
    assert len(seen) == len(set(seen))
    assert {one.status_code for one in wrong} == {422}


async def test_everybody_is_told_that_there_is_no_such_customer(servers: Servers) -> None:
    async with calling(servers, await token_of(servers, AccessRole.ADMIN)) as http:
        parts = ("assets", "contracts", "quotes", "cases", "tasks", "timeline", "invoices", "surveys", "holds")
        answers = {part: (await http.get(f"/accounts/nobody/{part}")).status_code for part in (*parts, "health")}
    assert set(answers.values()) == {404}
