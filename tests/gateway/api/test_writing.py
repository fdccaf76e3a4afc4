"""What is written beside requests over HTTP: usage in bulk, prices, who serves; previews, which write nothing."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from activities.frame import audit_rows
from activities.kernel.clock import present
from domain.frame.access import AccessRole
from gateway.calling import NoAnswerError
from gateway.client import PerennialClient
from tests.conftest import Servers
from tests.gateway.api.callers import calling, token_of
from tests.gateway.api.test_reading import placed

STAFF = {"staff_id": "S-70", "name": "Aki Agent", "email": "aki@seller.example"}


def _row(account: str, **changes: Any) -> dict[str, Any]:
    day = (present() - timedelta(days=1)).date()
    return {"account_id": account, "product": "SEATS", "day": str(day), "active_users": 7, **changes}


async def test_usage_comes_in_bulk_and_each_account_whole_or_not_at_all(servers: Servers) -> None:
    good, spoilt = [(await placed(servers))["account"]["account_id"] for _ in range(2)]
    rows = [
        _row(good),
        _row(spoilt),
        _row(spoilt, active_users=-1),
        _row(good, product="NEVER-SOLD-TO-OTHERS", account_id="not-a-customer-yet"),
        "no row",
    ]
    async with calling(servers, await token_of(servers, AccessRole.PROGRAM)) as http:
        first = await http.post("/usage", json={"rows": rows}, headers={"Idempotency-Key": f"u-{good}"})
        again = await http.post("/usage", json={"rows": rows}, headers={"Idempotency-Key": f"u-{good}"})
        nothing = await http.post("/usage", json={"rows": []})
        unsold = await http.post("/usage", json={"rows": [_row(good, product="UNSOLD")]})
    assert first.status_code == 200, first.text
    found = first.json()
    assert [(one["status"], one["code"]) for one in found["rows"]] == [
        ("done", None),
        ("refused", "NotRecorded"),
        ("refused", "InvalidUsage"),
        ("done", None),
        ("refused", "InvalidUsage"),
    ]
    assert found["rows"][2]["problems"][0]["field"] == "active_users"
    assert (found["recorded"], again.json()) == (2, found)
    assert again.headers["idempotent-replayed"] == "true"
    assert nothing.status_code == 422
    assert unsold.json()["rows"][0]["code"] == "InvalidUsage"
    counted = "select account_id, count(*) from usage_day where account_id = any($1) group by 1 order by 1"
    on_record = await servers.pool.fetch(counted, [good, spoilt, "not-a-customer-yet"])
    assert {row["account_id"]: row["count"] for row in on_record} == {good: 1, "not-a-customer-yet": 1}
    async with servers.pool.acquire() as connection:
        log = await audit_rows.entries(connection, f"account/{good}", None, None, 9)
        assert await audit_rows.entries(connection, f"account/{spoilt}", None, None, 9) == []
    assert [(one["operation"], one["outcome"]) for one in log] == [
        ("record_usage", "InvalidUsage"),
        ("record_usage", "done"),
    ]
    assert all(one["reason"].startswith("use of ") for one in log)


async def test_prices_are_published_and_previews_write_nothing(servers: Servers) -> None:
    document = await placed(servers)
    account = document["account"]["account_id"]
    product = f"EXTRA-{account}"
    await servers.pool.execute(
        "insert into product (code, name, kind) values ($1, 'Extra', 'subscription') on conflict do nothing", product
    )
    valid_from = str((present() - timedelta(days=2)).date())
    price = {"product": "TERMINAL", "price": "70000", "currency": "JPY", "valid_from": valid_from}
    async with calling(servers, await token_of(servers, AccessRole.ADMIN)) as http:
        first = await http.post("/prices", json=price)
        same = await http.post("/prices", json=price)
        unknown = await http.post("/prices", json={**price, "product": "NOBODY-KNOWS"})
        seats = next(
            one for one in (await http.get(f"/accounts/{account}/assets")).json()["items"] if one["product"] == "SEATS"
        )
        later = str((present() + timedelta(days=40)).date())
        line = {"kind": "quantity", "line_id": "1", "asset_id": seats["asset_id"], "delta": 10, "effective": later}
        quoted = await http.post(f"/accounts/{account}/quotes/preview", json={"quote_id": "Q-1", "lines": [line]})
        claimed = await http.post(
            f"/accounts/{account}/claims/preview", json={"order_id": document["order_id"], "line_id": "3"}
        )
        no_line = await http.post(
            f"/accounts/{account}/claims/preview", json={"order_id": document["order_id"], "line_id": "99"}
        )
        assert (await http.get(f"/accounts/{account}/quotes")).json()["items"] == []
    assert first.status_code == 200, first.text
    assert (first.json(), same.json()) == ({"changed": True}, {"changed": False})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "UnknownProduct")
    assert quoted.status_code == 200, quoted.text
    assert Decimal(quoted.json()["totals"]["monthly"]) == 10 * 1200
    assert claimed.status_code == 200, claimed.text
    assert Decimal(claimed.json()["difference"]["amount"]) == 10000
    assert (no_line.status_code, no_line.json()["code"]) == (404, "UnknownLine")


async def test_who_serves_and_what_is_owed_is_kept_as_told_last(servers: Servers) -> None:
    account = (await placed(servers))["account"]["account_id"]
    team = f"t-{account}"
    entitlement = {"entitlement_id": f"E-{account}", "account_id": account, "policy_id": "standard"}
    async with calling(servers, await token_of(servers, AccessRole.OPERATOR)) as http:
        lonely = await http.put("/agents/S-70", json={"staff": STAFF, "team": team})
        kept = await http.put(f"/teams/{team}", json={"team": team, "name": "First line", "lead": STAFF})
        other = await http.put("/teams/another", json={"team": team, "name": "First line"})
        agent = await http.put("/agents/S-70", json={"staff": STAFF, "team": team, "case_limit": 3})
        path = f"/entitlements/{entitlement['entitlement_id']}"
        owed = await http.put(path, json={**entitlement, "starts_on": "2026-01-01"})
        over = await http.put(path, json={**entitlement, "starts_on": "2026-01-02", "ends_on": "2026-01-01"})
    assert [one.status_code for one in (kept, agent, owed)] == [200, 200, 200], (kept.text, agent.text, owed.text)
    assert (lonely.status_code, lonely.json()["problems"][0]["field"]) == (422, "team")
    assert (other.status_code, other.json()["problems"][0]["field"]) == (422, "team")
    assert over.status_code == 422
    found = await servers.pool.fetchrow("select team, case_limit from service_agent where staff_id = 'S-70'")
    assert tuple(found or ()) == (team, 3)
    assert await servers.pool.fetchval("select starts_on::text from entitlement where account_id = $1", account) == (
        "2026-01-01"
    )


@pytest.mark.parametrize(
    ("role", "closed"),
    [
        (AccessRole.SALES, {"/usage", "/prices", "/teams/x", "/agents/x", "/entitlements/x"}),
        (AccessRole.PROGRAM, {"/teams/x", "/agents/x"}),
        (AccessRole.FINANCE, {"/usage", "/teams/x", "/agents/x", "/entitlements/x"}),
        (AccessRole.ADMIN, set()),
    ],
)
async def test_each_role_writes_what_the_table_says(servers: Servers, role: AccessRole, closed: set[str]) -> None:
    calls = [("POST", "/usage", {"rows": [{}]}), ("POST", "/prices", {"product": ""})]
    calls += [("PUT", f"/{what}/x", {}) for what in ("teams", "agents", "entitlements")]
    bodies = {
        "/teams/x": {"team": "x"},
        "/agents/x": {"staff": {"staff_id": "x"}},
        "/entitlements/x": {"entitlement_id": "x"},
    }
    async with calling(servers, await token_of(servers, role)) as http:
        status = {
            path: (await http.request(method, path, json=bodies.get(path, body))).status_code
            for method, path, body in calls
        }
    assert {path for path, found in status.items() if found == 403} == closed
    assert set(status.values()) <= {200, 403, 422}


async def test_a_journey_that_does_not_answer_leaves_usage_on_record(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(*_: object) -> int:
        raise NoAnswerError("the journey does not answer")

    account = (await placed(servers))["account"]["account_id"]
    async with calling(servers, await token_of(servers, AccessRole.PROGRAM)) as http:
        call: dict[str, Any] = {"json": {"rows": [_row(account)]}, "headers": {"Idempotency-Key": f"u-{account}"}}
        with monkeypatch.context() as patched:
            patched.setattr(PerennialClient, "record_usage", silent)
            found = (await http.post("/usage", **call)).json()
        again = (await http.post("/usage", **call)).json()
        same = await http.post("/usage", **call)
    assert [one["status"] for one in found["rows"]] == ["open"]
    assert [one["status"] for one in again["rows"]] == ["done"], "it is asked again until the journey was told"
    assert (same.json(), same.headers["idempotent-replayed"]) == (again, "true")
