"""Journeys, reports and the audit log over HTTP: as the command line says them, for those who may see them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from domain.frame.access import AccessRole
from tests.conftest import Servers
from tests.gateway.api.callers import calling, token_of
from tests.gateway.api.test_reading import placed
from tests.workers.cli.running import perennial

REPORTS = ("retention", "renewals", "adoption", "ttv", "service", "surveys", "value")


async def test_what_comes_and_why(servers: Servers) -> None:
    account = (await placed(servers))["account"]["account_id"]
    async with calling(servers, await token_of(servers, AccessRole.SUCCESS)) as http:
        journey = (await http.get(f"/accounts/{account}/journey")).json()
        plan = (await http.get(f"/accounts/{account}/journey/plan")).json()
        following = (await http.get(f"/accounts/{account}/journey/plan", params={"months": 0})).json()
        whole = (await http.get(f"/accounts/{account}/journey/explain")).json()
        key = plan["steps"][0]["step"]
        one = (await http.get(f"/accounts/{account}/journey/explain", params={"step": key})).json()
        none = await http.get(f"/accounts/{account}/journey/explain", params={"step": "nothing-of-theirs"})
        nobody = await http.get("/accounts/nobody/journey/plan")
    assert journey["running"]
    assert account in journey["briefing"] or "Tanuki" in journey["briefing"]
    assert len(plan["steps"]) > len(following["steps"]) > 0
    assert [step["at"] for step in plan["steps"]] == sorted(step["at"] for step in plan["steps"])
    assert (one["found"]["key"], one["found"]["done"]) == (key, False)
    assert whole["found"] is None
    assert [done["key"] for done in whole["latest"]][-1].startswith("order:")
    assert (none.status_code, nobody.status_code) == (404, 404)


async def test_an_explanation_keeps_prices_from_those_who_do_not_see_them(servers: Servers) -> None:
    account = (await placed(servers))["account"]["account_id"]
    seen = {}
    for role in (AccessRole.SALES, AccessRole.SERVICE):
        async with calling(servers, await token_of(servers, role)) as http:
            answer = (await http.get(f"/accounts/{account}/journey/explain", params={"step": "order:"})).json()
            seen[role] = answer["found"]
            assert ("briefing" in (await http.get(f"/accounts/{account}/journey")).json()) is (role is AccessRole.SALES)
    assert seen[AccessRole.SALES]["documents"]
    assert "documents" not in seen[AccessRole.SERVICE]
    assert "facts" not in seen[AccessRole.SERVICE]


async def test_reports_say_what_the_command_line_says(servers: Servers, tmp_path: Path) -> None:
    await placed(servers)
    dsn = servers.settings.database_url.get_secret_value()
    async with calling(servers, await token_of(servers, AccessRole.ADMIN)) as http:
        given = {name: await http.get(f"/reports/{name}") for name in REPORTS}
    assert {answer.status_code for answer in given.values()} == {200}
    for name in ("retention", "renewals", "ttv", "surveys"):
        said = json.loads((await perennial("report", name, "--json", dsn=dsn, folder=tmp_path)).out)
        assert given[name].json() == said


@pytest.mark.parametrize(
    ("role", "closed"),
    [
        (AccessRole.SERVICE, {"retention", "renewals", "value"}),
        (AccessRole.FINANCE, {"renewals"}),
        (AccessRole.SALES, set()),
    ],
)
async def test_reports_are_for_those_who_see_what_they_are_of(
    servers: Servers, role: AccessRole, closed: set[str]
) -> None:
    async with calling(servers, await token_of(servers, role)) as http:
        status = {name: (await http.get(f"/reports/{name}")).status_code for name in REPORTS}
        wrong = await http.get("/reports/surveys", params={"from": "2026-03-02", "to": "2026-03-01"})
    assert {name for name, found in status.items() if found == 403} == closed
    assert (wrong.status_code, wrong.json()["problems"][0]["field"]) == (422, "from")


async def test_the_audit_log_is_for_admins_in_pages(servers: Servers) -> None:
    account = (await placed(servers))["account"]["account_id"]
    async with calling(servers, await token_of(servers, AccessRole.SALES)) as http:
        for language in ("en", "ja", "en"):
            path = f"/accounts/{account}/requests/change_account"
            answer = await http.post(path, json={"reason": f"speaks {language}", "language": language})
            assert answer.status_code == 200, answer.text
        refused = await http.get("/audit")
    async with calling(servers, await token_of(servers, AccessRole.ADMIN)) as http:
        asked: dict[str, str | int] = {"subject": f"account/{account}", "limit": 2}
        first = (await http.get("/audit", params=asked)).json()
        second = (await http.get("/audit", params={**asked, "cursor": first["next"]})).json()
        timeline = (await http.get(f"/accounts/{account}/timeline", params={"limit": 1})).json()
        foreign = await http.get("/audit", params={"cursor": timeline["next"]})
    assert refused.status_code == 403
    reasons = [one["reason"] for one in (*first["items"], *second["items"])]
    assert reasons == ["speaks en", "speaks ja", "speaks en"]
    assert second["next"] is None
    assert foreign.status_code == 422
