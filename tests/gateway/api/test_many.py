"""Many requests in one call, each answered for itself; and what a request would come to, of which nothing stays."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from activities.kernel.clock import present
from domain.frame.access import AccessRole
from gateway.calling import NoAnswerError
from tests.builders import order
from tests.conftest import Servers
from tests.gateway.api.callers import calling, token_of
from tests.gateway.api.test_reading import placed

TABLES = ("journal", "outbox", "invoice", "invoice_line", "asset_action", "asset_state_period", "quote", "effect")


async def test_each_of_many_is_done_or_refused_for_itself_and_once(servers: Servers) -> None:
    document = await placed(servers)
    account, new = document["account"]["account_id"], order()
    task = {"task": "kickoff", "order_id": document["order_id"]}
    items = [
        {"operation": "place_order", "request": new},
        {"operation": "complete_task", "of": account, "request": task},
        {"operation": "complete_task", "of": account, "request": {**task, "task": "no_such_task"}},
        {"operation": "no_such_request", "of": account, "request": {}},
        {"operation": "complete_task", "request": task},
        {"operation": "receive_assets", "of": account, "request": {}},
        {"operation": "open_case", "request": {"case_id": f"C-{account}", "account_id": account, "subject": "x"}},
    ]
    headers = {"Idempotency-Key": f"many-{account}"}
    async with calling(servers, await token_of(servers, AccessRole.ADMIN)) as http:
        first = await http.post("/requests", json={"items": items}, headers=headers)
        await servers.pool.execute("delete from kept_answer")
        again = await http.post("/requests", json={"items": items}, headers=headers)
        none = await http.post("/requests", json={"items": []})
    assert first.status_code == 200, first.text
    found = first.json()
    assert [(one["status"], one["code"]) for one in found["items"]] == [
        ("done", None),
        ("done", None),
        ("refused", found["items"][2]["code"]),
        ("refused", "UnknownOperation"),
        ("refused", "InvalidRequest"),
        ("refused", "NotAllowed"),
        ("done", None),
    ]
    assert (found["done"], again.json()) == (3, found), "each is done once, even if the answer was lost"
    assert found["items"][0]["answer"]["order_id"] == new["order_id"]
    assert found["items"][1]["answer"]["task"] == "kickoff"
    assert none.status_code == 422
    done = "select count(*) from effect where key like 'journey:' || $1 || '/complete_task:%'"
    assert await servers.pool.fetchval(done, account) == 1


async def test_of_many_only_those_are_asked_that_the_scopes_reach(servers: Servers) -> None:
    account = (await placed(servers))["account"]["account_id"]
    items = [
        {"operation": "change_account", "of": account, "request": {"language": "en", "reason": "moved"}},
        {"operation": "amend_assets", "of": account, "request": {"assets": []}},
    ]
    async with calling(servers, await token_of(servers, AccessRole.SALES, scopes=("accounts:write",))) as http:
        answers = (await http.post("/requests", json={"items": items})).json()["items"]
    assert [(one["status"], one["code"]) for one in answers] == [("done", None), ("refused", "OutOfScope")]


async def test_what_is_not_answered_is_open_and_asked_again_under_the_same_key(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(*_: Any) -> dict[str, Any]:
        raise NoAnswerError("no answer came")

    account = (await placed(servers))["account"]["account_id"]
    item = {"operation": "change_account", "of": account, "request": {"language": "en", "reason": "moved"}}
    async with calling(servers, await token_of(servers, AccessRole.SALES)) as http:
        headers = {"Idempotency-Key": f"open-{account}"}
        with monkeypatch.context() as patched:
            patched.setattr("gateway.client.PerennialClient.ask", silent)
            first = (await http.post("/requests", json={"items": [item]}, headers=headers)).json()["items"][0]
        again = (await http.post("/requests", json={"items": [item]}, headers=headers)).json()["items"][0]
    assert (first["status"], again["status"]) == ("open", "done")
    assert first["request_id"] == again["request_id"]


async def test_what_a_change_would_come_to_is_told_and_nothing_of_it_stays(servers: Servers) -> None:
    document = await placed(servers)
    account, seats = document["account"]["account_id"], f"{document['order_id']}.1"
    path, later = f"/accounts/{account}/requests", str((present() + timedelta(days=40)).date())
    line = {"kind": "quantity", "line_id": "1", "asset_id": seats, "delta": 10, "effective": later}

    async def rows() -> list[int]:
        return [await servers.pool.fetchval(f"select count(*) from {table}") for table in TABLES]

    before = await rows()
    async with calling(servers, await token_of(servers, AccessRole.SALES)) as http:
        more = await http.post(f"{path}/amend_assets/preview", json={"assets": [{"asset_id": seats, "add": 2}]})
        cancelled = await http.post(f"{path}/cancel_assets/preview", json={"assets": [{"asset_id": seats}]})
        quoted = await http.post(f"{path}/request_quote/preview", json={"quote_id": "Q-1", "lines": [line]})
        wrong = await http.post(f"{path}/amend_assets/preview", json={"assets": [{"asset_id": "no-such", "add": 2}]})
        nobody = await http.post("/accounts/nobody/requests/amend_assets/preview", json={"assets": []})
        assert await rows() == before
        asked = await http.post(f"{path}/amend_assets", json={"assets": [{"asset_id": seats, "add": 2}]})
    async with calling(servers, await token_of(servers, AccessRole.SERVICE)) as http:
        not_theirs = await http.post(f"{path}/amend_assets/preview", json={"assets": [{"asset_id": seats, "add": 2}]})
    assert more.status_code == 200, more.text
    (of,) = more.json()["accounts"]
    (change,) = of["changes"]
    assert (change["quantity_before"], change["quantity"]) == (40, 42)
    assert Decimal(change["monthly"]["amount"]) - Decimal(change["monthly_before"]["amount"]) == 2 * 1200
    shares = sum(Decimal(share["amount"]) for share in change["made_of"])
    assert round(shares) == round(Decimal(change["amount_change"])), "the amount is explained"
    assert sum(Decimal(one["net"]["amount"]) for one in of["documents"]) == round(Decimal(change["amount_change"]))
    assert any("42" in (mail["text"] or "") for mail in of["mails"])
    assert of["notices"]
    (made,) = asked.json()["assets"]
    assert (made["quantity"], made["mrr_change"]) == (change["quantity"], change["mrr_change"])
    assert quoted.json()["accounts"][0]["quote"]["totals"]["monthly"] == str(10 * 1200)
    assert cancelled.json()["accounts"][0]["changes"][0]["quantity"] == 0
    assert wrong.status_code in (404, 422)
    assert (nobody.status_code, not_theirs.status_code) == (404, 403)
