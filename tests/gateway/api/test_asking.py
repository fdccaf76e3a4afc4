"""Requests over HTTP: what the registry knows is a path; done once, allowed by role, written in the log, told in problems."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from activities.frame import audit_rows
from activities.kernel.clock import present
from domain.frame.access import AccessRole, Principal, signed
from domain.journey.registry import OPERATIONS
from gateway.api.app import openapi_document
from gateway.calling import NoAnswerError
from gateway.cases import CaseClient
from tests.builders import order
from tests.conftest import Servers
from tests.gateway.api.callers import calling, token_of


async def _log(servers: Servers, subject: str) -> list[dict[str, Any]]:
    async with servers.pool.acquire() as connection:
        return await audit_rows.entries(connection, subject, None, None, 50)


async def _placed(servers: Servers) -> str:
    document = order()
    await servers.client.place_order(document)
    return str(document["account"]["account_id"])


async def test_an_order_begins_the_journey_and_the_same_call_gets_the_same_answer(servers: Servers) -> None:
    document = order()
    account = document["account"]["account_id"]
    async with calling(servers, await token_of(servers, AccessRole.PROGRAM)) as http:
        first = await http.post("/orders", json=document, headers={"Idempotency-Key": "order-1"})
        again = await http.post("/orders", json=document, headers={"Idempotency-Key": "order-1"})
        other = await http.post("/orders", json=order(), headers={"Idempotency-Key": "order-1"})
        became = await http.get(f"/accounts/{account}/requests/{document['order_id']}")
    assert first.status_code == 200, first.text
    assert first.json()["account_id"] == account
    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (409, "IdempotencyConflict")
    assert await servers.client.is_running(account)
    assert [(row["operation"], row["outcome"]) for row in await _log(servers, f"account/{account}")] == [
        ("place_order", "done")
    ]
    assert became.json()["status"] == "done"


async def test_a_repeated_request_is_done_once_even_if_its_answer_was_lost(servers: Servers) -> None:
    account = await _placed(servers)
    asked = {"reason": "moved", "language": "en"}
    headers = {"Idempotency-Key": "move-1"}
    async with calling(servers, await token_of(servers, AccessRole.SALES)) as http:
        path = f"/accounts/{account}/requests/change_account"
        first = await http.post(path, json=asked, headers=headers)
        assert first.status_code == 200, first.text
        await servers.pool.execute("delete from kept_answer")
        again = await http.post(path, json=asked, headers=headers)
        taken = await http.post(path, json={**asked, "language": "ja"}, headers=headers)
    assert again.json() == first.json()
    assert "idempotent-replayed" not in again.headers
    assert taken.status_code == 409
    done = "select count(*) from effect where key like 'journey:' || $1 || '/change_account:%'"
    assert await servers.pool.fetchval(done, account) == 1


async def test_what_is_refused_says_which_field_and_changes_nothing(servers: Servers) -> None:
    account = await _placed(servers)
    async with calling(servers, await token_of(servers, AccessRole.SALES)) as http:
        wrong = await http.post(f"/accounts/{account}/requests/amend_assets", json={"assets": [{"asset_id": 3}]})
        nobody = await http.post("/accounts/nobody/requests/change_account", json={"language": "ja", "reason": "x"})
        nothing = await http.post(f"/accounts/{account}/requests/no_such_thing", json={})
    assert wrong.status_code == 422
    assert wrong.headers["content-type"] == "application/problem+json"
    found = wrong.json()
    assert (found["code"], found["status"]) == ("InvalidRequest", 422)
    assert [one["field"] for one in found["problems"]] == ["assets[0].asset_id"]
    assert (nobody.status_code, nobody.json()["code"]) == (404, "UnknownAccount")
    assert nothing.status_code in (404, 405)
    assert await _log(servers, f"account/{account}") == []
    assert [row["outcome"] for row in await _log(servers, "account/nobody")] == ["UnknownAccount"]


async def test_who_asks_and_as_what_follows_from_the_key(servers: Servers) -> None:
    account = await _placed(servers)
    path = f"/accounts/{account}/requests"
    override = {"band": "watch", "reason": "they told us", "days": 30}
    async with calling(servers, await token_of(servers, AccessRole.SERVICE)) as http:
        not_theirs = await http.post(f"{path}/override_health", json=override)
    async with calling(servers, await token_of(servers, AccessRole.SUCCESS)) as http:
        in_another_name = await http.post(f"{path}/override_health", json={**override, "by": "S-1"})
        by_a_claimed_role = await http.post(
            f"{path}/approve_renewal",
            json={"contract_id": "K", "version": 1, "decision": "approve", "role": "director"},
        )
        theirs = await http.post(f"{path}/override_health", json=override)
        for_nobody = await http.post(f"{path}/receive_assets", json={"transfer_id": "T-1"})
    assert (not_theirs.status_code, not_theirs.json()["code"]) == (403, "NotAllowed")
    assert (in_another_name.status_code, in_another_name.json()["problems"][0]["field"]) == (403, "by")
    assert (by_a_claimed_role.status_code, by_a_claimed_role.json()["problems"][0]["field"]) == (403, "role")
    assert theirs.status_code == 200, theirs.text
    assert for_nobody.status_code in (404, 405)
    log = await _log(servers, f"account/{account}")
    assert [(row["operation"], row["outcome"], row["reason"]) for row in log] == [
        ("override_health", "done", "they told us")
    ]
    said = await servers.pool.fetchval("select by from health_override where account_id = $1", account)
    assert f"key:{said}" == log[0]["actor"]


async def test_keys_let_in_what_their_scopes_reach_and_as_long_as_they_are_valid(servers: Servers) -> None:
    document = order()
    narrow = await token_of(servers, AccessRole.PROGRAM, scopes=("cases:*", "orders:read"))
    late = await token_of(servers, AccessRole.PROGRAM, expires_at=present() - timedelta(seconds=1))
    valid = await token_of(servers, AccessRole.PROGRAM)
    forged = valid[:-3] + ("aaa" if not valid.endswith("aaa") else "bbb")
    answers = []
    for token in (None, "prn_nonsense", forged, late, narrow):
        async with calling(servers, token) as http:
            answers.append((await http.post("/orders", json=document)).status_code)
    assert answers == [401, 401, 401, 401, 403]
    assert not await servers.pool.fetchval("select count(*) from sales_order where order_id = $1", document["order_id"])


@pytest.mark.parametrize(
    ("content", "kind", "status", "says"),
    [
        (b"", "application/json", 400, "empty"),
        (b"{", "application/json", 400, "no JSON"),
        (b"[1]", "application/json", 400, "object"),
        (b'{"a": NaN}', "application/json", 400, "NaN"),
        (b'{"order_id": "1", "order_id": "2"}', "application/json", 400, "twice"),
        (b'{"a": ' + b"[" * 5000 + b"]" * 5000 + b"}", "application/json", 400, "deep"),
        (b"\xff\xfe", "application/json", 400, "no JSON"),
        (b"a=b", "application/x-www-form-urlencoded", 415, "application/json"),
        (b'{"a": "' + b"x" * 1_100_000 + b'"}', "application/json", 413, "1024 KiB"),
        (b'{"order_id": "a\\u0000b"}', "application/json", 422, "cannot be kept"),
    ],
)
async def test_bodies_that_cannot_be_read(servers: Servers, content: bytes, kind: str, status: int, says: str) -> None:
    async with calling(servers, await token_of(servers, AccessRole.PROGRAM)) as http:
        answer = await http.post("/orders", content=content, headers={"Content-Type": kind})
    assert answer.status_code == status, answer.text
    assert says in answer.text
    assert set(answer.json()) == {"type", "title", "status", "code", "detail", "problems"}


async def test_what_is_not_answered_in_time_says_where_to_look(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await _placed(servers)

    async def silent(*_: Any) -> dict[str, Any]:
        raise NoAnswerError("no answer came")

    async with calling(servers, await token_of(servers, AccessRole.SALES)) as http:
        asked = {"language": "en", "reason": "moved"}
        path = f"/accounts/{account}/requests/change_account"
        with monkeypatch.context() as patched:
            patched.setattr("gateway.client.PerennialClient.ask", silent)
            accepted = await http.post(path, json=asked, headers={"Prefer": "wait=1", "Idempotency-Key": "x"})
        assert accepted.status_code == 202
        where = accepted.headers["location"].removeprefix("/v1")
        assert (await http.get(where)).json()["status"] == "open"
        done = await http.post(path, json=asked, headers={"Idempotency-Key": "x"})
        assert done.status_code == 200
        became = (await http.get(where)).json()
        assert (became["status"], became["answer"]) == ("done", done.json())


async def test_a_case_is_opened_answered_and_solved(servers: Servers) -> None:
    account = await _placed(servers)
    case_id = f"C-{account}"
    async with calling(servers, await token_of(servers, AccessRole.SERVICE)) as http:
        opened = await http.post("/cases", json={"case_id": case_id, "account_id": account, "subject": "Till is down"})
        assert opened.status_code == 200, opened.text
        answered = await http.post(f"/cases/{case_id}/requests/respond", json={"body": "We look at it."})
        solved = await http.post(f"/cases/{case_id}/requests/resolve", json={"code": "fixed", "text": "A new cable."})
    assert (answered.status_code, solved.status_code) == (200, 200), (answered.text, solved.text)
    file = await CaseClient(servers.temporal, servers.pool).case(case_id)
    assert file is not None
    assert file.status.value == "resolved"
    log = await _log(servers, f"case/{case_id}")
    assert [row["operation"] for row in log] == ["resolve", "respond", "open_case"]


async def test_two_at_once_under_one_key_do_it_once(servers: Servers) -> None:
    account = await _placed(servers)
    async with calling(servers, await token_of(servers, AccessRole.SALES)) as http:
        asked = [
            http.post(
                f"/accounts/{account}/requests/change_account",
                json={"language": "en", "reason": "moved"},
                headers={"Idempotency-Key": "both"},
            )
            for _ in range(5)
        ]
        answers: list[httpx2.Response] = await asyncio.gather(*asked)
    assert {answer.status_code for answer in answers} == {200}
    assert all(answer.json() == answers[0].json() for answer in answers)
    done = "select count(*) from effect where key like 'journey:' || $1 || '/change_account:%'"
    assert await servers.pool.fetchval(done, account) == 1


async def test_a_key_belongs_to_one_of_two_calls_that_come_at_once(servers: Servers) -> None:
    account = await _placed(servers)
    orders, case_id = [order(), order()], f"C-{account}"
    cases = [{"case_id": f"{case_id}-{n}", "account_id": account, "subject": "Till is down"} for n in range(2)]
    day = str((present() - timedelta(days=1)).date())
    usage = [
        {"rows": [{"account_id": f"{case_id}-{n}", "product": "SEATS", "day": day, "active_users": 1}]}
        for n in range(2)
    ]
    async with calling(servers, await token_of(servers, AccessRole.ADMIN)) as http:
        for path, bodies in (("/orders", orders), ("/cases", cases), ("/usage", usage)):
            headers = {"Idempotency-Key": f"{path}-at-once"}
            asked = [http.post(path, json=body, headers=headers) for body in bodies]
            answers: list[httpx2.Response] = await asyncio.gather(*asked)
            assert sorted(answer.status_code for answer in answers) == [200, 409], [one.text for one in answers]
    on_record = "select count(*) from sales_order where order_id = any($1)"
    assert await servers.pool.fetchval(on_record, [document["order_id"] for document in orders]) == 1
    opened = "select count(*) from service_case where case_id = any($1)"
    assert await servers.pool.fetchval(opened, [case["case_id"] for case in cases]) == 1


async def test_what_was_refused_may_come_true_under_the_same_key(servers: Servers) -> None:
    document = order()
    account = document["account"]["account_id"]
    path, asked = f"/accounts/{account}/requests/change_account", {"language": "en", "reason": "moved"}
    async with calling(servers, await token_of(servers, AccessRole.ADMIN)) as http:
        headers = {"Idempotency-Key": f"early-{account}"}
        early = await http.post(path, json=asked, headers=headers)
        other = await http.post(path, json={**asked, "language": "ja"}, headers=headers)
        await http.post("/orders", json=document)
        now = await http.post(path, json=asked, headers=headers)
    assert (early.status_code, other.status_code, now.status_code) == (404, 409, 200), now.text


async def test_a_worker_that_died_keeps_nobody_from_sending_the_same_again(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = order()

    async def dies(*_: Any) -> None:
        raise RuntimeError("the process is gone")

    async with calling(servers, await token_of(servers, AccessRole.PROGRAM)) as http:
        headers = {"Idempotency-Key": f"died-{document['order_id']}"}
        with monkeypatch.context() as patched:
            patched.setattr("gateway.client.PerennialClient.place_order", dies)
            assert (await http.post("/orders", json=document, headers=headers)).status_code == 500
        assert (await http.post("/orders", json=order(), headers=headers)).status_code == 409
        assert (await http.post("/orders", json=document, headers=headers)).status_code == 200


def test_every_request_that_somebody_outside_may_make_is_described_with_an_example() -> None:
    document = openapi_document()
    assert document["openapi"].startswith("3.1")
    posts = {of["post"]["operationId"]: of["post"] for of in document["paths"].values() if "post" in of}
    wanted = {name: kind for name, kind in OPERATIONS.items() if not kind.internal}
    assert wanted.keys() <= posts.keys()
    who = Principal("staff:s-1", "s-1", frozenset(), ("sales", "manager", "lead", "service_lead"))
    for name, kind in wanted.items():
        content = posts[name]["requestBody"]["content"]["application/json"]
        kind.read(signed(who, kind, content["examples"]["typical"]["value"]))
        schema = document["components"]["schemas"][content["schema"]["$ref"].rpartition("/")[2]]
        assert "by" not in schema["properties"]
    assert "receive_assets" not in json.dumps(document)
